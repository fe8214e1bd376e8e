//! How what runs showed stands to what was expected, known failures among that.

use super::{Cell, Known, Outcome, Row, Suite};
use crate::cli::Exit;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As expected.
    Good,
    /// The system under test did what it must not do.
    Bad,
    /// It did, and that is known.
    KnownFailure,
    /// It did not, though it is known to, now and then.
    KnownButGood,
    /// It cannot be told.
    Open,
    /// It was not run.
    NotRun,
}

impl Standing {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Standing::Good => "good",
            Standing::Bad => "BAD",
            Standing::KnownFailure => "known",
            Standing::KnownButGood => "good",
            Standing::Open => "open",
            Standing::NotRun => "not run",
        }
    }
}

/// What became of a known failure.
#[derive(Clone, Debug)]
pub struct KnownStanding {
    /// What it speaks of.
    pub of: String,
    /// Why it fails.
    pub reason: String,
    /// Runs that showed it.
    pub failing: usize,
    /// Runs that did not.
    pub passing: usize,
    /// Runs that it speaks of.
    pub cells: usize,
}

impl KnownStanding {
    /// It could have failed in every run, and did in none: the reason does not hold any more.
    pub fn stopped(&self) -> bool {
        self.failing == 0 && self.passing == self.cells
    }
}

/// All of a suite's rows counted.
#[derive(Clone, Debug)]
pub struct Tally {
    /// For each cell, in order.
    pub standings: Vec<Standing>,
    /// For each known failure, in order.
    pub known: Vec<KnownStanding>,
    outcomes: Vec<Outcome>,
    /// Whether the user, or whoever ended it, had enough.
    pub interrupted: bool,
}

impl Tally {
    /// Counts.
    pub fn of(suite: &Suite, cells: &[Cell], rows: &[Row], interrupted: bool) -> Tally {
        let outcome =
            |cell: &Cell| rows.iter().find(|row| row.cell == cell.name()).map(|row| row.outcome);
        let standing = |cell: &Cell| match (outcome(cell), suite.known_of(cell)) {
            (None, _) => Standing::NotRun,
            (Some(Outcome::Valid), None) => Standing::Good,
            (Some(Outcome::Valid), Some(_)) => Standing::KnownButGood,
            (Some(Outcome::Invalid), None) => Standing::Bad,
            (Some(Outcome::Invalid), Some(_)) => Standing::KnownFailure,
            (Some(_), _) => Standing::Open,
        };
        let known = |known: &Known| {
            let of: Vec<_> = cells.iter().filter(|cell| known.covers(cell)).collect();
            let showing = |wanted| of.iter().filter(|cell| outcome(cell) == Some(wanted)).count();
            KnownStanding {
                of: known.of(),
                reason: known.reason.clone(),
                failing: showing(Outcome::Invalid),
                passing: showing(Outcome::Valid),
                cells: of.len(),
            }
        };
        Tally {
            standings: cells.iter().map(standing).collect(),
            known: suite.known.iter().map(known).collect(),
            outcomes: rows.iter().map(|row| row.outcome).collect(),
            interrupted,
        }
    }

    /// How many stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.standings.iter().filter(|one| **one == standing).count()
    }

    /// How many showed this.
    pub fn outcomes(&self, outcome: Outcome) -> usize {
        self.outcomes.iter().filter(|one| **one == outcome).count()
    }

    /// The exit code. Runs for which there was no time left change nothing, unless none was made.
    pub fn exit(&self) -> Exit {
        let stopped = self.known.iter().any(KnownStanding::stopped);
        if self.count(Standing::Bad) > 0 || stopped {
            Exit::Invalid
        } else if self.outcomes(Outcome::HarnessFailure) > 0 {
            Exit::Harness
        } else if self.interrupted || self.count(Standing::Open) > 0 || self.outcomes.is_empty() {
            Exit::Unknown
        } else {
            Exit::Valid
        }
    }

    /// All of it in a sentence.
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        let mut part = |count: usize, words: &str| {
            if count > 0 {
                parts.push(format!("{count} {words}"));
            }
        };
        part(self.count(Standing::Good) + self.count(Standing::KnownButGood), "as expected");
        part(self.count(Standing::KnownFailure), "failed as is known");
        part(self.count(Standing::Bad), "INVALID");
        for outcome in [Outcome::Unknown, Outcome::NotEnoughEvidence, Outcome::HarnessFailure] {
            part(self.outcomes(outcome), outcome.words());
        }
        part(self.count(Standing::NotRun), "not run");
        let stopped = self.known.iter().filter(|known| known.stopped()).count();
        part(stopped, "known to fail and does not any more");
        format!("{} runs: {}", self.standings.len(), parts.join(", "))
    }
}
