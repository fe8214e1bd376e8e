//! A request as a transaction: reads and writes of keys.

use std::collections::HashMap;

use super::super::Kind;
use super::super::steps::{Action, Steps, Writer};
use super::facts::{Absent, Facts};
use super::shape::{Condition, Delete, Found, Operation, Pair, Put, Range, Recorded, Txn, Value};

/// What was expected and what was found, where a file contradicts itself.
type Wrong = (&'static str, String);

/// What a request was to do, and what it did.
pub struct Meaning {
    pub kind: Kind,
    pub asked: Option<Steps>,
    pub answered: Option<Steps>,
}

/// Of a request: one transaction; none if it says nothing; several if it is not known which part was done.
pub fn meanings(record: &Recorded, facts: &Facts<'_>) -> Result<Vec<Meaning>, Wrong> {
    let Recorded { input, output, .. } = record;
    let mut told = Told { revision: output.revision, ..Told::about(facts) };
    let is_known = output.is_known();
    match (input.kind.as_str(), &input.range, &input.txn) {
        ("range", Some(range), _) if range.revision == 0 && is_known => {
            if let Some(found) = &output.range {
                told.range(range, found);
            }
        }
        ("range", Some(_), _) => {}
        ("txn", _, Some(txn)) if !output.client_error.is_empty() => {
            txn.all().filter_map(Operation::put).for_each(|put| told.write(&put.key, &put.value));
            return Ok(told.meaning(Kind::Fail).into_iter().collect());
        }
        ("txn", _, Some(txn)) if is_known => {
            let answer = output.txn.as_ref();
            let answer = answer.ok_or_else(|| ("an answer to a txn", "null".to_owned()))?;
            let done = txn.happened(answer.failure);
            if done.len() != answer.results.len() {
                let found = format!("{} of {}", answer.results.len(), done.len());
                return Err(("a result for each operation of a txn", found));
            }
            if !answer.failure {
                txn.conditions.iter().for_each(|condition| told.condition(condition));
            }
            for (operation, found) in done.iter().zip(&answer.results) {
                told.done(operation, found)?;
            }
        }
        ("txn", _, Some(txn)) => return Ok(perhaps(txn, facts)),
        ("leaseGrant" | "leaseRevoke" | "defragment" | "compact", ..) => {}
        (other, ..) => {
            let expected = "range, txn, leaseGrant, leaseRevoke, defragment or compact";
            return Err((expected, other.to_owned()));
        }
    }
    Ok(told.meaning(Kind::Ok).into_iter().collect())
}

/// What may have been done. Of two parts either, so their writes stand for themselves.
fn perhaps(txn: &Txn, facts: &Facts<'_>) -> Vec<Meaning> {
    let of = |puts: &mut dyn Iterator<Item = &Put>| {
        let mut told = Told::about(facts);
        puts.for_each(|put| told.write(&put.key, &put.value));
        told.meaning(Kind::Info)
    };
    let mut puts = txn.all().filter_map(Operation::put);
    if txn.operations_on_failure.iter().any(|operation| operation.put().is_some()) {
        puts.filter_map(|put| of(&mut std::iter::once(put))).collect()
    } else {
        of(&mut puts).into_iter().collect()
    }
}

/// A transaction that is being told.
struct Told<'f, 'r> {
    facts: &'f Facts<'r>,
    revision: i64,
    asked: Writer,
    answered: Writer,
}

impl<'f, 'r> Told<'f, 'r> {
    fn about(facts: &'f Facts<'r>) -> Told<'f, 'r> {
        Told { facts, revision: 0, asked: Writer::default(), answered: Writer::default() }
    }

    fn meaning(mut self, kind: Kind) -> Option<Meaning> {
        let (asked, answered) = (self.asked.finish(), self.answered.finish());
        asked.is_some().then_some(Meaning { kind, asked, answered })
    }

    fn begin(&mut self, action: Action, key: &str) {
        for writer in [&mut self.asked, &mut self.answered] {
            writer.step(action);
            writer.text(key);
        }
    }

    fn write(&mut self, key: &str, value: &Value) {
        self.begin(Action::Write, key);
        push(value, &mut self.asked);
        push(value, &mut self.answered);
    }

    fn read(&mut self, key: &str, value: &Value) {
        self.begin(Action::Read, key);
        self.asked.null();
        push(value, &mut self.answered);
    }

    /// A key was not there.
    fn absent(&mut self, key: &str) {
        let Some(Absent(deletion)) = self.facts.absent(key, self.revision) else { return };
        self.begin(Action::Read, key);
        self.asked.null();
        match deletion {
            Some(revision) => self.answered.text(&deleted(revision)),
            None => self.answered.null(),
        }
    }

    fn condition(&mut self, condition: &Condition) {
        let Condition { key, expected_revision, expected_version } = condition;
        match (expected_version, expected_revision) {
            (0, 0) => self.absent(key),
            (0, revision) => {
                if let Some(value) = self.facts.value(key, *revision) {
                    self.read(key, value);
                }
            }
            _ => {}
        }
    }

    fn done(&mut self, operation: &Operation, found: &Found) -> Result<(), Wrong> {
        match (operation.range(), operation.put(), operation.delete()) {
            (Some(range), ..) => self.range(range, found),
            (_, Some(put), _) => self.write(&put.key, &put.value),
            (.., Some(Delete { key })) if found.deleted > 0 => {
                self.begin(Action::Write, key);
                let name = deleted(self.revision);
                self.asked.text(&name);
                self.answered.text(&name);
            }
            (.., Some(Delete { key })) => self.absent(key),
            _ => {
                let expected =
                    "range-operation, put-operation or delete-operation with what it is to do";
                return Err((expected, operation.kind.clone()));
            }
        }
        Ok(())
    }

    fn range(&mut self, range: &Range, found: &Found) {
        let pairs = &found.pairs;
        // Behind a limit nothing is known.
        let last = pairs.last().filter(|_| found.count > pairs.len() as u64);
        let is_cut = pairs.is_empty() && found.count > 0;
        let shown: HashMap<&str, &Pair> = pairs.iter().map(|pair| (&*pair.key, pair)).collect();
        let facts = self.facts;
        for key in facts.between(&range.start, &range.end) {
            match shown.get(key) {
                Some(pair) => {
                    let known = pair.told();
                    let known = known.or_else(|| facts.value(key, pair.mod_revision));
                    if let Some(value) = known {
                        self.read(key, value);
                    }
                }
                None if is_cut || last.is_some_and(|last| last.key.as_str() < key) => {}
                None => self.absent(key),
            }
        }
    }
}

/// What a deletion leaves.
fn deleted(revision: i64) -> String {
    format!("deleted@{revision}")
}

fn push(value: &Value, writer: &mut Writer) {
    match value.hash {
        0 => writer.text(&value.value),
        hash => writer.natural(hash.into()),
    }
}

impl Operation {
    fn range(&self) -> Option<&Range> {
        self.range.as_ref().filter(|_| self.kind == "range-operation")
    }

    pub fn put(&self) -> Option<&Put> {
        self.put.as_ref().filter(|_| self.kind == "put-operation")
    }

    pub fn delete(&self) -> Option<&Delete> {
        self.delete.as_ref().filter(|_| self.kind == "delete-operation")
    }
}
