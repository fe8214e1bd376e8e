//! The levels by what a store does: serial executions, and snapshots.

use std::collections::{BTreeMap, BTreeSet};

use super::spec::{Access, Spec, Transaction};
use crate::history::Completion;

/// What a store holds: lists and registers alike, as all that was written to them.
type State = BTreeMap<u32, Vec<u32>>;

/// Which orders have to be kept besides what was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keeps {
    Nothing,
    Sessions,
    RealTime,
}

impl Keeps {
    /// Whether one transaction has to come before another.
    fn orders(self, one: &Transaction, other: &Transaction) -> bool {
        let certain = one.fate == Completion::Ok && one.ends < other.begins;
        match self {
            Keeps::Nothing => false,
            Keeps::Sessions => certain && one.session == other.session,
            Keeps::RealTime => certain,
        }
    }
}

/// What a transaction does to a state, if it finds there what it says. What it found is not known if it is
/// not known whether it happened.
fn run(one: &Transaction, state: &State) -> Option<State> {
    let mut state = state.clone();
    for access in &one.accesses {
        let held = state.entry(access.key()).or_default();
        match access {
            Access::Append(_, value) | Access::Write(_, value) => held.push(*value),
            _ if one.fate != Completion::Ok => {}
            Access::List(_, list) if list == held => {}
            Access::Read(_, value) if *value == held.last().copied() => {}
            _ => return None,
        }
    }
    Some(state)
}

/// Whether one order of the transactions explains everything.
pub fn is_serializable(spec: &Spec, keeps: Keeps) -> bool {
    let mut tried = BTreeSet::new();
    serial(spec, keeps, &mut vec![false; spec.0.len()], &State::new(), &mut tried)
}

fn serial(
    spec: &Spec,
    keeps: Keeps,
    done: &mut [bool],
    state: &State,
    tried: &mut BTreeSet<(Vec<bool>, State)>,
) -> bool {
    if !tried.insert((done.to_vec(), state.clone())) {
        return false;
    }
    let open = |at: &usize| !done[*at] && spec.0[*at].fate != Completion::Fail;
    let all_ok = (0..done.len()).all(|at| done[at] || spec.0[at].fate != Completion::Ok);
    if all_ok {
        return true;
    }
    let candidates: Vec<usize> = (0..done.len()).filter(open).collect();
    for at in candidates {
        let comes_first = |other: usize| !done[other] && keeps.orders(&spec.0[other], &spec.0[at]);
        if (0..done.len()).any(comes_first) {
            continue;
        }
        if let Some(next) = run(&spec.0[at], state) {
            done[at] = true;
            let explains = serial(spec, keeps, done, &next, tried);
            done[at] = false;
            if explains {
                return true;
            }
        }
    }
    false
}

/// Whether snapshots explain everything: each transaction reads what was committed when it began, and
/// commits if nobody else committed a write to its keys since then.
pub fn is_snapshot_isolated(spec: &Spec, keeps: Keeps) -> bool {
    let phases = vec![Phase::Waits; spec.0.len()];
    snapshots(spec, keeps, &phases, &State::new(), &mut BTreeSet::new())
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Waits,
    /// Since then these keys were written by others.
    Runs(BTreeSet<u32>),
    Committed,
}

fn snapshots(
    spec: &Spec,
    keeps: Keeps,
    phases: &[Phase],
    state: &State,
    tried: &mut BTreeSet<(Vec<Phase>, State)>,
) -> bool {
    if !tried.insert((phases.to_vec(), state.clone())) {
        return false;
    }
    let is_done =
        |at: usize| matches!(phases[at], Phase::Committed) || spec.0[at].fate != Completion::Ok;
    if (0..phases.len()).all(is_done) {
        return true;
    }
    (0..phases.len()).filter(|at| spec.0[*at].fate != Completion::Fail).any(|at| {
        let one = &spec.0[at];
        let mut next = phases.to_vec();
        match &phases[at] {
            Phase::Committed => false,
            Phase::Waits => {
                let comes_first = |other: usize| {
                    !matches!(phases[other], Phase::Committed) && keeps.orders(&spec.0[other], one)
                };
                if (0..phases.len()).any(comes_first) || run(one, state).is_none() {
                    return false;
                }
                next[at] = Phase::Runs(BTreeSet::new());
                snapshots(spec, keeps, &next, state, tried)
            }
            Phase::Runs(others) => {
                let written: Vec<(u32, u32)> =
                    one.accesses.iter().filter_map(Access::written).collect();
                if written.iter().any(|(key, _)| others.contains(key)) {
                    return false;
                }
                next[at] = Phase::Committed;
                for phase in &mut next {
                    if let Phase::Runs(others) = phase {
                        others.extend(written.iter().map(|(key, _)| *key));
                    }
                }
                let mut state = state.clone();
                for (key, value) in written {
                    state.entry(key).or_default().push(value);
                }
                snapshots(spec, keeps, &next, &state, tried)
            }
        }
    })
}
