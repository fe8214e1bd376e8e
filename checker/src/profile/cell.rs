//! What one column says of one dimension.

use serde::Serialize;

/// Words and figures, or why there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// One or two words; `None` if it is not decided.
    pub word: Option<&'static str>,
    /// The figures that the word stands on, or the reason why there is none.
    pub because: String,
}

impl Cell {
    pub(super) fn new(word: &'static str, because: String) -> Cell {
        Cell { word: Some(word), because }
    }

    pub(super) fn undecided(because: impl Into<String>) -> Cell {
        Cell { word: None, because: because.into() }
    }
}

/// A part as a percentage.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// A time in milliseconds, to three figures or so.
pub(super) fn time(ms: f64) -> String {
    if ms >= 1_000.0 {
        format!("{:.1} s", ms / 1_000.0)
    } else if ms >= 10.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{ms:.1} ms")
    }
}
