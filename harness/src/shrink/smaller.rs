//! The plans that are a step smaller than one, what saves most first.

use crate::plan::{FaultPlan, Nodes, Plan, Span};

/// Baseline and aftermath are never shorter: a primary has to be there.
const EDGE: Span = Span::from_ms(500);
/// The main phase goes on for so long after the last fault.
const AFTER_FAULTS: Span = Span::from_ms(500);
/// No fault is made shorter than that.
const FAULT_LEAST: Span = Span::from_ms(1_000);
/// Fewer nodes have no majority to speak of.
const NODES_LEAST: usize = 3;
/// Fewer operations show nothing.
const RATE_LEAST: f64 = 20.0;

/// Every plan that is one step smaller.
pub fn than(plan: &Plan) -> Vec<Plan> {
    let faults = plan.faults.clone().unwrap_or_default();
    let mut all: Vec<Plan> = without(&faults)
        .into_iter()
        .map(|faults| Plan { faults: Some(faults), ..plan.clone() })
        .collect();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut changed = plan.clone();
        change(&mut changed);
        all.push(changed);
    };
    with(&|plan| {
        plan.phases.baseline = plan.phases.baseline.min(EDGE);
        plan.phases.after = plan.phases.after.min(EDGE);
    });
    with(&begin_at_once);
    with(&end_after_faults);
    for at in 0..faults.len() {
        with(&|plan| shorten(plan, at));
    }
    with(&|plan| plan.nodes = nodes(plan).map(|count| Nodes::Count(count.min(NODES_LEAST))));
    with(&|plan| plan.workload.keys = Some(1));
    with(&|plan| plan.workload.concurrency = plan.workload.concurrency.min(1));
    with(&|plan| {
        let rate = plan.workload.rate;
        plan.workload.rate = (rate / 2.0).max(RATE_LEAST.min(rate));
    });
    all.retain(|smaller| smaller != plan);
    all
}

/// How many nodes are started, if that is said.
pub fn nodes(plan: &Plan) -> Option<usize> {
    match plan.nodes {
        Some(Nodes::Count(count)) => Some(count),
        _ => None,
    }
}

/// The faults without each half of them, each quarter, and so on down to each single one.
fn without(faults: &[FaultPlan]) -> Vec<Vec<FaultPlan>> {
    let mut all = Vec::new();
    let mut chunk = faults.len();
    while chunk > 0 {
        for from in (0..faults.len()).step_by(chunk) {
            let to = (from + chunk).min(faults.len());
            all.push([&faults[..from], &faults[to..]].concat());
        }
        chunk /= 2;
    }
    all
}

/// The first fault begins with the main phase, and all others as much earlier.
fn begin_at_once(plan: &mut Plan) {
    let faults = plan.faults.iter_mut().flatten();
    let Some(first) = faults.filter_map(|fault| fault.at).min() else { return };
    for at in plan.faults.iter_mut().flatten().filter_map(|fault| fault.at.as_mut()) {
        *at = Span::from_ms(at.ms() - first.ms());
    }
    plan.phases.main =
        Span::from_ms(plan.phases.main.ms().saturating_sub(first.ms()).max(EDGE.ms()));
}

/// The main phase ends soon after the last fault, if all of them end.
fn end_after_faults(plan: &mut Plan) {
    let end = |fault: &FaultPlan| Some(fault.at?.ms() + fault.lasts?.ms());
    let ends: Option<Vec<u64>> = plan.faults.iter().flatten().map(end).collect();
    if let Some(last) = ends.and_then(|ends| ends.into_iter().max()) {
        plan.phases.main = plan.phases.main.min(Span::from_ms(last + AFTER_FAULTS.ms()));
    }
}

/// A fault lasts half as long; one without an end gets one.
fn shorten(plan: &mut Plan, at: usize) {
    let main = plan.phases.main;
    let Some(fault) = plan.faults.as_mut().and_then(|faults| faults.get_mut(at)) else { return };
    let rest = Span::from_ms(main.ms().saturating_sub(fault.at.map_or(0, Span::ms)));
    let lasts = fault.lasts.unwrap_or(rest);
    if lasts > FAULT_LEAST {
        fault.lasts = Some(Span::from_ms((lasts.ms() / 2).max(FAULT_LEAST.ms())));
    }
}
