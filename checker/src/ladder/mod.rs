//! The ladder of consistency models: which of them a history satisfies.
//!
//! # The rungs
//!
//! Each [`Rung`] says what it is and whose it is. They are a partial order: linearizable implies
//! sequential, which implies causal (causal memory) and causal-convergence; causal implies pram,
//! writes-follow-reads and weak-causal; causal-convergence implies weak-causal; pram implies
//! read-your-writes, monotonic-reads and monotonic-writes. Nothing else is taken for implied. *Converged* is
//! an axis of its own.
//!
//! A *session* is what one process did, in this order, at whichever nodes. All rungs but linearizable ask
//! only for the sessions' orders and for which write each read read from; when something happened does not
//! matter to them. An `ok` compare-and-set is a read and right after it a write; only linearizable and
//! sequential want nothing to happen between them.
//!
//! What ended with `fail` did not happen. What ended with `info` happened if something read what it wrote,
//! and else it is as if it had not been there. A value that nobody can have written breaks every rung
//! (ThinAirRead). Where a value was written more than once, reads of it are left out: what is broken without
//! them is broken, and nothing is found valid.
//!
//! All of this is said of registers, and of sets that only grow (`sets`), whose adds are writes. Of counters
//! (`counters`) some rungs are defined. Nothing but linearizability is decided of other objects: the answer of a
//! dequeue changes what others see, and what was removed and added again was not written once.
//!
//! # How they are decided
//!
//! From the strongest down, since what holds settles all that it implies. With n operations of k sessions:
//!
//! - causal-convergence and weak-causal: the bad patterns of Bouajjani, Enea, Guerraoui and Hamza, *On
//!   verifying causal consistency* (POPL 2017), by vector clocks (`clocks`) in O(n k); exact for values that are
//!   written once;
//! - the session guarantees, pram and causal: most sessions' views are found legal all at once (`glance`), in O(n k)
//!   too; each of the others is saturated (`view`), in O(n) and nearly always less; exact because the session's reads
//!   have an order;
//! - sequential is NP-hard even so (Gibbons and Korach 1997): what it implies, then one guess at the order, mended
//!   where it fails (`repair`), then steps that every order keeps (Zennou, Bouajjani, Enea and Erradi, CAV 2019), then a
//!   search with a budget.
//!
//! A rung that is broken is shown by the fewest operations that break it, with one sentence for each step
//! of the argument (`argument`), and the name of the pattern, after Bouajjani et al.: `CyclicCO`,
//! `WriteCORead`, `WriteCOInitRead`, `CyclicCF`, `WriteHBInitRead`, `CyclicHB`, the same with `SO` where only the
//! session's order is kept, `CyclicSC` where one order for all must be, and `NoOrder` where all were tried.
//!
//! # Literature
//!
//! Terry, Demers, Petersen, Spreitzer, Theimer and Welch, *Session guarantees for weakly consistent
//! replicated data* (PDIS 1994); Lipton and Sandberg, *PRAM* (1988); Ahamad et al., *Causal memory* (1995);
//! Lloyd et al., *Don't settle for eventual* (SOSP 2011); Viotti and Vukolic, *Consistency in
//! non-transactional distributed storage systems* (2016), whose names these are.

mod argument;
mod clocks;
mod counters;
mod facts;
mod glance;
mod kept;
mod material;
mod order;
mod repair;
mod rung;
mod rungs;
mod saturate;
mod search;
mod sessions;
mod sets;
mod slots;
mod spans;
mod steps;
mod tell;
#[cfg(test)]
mod tests;
mod view;
mod witness;

use std::collections::BTreeMap;

pub(crate) use counters::climb_counters;
pub use rung::Rung;
pub(crate) use sets::climb_sets;

use crate::history::History;
use crate::judgement::RungPlan;
use crate::register::Register;
use crate::txn::levels::implied;
use crate::verdict::Verdict;
use crate::violation::Violation;
use facts::{Answer, Facts};
use material::Material;
use rungs::{ALL, Guarantee};
use view::Conflict;

/// The answer for each model that was checked.
pub type Ladder = BTreeMap<Rung, Verdict>;

/// The valid models that no other valid one implies.
pub fn strongest(ladder: &Ladder) -> Vec<Rung> {
    let is_valid = |rung: &Rung| ladder.get(rung).is_some_and(Verdict::is_valid);
    let implied =
        |rung: Rung| ladder.keys().any(|other| is_valid(other) && implies(*other).contains(&rung));
    ladder.keys().copied().filter(|rung| is_valid(rung) && !implied(*rung)).collect()
}

/// The broken models that imply no other broken one.
pub fn weakest_ruled_out(ladder: &Ladder) -> Vec<Rung> {
    let is_broken = |rung: &Rung| ladder.get(rung).is_some_and(Verdict::is_invalid);
    let least = |rung: &Rung| is_broken(rung) && !implies(*rung).iter().any(is_broken);
    ladder.keys().copied().filter(least).collect()
}

