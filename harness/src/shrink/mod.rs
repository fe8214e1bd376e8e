//! A smaller plan that still fails: fewer faults, nodes, clients, keys and seconds.
//!
//! Delta debugging (Zeller and Hildebrandt, *Simplifying and isolating failure-inducing input*, 2002) over
//! the plan, the seed kept. A cluster does not answer the same each time, so a plan counts as failing if one
//! of a few runs fails; what is left at the end is small, and not proven to be the smallest.

mod smaller;

use crate::plan::Plan;

/// What came of it.
#[derive(Debug)]
pub struct Shrunk {
    /// The smallest plan that was seen to fail.
    pub plan: Plan,
    /// How many plans were tried, that one and the first included.
    pub tried: usize,
    /// There was nothing smaller left to try.
    pub is_minimal: bool,
}

/// Looks for a smaller plan that still fails. `fails` answers nothing when there is no time left.
/// The result is `None` if the plan itself does not fail.
pub fn shrink(plan: &Plan, mut fails: impl FnMut(&Plan) -> Option<bool>) -> Option<Shrunk> {
    if fails(plan) != Some(true) {
        return None;
    }
    let mut shrunk = Shrunk { plan: plan.clone(), tried: 1, is_minimal: false };
    'smaller: loop {
        for candidate in smaller::than(&shrunk.plan) {
            let Some(fails) = fails(&candidate) else { return Some(shrunk) };
            shrunk.tried += 1;
            if fails {
                shrunk.plan = candidate;
                continue 'smaller;
            }
        }
        shrunk.is_minimal = true;
        return Some(shrunk);
    }
}

/// What matters of the size of a plan, in a line.
pub fn size(plan: &Plan) -> String {
    let phases = &plan.phases;
    let load_ms = phases.baseline.ms() + phases.main.ms() + phases.after.ms();
    let faults = plan.faults.as_ref().map_or(0, Vec::len);
    let nodes = smaller::nodes(plan).map_or(String::new(), |nodes| format!(", {nodes} nodes"));
    let keys = plan.workload.keys.map_or_else(|| "the usual".to_owned(), |keys| keys.to_string());
    format!(
        "{faults} faults{nodes}, {} clients a node, {keys} keys, {} operations a second, {:.1} s",
        plan.workload.concurrency,
        plan.workload.rate,
        load_ms as f64 / 1e3
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{FaultPlan, Span};

    const PLAN: &str = r#"
        target = "store/raft"
        nodes = 5
        seed = 7
        phases = { baseline = "3s", main = "24s", after = "3s" }
        faults = [
            { name = "halves", at = "0s", for = "4s" },
            { name = "kill", at = "5s", for = "2s" },
            { name = "primaries", at = "8s", for = "4s" },
            { name = "pause", at = "14s", for = "3s" },
            { name = "halves", at = "20s" },
        ]
    "#;

    fn has(plan: &Plan, name: &str, least_ms: u64) -> bool {
        let long = |fault: &FaultPlan| {
            fault.name == name && fault.lasts.is_none_or(|span| span >= Span::from_ms(least_ms))
        };
        plan.faults.iter().flatten().any(long)
    }

    #[test]
    fn what_the_failure_needs_is_left_and_nothing_else() {
        // It needs the cut of the primary for 3 s and two clients a node.
        let fails =
            |plan: &Plan| Some(has(plan, "primaries", 1_500) && plan.workload.concurrency >= 2);
        let plan = Plan::from_toml(PLAN).unwrap();
        let shrunk = shrink(&plan, fails).unwrap();
        assert!(shrunk.is_minimal);
        let small = &shrunk.plan;
        let faults = small.faults.as_ref().unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].name, "primaries");
        assert_eq!(faults[0].at, Some(Span::from_ms(0)));
        assert_eq!(faults[0].lasts, Some(Span::from_ms(2_000)));
        assert_eq!((small.workload.concurrency, small.workload.keys), (2, Some(1)));
        assert_eq!(small.nodes, Some(crate::plan::Nodes::Count(3)));
        assert!(small.phases.main <= Span::from_ms(3_000), "{}", small.phases.main);
        assert_eq!(small.seed, Some(7), "the seed stays");
        assert!(shrunk.tried < 60, "{}", shrunk.tried);
    }

    #[test]
    fn two_faults_that_need_each_other_both_stay() {
        let fails = |plan: &Plan| Some(has(plan, "kill", 0) && has(plan, "pause", 0));
        let shrunk = shrink(&Plan::from_toml(PLAN).unwrap(), fails).unwrap();
        let faults = shrunk.plan.faults.as_ref().unwrap();
        let names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
        assert_eq!(names, ["kill", "pause"]);
    }

    #[test]
    fn every_candidate_is_a_plan_that_can_be_run_and_is_written_as_it_is_read() {
        let nodes: Vec<String> = (1..=5).map(|node| format!("n{node}")).collect();
        let mut seen = 0;
        let fails = |plan: &Plan| {
            plan.timeline(&nodes, 7).unwrap();
            let text = toml::to_string(plan).unwrap();
            let again = Plan::from_toml(&text).unwrap();
            assert_eq!(toml::to_string(&again).unwrap(), text);
            assert_eq!(again.faults, plan.faults);
            seen += 1;
            Some(seen % 3 == 1)
        };
        shrink(&Plan::from_toml(PLAN).unwrap(), fails).unwrap();
        assert!(seen > 10);
    }

    #[test]
    fn without_a_failure_or_without_time_it_says_so() {
        let plan = Plan::from_toml(PLAN).unwrap();
        assert!(shrink(&plan, |_| Some(false)).is_none());
        let mut left = 3;
        let shrunk = shrink(&plan, |_| {
            left -= 1;
            (left >= 0).then_some(true)
        });
        let shrunk = shrunk.unwrap();
        assert!(!shrunk.is_minimal);
        assert_eq!(shrunk.tried, 3);
    }
}
