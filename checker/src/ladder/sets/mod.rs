//! The ladder of sets that only grow: `add` of an element, and `read` of the whole set.
//!
//! An answer comes after the adds of what it shows and before all others. Where each element was added once,
//! that decides all rungs in polynomial time, since nothing takes an element away again:
//!
//! - a session rung holds exactly if no add that an answer does not show comes before the answer, in the order that the
//!   rung keeps: put what comes before each answer right before it. Writes *of one key* are the adds to one set.
//!   Where the rung does not keep the order of a session's reads (read-your-writes), those of one set go by size;
//! - causal, causal-convergence and weak-causal are the same: adds commute, so that any order of what comes before an answer
//!   explains it (Bouajjani, Enea, Guerraoui and Hamza, POPL 2017, define all three for objects like this);
//! - sequential: each answer before all adds that it does not show, each session in its order, and no cycle.
//!
//! O(n k) for the size n of all answers and k sessions. The rungs are those of registers, with a set in place of a
//! key; the object is the grow-only set of Shapiro, Preguiça, Baquero and Zawirski, *A comprehensive study of
//! convergent and commutative replicated data types* (2011). Sets from which elements are removed have no ladder:
//! what was added, removed and added again was not written once.

mod material;
mod tell;
#[cfg(test)]
mod tests;
mod walk;

use std::cell::OnceCell;

use super::facts::Answer;
use super::rung::Rung;
use super::rungs::causal::Causal;
use super::rungs::monotonic_reads::MonotonicReads;
use super::rungs::monotonic_writes::MonotonicWrites;
use super::rungs::pram::Pram;
use super::rungs::read_your_writes::ReadYourWrites;
use super::rungs::writes_follow_reads::WritesFollowReads;
use super::view::Conflict;
use super::{Climbed, Decided, climbed, decide};
use crate::history::History;
use crate::verdict::Verdict;
use material::Sets;
use walk::{Reads, each_session, sequential};

/// Decides all rungs of a history of sets that only grow.
pub(crate) fn climb_sets(history: &History, linearizable: &Verdict) -> Climbed {
    let sets = Sets::of(history);
    let found = decide_sets(&sets, linearizable);
    let violations = tell::violations(history, &sets, &found);
    climbed(found, violations)
}

fn decide_sets(sets: &Sets<'_>, linearizable: &Verdict) -> Vec<Decided> {
    let causal = OnceCell::new();
    let mut found = decide(|guarantee| {
        let rung = guarantee.rung();
        if rung == Rung::Linearizable {
            return Some((Answer::known(linearizable), "set by set".to_owned()));
        }
        if rung == Rung::Converged {
            return None;
        }
        if sets.thin_air.is_some() {
            let how = "an element that nothing can have added was read (ThinAirRead)".to_owned();
            return Some((Answer::Invalid(Conflict { nodes: Vec::new() }), how));
        }
        let answer = match rung {
            Rung::Sequential => sequential(sets),
            Rung::Causal | Rung::CausalConvergence | Rung::WeakCausal => {
                causal.get_or_init(|| each_session(sets, Causal, Reads::InOrder)).clone()
            }
            Rung::Pram => each_session(sets, Pram, Reads::InOrder),
            Rung::WritesFollowReads => each_session(sets, WritesFollowReads, Reads::InOrder),
            Rung::MonotonicWrites => each_session(sets, MonotonicWrites, Reads::InOrder),
            Rung::MonotonicReads => each_session(sets, MonotonicReads, Reads::InOrder),
            Rung::ReadYourWrites => each_session(sets, ReadYourWrites, Reads::BySize),
            _ => return None,
        };
        let how = match rung {
            Rung::Sequential => "each answer before the adds that it does not show, and no cycle",
            _ => "each session: adds that come before an answer that does not show them",
        };
        Some((answer, how.to_owned()))
    });
    for one in found.iter_mut().filter(|one| one.rung != Rung::Linearizable) {
        if let (Some(doubt), false) =
            (&sets.doubt, linearizable.is_valid() || sets.thin_air.is_some())
        {
            one.answer = Answer::Unknown(doubt.clone());
        }
    }
    found
}
