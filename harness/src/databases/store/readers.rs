//! Clients of the bundled store that remember how far they have read, and such that read and write the
//! parts of an object one after another.

use std::collections::HashMap;

use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::monotonic::{self, Tables};
use splitbrain_workloads::objects::sequential::{self, PARTS, Sequential};
use splitbrain_workloads::objects::watch::{self, Watched};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use super::client::StoreClient;
use super::transactions::{array, step};

/// Reads lists from where it has come to. A change's position is its revision.
pub struct Reader {
    pub store: StoreClient,
    /// How many elements of each list it has been given.
    pub read: HashMap<String, u64>,
}

impl Reader {
    /// What is new in lists, each element with its position.
    async fn new_in(&mut self, lists: &[String]) -> Result<Vec<Vec<(u64, Value)>>, OpError> {
        let from = |list: &String| self.read.get(list).copied().unwrap_or(0);
        let steps = lists.iter().map(|list| step("after", list, from(list))).collect();
        let mut new = Vec::new();
        for (list, found) in lists.iter().zip(self.store.transact(steps).await?) {
            let found = array(found)
                .ok_or_else(|| OpError::info(ErrorKind::Other, format!("{list} is no list")))?;
            new.push((from(list)..).zip(found).collect::<Vec<_>>());
        }
        for (list, new) in lists.iter().zip(&new) {
            *self.read.entry(list.clone()).or_default() += new.len() as u64;
        }
        Ok(new)
    }
}

impl Client<Watched> for Reader {
    fn invoke<'a>(
        &'a mut self,
        call: &'a watch::Call,
    ) -> BoxFuture<'a, Result<Outcome<watch::Ret>, OpError>> {
        Box::pin(async move {
            let changes = "changes";
            match call {
                watch::Call::Write(value) => {
                    self.store.transact(vec![step("push", changes, *value)]).await?;
                    Ok(watch::Ret::Done.into())
                }
                watch::Call::Watch => {
                    let new = self.new_in(&[changes.to_owned()]).await?;
                    Ok(watch::Ret::Changes(new.concat()).into())
                }
            }
        })
    }
}

impl Client<Sequential> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a sequential::Call,
    ) -> BoxFuture<'a, Result<Outcome<Option<Vec<Value>>>, OpError>> {
        let part = |at: usize| format!("{}-{at}", call.key);
        Box::pin(async move {
            if call.writes {
                for at in 0..PARTS {
                    let written = self.transact(vec![step("w", part(at), at)]).await;
                    match written {
                        // Some parts are there already.
                        Err(OpError::Fail(error)) if at > 0 => return Err(OpError::Info(error)),
                        written => drop(written?),
                    }
                }
                return Ok(None.into());
            }
            let mut parts = Vec::new();
            for at in (0..PARTS).rev() {
                parts.extend(self.transact(vec![step("r", part(at), Value::Null)]).await?);
            }
            Ok(Some(parts).into())
        })
    }
}

/// Each table has its greatest number under a key, and all of them under another. Whoever adds one has
/// read both greatest ones, and they are the same still.
impl Client<Tables> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a monotonic::Call,
    ) -> BoxFuture<'a, Result<Outcome<monotonic::Ret>, OpError>> {
        Box::pin(async move {
            let read = |what: &str| {
                ["0", "1"].map(|table| step("r", format!("{what}-{table}"), Value::Null)).to_vec()
            };
            let odd = |_| OpError::info(ErrorKind::Other, "this is no table");
            match call {
                monotonic::Call::Read => {
                    let tables = self.transact(read("all")).await?.into_iter();
                    let tables: Option<Vec<Vec<Value>>> = tables.map(array).collect();
                    Ok(monotonic::Ret::All(tables.ok_or(()).map_err(odd)?.concat()).into())
                }
                monotonic::Call::Add { table } => {
                    let greatest = self.transact(read("greatest")).await?;
                    let number = 1 + greatest.iter().filter_map(Value::as_i64).max().unwrap_or(0);
                    let same = greatest.into_iter().enumerate().map(|(table, greatest)| {
                        step("expect", format!("greatest-{table}"), greatest)
                    });
                    let add = [
                        step("w", format!("greatest-{table}"), number),
                        step("append", format!("all-{table}"), number),
                    ];
                    self.transact(same.chain(add).collect()).await?;
                    Ok(monotonic::Ret::Added(number).into())
                }
            }
        })
    }
}
