//! What all answers together tell of each key: which value each of its revisions had, and when it was deleted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::shape::{Found, Operation, Pair, Recorded, Response, Txn, Value};

/// By key.
#[derive(Default)]
pub struct Facts<'r> {
    keys: BTreeMap<&'r str, Key<'r>>,
}

#[derive(Default)]
struct Key<'r> {
    values: HashMap<i64, &'r Value>,
    deletions: BTreeSet<i64>,
    /// Whether it may have gone at any time.
    may_vanish: bool,
}

/// What stands for a key that is not there: nothing, or the deletion at this revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent(pub Option<i64>);

impl<'r> Facts<'r> {
    pub fn of(records: &'r [(u64, Recorded)]) -> Facts<'r> {
        let mut facts = Facts::default();
        for (_, Recorded { input, output, .. }) in records {
            if let Some(found) = &output.range {
                facts.hear(found);
            }
            match (&input.txn, &output.txn) {
                (Some(txn), Some(answer)) if output.is_known() => {
                    for (operation, found) in
                        txn.happened(answer.failure).iter().zip(&answer.results)
                    {
                        facts.hear(found);
                        facts.done(operation, found, output);
                    }
                }
                (Some(txn), _) => txn.all().for_each(|operation| facts.perhaps(operation)),
                _ => {}
            }
        }
        facts
    }

    fn hear(&mut self, found: &'r Found) {
        for pair in &found.pairs {
            let key = self.keys.entry(&pair.key).or_default();
            if let Some(value) = pair.told() {
                key.values.insert(pair.mod_revision, value);
            }
        }
    }

    fn done(&mut self, operation: &'r Operation, found: &Found, output: &Response) {
        if let Some(put) = operation.put() {
            let key = self.keys.entry(&put.key).or_default();
            key.values.insert(output.revision, &put.value);
            key.may_vanish |= put.lease_id != 0;
        }
        if let Some(delete) = operation.delete().filter(|_| found.deleted > 0) {
            self.keys.entry(&delete.key).or_default().deletions.insert(output.revision);
        }
    }

    fn perhaps(&mut self, operation: &'r Operation) {
        if let Some(put) = operation.put() {
            self.keys.entry(&put.key).or_default().may_vanish |= put.lease_id != 0;
        }
        if let Some(delete) = operation.delete() {
            self.keys.entry(&delete.key).or_default().may_vanish = true;
        }
    }

    /// The value that a key had since this revision, if anybody was told.
    pub fn value(&self, key: &str, revision: i64) -> Option<&'r Value> {
        self.keys.get(key)?.values.get(&revision).copied()
    }

    /// What it means that a key was not there at a revision of the store; nothing where that is not known.
    pub fn absent(&self, key: &str, revision: i64) -> Option<Absent> {
        match self.keys.get(key) {
            None => Some(Absent(None)),
            Some(key) if key.may_vanish => None,
            Some(key) => Some(Absent(key.deletions.range(..=revision).next_back().copied())),
        }
    }

    /// All keys from one on before another, in order; as in etcd no end is that key alone, and a zero byte
    /// is no end.
    pub fn between<'f>(&'f self, start: &'f str, end: &'f str) -> impl Iterator<Item = &'f str> {
        let is_before = move |key: &str| match end {
            "" => key == start,
            "\0" => true,
            end => key < end,
        };
        let all = self.keys.range(start..).map(|(key, _)| *key);
        let absent = (end.is_empty() && !self.keys.contains_key(start)).then_some(start);
        absent.into_iter().chain(all.take_while(move |key| is_before(key)))
    }
}

impl Response {
    /// Whether the client was told what became of it.
    pub fn is_known(&self) -> bool {
        self.error.is_empty() && !self.persisted
    }
}

impl Pair {
    /// The value, unless only the key was asked for.
    pub fn told(&self) -> Option<&Value> {
        Some(&self.value).filter(|value| **value != Value::default())
    }
}

impl Txn {
    /// What was done, and what was not.
    pub fn happened(&self, failure: bool) -> &[Operation] {
        if failure { &self.operations_on_failure } else { &self.operations_on_success }
    }

    pub fn all(&self) -> impl Iterator<Item = &Operation> {
        self.operations_on_success.iter().chain(&self.operations_on_failure)
    }
}
