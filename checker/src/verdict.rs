//! The three answers.

use serde::{Serialize, Serializer};

/// The answer to a question about a history.
///
/// There is no default: whoever has no answer has to say why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that contradicts it was found in this history, by a procedure that would have
    /// found it.
    Valid,
    /// The history contradicts it.
    Invalid,
    /// Nobody knows.
    Unknown {
        /// Why not.
        reason: String,
    },
}

impl Verdict {
    /// Not known, for the given reason.
    pub fn unknown(reason: impl Into<String>) -> Verdict {
        Verdict::Unknown { reason: reason.into() }
    }

    /// Both answers in one: invalid over unknown over valid. Of two reasons the first is kept.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Invalid, _) | (_, Verdict::Invalid) => Verdict::Invalid,
            (unknown @ Verdict::Unknown { .. }, _) | (_, unknown @ Verdict::Unknown { .. }) => {
                unknown
            }
            (Verdict::Valid, Verdict::Valid) => Verdict::Valid,
        }
    }

    /// Whether it is [`Verdict::Valid`].
    pub fn is_valid(&self) -> bool {
        *self == Verdict::Valid
    }

    /// Whether it is [`Verdict::Invalid`].
    pub fn is_invalid(&self) -> bool {
        *self == Verdict::Invalid
    }

    /// Why it is not known.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Verdict::Unknown { reason } => Some(reason),
            _ => None,
        }
    }

    /// The one word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Valid => "valid",
            Verdict::Invalid => "invalid",
            Verdict::Unknown { .. } => "unknown",
        }
    }
}

/// The word only; reasons have fields of their own.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
