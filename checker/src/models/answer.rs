//! What a procedure says of a history.

use crate::linearizable::Limit;

/// Whether a history is linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Some order of the operations explains every answer.
    Yes,
    /// No order does.
    No {
        /// The operation whose completion no order explains with all before it; `None` if the
        /// procedure looked at the history as a whole.
        at: Option<usize>,
    },
    /// The budget ended first.
    Exhausted {
        /// Operations whose completion was passed.
        passed: usize,
        /// The limit that was reached.
        limit: Limit,
    },
}

impl Answer {
    /// The answer of a procedure that looks at the history as a whole.
    pub fn whole(linearizable: bool) -> Answer {
        if linearizable { Answer::Yes } else { Answer::No { at: None } }
    }
}

/// An answer and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The answer.
    pub answer: Answer,
    /// What was done, and why it could be.
    pub procedure: &'static str,
    /// Comparisons of two configurations, as counted by
    /// [`Budget::comparisons`](crate::linearizable::Budget::comparisons).
    pub comparisons: u64,
}
