//! Times that go back.

use std::fmt::{self, Display};

/// Recorders that take the time before they write are so much apart; what is measured in milliseconds does not
/// show it.
const HARMLESS_NS: u64 = 1_000_000;

/// Events whose times were earlier than that of the event before them, which they have instead: the order of
/// the lines counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockWentBack {
    /// The line of the first of them, from 1.
    pub line: u64,
    /// How many there are.
    pub times: u64,
    /// By how many nanoseconds at most.
    pub by_ns: u64,
}

impl ClockWentBack {
    pub(super) fn add(&mut self, by_ns: u64) {
        self.times += 1;
        self.by_ns = self.by_ns.max(by_ns);
    }

    /// Why what is measured in time is not known; `None` if it went back by less than a millisecond.
    pub fn doubt(&self) -> Option<String> {
        (self.by_ns >= HARMLESS_NS).then(|| self.to_string())
    }
}

impl Display for ClockWentBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClockWentBack { line, times, by_ns } = self;
        let most = *by_ns as f64 / 1e6;
        write!(
            f,
            "the clock went back, first at line {line}, by at most {most} ms (events: {times})"
        )
    }
}
