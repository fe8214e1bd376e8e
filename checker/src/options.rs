//! What to judge a history by.

use serde_json::Value;

use crate::expectation::Expectation;
use crate::history::{Datum, History};
use crate::judgement::Misfit;
use crate::linearizable::Budget;
use crate::models::ModelName;
use crate::models::failed_cas::is_observed;
use crate::models::list::Objects;
use crate::register::Reading;
use crate::txn::trusted::KeyOrders;
use crate::txn::{Kind, Question};

/// What a compare-and-set says that failed with a mismatch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedCas {
    /// Nothing.
    #[default]
    Ignored,
    /// That at some moment of its interval the register did not hold the value it was to find.
    /// Linearizability then takes a search.
    Observed,
}

/// What to judge a history by.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the verdict answers.
    pub expect: Expectation,
    /// Every key's value before the first write; by default what the header says, else null, which
    /// stands for unset.
    pub initial: Option<Value>,
    /// A read of null may stand for any value, instead of an unset key.
    pub nil_reads_any: bool,
    /// The verdict is unknown instead of valid if the plan asked for faults and none was in force
    /// while operations ran. For histories that were recorded to be judged at once; an old one is
    /// judged as it stands.
    pub faults_required: bool,
    /// What the linearizability check of one key may cost.
    pub budget: Budget,
    /// What the objects are; by default what the header's vocabulary says, else registers.
    pub model: Option<ModelName>,
    /// What a compare-and-set says that failed because the register held another value.
    pub failed_cas: FailedCas,
    /// The accounts of a bank may hold less than nothing.
    pub negative_balances: bool,
    /// What is taken for granted of each register that transactions work on.
    pub keys: KeyOrders,
    /// The judgement says how each key was checked.
    pub explain: bool,
    /// The judgement has an order for each object that is linearizable.
    pub order: bool,
}

impl Options {
    /// Whether failed compare-and-sets are to be looked at, and there are some.
    pub(crate) fn observes_failures(&self, history: &History) -> bool {
        self.failed_cas == FailedCas::Observed && history.operations().iter().any(is_observed)
    }

    pub(crate) fn reading(&self, history: &History, before_index: Option<u64>) -> Reading {
        let of_header = || history.header().map(|header| &header.initial);
        let initial = self.initial.as_ref().or_else(of_header);
        Reading {
            initial: initial.cloned().map_or(Datum::Null, Datum::from),
            nil_reads_any: self.nil_reads_any,
            before_index,
        }
    }

    /// What to ask of transactions.
    pub(crate) fn of_transactions(&self, history: &History) -> Question {
        let level = match self.expect {
            Expectation::Rung(rung) => Some(rung),
            _ => None,
        };
        let initial = Value::from(&self.reading(history, None).initial);
        Question { initial, level, keys: self.keys }
    }

    /// What the operations of a history are transactions on, if they are transactions.
    pub(crate) fn transactions(&self, history: &History) -> Option<Kind> {
        let of_header = history.header().map_or("", |header| header.vocabulary.as_str());
        Kind::of(history, self.model.map_or(of_header, |model| model.name()))
    }

    /// What the objects of a history are; an error says that there is no check for them.
    pub(crate) fn objects(&self, history: &History) -> Result<Objects, Misfit> {
        let of_header = history.header().map_or("", |header| header.vocabulary.as_str());
        match self.model.map_or(of_header, |model| model.name()) {
            "" => Ok(Objects::Registers),
            name => Objects::named(name).ok_or_else(|| Misfit {
                event: None,
                expected: "a vocabulary that there is a check for".to_owned(),
                found: name.to_owned(),
            }),
        }
    }
}
