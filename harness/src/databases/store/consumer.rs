//! Clients of the bundled store's logs. A log is a list, a message's position its offset. Consumers that share
//! logs keep under a key of its own how far they have come in each, and move it on in the same transaction as
//! what they send; so of two that were about to be given the same messages one is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::log::{Call, Done, Log, Placed, Ret, Step, Transactional};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use super::client::StoreClient;
use super::transactions::{array, step};

/// Sends and polls.
pub struct Consumer {
    store: StoreClient,
    /// The offset at which it goes on in each log.
    next: HashMap<u64, u64>,
    asks: Asks,
    /// Whether nobody has waited for the end of what it was asked last.
    open: bool,
}

/// What it polls where a poll names nothing.
enum Asks {
    Nothing,
    Own(Vec<u64>),
    /// With others.
    Shared(Vec<u64>),
}

/// What is there for a transaction in each log: from which offset on, and the messages.
type New = BTreeMap<u64, (u64, Vec<Value>)>;

impl Consumer {
    /// One that begins at the beginning.
    pub fn new(store: StoreClient) -> Consumer {
        Consumer { store, next: HashMap::new(), asks: Asks::Nothing, open: false }
    }

    /// What broke off leaves nothing: like a consumer that was closed, it begins anew.
    async fn carry_out(&mut self, call: &Call) -> Result<Ret, OpError> {
        if std::mem::replace(&mut self.open, true) {
            self.forget();
        }
        let done = match call {
            Call::Crash => Err(OpError::info(ErrorKind::Other, "crashed, as it was asked to")),
            Call::Assign(logs) => Ok(self.ask_for(logs, Asks::Own)),
            Call::Subscribe(logs) => Ok(self.ask_for(logs, Asks::Shared)),
            Call::Transact(steps) => self.transact(steps).await.map(Ret::Steps),
        };
        self.open = false;
        if let Err(OpError::Info(_)) = done {
            self.forget();
        }
        done
    }

    fn forget(&mut self) {
        self.next.clear();
        self.asks = Asks::Nothing;
    }

    /// It stays where it is in logs that it had before, and begins at the beginning of the others.
    fn ask_for(&mut self, logs: &[u64], how: fn(Vec<u64>) -> Asks) -> Ret {
        self.next.retain(|log, _| logs.contains(log));
        self.asks = how(logs.to_vec());
        Ret::Asked
    }

