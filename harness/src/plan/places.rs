//! Where the parts of a plan stand in its file, so that a complaint can name the line.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

/// The lines in which the faults of a plan begin; empty for one that no person wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    faults: Vec<usize>,
}

#[derive(Deserialize)]
struct Spans {
    #[serde(default)]
    faults: Vec<Spanned<IgnoredAny>>,
}

impl Places {
    /// Those of a plan in TOML, which has been read without an error.
    pub(super) fn of(text: &str) -> Places {
        let faults = toml::from_str(text).map_or(Vec::new(), |spans: Spans| spans.faults);
        let line = |at: usize| 1 + text[..at].matches('\n').count();
        Places { faults: faults.iter().map(|fault| line(fault.span().start)).collect() }
    }

    /// The place of a fault, counted from 0, in words.
    pub(super) fn fault(&self, index: usize) -> String {
        match self.faults.get(index) {
            Some(line) => format!("line {line}"),
            None => format!("fault {}", index + 1),
        }
    }
}
