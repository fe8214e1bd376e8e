//! Broken rungs of counters, in sentences.

use super::{Counters, Event, What};
use crate::history::History;
use crate::ladder::facts::Answer;
use crate::ladder::rung::Rung;
use crate::ladder::tell::{non, rule_out};
use crate::ladder::{Decided, implies};
use crate::tell::Teller;
use crate::violation::Violation;

/// More operations than this are not told one by one.
const TOLD: usize = 20;

/// One violation for each broken rung that implies no other broken one; those with the same operations share
/// it.
pub(super) fn violations(
    history: &History,
    counters: &Counters<'_>,
    found: &[Decided],
) -> Vec<Violation> {
    let is_broken =
        |rung: &Rung| found.iter().any(|one| one.rung == *rung && one.answer.is_invalid());
    let mut told: Vec<Violation> = Vec::new();
    for one in found.iter().rev() {
        let Answer::Invalid(conflict) = &one.answer else { continue };
        if conflict.nodes.is_empty() || implies(one.rung).iter().any(is_broken) {
            continue;
        }
        let mut violation = violation(history, counters, one.rung, &conflict.nodes);
        let same = told.iter_mut().find(|told| told.witness == violation.witness);
        let into = match same {
            Some(same) => same,
            None => {
                told.push(std::mem::replace(&mut violation, empty(one.rung)));
                told.last_mut().expect("it was pushed")
            }
        };
        rule_out(into, one.rung);
        into.rules_out.retain(|rung| super::RUNGS.contains(rung));
    }
    told
}

fn violation(history: &History, counters: &Counters<'_>, rung: Rung, reads: &[u32]) -> Violation {
    let event = |at: u32| counters.events[at as usize];
    let read = reads[reads.len() - 1];
    let Event { session, key, what } = event(read);
    let What::Read(value) = what else { unreachable!("a read comes last") };
    let adds = |own: bool, from: u32, to: u32| {
        (from..to).filter(move |at| {
            let event = event(*at);
            let counts = matches!(event.what, What::Add { certain, .. } if certain || !own);
            counts && event.key == key && (!own || event.session == session)
        })
    };
    let sum = |adds: &[u32]| -> i128 {
        let amount = |at: &u32| match event(*at).what {
            What::Add { amount, .. } => i128::from(amount),
            What::Read(_) => 0,
        };
        adds.iter().map(amount).sum()
    };
    let all = counters.events.len() as u32;
    let (mut witness, why) = match *reads {
        [before, _] if rung == Rung::Pram => (
            adds(true, before, read).collect::<Vec<u32>>(),
            "so it saw less than before of what others had added".to_owned(),
        ),
        [_, _] => (Vec::new(), "nothing was taken away, and yet the session read less".to_owned()),
        _ => {
            let own: Vec<u32> = adds(true, 0, read).collect();
            let everything: Vec<u32> = adds(false, 0, all).collect();
            let added = sum(&own);
            if i128::from(value) < added {
                let why = format!("its session had added {added} before, and it shows {value}");
                (own, why)
            } else if i128::from(value) > sum(&everything) || value < 0 {
                let why = format!(
                    "it shows {value}, and all that can have been added is {}",
                    sum(&everything)
                );
                (everything, why)
            } else {
                let why = format!(
                    "it shows {value}, which the adds of others and those of its session before it do not make up"
                );
                (everything, why)
            }
        }
    };
    witness.extend(reads);
    witness.sort_unstable();
    let operations: Vec<_> = witness.iter().map(|at| counters.operations[*at as usize]).collect();
    let untold = operations.len().saturating_sub(TOLD);
    let mut because = Vec::new();
    if untold > 0 {
        because.push(format!("{untold} operations came first"));
    }
    because.extend(operations[untold..].iter().map(|one| Teller { history }.clause(one)));
    because.push(why);
    Violation {
        key: history[operations[0].key].clone(),
        witness: operations.iter().map(|one| one.invoked.index).collect(),
        because,
        ..empty(rung)
    }
}

fn empty(rung: Rung) -> Violation {
    Violation {
        name: non(rung),
        key: None,
        witness: Vec::new(),
        because: Vec::new(),
        count: 1,
        reached: None,
        shape: None,
        dependencies: Vec::new(),
        rules_out: Vec::new(),
    }
}