    async fn transact(&mut self, steps: &[Step]) -> Result<Vec<Done>, OpError> {
        let (mut own, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for step in steps {
            match (step, &self.asks) {
                (Step::Send(..), _) => {}
                (Step::Poll(Some(logs)), _) | (Step::Poll(None), Asks::Own(logs)) => {
                    own.extend(logs);
                }
                (Step::Poll(None), Asks::Shared(logs)) => shared.extend(logs),
                (Step::Poll(None), Asks::Nothing) => {
                    let why = "no logs were assigned to this consumer";
                    return Err(OpError::fail(ErrorKind::Mismatch, why));
                }
            }
        }
        own.retain(|log| !shared.contains(log));
        let (new, offsets) = match shared.is_empty() {
            true => self.alone(&own, steps).await?,
            false => self.with_others(&own, &shared, steps).await?,
        };
        // Where others have come to and this one was given nothing, it has not come either.
        for (log, (from, messages)) in new.iter().filter(|(_, (_, new))| !new.is_empty()) {
            self.next.insert(*log, from + messages.len() as u64);
        }
        Ok(self.shared_out(steps, &new, offsets))
    }

    /// All in one: what is new to this consumer, and then what it sends.
    async fn alone(&self, own: &BTreeSet<u64>, steps: &[Step]) -> Result<(New, Vec<u64>), OpError> {
        let from: Vec<(u64, u64)> = own.iter().map(|log| (*log, self.from(*log))).collect();
        let all = from.iter().map(|(log, from)| step("after", name(*log), *from));
        let mut found = self.store.transact(all.chain(pushes(steps)).collect()).await?;
        let offsets = offsets(&found.split_off(from.len()))?;
        Ok((placed(from, found)?, offsets))
    }

    /// Where the others are, then what is new from there; and then, if they still are there, that they are
    /// behind it, and what it sends.
    async fn with_others(
        &self,
        own: &BTreeSet<u64>,
        shared: &BTreeSet<u64>,
        steps: &[Step],
    ) -> Result<(New, Vec<u64>), OpError> {
        let read = shared.iter().map(|log| step("r", group(*log), Value::Null)).collect();
        let before = self.store.transact(read).await.map_err(OpError::before_anything)?;
        let of_group = shared.iter().zip(&before);
        let of_group = of_group.map(|(log, before)| (*log, before.as_u64().unwrap_or(0)));
        let from: Vec<(u64, u64)> =
            own.iter().map(|log| (*log, self.from(*log))).chain(of_group).collect();
        let after = from.iter().map(|(log, from)| step("after", name(*log), *from)).collect();
        let found = self.store.transact(after).await.map_err(OpError::before_anything)?;
        let new = placed(from, found)?;
        let mut commit = Vec::new();
        for (log, before) in shared.iter().zip(before) {
            let (from, messages) = &new[log];
            commit.push(step("expect", group(*log), before));
            commit.push(step("w", group(*log), from + messages.len() as u64));
        }
        let moved = commit.len();
        let all = commit.into_iter().chain(pushes(steps)).collect();
        let sent = self.store.transact(all).await?.split_off(moved);
        Ok((new, offsets(&sent)?))
    }

    fn from(&self, log: u64) -> u64 {
        self.next.get(&log).copied().unwrap_or(0)
    }

    /// Several polls of a log in one transaction are given one part of what is new after the other.
    fn shared_out(&self, steps: &[Step], new: &New, offsets: Vec<u64>) -> Vec<Done> {
        let asked = |step: &Step| match (step, &self.asks) {
            (Step::Send(..), _) | (Step::Poll(None), Asks::Nothing) => Vec::new(),
            (Step::Poll(Some(logs)), _) => logs.clone(),
            (Step::Poll(None), Asks::Own(logs) | Asks::Shared(logs)) => logs.clone(),
        };
        let all: Vec<Vec<u64>> = steps.iter().map(asked).collect();
        let mut offsets = offsets.into_iter();
        let part = |at: usize, log: u64| -> Vec<Placed> {
            let polls = |steps: &[Vec<u64>]| steps.iter().filter(|of| of.contains(&log)).count();
            let (this, count) = (polls(&all[..at]), polls(&all));
            let (from, messages) = &new[&log];
            let placed = (*from..).zip(messages.iter().cloned()).collect::<Vec<Placed>>();
            placed[placed.len() * this / count..placed.len() * (this + 1) / count].to_vec()
        };
        let done = |(at, step): (usize, &Step)| match step {
            Step::Send(..) => Done::Sent(offsets.next().unwrap_or_default()),
            Step::Poll(_) => {
                let parts = all[at].iter().map(|log| (*log, part(at, *log)));
                Done::Polled(parts.filter(|(_, part)| !part.is_empty()).collect())
            }
        };
        steps.iter().enumerate().map(done).collect()
    }
}

fn name(log: u64) -> String {
    format!("log{log}")
}

/// Where it is kept how far those have come that share a log.
fn group(log: u64) -> String {
    format!("group-log{log}")
}

fn pushes(steps: &[Step]) -> impl Iterator<Item = super::transactions::Step> {
    steps.iter().filter_map(|one| match one {
        Step::Send(log, message) => Some(step("push", name(*log), *message)),
        Step::Poll(_) => None,
    })
}

fn placed(from: Vec<(u64, u64)>, found: Vec<Value>) -> Result<New, OpError> {
    let of_log = |((log, from), found): ((u64, u64), Value)| {
        let odd = || OpError::info(ErrorKind::Other, format!("{} is no list", name(log)));
        Ok((log, (from, array(found).ok_or_else(odd)?)))
    };
    from.into_iter().zip(found).map(of_log).collect()
}

fn offsets(found: &[Value]) -> Result<Vec<u64>, OpError> {
    let odd = || OpError::info(ErrorKind::Other, "an offset is no number");
    found.iter().map(Value::as_u64).collect::<Option<_>>().ok_or_else(odd)
}

macro_rules! both {
    ($($vocabulary:ty),*) => {$(
        impl Client<$vocabulary> for Consumer {
            fn invoke<'a>(
                &'a mut self,
                call: &'a Call,
            ) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
                Box::pin(async move { self.carry_out(call).await.map(Outcome::from) })
            }
        }
    )*};
}

both!(Log, Transactional);
