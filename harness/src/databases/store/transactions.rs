//! Clients of the bundled store that speak in transactions: what is said of an object is steps on keys,
//! and what the steps were answered with is what it answers.

use std::marker::PhantomData;

use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome, Vocabulary};

use super::client::{StoreClient, failure};
use crate::databases::http;

/// A step: an action, a key and an argument.
pub type Step = (&'static str, String, Value);

/// A step in a few words.
pub fn step(action: &'static str, key: impl Into<String>, argument: impl Into<Value>) -> Step {
    (action, key.into(), argument.into())
}

/// An array, which nothing stands for if it is empty.
pub fn array(found: Value) -> Option<Vec<Value>> {
    match found {
        Value::Null => Some(Vec::new()),
        Value::Array(all) => Some(all),
        _ => None,
    }
}

/// A vocabulary of which each call is one transaction.
pub trait InSteps: Vocabulary {
    /// What a call does.
    fn steps(call: &Self::Call) -> Vec<Step>;
    /// What it returns when each step was answered so; nothing if that makes no sense.
    fn answer(call: &Self::Call, found: Vec<Value>) -> Option<Self::Ret>;
}

/// A client of such a vocabulary.
struct Transactions<V> {
    store: StoreClient,
    vocabulary: PhantomData<fn() -> V>,
}

impl<V: InSteps> Client<V> for Transactions<V> {
    fn invoke<'a>(
        &'a mut self,
        call: &'a V::Call,
    ) -> BoxFuture<'a, Result<Outcome<V::Ret>, OpError>> {
        Box::pin(async move {
            let found = self.store.transact(V::steps(call)).await?;
            let text = Value::Array(found.clone()).to_string();
            let answer = V::answer(call, found).map(Outcome::from);
            answer.ok_or_else(|| OpError::info(ErrorKind::Other, format!("answered {text}")))
        })
    }
}

/// Serves a vocabulary in transactions.
pub fn serve<V: InSteps>(
    clients: Clients,
    connect: impl Fn(usize) -> StoreClient + Send + Sync + 'static,
) -> Clients {
    clients
        .serve::<V, _>(move |node| Transactions { store: connect(node), vocabulary: PhantomData })
}

impl StoreClient {
    /// Carries out steps in one, and returns what each was answered with.
    pub async fn transact(&self, steps: Vec<Step>) -> Result<Vec<Value>, OpError> {
        let named: Vec<Value> = steps
            .into_iter()
            .map(|(action, key, value)| json!([action, format!("{}{key}", self.prefix), value]))
            .collect();
        let url = format!("{}/txn", self.url);
        let answer = http::send(self.http.post(url).json(&json!({ "steps": named }))).await?;
        let steps = answer.body["steps"].as_array().filter(|steps| steps.len() == named.len());
        match (answer.status, steps) {
            (200, Some(steps)) => Ok(steps.iter().map(|step| step[2].clone()).collect()),
            _ => Err(failure(&answer)),
        }
    }
}
