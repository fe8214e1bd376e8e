//! Broken rungs of sets, in sentences.

use super::material::Sets;
use crate::history::{History, Operation};
use crate::ladder::facts::Answer;
use crate::ladder::rung::Rung;
use crate::ladder::rungs::ALL;
use crate::ladder::tell::{non, rule_out};
use crate::ladder::{Decided, implies};
use crate::tell::Teller;
use crate::violation::Violation;

/// One violation for each broken rung that implies no other broken one; rungs that break by the same
/// operations share it.
pub(super) fn violations(history: &History, sets: &Sets<'_>, found: &[Decided]) -> Vec<Violation> {
    if let Some((read, element)) = sets.thin_air {
        return vec![Violation {
            name: "thin-air-read",
            key: history[read.key].clone(),
            witness: vec![read.invoked.index],
            because: vec![
                Teller { history }.clause(read),
                format!("nothing can have added {element}, which it shows"),
            ],
            count: 1,
            reached: None,
            shape: Some("ThinAirRead"),
            dependencies: Vec::new(),
            rules_out: found.iter().map(|one| one.rung).collect(),
        }];
    }
    let is_broken =
        |rung: &Rung| found.iter().any(|one| one.rung == *rung && one.answer.is_invalid());
    let mut told: Vec<Violation> = Vec::new();
    for rung in ALL.iter().rev().map(|one| one.rung()) {
        let nodes = found.iter().find_map(|one| match &one.answer {
            Answer::Invalid(conflict) if one.rung == rung => Some(&conflict.nodes),
            _ => None,
        });
        let weakest = |nodes: &&Vec<u32>| !nodes.is_empty() && !implies(rung).iter().any(is_broken);
        let Some(nodes) = nodes.filter(weakest) else { continue };
        let mut violation = Story { history, sets, rung }.violation(nodes);
        match told.iter_mut().find(|one| one.witness == violation.witness) {
            Some(same) => rule_out(same, rung),
            None => {
                rule_out(&mut violation, rung);
                told.push(violation);
            }
        }
    }
    for violation in &mut told {
        violation.rules_out.retain(|rung| *rung != Rung::Converged);
    }
    told
}

struct Story<'a, 'h> {
    history: &'a History,
    sets: &'a Sets<'h>,
    rung: Rung,
}

impl<'h> Story<'_, 'h> {
    /// Of nodes each of which comes before the next: from an add to an answer that does not show it, or back to
    /// the first.
    fn violation(&self, nodes: &[u32]) -> Violation {
        let sessions = &self.sets.sessions;
        let (first, last) = (nodes[0], nodes[nodes.len() - 1]);
        let is_hidden = sessions.is_write(first)
            && !sessions.is_write(last)
            && self.rung != Rung::Sequential
            && !(sessions[first].session == sessions[last].session && last < first);
        let mut because: Vec<String> =
            nodes.windows(2).filter_map(|pair| self.step(pair[0], pair[1])).collect();
        if is_hidden {
            let (read, add) = (self.name(last), self.name(first));
            because.push(format!("but {read} does not show what {add} added"));
        } else {
            because.extend(self.step(last, first));
            because.push(format!("so {} would have to come before itself", self.name(first)));
        }
        let operations: Vec<&Operation> = nodes.iter().map(|node| self.operation(*node)).collect();
        let mut witness: Vec<u64> = operations.iter().map(|one| one.invoked.index).collect();
        witness.sort_unstable();
        witness.dedup();
        let key = operations[0].key;
        Violation {
            name: non(self.rung),
            key: operations
                .iter()
                .all(|one| one.key == key)
                .then(|| self.history[key].clone())
                .flatten(),
            witness,
            because,
            count: 1,
            reached: None,
            shape: Some(match (self.rung, is_hidden) {
                (Rung::Sequential, _) => "CyclicSC",
                (Rung::Causal | Rung::WeakCausal | Rung::CausalConvergence, true) => {
                    "WriteCOInitRead"
                }
                (Rung::Causal | Rung::WeakCausal | Rung::CausalConvergence, false) => "CyclicCO",
                (_, true) => "WriteSOInitRead",
                (_, false) => "CyclicSO",
            }),
            dependencies: Vec::new(),
            rules_out: Vec::new(),
        }
    }

    fn operation(&self, node: u32) -> &'h Operation {
        self.sets.operations[self.sets.sessions[node].operation as usize]
    }

    fn name(&self, node: u32) -> String {
        let operation = self.operation(node);
        let what = match self.sets.sessions.is_write(node) {
            true => format!("add of {}", operation.argument()),
            false => "read".to_owned(),
        };
        let key = self.history[operation.key].as_ref();
        let key = key.map_or(String::new(), |key| format!(" at key {key}"));
        format!("process {}'s {what}{key} (event {})", operation.process, operation.invoked.index)
    }

    /// Why one comes before another; `None` if they are one, or if nothing says so.
    fn step(&self, before: u32, after: u32) -> Option<String> {
        let sessions = &self.sets.sessions;
        if sessions[before].operation == sessions[after].operation {
            return None;
        }
        let (first, second) = (self.name(before), self.name(after));
        let same = sessions[before].session == sessions[after].session;
        if sessions[after].source == before {
            Some(format!("{second} shows what {first} added"))
        } else if same && before < after {
            Some(format!("{first} came before {second} in its session"))
        } else if same && !sessions.is_write(before) && !sessions.is_write(after) {
            Some(format!("{first} shows no more than {second}, so it comes before it"))
        } else if !sessions.is_write(before) && sessions.is_write(after) {
            Some(format!("{first} does not show what {second} added, so it comes before it"))
        } else {
            None
        }
    }
}
