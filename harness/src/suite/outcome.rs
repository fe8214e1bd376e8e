//! What one run showed: of the system under test, or that nothing can be said of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a run showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// No anomaly was found, and everything was as it has to be for that to mean something.
    Valid,
    /// The system under test did what it must not do.
    Invalid,
    /// The checker could not decide.
    Unknown,
    /// There was too little to decide on: nothing succeeded, no fault was in force, no partition
    /// lasted.
    NotEnoughEvidence,
    /// The harness or this machine failed, so the system under test was not asked.
    HarnessFailure,
}

impl Outcome {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Valid => "valid",
            Outcome::Invalid => "invalid",
            Outcome::Unknown => "unknown",
            Outcome::NotEnoughEvidence => "not enough evidence",
            Outcome::HarnessFailure => "harness failure",
        }
    }
}

/// The line that a run leaves in the results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of its cell.
    pub cell: String,
    /// What it showed.
    pub outcome: Outcome,
    /// Why, where that is not plain: the reason, or the names of what was violated.
    pub why: Option<String>,
    /// The class, where it is certain.
    pub class: Option<String>,
    /// What it gives up when it is partitioned.
    pub cap: Option<String>,
    /// Where it is kept.
    pub run: Option<String>,
    /// Its seed.
    pub seed: u64,
    /// Invocations of clients.
    pub operations: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Reasons that say there was too little to look at, by their first words, as the checker gives them.
const TOO_LITTLE: [&str; 6] = [
    "vacuous",
    "fault not in force",
    "no cut between sides could be judged",
    "linearizable was not seen to break",
    "the leader was never cut off",
    "the history has no final reads",
];

impl Row {
    /// What a verdict, or the error in its place, says of a cell.
    pub fn of(cell: &str, seed: u64, verdict: &Value, seconds: f64) -> Row {
        let text = |name: &str| verdict[name].as_str().map(str::to_owned);
        let broken = || {
            let names = verdict["violations"].as_array().into_iter().flatten();
            let names: Vec<&str> = names.filter_map(|one| one["name"].as_str()).collect();
            names.join(", ")
        };
        // As in the exit code: what was found stands, whatever else failed.
        let (outcome, why) = match verdict["verdict"].as_str() {
            Some("invalid") => (Outcome::Invalid, Some(broken()).filter(|why| !why.is_empty())),
            _ if verdict["failure"].is_string() => (Outcome::HarnessFailure, text("failure")),
            Some("valid") if verdict["no_faults"] == true && asked(verdict) => {
                let why = "none of the faults could be had here".to_owned();
                (Outcome::NotEnoughEvidence, Some(why))
            }
            Some("valid") => (Outcome::Valid, None),
            Some("unknown") => {
                let why = text("reason").unwrap_or_default();
                let too_little = TOO_LITTLE.iter().any(|words| why.starts_with(words));
                let outcome =
                    if too_little { Outcome::NotEnoughEvidence } else { Outcome::Unknown };
                (outcome, Some(why))
            }
            _ => (Outcome::HarnessFailure, text("error").or(Some("it gave no verdict".to_owned()))),
        };
        Row {
            cell: cell.to_owned(),
            outcome,
            why,
            class: text("class"),
            cap: text("cap"),
            run: text("run"),
            seed,
            operations: verdict["operations"].as_u64().unwrap_or(0),
            seconds,
        }
    }

    /// The harness could not do its part.
    pub fn failed(mut self, why: String) -> Row {
        self.outcome = Outcome::HarnessFailure;
        self.why = Some(why);
        self
    }

    /// What matters of it in a few words.
    pub fn shown(&self) -> String {
        let class = self.class.as_deref().unwrap_or("-");
        let cap = self.cap.as_ref().map_or(String::new(), |cap| format!(" {cap}"));
        match (self.outcome, &self.why) {
            (Outcome::Valid, _) => format!("{class}{cap}"),
            (Outcome::Invalid, Some(why)) => format!("{class}{cap}: {why}"),
            (_, why) => why.clone().unwrap_or_else(|| class.to_owned()),
        }
    }
}

/// Whether faults were tried at all.
fn asked(verdict: &Value) -> bool {
    verdict["faults"].as_array().is_some_and(|faults| !faults.is_empty())
}
