//! Transactions: lists of steps `["r", KEY, null]`, `["append", KEY, VALUE]` and `["w", KEY, VALUE]`, as
//! Jepsen writes them. The answer is the same list with what was read.

use std::fmt;

use serde_json::{Value, json};

use crate::vocabulary::Malformed;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Returns the value.
    Read,
    /// Sets it.
    Write,
    /// Appends to it.
    Append,
}

/// The words for them.
const WORDS: [(Action, &str); 3] =
    [(Action::Read, "r"), (Action::Write, "w"), (Action::Append, "append")];

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(action, _)| action == self).map(|(_, word)| *word);
        f.write_str(word.unwrap_or_default())
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// With which key.
    pub key: u64,
    /// What is written, or has been read.
    pub value: Value,
}

impl Step {
    /// A read that has not been answered.
    pub fn read(key: u64) -> Step {
        Step { action: Action::Read, key, value: Value::Null }
    }
}

/// Reads the steps of an invocation.
pub fn decode(f: &str, value: &Value, names: &[&str]) -> Result<Vec<Step>, Malformed> {
    let step = |step: &Value| {
        let (word, key) = (step[0].as_str()?, step[1].as_u64()?);
        let action = WORDS.iter().find(|(_, known)| *known == word)?.0;
        Some(Step { action, key, value: step[2].clone() })
    };
    let steps = value.as_array().and_then(|steps| steps.iter().map(step).collect());
    steps.filter(|_| names.contains(&f)).ok_or_else(|| Malformed {
        found: format!("{f} {value}"),
        expected: "a list of [\"r\", KEY, null], [\"w\", KEY, VALUE] or [\"append\", KEY, VALUE]",
    })
}

/// The value for steps.
pub fn encode(steps: &[Step]) -> Value {
    steps.iter().map(|step| json!([step.action.to_string(), step.key, step.value])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_are_written() {
        let steps = json!([["r", 1, null], ["append", 2, 7], ["w", 3, "x"], ["r", 1, [7, 8]]]);
        assert_eq!(encode(&decode("txn", &steps, &["txn"]).unwrap()), steps);
        for wrong in [json!([["x", 1, null]]), json!([["r", "1", null]]), json!("r"), json!([1])] {
            assert!(decode("txn", &wrong, &["txn"]).is_err(), "{wrong}");
        }
        assert!(decode("read", &steps, &["txn"]).is_err());
    }
}
