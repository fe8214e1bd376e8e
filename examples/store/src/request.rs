//! What a client may ask, and what it can be answered.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::transaction::{self, Step};

/// The longest key, in bytes.
const LONGEST_KEY: usize = 512;

/// How deep a value may nest. Values travel inside other JSON, and a reader gives up at 128 levels:
/// a value that one node took and another cannot read would stop replication for good.
const DEEPEST_VALUE: usize = 64;

/// A key: 1 to 512 bytes of text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// Takes `text` as a key, or says why it is none.
    pub fn new(text: String) -> Result<Self, String> {
        match text.len() {
            1..=LONGEST_KEY => Ok(Self(text)),
            bytes => Err(format!("a key has 1 to {LONGEST_KEY} bytes, this one has {bytes}")),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says why `value` cannot be stored, if it cannot.
pub fn check_value(value: &Value) -> Result<(), String> {
    fn deeper_than(levels: usize, value: &Value) -> bool {
        match value {
            Value::Array(items) => {
                levels == 0 || items.iter().any(|item| deeper_than(levels - 1, item))
            }
            Value::Object(fields) => {
                levels == 0 || fields.values().any(|field| deeper_than(levels - 1, field))
            }
            _ => false,
        }
    }
    if deeper_than(DEEPEST_VALUE, value) {
        return Err(format!("a value nests at most {DEEPEST_VALUE} levels deep"));
    }
    Ok(())
}

/// A change to one key, or a transaction on several.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Write {
    /// Sets the value, whatever it was.
    Put {
        /// The new value.
        value: Value,
    },
    /// Sets the value to `new` if it is `old`, in one step. An absent key has the value `null`.
    Cas {
        /// What the value must be.
        old: Value,
        /// What it becomes.
        new: Value,
    },
    /// Leaves the key without a value, which is read as `null`.
    Remove,
    /// Carries out all of these steps in one, or none. It travels under the key of the first.
    Txn {
        /// What to do, one after another.
        steps: Vec<Step>,
    },
}

impl Write {
    /// What it sets, whatever was there before: `null` if it removes. A compare-and-set does not say,
    /// and a transaction does not either.
    pub fn unconditional(self) -> Option<Value> {
        match self {
            Self::Cas { .. } | Self::Txn { .. } => None,
            Self::Put { value } => Some(value),
            Self::Remove => Some(Value::Null),
        }
    }

    /// What is there when it has been done, if it is about one key.
    pub fn sets(self) -> Option<Value> {
        match self {
            Self::Put { value } | Self::Cas { new: value, .. } => Some(value),
            Self::Remove => Some(Value::Null),
            Self::Txn { .. } => None,
        }
    }
}

/// A change and the key that it changes, as it lies in logs and travels between nodes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Command {
    /// Which key.
    pub key: Key,
    /// What to do with it.
    pub write: Write,
}

impl Command {
    /// The keys that it is about.
    pub fn keys(&self) -> Vec<Key> {
        match &self.write {
            Write::Txn { steps } => transaction::keys(steps).into_iter().cloned().collect(),
            _ => vec![self.key.clone()],
        }
    }

    /// Does what it says.
    pub fn apply(self, values: &mut Values) -> Outcome {
        let new = match self.write {
            Write::Put { value } => value,
            Write::Cas { old, new } => {
                let value = values.get(&self.key).cloned().unwrap_or_default();
                if value != old {
                    return Outcome::Mismatch { value };
                }
                new
            }
            Write::Remove => {
                values.remove(&self.key);
                return Outcome::Ok;
            }
            Write::Txn { mut steps } => {
                return match transaction::run(&mut steps, values) {
                    Ok(()) => Outcome::Done { steps },
                    Err(value) => Outcome::Mismatch { value },
                };
            }
        };
        values.insert(self.key, new);
        Outcome::Ok
    }
}

/// The value of every key that has one.
pub type Values = BTreeMap<Key, Value>;

/// How a write ended. Serialized it is the body of the HTTP answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// It happened.
    Ok,
    /// A transaction happened.
    Done {
        /// Its steps with what they found.
        steps: Vec<Step>,
    },
    /// A compare-and-set or a step found another value, and nothing was changed.
    Mismatch {
        /// The value that it found.
        value: Value,
    },
    /// The request was not understood; nothing happened.
    Invalid {
        /// What is wrong with it.
        error: String,
    },
    /// This mode cannot do that; nothing happened.
    Unsupported {
        /// Why not.
        error: String,
    },
    /// It did not happen and never will.
    Refused {
        /// Why not.
        error: String,
    },
    /// It may have happened, or may happen later, or never.
    Unknown {
        /// What is missing to know.
        error: String,
    },
}

impl Outcome {
    /// Whether it happened for certain.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Ok | Self::Done { .. })
    }

    /// [`Outcome::Refused`] for a reason.
    pub fn refused(error: impl Into<String>) -> Self {
        Self::Refused { error: error.into() }
    }

    /// [`Outcome::Unknown`] for a reason.
    pub fn unknown(error: impl Into<String>) -> Self {
        Self::Unknown { error: error.into() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outcomes_are_written_as_the_api_says() {
        let check = |outcome: Outcome, expect: Value| {
            assert_eq!(serde_json::to_value(&outcome).unwrap(), expect);
            assert_eq!(serde_json::from_value::<Outcome>(expect).unwrap(), outcome);
        };
        check(Outcome::Ok, json!({"outcome": "ok"}));
        check(
            Outcome::Mismatch { value: json!([1, null]) },
            json!({"outcome": "mismatch", "value": [1, null]}),
        );
        check(Outcome::unknown("why"), json!({"outcome": "unknown", "error": "why"}));
    }

    #[test]
    fn a_value_may_nest_64_levels_and_no_more() {
        let nest = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(check_value(&nest(64)).is_ok());
        assert!(check_value(&nest(65)).is_err());
    }

    #[test]
    fn keys_have_1_to_512_bytes() {
        assert!(Key::new(String::new()).is_err());
        assert!(Key::new("k".repeat(512)).is_ok());
        assert!(Key::new("é".repeat(257)).is_err());
    }
}
