//! What the vocabularies say, as steps of the bundled store's transactions.

use serde_json::Value;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::causal::{self, Causal};
use splitbrain_workloads::objects::causal_reverse::{self, ROWS, Table};
use splitbrain_workloads::objects::counter::{self, Counter};
use splitbrain_workloads::objects::g2::{self, Insertion};
use splitbrain_workloads::objects::long_fork::LongFork;
use splitbrain_workloads::objects::set::{self, Set};
use splitbrain_workloads::objects::total_queue::{self, TotalQueue};
use splitbrain_workloads::objects::unique_ids::UniqueIds;
use splitbrain_workloads::objects::wr::RwRegister;
use splitbrain_workloads::transaction::{self, Action};

use super::transactions::{InSteps, Step, array, step};

/// Those whose calls are lists of steps themselves.
macro_rules! as_they_are {
    ($($vocabulary:ty),*) => {$(
        impl InSteps for $vocabulary {
            fn steps(call: &Vec<transaction::Step>) -> Vec<Step> {
                let word = |action| match action {
                    Action::Read => "r",
                    Action::Write => "w",
                    Action::Append => "append",
                };
                let named = |s: &transaction::Step| {
                    step(word(s.action), s.key.to_string(), s.value.clone())
                };
                call.iter().map(named).collect()
            }

            fn answer(
                call: &Vec<transaction::Step>,
                found: Vec<Value>,
            ) -> Option<Vec<transaction::Step>> {
                let answered = |(step, value): (&transaction::Step, _)| {
                    transaction::Step { value, ..step.clone() }
                };
                Some(call.iter().zip(found).map(answered).collect())
            }
        }
    )*};
}

as_they_are!(ListAppend, LongFork, RwRegister);

impl InSteps for Counter {
    fn steps(call: &counter::Call) -> Vec<Step> {
        match call {
            counter::Call::Read => vec![step("r", "sum", Value::Null)],
            counter::Call::Add(by) => vec![step("add", "sum", *by)],
        }
    }

    fn answer(_: &counter::Call, mut found: Vec<Value>) -> Option<Option<i64>> {
        match found.pop()? {
            Value::Null => Some(Some(0)),
            found => found.as_i64().map(Some),
        }
    }
}

/// A set is a list.
impl InSteps for Set {
    fn steps(set::Call { key, add }: &set::Call) -> Vec<Step> {
        vec![match add {
            None => step("r", key, Value::Null),
            Some(element) => step("append", key, *element),
        }]
    }

    fn answer(call: &set::Call, mut found: Vec<Value>) -> Option<Option<Vec<Value>>> {
        match call.add {
            None => array(found.pop()?).map(Some),
            Some(_) => Some(None),
        }
    }
}

impl InSteps for UniqueIds {
    fn steps((): &()) -> Vec<Step> {
        vec![step("add", "next", 1)]
    }

    fn answer((): &(), mut found: Vec<Value>) -> Option<Value> {
        found.pop()
    }
}

impl InSteps for TotalQueue {
    fn steps(call: &total_queue::Call) -> Vec<Step> {
        let queue = "queue";
        match call {
            total_queue::Call::Enqueue(value) => vec![step("append", queue, *value)],
            total_queue::Call::Dequeue => vec![step("pop", queue, Value::Null)],
            total_queue::Call::Drain => {
                vec![step("r", queue, Value::Null), step("w", queue, Vec::<Value>::new())]
            }
        }
    }

    fn answer(call: &total_queue::Call, mut found: Vec<Value>) -> Option<total_queue::Ret> {
        Some(match call {
            total_queue::Call::Enqueue(_) => total_queue::Ret::Done,
            total_queue::Call::Dequeue => {
                total_queue::Ret::One(found.pop().filter(|found| !found.is_null()))
            }
            total_queue::Call::Drain => total_queue::Ret::All(array(found.swap_remove(0))?),
        })
    }
}

/// The tables are keys of their own; a predicate asks both.
impl InSteps for Insertion {
    fn steps(g2::Call { key, table, id }: &g2::Call) -> Vec<Step> {
        let row = |table: usize| format!("{key}-{table}");
        vec![
            step("expect", row(0), Value::Null),
            step("expect", row(1), Value::Null),
            step("w", row(*table), *id),
        ]
    }

    fn answer(_: &g2::Call, _: Vec<Value>) -> Option<()> {
        Some(())
    }
}

impl InSteps for Causal {
    fn steps(causal::Call { key, write }: &causal::Call) -> Vec<Step> {
        vec![match write {
            None => step("r", key, Value::Null),
            Some(value) => step("w", key, *value),
        }]
    }

    fn answer(call: &causal::Call, mut found: Vec<Value>) -> Option<Option<Value>> {
        Some(found.pop().filter(|_| call.write.is_none()))
    }
}

/// Each row is a key of its own.
impl InSteps for Table {
    fn steps(causal_reverse::Call { key, insert }: &causal_reverse::Call) -> Vec<Step> {
        let row = |row: usize| format!("{key}-{row}");
        match insert {
            None => (0..ROWS).map(|at| step("r", row(at), Value::Null)).collect(),
            Some(at) => vec![step("w", row(*at), *at)],
        }
    }

    fn answer(call: &causal_reverse::Call, found: Vec<Value>) -> Option<Option<Vec<Value>>> {
        let rows = || found.into_iter().filter(|row| !row.is_null()).collect();
        Some(call.insert.is_none().then(rows))
    }
}