/// Why the unknown ones are.
pub(crate) fn reasons(ladder: &Ladder) -> BTreeMap<Rung, String> {
    let reason = |(rung, verdict): (&Rung, &Verdict)| Some((*rung, verdict.reason()?.to_owned()));
    ladder.iter().filter_map(reason).collect()
}

/// The rungs that are defined for registers, the strongest first.
pub(crate) fn rungs_of_registers() -> impl Iterator<Item = Rung> {
    ALL.iter().map(|guarantee| guarantee.rung())
}

/// The rungs that are defined for sets that only grow, the strongest first.
pub(crate) fn rungs_of_sets() -> impl Iterator<Item = Rung> {
    rungs_of_registers().filter(|rung| *rung != Rung::Converged)
}

/// The rungs that are defined for counters, the strongest first.
pub(crate) fn rungs_of_counters() -> impl Iterator<Item = Rung> {
    counters::RUNGS.into_iter()
}

/// All rungs that a rung implies, itself not among them.
pub(crate) fn implies(rung: Rung) -> Vec<Rung> {
    let guarantee = ALL.iter().find(|guarantee| guarantee.rung() == rung);
    let direct = guarantee.map_or(&[][..], |guarantee| guarantee.implies());
    direct
        .iter()
        .chain(implied(rung))
        .flat_map(|rung| [vec![*rung], implies(*rung)].concat())
        .collect()
}

/// What was found of a history of registers.
pub(crate) struct Climbed {
    pub ladder: Ladder,
    /// For each rung that is broken while all that it implies hold: why. Those that others show as well are
    /// named there.
    pub violations: Vec<Violation>,
    pub plan: Vec<RungPlan>,
}

/// What is known of one rung.
struct Decided {
    rung: Rung,
    answer: Answer,
    how: String,
}

/// Decides all rungs.
pub(crate) fn climb(
    history: &History,
    registers: &[Register<'_>],
    linearizable: &Verdict,
    converged: &Verdict,
) -> Climbed {
    // What is linearizable needs no closer look.
    let registers = if linearizable.is_valid() { &[] } else { registers };
    let material = Material::of(history, registers);
    let facts = Facts::new(&material.sessions, linearizable.clone(), converged.clone());
    let mut found =
        decide(|guarantee| Some((guarantee.decide(&facts), guarantee.procedure().to_owned())));
    for Decided { rung, answer, how } in &mut found {
        let elsewhere = matches!(rung, Rung::Linearizable | Rung::Converged);
        match answer {
            Answer::Invalid(_) => {}
            _ if elsewhere || linearizable.is_valid() => {}
            _ if material.thin_air => {
                *answer = Answer::Invalid(Conflict { nodes: Vec::new() });
                "a value that nothing can have written was read (ThinAirRead)".clone_into(how);
            }
            Answer::Valid => {
                if let Some(doubt) = &material.doubt {
                    *answer = Answer::Unknown(doubt.clone());
                }
            }
            Answer::Unknown(_) => {}
        }
    }
    let violations = tell::violations(history, &material, &found);
    climbed(found, violations)
}

fn climbed(found: Vec<Decided>, violations: Vec<Violation>) -> Climbed {
    let verdict = |answer: &Answer| match answer {
        Answer::Valid => Verdict::Valid,
        Answer::Invalid(_) => Verdict::Invalid,
        Answer::Unknown(reason) => Verdict::unknown(reason),
    };
    let ladder = found.iter().map(|one| (one.rung, verdict(&one.answer))).collect();
    let plan = found.into_iter().map(|one| RungPlan { rung: one.rung, procedure: one.how });
    Climbed { ladder, violations, plan: plan.collect() }
}

/// Asks the rungs, those that are defined, from the strongest down. What holds settles what it implies, and what is
/// broken settles those that imply it.
fn decide(ask: impl Fn(&dyn Guarantee) -> Option<(Answer, String)>) -> Vec<Decided> {
    let mut found: Vec<Decided> = Vec::new();
    for guarantee in ALL {
        let rung = guarantee.rung();
        let holds =
            |one: &&Decided| one.answer == Answer::Valid && implies(one.rung).contains(&rung);
        let implied = found
            .iter()
            .find(holds)
            .map(|stronger| (Answer::Valid, format!("implied by {}", stronger.rung.name())));
        let Some((answer, how)) = implied.or_else(|| ask(*guarantee)) else { continue };
        found.push(Decided { rung, answer, how });
    }
    for at in 0..found.len() {
        let implied = implies(found[at].rung);
        let broken = found.iter().find_map(|one| match &one.answer {
            Answer::Invalid(conflict) if implied.contains(&one.rung) => {
                Some((one.rung, conflict.clone()))
            }
            _ => None,
        });
        if let (Answer::Unknown(_), Some((rung, conflict))) = (&found[at].answer, broken) {
            found[at].answer = Answer::Invalid(conflict);
            found[at].how = format!("it implies {}", rung.name());
        }
    }
    found
}
