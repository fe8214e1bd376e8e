//! `quorum`: every node takes requests and asks the replicas of the key, of which enough must answer.
//!
//! A write is at W of N replicas and a read asks R (Gifford, "Weighted Voting for Replicated Data",
//! SOSP 1979; DeCandia et al., "Dynamo", SOSP 2007). Before it writes a node learns the newest stamp
//! from R replicas, and before it answers a read it has seen to it that no later read can miss
//! what it returns (Attiya, Bar-Noy and Dolev, "Sharing Memory Robustly in Message-Passing Systems",
//! 1995). So with R + W > N, as usual, each key is linearizable; with less it is up to date in the
//! end. What a replica missed it gets by hint when it is back, or by a read that notices.

mod hints;
mod replicas;

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::hints::Hints;
use super::{BoxFuture, Mode, Options, Replica, Setup, Started, Status};
use crate::data_dir::DataDir;
use crate::id::NodeId;
use crate::mistakes::Mistake;
use crate::peers::Peers;
use crate::request::{Key, Outcome, Write};
use crate::stamped::{Entry, Store};

pub const MODE: Mode = Mode {
    name: "quorum",
    about: "Every node takes requests and asks R or W of N replicas: linearizable if R + W > N, \
            as usual, and eventually consistent if not.",
    start: |setup| Box::pin(start(setup)),
};

/// How many replicas there are, and how many must answer.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    n: usize,
    r: usize,
    w: usize,
}

impl Sizes {
    fn new(nodes: usize, options: &Options) -> Result<Self, String> {
        let n = options.replicas.unwrap_or(nodes);
        let majority = n / 2 + 1;
        let sizes = Self {
            n,
            r: options.read_quorum.unwrap_or(majority),
            w: options.write_quorum.unwrap_or(majority),
        };
        match sizes {
            Self { n, .. } if n > nodes => {
                Err(format!("{n} replicas need more than {nodes} nodes"))
            }
            Self { n, r, w } if r > n || w > n => {
                Err(format!("of {n} replicas, {r} cannot be read and {w} be written"))
            }
            _ => Ok(sizes),
        }
    }

    /// How many must hold a value so that no later read misses it; none if reads may.
    fn safe(self) -> usize {
        if self.r + self.w > self.n { self.n - self.r + 1 } else { 0 }
    }
}

struct Quorum {
    peers: Peers,
    sizes: Sizes,
    store: Store,
    hints: Hints,
    mistake: Option<Mistake>,
    /// Holds the folder's lock.
    _data: DataDir,
}

/// A node and what it answered.
type Answered<T> = (NodeId, Result<T, String>);

async fn start(setup: Setup) -> Result<Started, String> {
    let Setup { peers, data, mount, mistake, options, applied, alarm } = setup;
    let sizes = Sizes::new(peers.all().count(), &options)?;
    let store =
        Store::open(&data.file("quorum.log"), mount, mistake, peers.me(), applied, alarm.clone())?;
    let hints = Hints::open(&data.file("hints.log"), mount, alarm)?;
    let quorum = Arc::new(Quorum { peers, sizes, store, hints, mistake, _data: data });
    for peer in quorum.peers.others() {
        tokio::spawn(hints::replay(quorum.clone(), peer, options.hint_interval));
    }
    let peer_routes = replicas::routes(quorum.clone());
    Ok(Started { peer_routes, replica: Arc::new(Handle(quorum)) })
}

impl Quorum {
    /// Who keeps `key`: neighbours in a ring, beginning where its hash says.
    fn replicas(&self, key: &Key) -> Vec<NodeId> {
        let nodes: Vec<NodeId> = self.peers.all().collect();
        let first = crc32fast::hash(key.to_string().as_bytes()) as usize % nodes.len();
        nodes.iter().cycle().skip(first).take(self.sizes.n).copied().collect()
    }

    /// What R replicas have of `key`, and the others that have not answered yet.
    async fn gather(
        self: &Arc<Self>,
        key: &Key,
    ) -> Result<(Vec<(NodeId, Option<Entry>)>, JoinSet<Answered<Option<Entry>>>), String> {
        let mut asked = JoinSet::new();
        for node in self.replicas(key) {
            let (this, key) = (self.clone(), key.clone());
            asked.spawn(async move { (node, this.get_from(node, key).await) });
        }
        let mut found = Vec::new();
        while found.len() < self.sizes.r {
            match asked.join_next().await {
                Some(Ok((node, Ok(entry)))) => found.push((node, entry)),
                Some(_) => {}
                None => {
                    return Err(format!(
                        "{} of {} needed replicas answered",
                        found.len(),
                        self.sizes.r
                    ));
                }
            }
        }
        Ok((found, asked))
    }

