//! Clients of the bundled store that speak in transactions.

use serde_json::{Map, Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::bank::{self, ACCOUNTS, Bank, OPENING_BALANCE};
use splitbrain_workloads::objects::counter::{self, Counter};
use splitbrain_workloads::objects::long_fork::LongFork;
use splitbrain_workloads::objects::total_queue::{self, TotalQueue};
use splitbrain_workloads::objects::unique_ids::UniqueIds;
use splitbrain_workloads::transaction::Step;
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use super::client::{StoreClient, failure};
use crate::databases::http;

impl StoreClient {
    /// Carries out steps `[ACTION, KEY, ARGUMENT]` in one, and returns what each was answered with.
    async fn transact(&self, steps: Vec<(String, String, Value)>) -> Result<Vec<Value>, OpError> {
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

    async fn steps(&self, call: &[Step]) -> Result<Outcome<Vec<Step>>, OpError> {
        let step =
            |step: &Step| (step.action.to_string(), step.key.to_string(), step.value.clone());
        let found = self.transact(call.iter().map(step).collect()).await?;
        let answered = call.iter().zip(found);
        let steps = answered.map(|(step, value)| Step { value, ..step.clone() }).collect();
        Ok(Outcome { ret: steps, version: None })
    }
}

impl Client<ListAppend> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a Vec<Step>,
    ) -> BoxFuture<'a, Result<Outcome<Vec<Step>>, OpError>> {
        Box::pin(self.steps(call))
    }
}

impl Client<LongFork> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a Vec<Step>,
    ) -> BoxFuture<'a, Result<Outcome<Vec<Step>>, OpError>> {
        Box::pin(self.steps(call))
    }
}

fn step(action: &str, key: &str, value: impl Into<Value>) -> (String, String, Value) {
    (action.to_owned(), key.to_owned(), value.into())
}

/// An account that nobody has touched yet holds what it was opened with.
impl Client<Bank> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a bank::Call,
    ) -> BoxFuture<'a, Result<Outcome<bank::Ret>, OpError>> {
        Box::pin(async move {
            match call {
                bank::Call::Read => {
                    let names: Vec<String> = (0..ACCOUNTS).map(|at| at.to_string()).collect();
                    let reads = names.iter().map(|name| step("r", name, Value::Null)).collect();
                    let found = self.transact(reads).await?.into_iter();
                    let balance = |(name, found): (String, Value)| {
                        (name, if found.is_null() { OPENING_BALANCE.into() } else { found })
                    };
                    let balances: Map<String, Value> =
                        names.iter().cloned().zip(found).map(balance).collect();
                    Ok(bank::Ret::Balances(balances).into())
                }
                bank::Call::Transfer { from, to, amount } => {
                    let steps = vec![
                        step("init", from, OPENING_BALANCE),
                        step("init", to, OPENING_BALANCE),
                        step("debit", from, *amount),
                        step("add", to, *amount),
                    ];
                    self.transact(steps).await.map(|_| bank::Ret::Done.into())
                }
            }
        })
    }
}

impl Client<Counter> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a counter::Call,
    ) -> BoxFuture<'a, Result<Outcome<Option<i64>>, OpError>> {
        Box::pin(async move {
            let (action, value) = match call {
                counter::Call::Read => ("r", Value::Null),
                counter::Call::Add(by) => ("add", (*by).into()),
            };
            let found = self.transact(vec![step(action, "sum", value)]).await?.pop();
            match found {
                Some(Value::Null) => Ok(Some(0).into()),
                found => Ok(found.and_then(|found| found.as_i64()).into()),
            }
        })
    }
}

impl Client<UniqueIds> for StoreClient {
    fn invoke<'a>(&'a mut self, (): &'a ()) -> BoxFuture<'a, Result<Outcome<Value>, OpError>> {
        Box::pin(async move {
            let mut found = self.transact(vec![step("add", "next", 1)]).await?;
            Ok(found.pop().unwrap_or_default().into())
        })
    }
}

impl Client<TotalQueue> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a total_queue::Call,
    ) -> BoxFuture<'a, Result<Outcome<total_queue::Ret>, OpError>> {
        Box::pin(async move {
            let key = "queue";
            match call {
                total_queue::Call::Enqueue(value) => {
                    self.transact(vec![step("append", key, *value)]).await?;
                    Ok(total_queue::Ret::Done.into())
                }
                total_queue::Call::Dequeue => {
                    let found = self.transact(vec![step("pop", key, Value::Null)]).await?.pop();
                    let one = found.filter(|found| !found.is_null());
                    Ok(total_queue::Ret::One(one).into())
                }
                total_queue::Call::Drain => {
                    let steps =
                        vec![step("r", key, Value::Null), step("w", key, Value::Array(Vec::new()))];
                    let found = self.transact(steps).await?.swap_remove(0);
                    match found {
                        Value::Null => Ok(total_queue::Ret::All(Vec::new()).into()),
                        Value::Array(all) => Ok(total_queue::Ret::All(all).into()),
                        other => {
                            Err(OpError::info(ErrorKind::Other, format!("not a list: {other}")))
                        }
                    }
                }
            }
        })
    }
}
