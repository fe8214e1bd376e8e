//! Clients of the bundled store's locks, and of sets that are guarded by one.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::time::Duration;

use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::fenced_set::FencedSet;
use splitbrain_workloads::objects::lock::{self, Lock};
use splitbrain_workloads::objects::lock_set::LockSet;
use splitbrain_workloads::objects::set;
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome, Vocabulary};
use tokio::time::{Instant, sleep};

use super::client::StoreClient;
use super::transactions::{array, step};

/// How long a lock is waited for that somebody else holds.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long until it is asked for again.
const PAUSE: Duration = Duration::from_millis(10);
/// How long whoever holds a lock works with what it has read: for the first element of a set, and one in
/// four after it, as long as a program does that collects its garbage meanwhile.
fn work(element: i64) -> Duration {
    Duration::from_millis(if element % 4 == 1 { 400 } else { 50 })
}

impl StoreClient {
    async fn one(
        &self,
        action: &'static str,
        key: &str,
        argument: impl Into<Value>,
    ) -> Result<Value, OpError> {
        Ok(self.transact(vec![step(action, key, argument)]).await?.pop().unwrap_or_default())
    }

    async fn acquire(&self, key: &str) -> Result<u64, OpError> {
        let token = self.one("acquire", key, Value::Null).await?;
        let odd = || OpError::info(ErrorKind::Other, format!("the token is {token}"));
        token.as_u64().ok_or_else(odd)
    }
}

/// Takes locks and gives back those that it has taken.
pub struct Holder {
    pub store: StoreClient,
    /// The token of each lock that it holds.
    pub held: HashMap<String, u64>,
}

impl Client<Lock> for Holder {
    fn invoke<'a>(
        &'a mut self,
        call: &'a lock::Call,
    ) -> BoxFuture<'a, Result<Outcome<u64>, OpError>> {
        Box::pin(async move {
            let key = &call.key;
            if call.acquires {
                let token = self.store.acquire(key).await?;
                self.held.insert(key.clone(), token);
                return Ok(token.into());
            }
            let not_held = || OpError::fail(ErrorKind::Mismatch, "not held by this client");
            let token = self.held.remove(key).ok_or_else(not_held)?;
            let released = self.store.one("release", key, token).await;
            if let Err(OpError::Fail(error)) = &released
                && error.kind != ErrorKind::Mismatch
            {
                // Nothing has happened, so it is still held.
                self.held.insert(key.clone(), token);
            }
            released.map(|_| token.into())
        })
    }
}

/// Adds elements to a set by reading it and writing it back under a lock; the vocabulary says whether the
/// write names the lock's token.
struct Guarded<V> {
    store: StoreClient,
    vocabulary: PhantomData<fn() -> V>,
}

/// Serves sets that are guarded so.
pub fn guarded<V: Fenced>(
    clients: Clients,
    connect: impl Fn(usize) -> StoreClient + Send + Sync + 'static,
) -> Clients {
    clients.serve::<V, _>(move |node| Guarded { store: connect(node), vocabulary: PhantomData })
}

/// Whether a write is refused whose token is not the lock's last.
pub trait Fenced: Vocabulary<Call = set::Call, Ret = Option<Vec<Value>>> {
    const FENCED: bool;
}

impl Fenced for LockSet {
    const FENCED: bool = false;
}

impl Fenced for FencedSet {
    const FENCED: bool = true;
}

impl<V: Fenced> Guarded<V> {
    async fn elements(&self, key: &str) -> Result<Vec<Value>, OpError> {
        let found = self.store.one("r", key, Value::Null).await?;
        array(found).ok_or_else(|| OpError::info(ErrorKind::Other, "this is no set"))
    }

    /// Until the element is written, nothing has happened.
    async fn add(&self, key: &str, element: i64) -> Result<(), OpError> {
        let lock = format!("{key}-lock");
        let until = Instant::now() + PATIENCE;
        let token = loop {
            match self.store.acquire(&lock).await {
                Ok(token) => break token,
                Err(OpError::Fail(error))
                    if error.kind == ErrorKind::Mismatch && Instant::now() < until =>
                {
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.before_anything()),
            }
        };
        let mut elements = self.elements(key).await.map_err(OpError::before_anything)?;
        sleep(work(element)).await;
        elements.push(element.into());
        let held = json!({ "token": token, "held": true });
        let fence = V::FENCED.then(|| step("expect", lock.clone(), held));
        let steps = fence.into_iter().chain([step("w", key, elements)]).collect();
        let written = self.store.transact(steps).await;
        // If it is not given back, others will say so.
        _ = self.store.one("release", &lock, token).await;
        written.map(|_| ())
    }
}

impl<V: Fenced> Client<V> for Guarded<V> {
    fn invoke<'a>(
        &'a mut self,
        call: &'a set::Call,
    ) -> BoxFuture<'a, Result<Outcome<Option<Vec<Value>>>, OpError>> {
        Box::pin(async move {
            Ok(match call.add {
                None => Some(self.elements(&call.key).await?).into(),
                Some(element) => self.add(&call.key, element).await.map(|()| None)?.into(),
            })
        })
    }
}