    async fn read(self: &Arc<Self>, key: Key) -> Result<Value, String> {
        let (found, late) = self.gather(&key).await?;
        let newest = found.iter().filter_map(|(_, entry)| entry.as_ref());
        let newest = newest.max_by_key(|entry| entry.stamp).cloned();
        let Some(newest) = newest else { return Ok(Value::Null) };
        let value = newest.value.clone();

        let behind = |entry: &Option<Entry>| entry.as_ref().map(|it| it.stamp) < Some(newest.stamp);
        let (behind, up_to_date): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(_, entry)| behind(entry));
        let missing = self.sizes.safe().saturating_sub(up_to_date.len());
        let mut repaired = JoinSet::new();
        let mut repair = |this: &Arc<Self>, node: NodeId| {
            let (this, entry) = (this.clone(), newest.clone());
            repaired.spawn(async move { (node, this.put_to(node, vec![entry]).await) });
        };
        behind.iter().for_each(|(node, _)| repair(self, *node));
        if missing > behind.len() {
            let known = |node: &NodeId| !up_to_date.iter().chain(&behind).any(|(it, _)| it == node);
            let others: Vec<NodeId> = self.replicas(&key).into_iter().filter(known).collect();
            others.into_iter().for_each(|node| repair(self, node));
        }
        let mut done = 0;
        while done < missing {
            match repaired.join_next().await {
                Some(answered) => done += usize::from(matches!(answered, Ok((_, Ok(()))))),
                None => return Err("too few replicas have the newest value".into()),
            }
        }
        tokio::spawn(self.clone().repair_late(late, repaired, newest));
        Ok(value)
    }

    /// Tells replicas that answered late what they lack, and waits for those being told already.
    async fn repair_late(
        self: Arc<Self>,
        mut late: JoinSet<Answered<Option<Entry>>>,
        repaired: JoinSet<Answered<()>>,
        newest: Entry,
    ) {
        while let Some(answered) = late.join_next().await {
            if let Ok((node, Ok(entry))) = answered
                && entry.map(|entry| entry.stamp) < Some(newest.stamp)
            {
                // It has another chance at the next read.
                _ = self.put_to(node, vec![newest.clone()]).await;
            }
        }
        drain(repaired);
    }

    async fn write(self: &Arc<Self>, key: Key, value: Value) -> Outcome {
        let (found, late) = match self.gather(&key).await {
            Ok(gathered) => gathered,
            Err(error) => return Outcome::refused(error),
        };
        drain(late);
        let newest = found.into_iter().filter_map(|(_, entry)| entry).map(|entry| entry.stamp);
        let stamp = self.store.stamp_after(newest.max());
        let entry = Entry { key, value, stamp };
        let mut told = JoinSet::new();
        for node in self.replicas(&entry.key) {
            let (this, entry) = (self.clone(), entry.clone());
            told.spawn(async move {
                let result = this.put_to(node, vec![entry.clone()]).await;
                if result.is_err() && node != this.peers.me() {
                    this.hints.keep(node, entry);
                }
                (node, result)
            });
        }
        let needed = match self.mistake {
            Some(Mistake::AckBeforeQuorum) => 1,
            _ => self.sizes.w,
        };
        let mut done = 0;
        while done < needed {
            match told.join_next().await {
                Some(Ok((_, Ok(())))) => done += 1,
                Some(_) => {}
                None => {
                    return Outcome::unknown(format!("{done} of {needed} needed replicas have it"));
                }
            }
        }
        // The others are told all the same, or get a hint.
        drain(told);
        Outcome::Ok
    }
}

/// Lets requests come to their end: one that is dropped takes its connection with it.
fn drain<T: Send + 'static>(mut requests: JoinSet<T>) {
    tokio::spawn(async move { while requests.join_next().await.is_some() {} });
}

/// What the API asks: requests need a pointer of their own, because they go on after the answer.
struct Handle(Arc<Quorum>);

impl Replica for Handle {
    fn read(&self, key: Key, _: Instant) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(self.0.read(key))
    }

    fn write(&self, key: Key, write: Write, _: Instant) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            match write.unconditional() {
                Some(value) => self.0.write(key, value).await,
                None => Outcome::Unsupported {
                    error: "mode quorum has no atomic compare-and-set: replicas answer apart"
                        .into(),
                },
            }
        })
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn status(&self) -> Status {
        Status::peer(self.0.store.len())
    }
}
