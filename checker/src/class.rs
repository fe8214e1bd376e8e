//! The class: the strongest of four words that a history earns.

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// How consistent a system proved to be, in the words that people use. Weaker is less.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// An `ok` read returned a value that nobody attempted, or whose write certainly failed, or
    /// whose write was invoked after the read had completed.
    Corrupt,
    /// Not converged, or a write lost.
    Weak,
    /// Converged, and no write lost (Vogels 2009).
    Eventual,
    /// One order explains every answer, each operation between its invocation and its completion
    /// (Herlihy and Wing 1990).
    #[default]
    Linearizable,
}

impl Class {
    /// The one word for it, as in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Class::Corrupt => "corrupt",
            Class::Weak => "weak",
            Class::Eventual => "eventual",
            Class::Linearizable => "linearizable",
        }
    }

    /// The words of a headline.
    pub fn headline(self) -> &'static str {
        match self {
            Class::Corrupt => "corrupt",
            Class::Weak => "weakly consistent",
            Class::Eventual => "eventually consistent",
            Class::Linearizable => "linearizable",
        }
    }
}

/// What is proven of the class: it is one of those from `at_least` to `at_most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassBounds {
    /// The weakest class that it can be.
    pub at_least: Class,
    /// The strongest class that it can be.
    pub at_most: Class,
}

impl ClassBounds {
    /// The decision list: corrupt, else linearizable, else eventual, else weak.
    pub fn decide(
        not_corrupt: &Verdict,
        linearizable: &Verdict,
        converged_without_loss: &Verdict,
    ) -> ClassBounds {
        let exactly = |class| ClassBounds { at_least: class, at_most: class };
        let below = match converged_without_loss {
            Verdict::Valid => exactly(Class::Eventual),
            Verdict::Invalid => exactly(Class::Weak),
            Verdict::Unknown { .. } => {
                ClassBounds { at_least: Class::Weak, at_most: Class::Eventual }
            }
        };
        let clean = match linearizable {
            Verdict::Valid => exactly(Class::Linearizable),
            Verdict::Invalid => below,
            Verdict::Unknown { .. } => ClassBounds { at_most: Class::Linearizable, ..below },
        };
        match not_corrupt {
            Verdict::Valid => clean,
            Verdict::Invalid => exactly(Class::Corrupt),
            Verdict::Unknown { .. } => ClassBounds { at_least: Class::Corrupt, ..clean },
        }
    }

    /// The class, where only one is left.
    pub fn class(self) -> Option<Class> {
        (self.at_least == self.at_most).then_some(self.at_least)
    }

    /// Whether the class is at least the expected one.
    pub fn meets(self, expected: Class) -> Verdict {
        if self.at_least >= expected {
            Verdict::Valid
        } else if self.at_most < expected {
            Verdict::Invalid
        } else {
            Verdict::unknown(format!("the class is {}", self.headline()))
        }
    }

    /// The words of a headline.
    pub fn headline(self) -> String {
        match (self.class(), self.at_most) {
            (Some(class), _) => class.headline().to_owned(),
            (None, Class::Linearizable) => format!("at least {}", self.at_least.headline()),
            (None, at_most) => {
                format!("at least {}, at most {}", self.at_least.headline(), at_most.headline())
            }
        }
    }
}
