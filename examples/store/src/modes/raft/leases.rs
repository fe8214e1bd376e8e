//! Locks that are taken from those who hold them for long: a known mistake, since a holder that stood still
//! goes on as if nothing had happened. What would be right, apart from no lease at all, is that
//! whatever the lock guards refuses who comes with an old token (Kleppmann, "How to do distributed
//! locking", 2016).

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::Node;
use crate::request::Key;
use crate::transaction::{Action, Lock, Step};

/// How long a lock is left to a holder for whom others wait.
const LEASE: Duration = Duration::from_millis(200);

/// Since when each lock is waited for, and by whose token it was held then.
#[derive(Default)]
pub struct Leases(Mutex<HashMap<Key, (u64, Instant)>>);

impl Leases {
    /// Frees what somebody else wants to take, if its lease is over.
    pub async fn end_of(&self, node: &Node, steps: &[Step], deadline: Instant) {
        for Step(_, key, _) in steps.iter().filter(|step| step.0 == Action::Acquire) {
            let lock = Lock::of(&node.values.get(key)).unwrap_or_default();
            if lock.held && self.is_over(key, lock.token) {
                let release = Step(Action::Release, key.clone(), lock.token.into());
                // If it was not freed, whoever wants it is told so.
                node.transact(vec![release], deadline).await;
            }
        }
    }

    fn is_over(&self, key: &Key, token: u64) -> bool {
        let now = Instant::now();
        let mut waited = self.0.lock().unwrap();
        let since = waited.entry(key.clone()).or_insert((token, now));
        if since.0 != token {
            *since = (token, now);
        }
        now - since.1 > LEASE
    }
}
