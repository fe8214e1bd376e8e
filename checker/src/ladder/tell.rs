//! Broken rungs as violations, in sentences.

use super::argument::{Argument, Because, End, Step};
use super::facts::Answer;
use super::material::Material;
use super::rung::Rung;
use super::rungs::{ALL, Guarantee};
use super::sessions::{INITIAL, Kept};
use super::witness::{breaks, minimal};
use super::{Decided, implies};
use crate::history::{Datum, History, Operation};
use crate::tell::Teller;
use crate::violation::Violation;

/// One violation for each broken rung that implies no other broken one, the weakest first; a rung that breaks
/// by the operations of another is named there.
pub(super) fn violations(
    history: &History,
    material: &Material<'_>,
    found: &[Decided],
) -> Vec<Violation> {
    let is_broken =
        |rung: &Rung| found.iter().any(|one| one.rung == *rung && one.answer.is_invalid());
    let impossible = material.impossible.iter().map(|shown| impossible(history, shown));
    let mut told: Vec<(Kept, Violation)> = Vec::new();
    for guarantee in ALL.iter().rev() {
        let rung = guarantee.rung();
        let conflict = found.iter().find_map(|one| match &one.answer {
            Answer::Invalid(conflict) if one.rung == rung && !conflict.nodes.is_empty() => {
                Some(conflict)
            }
            _ => None,
        });
        let Some(conflict) = conflict.filter(|_| !implies(rung).iter().any(is_broken)) else {
            continue;
        };
        let same = told.iter_mut().find(|(kept, _)| breaks(*guarantee, &kept.sessions));
        if let Some((_, violation)) = same {
            rule_out(violation, rung);
            continue;
        }
        let kept = minimal(*guarantee, &material.sessions, conflict);
        let mut violation = Story { history, material, kept: &kept, rung }.violation(*guarantee);
        rule_out(&mut violation, rung);
        told.push((kept, violation));
    }
    impossible.chain(told.into_iter().map(|(_, violation)| violation)).collect()
}

/// A compare-and-set that found what nothing can have written.
fn impossible(history: &History, shown: &[&Operation]) -> Violation {
    let mut because: Vec<String> =
        shown.iter().map(|operation| Teller { history }.clause(operation)).collect();
    let found = shown.first().map_or(Datum::null(), |cas| &cas.argument()[0]);
    because.push(format!(
        "so the first happened, but nothing can have written {found}, which it found"
    ));
    Violation {
        name: "thin-air-read",
        key: shown.first().and_then(|cas| history[cas.key].clone()),
        witness: shown.iter().map(|operation| operation.invoked.index).collect(),
        because,
        count: 1,
        reached: None,
        shape: Some("ThinAirRead"),
        dependencies: Vec::new(),
        rules_out: ALL.iter().map(|one| one.rung()).filter(|one| *one != Rung::Converged).collect(),
    }
}

/// The name of a violation of a rung.
pub(super) fn non(rung: Rung) -> &'static str {
    match rung {
        Rung::Linearizable => "non-linearizable",
        Rung::Sequential => "non-sequential",
        Rung::Causal => "non-causal",
        Rung::CausalConvergence => "non-causal-convergence",
        Rung::WeakCausal => "non-weak-causal",
        Rung::Pram => "non-pram",
        Rung::WritesFollowReads => "non-writes-follow-reads",
        Rung::MonotonicWrites => "non-monotonic-writes",
        Rung::MonotonicReads => "non-monotonic-reads",
        Rung::ReadYourWrites => "non-read-your-writes",
        Rung::Converged => "not-converged",
        // Of transactions, whose anomalies have names of their own.
        level => level.name(),
    }
}

/// Adds a rung and all that imply it, the strongest first.
pub(super) fn rule_out(violation: &mut Violation, rung: Rung) {
    let stronger = ALL.iter().map(|one| one.rung());
    violation
        .rules_out
        .extend(stronger.filter(|one| *one == rung || implies(*one).contains(&rung)));
    violation.rules_out.sort_unstable();
    violation.rules_out.dedup();
}

