//! Transactions: steps on several keys that happen all at once, or not at all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::request::{Key, Values, check_value};

/// More steps than this are refused.
const MOST_STEPS: usize = 1000;

/// What a step does, with an argument or without.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Reads the value; `null` if there is none.
    R,
    /// Sets it.
    W,
    /// Appends to it; no value is an empty list.
    Append,
    /// Adds to it; no value is 0.
    Add,
    /// Takes that much away. There must be as much.
    Debit,
    /// Appends to a list and returns the position, the first being 0.
    Push,
    /// Returns the elements of a list from that position on.
    After,
    /// Takes the first element out of a list and returns it; `null` if there is none.
    Pop,
    /// Sets it where there is no value yet.
    Init,
    /// It must be that.
    Expect,
    /// Takes a lock that is free, and returns a token greater than any before.
    Acquire,
    /// Frees a lock that is held by that token.
    Release,
}

/// A lock as it lies under its key.
#[derive(Clone, Copy, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// That of the last holder.
    pub token: u64,
    /// Whether it is held.
    pub held: bool,
}

impl Lock {
    /// What a key holds as a lock; one that nobody has taken yet is free.
    pub fn of(value: &Value) -> Option<Lock> {
        if value.is_null() { Some(Lock::default()) } else { Lock::deserialize(value).ok() }
    }
}

/// A step: `[ACTION, KEY, ARGUMENT]`. The answer is the same, with what a read found, or with the
/// new value of what was counted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step(pub Action, pub Key, #[serde(default)] pub Value);

impl Step {
    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        matches!(self.0, Action::R | Action::After | Action::Expect)
    }

    /// Carries it out; an error is the value that does not allow it.
    fn run(&mut self, values: &mut Values) -> Result<(), Value> {
        let Step(action, key, value) = self;
        let found = || values.get(key).cloned().unwrap_or_default();
        let number = |value: &Value| if value.is_null() { Some(0) } else { value.as_i64() };
        let list = |value: &Value| match value {
            Value::Null => Some(Vec::new()),
            value => value.as_array().cloned(),
        };
        let old = found();
        let new = match action {
            Action::R => {
                *value = old;
                return Ok(());
            }
            Action::Expect if old == *value => return Ok(()),
            Action::Expect => return Err(old),
            Action::Init if !old.is_null() => return Ok(()),
            Action::Init | Action::W => value.clone(),
            Action::After => {
                let list = list(&old).ok_or(old)?;
                let from = usize::try_from(number(value).unwrap_or(0)).unwrap_or(0);
                *value = list.get(from..).unwrap_or_default().into();
                return Ok(());
            }
            Action::Append | Action::Push => {
                let mut list = list(&old).ok_or(old)?;
                let position = list.len();
                list.push(value.clone());
                if *action == Action::Push {
                    *value = position.into();
                }
                list.into()
            }
            Action::Acquire | Action::Release => {
                let is_acquired = *action == Action::Acquire;
                let fits = |lock: &Lock| match is_acquired {
                    true => !lock.held,
                    false => lock.held && value.as_u64() == Some(lock.token),
                };
                let lock = Lock::of(&old).filter(fits).ok_or(old)?;
                let token = lock.token + u64::from(is_acquired);
                *value = token.into();
                json!(Lock { token, held: is_acquired })
            }
            Action::Pop => {
                let mut list = list(&old).ok_or(old)?;
                *value = if list.is_empty() { Value::Null } else { list.remove(0) };
                list.into()
            }
            Action::Add | Action::Debit => {
                let sign = if *action == Action::Add { 1 } else { -1 };
                let change = number(value).and_then(|by| by.checked_mul(sign));
                let sum =
                    number(&old).zip(change).and_then(|(old, change)| old.checked_add(change));
                let enough = |sum: &i64| *action == Action::Add || *sum >= 0;
                *value = json!(sum.filter(enough).ok_or(old)?);
                value.clone()
            }
        };
        values.insert(key.clone(), new);
        Ok(())
    }
}

/// Says what is wrong with a transaction, if anything is.
pub fn check(steps: &[Step]) -> Result<(), String> {
    if !(1..=MOST_STEPS).contains(&steps.len()) {
        return Err(format!("a transaction has 1 to {MOST_STEPS} steps, this one {}", steps.len()));
    }
    steps.iter().try_for_each(|step| check_value(&step.2))
}

/// The keys that the steps are about.
pub fn keys(steps: &[Step]) -> BTreeSet<&Key> {
    steps.iter().map(|step| &step.1).collect()
}

/// Carries out all steps, or none and returns the value that does not allow it.
pub fn run(steps: &mut [Step], values: &mut Values) -> Result<(), Value> {
    let of_key = |key: &Key| Some((key.clone(), values.get(key)?.clone()));
    let mut changed: Values = keys(steps).into_iter().filter_map(of_key).collect();
    steps.iter_mut().try_for_each(|step| step.run(&mut changed))?;
    values.extend(changed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &Value, steps: Value, answer: &Result<Value, Value>, after: &Value) {
        let mut values: Values = serde_json::from_value(before.clone()).unwrap();
        let mut steps: Vec<Step> = serde_json::from_value(steps).unwrap();
        let ended = run(&mut steps, &mut values).map(|()| json!(steps));
        assert_eq!(ended, *answer);
        assert_eq!(json!(values), *after);
    }

    #[test]
    fn each_step_sees_what_those_before_it_did() {
        let steps = json!([
            ["r", "a"],
            ["w", "a", 2],
            ["r", "a", null],
            ["append", "l", 1],
            ["append", "l", 2],
            ["pop", "l"],
            ["pop", "m"],
            ["add", "n", 5],
            ["debit", "n", 2],
            ["init", "n", 9],
            ["init", "o", 9],
            ["expect", "a", 2],
            ["push", "l", 3],
            ["after", "l", 1],
            ["after", "l", 9],
            ["acquire", "k"],
            ["release", "k", 1],
            ["acquire", "k"]
        ]);
        let answer = json!([
            ["r", "a", 1],
            ["w", "a", 2],
            ["r", "a", 2],
            ["append", "l", 1],
            ["append", "l", 2],
            ["pop", "l", 1],
            ["pop", "m", null],
            ["add", "n", 5],
            ["debit", "n", 3],
            ["init", "n", 9],
            ["init", "o", 9],
            ["expect", "a", 2],
            ["push", "l", 1],
            ["after", "l", [3]],
            ["after", "l", []],
            ["acquire", "k", 1],
            ["release", "k", 1],
            ["acquire", "k", 2]
        ]);
        let lock = json!({"token": 2, "held": true});
        let after = json!({"a": 2, "k": lock, "l": [2, 3], "m": [], "n": 3, "o": 9, "z": 0});
        check(&json!({"a": 1, "z": 0}), steps, &Ok(answer), &after);
    }

    #[test]
    fn what_cannot_be_done_whole_is_not_done() {
        let held = json!({"token": 4, "held": true});
        let before = json!({"a": 1, "k": held, "l": "x"});
        for (last, found) in [
            (json!(["acquire", "k"]), held.clone()),
            (json!(["release", "k", 3]), held.clone()),
            (json!(["release", "j", 0]), Value::Null),
            (json!(["debit", "a", 3]), json!(2)),
            (json!(["expect", "a", 1]), json!(2)),
            (json!(["append", "l", 1]), json!("x")),
            (json!(["add", "l", 1]), json!("x")),
        ] {
            let steps = json!([["add", "a", 1], last]);
            check(&before, steps, &Err(found), &before);
        }
    }
}