struct Story<'a, 'h> {
    history: &'a History,
    material: &'a Material<'h>,
    kept: &'a Kept,
    rung: Rung,
}

impl<'h> Story<'_, 'h> {
    fn violation(&self, guarantee: &dyn Guarantee) -> Violation {
        let operations =
            self.kept.operations.iter().map(|at| self.material.operations[*at as usize]);
        let operations: Vec<&Operation> = operations.collect();
        let argument = guarantee.argue(&self.kept.sessions);
        let mut keys: Vec<_> = operations.iter().map(|operation| operation.key).collect();
        keys.sort_unstable();
        keys.dedup();
        Violation {
            name: non(self.rung),
            key: match keys.as_slice() {
                [key] => self.history[*key].clone(),
                _ => None,
            },
            witness: operations.iter().map(|operation| operation.invoked.index).collect(),
            because: argument.as_ref().map_or_else(Vec::new, |argument| self.because(argument)),
            count: 1,
            reached: None,
            shape: argument.map(|argument| argument.shape),
            dependencies: Vec::new(),
            rules_out: Vec::new(),
        }
    }

    fn operation(&self, node: u32) -> &'h Operation {
        let at = self.kept.sessions[node].operation;
        self.material.operations[self.kept.operations[at as usize] as usize]
    }

    /// A read or a write in few words.
    fn name(&self, node: u32) -> String {
        let operation = self.operation(node);
        let argument = operation.argument();
        let what = match (operation.f(), self.kept.sessions.is_write(node)) {
            ("cas", _) if self.rung == Rung::Sequential => {
                format!("replacement of {} by {}", argument[0], argument[1])
            }
            ("cas", true) => format!("write of {}", argument[1]),
            ("cas", false) => format!("read of {}", argument[0]),
            (_, true) => format!("write of {argument}"),
            (_, false) => format!("read of {}", operation.result()),
        };
        let key = self.history[operation.key]
            .as_ref()
            .map_or(String::new(), |key| format!(" at key {key}"));
        format!("process {}'s {what}{key} (event {})", operation.process, operation.invoked.index)
    }

    fn because(&self, argument: &Argument) -> Vec<String> {
        let mut because: Vec<String> = argument.steps.iter().map(|step| self.step(step)).collect();
        because.push(match &argument.end {
            End::Cycle(steps) => {
                let first = steps.first().map(|step| argument.steps[*step].before);
                let first = first.map_or(String::new(), |node| self.name(node));
                format!("so {first} would have to come before itself")
            }
            End::Initial(steps) => {
                let end = |step: Option<&usize>| step.map(|step| &argument.steps[*step]);
                let (first, last) = (end(steps.first()), end(steps.last()));
                let first = first.map_or(String::new(), |step| self.name(step.before));
                let last = last.map_or(String::new(), |step| self.name(step.after));
                format!("so {first} comes before {last}, which found the value before every write")
            }
            End::Tried => format!(
                "no order of these {} operations explains every answer",
                self.kept.operations.len()
            ),
        });
        because
    }

    fn step(&self, Step { before, after, because }: &Step) -> String {
        let (first, second) = (self.name(*before), self.name(*after));
        match because {
            Because::Session => format!("{first} came before {second} in its session"),
            Because::ReadsFrom => format!("{second} found what {first} had written"),
            Because::Hidden { read, .. } => format!(
                "{first} comes before {}, which did not find it: so it comes before {second}",
                self.name(*read)
            ),
            Because::Overwritten { from: INITIAL, .. } => {
                format!("{first} found the value before every write: so it comes before {second}")
            }
            Because::Overwritten { from, .. } => format!(
                "{second} comes after {}, which {first} found: so it comes after that too",
                self.name(*from)
            ),
        }
    }
}
