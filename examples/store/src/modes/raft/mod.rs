//! `raft`: one leader orders all writes through a replicated log (openraft), and every read is
//! confirmed by a majority. Followers hand requests to the leader.

mod canvass;
mod isolation;
mod leases;
mod log;
mod machine;
mod members;
mod network;
mod reads;
mod types;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openraft::{EmptyNode, ServerState, SnapshotPolicy};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::info;

use self::canvass::Promise;
use self::isolation::Lagging;
use self::leases::Leases;
use self::log::Log;
use self::machine::{Machine, Values};
use self::network::Network;
use self::reads::{NotConfirmed, Reads};
use self::types::Raft;
use super::{Alarm, BoxFuture, Mode, Options, Replica, Setup, Started, Status};
use crate::applied::AppliedLog;
use crate::data_dir::DataDir;
use crate::forward::{self, Led, Server};
use crate::mistakes::Mistake;
use crate::peers::Peers;
use crate::request::{Command, Key, Outcome, Write};
use crate::transaction::Step;

pub const MODE: Mode = Mode {
    name: "raft",
    about: "Consensus with durable log and read index: linearizable while a majority is connected.",
    start: |setup| Box::pin(async { Node::start(setup).await.map(Node::serve) }),
};

/// How many entries to keep that a snapshot has too, for followers that are only a little behind.
const KEPT_ENTRIES: u64 = 500;

/// One node of the cluster.
struct Node {
    peers: Peers,
    raft: Raft,
    values: Values,
    reads: Reads,
    /// How long a leader may be believed in after it was last heard of.
    lease: Duration,
    last_heard: Mutex<Option<Instant>>,
    promise: Mutex<Option<Promise>>,
    mistake: Option<Mistake>,
    /// Kept up only where forks are to be long.
    lagging: Lagging,
    /// Kept up only where locks are taken from those who hold them for long.
    leases: Leases,
    /// Holds the folder's lock.
    _data: DataDir,
}

impl Node {
    async fn start(setup: Setup) -> Result<Arc<Self>, String> {
        let Setup { peers, data, mount, mistake, options, applied, alarm } = setup;
        let (machine, snapshot) =
            Machine::open(&data.file("snapshot.json"), mistake, applied.clone())?;
        let log = Log::open(&data.file("raft.log"), mount, mistake, peers.me(), snapshot)?;
        let values = machine.values();
        let heartbeat = Duration::from_millis(options.heartbeat_ms);
        let network = Network { peers: peers.clone(), pause: heartbeat };
        let raft = Raft::new(peers.me(), Arc::new(config(options)?), network, log, machine)
            .await
            .map_err(|error| format!("cannot start raft: {error}"))?;

        let cluster_file = data.file("cluster.json");
        let members: BTreeMap<_, _> = peers.all().map(|id| (id, EmptyNode {})).collect();
        let returns = raft.is_initialized().await.map_err(|error| error.to_string())?;
        if returns {
            members::check_cluster(&cluster_file, &peers)?;
        } else {
            members::note_cluster(&cluster_file, &peers)?;
            // Every node does so with the same members, which gives every log the same first entry.
            raft.initialize(members).await.map_err(|error| error.to_string())?;
        }

        tokio::spawn(watch(raft.clone(), applied, alarm));
        let election = Duration::from_millis(options.election_ms);
        let lease = 2 * election;
        let node = Arc::new(Self {
            reads: Reads::new(raft.clone()),
            lease,
            last_heard: Mutex::new(None),
            promise: Mutex::new(returns.then(|| Promise::to_nobody(lease))),
            peers,
            raft,
            values,
            mistake,
            lagging: Lagging::default(),
            leases: Leases::default(),
            _data: data,
        });
        if mistake == Some(Mistake::LongFork) {
            node.lagging.follow(Arc::downgrade(&node));
        }
        tokio::spawn(canvass::run(Arc::downgrade(&node), election, heartbeat));
        Ok(node)
    }

    fn serve(self: Arc<Self>) -> Started {
        let routes = network::routes(self.clone())
            .merge(forward::routes(self.clone()))
            .merge(members::routes(self.clone()));
        Started { peer_routes: routes, replica: self }
    }

    async fn commit(&self, command: Command, deadline: Instant) -> Outcome {
        match timeout_at(deadline, self.raft.client_write(command)).await {
            Ok(Ok(response)) => response.data,
            Ok(Err(error)) => Outcome::unknown(error.to_string()),
            Err(_) => Outcome::unknown("the write was not committed in time"),
        }
    }

    /// Proposes a transaction as it stands.
    async fn transact(&self, steps: Vec<Step>, deadline: Instant) -> Outcome {
        let key = steps[0].1.clone();
        self.commit(Command { key, write: Write::Txn { steps } }, deadline).await
    }

    /// Notes that the leader of this node's own term has just spoken.
    fn heard_of_leader(&self) {
        *self.last_heard.lock().unwrap() = Some(Instant::now());
    }

    /// Who leads as far as this node knows; an error if the last word from there is too old.
    fn leader(&self) -> Result<Server, String> {
        if !self.members().contains(&self.peers.me()) {
            return Err("this node is no member of the cluster".into());
        }
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let leader = metrics.current_leader.ok_or("no leader is known")?;
        if leader == self.peers.me() && self.mistake == Some(Mistake::StaleLeaderRead) {
            return Ok(Server::Me);
        }
        let silent = if leader == self.peers.me() {
            metrics.millis_since_quorum_ack.map(Duration::from_millis)
        } else {
            self.last_heard.lock().unwrap().map(|last| last.elapsed())
        };
        match silent {
            Some(silent) if silent <= self.lease && leader == self.peers.me() => Ok(Server::Me),
            Some(silent) if silent <= self.lease => Ok(Server::Other(leader)),
            _ if leader == self.peers.me() => {
                Err("the majority does not answer this leader".into())
            }
            _ => Err(format!("nothing was heard of leader {leader} lately")),
        }
    }
}

impl Led for Node {
    fn peers(&self) -> &Peers {
        &self.peers
    }

    fn mistake(&self) -> Option<Mistake> {
        self.mistake
    }

    fn server(&self) -> Result<Server, String> {
        self.leader()
    }

    async fn read_here(&self, key: Key, deadline: Instant) -> Result<Value, String> {
        loop {
            if !matches!(self.leader()?, Server::Me) {
                return Err("this node does not lead any more".into());
            }
            if self.mistake == Some(Mistake::StaleLeaderRead) {
                return Ok(self.values.get(&key));
            }
            match timeout_at(deadline, self.reads.confirmed()).await {
                Ok(Ok(())) => return Ok(self.values.get(&key)),
                Ok(Err(NotConfirmed::NoMajority)) => sleep(Duration::from_millis(5)).await,
                Ok(Err(NotConfirmed::NotLeader)) => return Err("this node does not lead".into()),
                Ok(Err(NotConfirmed::Stopped)) => return Err("raft has stopped".into()),
                Err(_) => return Err("no majority confirmed the read in time".into()),
            }
        }
    }

    /// Proposes a write, if this node believes that it leads. From then on only the log's answer is
    /// certain: an entry that this node lost may live on elsewhere and be committed by another
    /// leader, so even openraft's "ask the leader" says nothing (Ongaro and Ousterhout, "In Search
    /// of an Understandable Consensus Algorithm", 2014, figure 8).
    async fn write_here(&self, command: Command, deadline: Instant) -> Outcome {
        match self.leader() {
            Ok(Server::Me) => {}
            Ok(Server::Other(_)) => return Outcome::refused("this node does not lead"),
            Err(error) => return Outcome::refused(error),
        }
        if let (Write::Txn { steps }, Some(Mistake::LockLease)) = (&command.write, self.mistake) {
            self.leases.end_of(self, steps, deadline).await;
        }
        if let Write::Txn { steps } = &command.write
            && let Some(outcome) = isolation::run(self, steps, deadline).await
        {
            return outcome;
        }
        if self.mistake == Some(Mistake::AckBeforeQuorum)
            && matches!(command.write, Write::Put { .. } | Write::Remove)
        {
            let raft = self.raft.clone();
            tokio::spawn(async move { raft.client_write(command).await });
            return Outcome::Ok;
        }
        self.commit(command, deadline).await
    }
}

impl Replica for Node {
    fn read(&self, key: Key, deadline: Instant) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(forward::read(self, key, deadline))
    }

    fn write(&self, key: Key, write: Write, deadline: Instant) -> BoxFuture<'_, Outcome> {
        let command = Command { key, write };
        if self.mistake == Some(Mistake::LongFork)
            && let Some(reads) = isolation::answers_alone(&command)
        {
            return Box::pin(std::future::ready(self.lagging.read(self, reads)));
        }
        Box::pin(forward::write(self, command, deadline))
    }

    fn ready(&self) -> Result<(), String> {
        self.leader().map(|_| ())
    }

    fn status(&self) -> Status {
        let leader = self.leader().ok().map(|leader| match leader {
            Server::Me => self.peers.me(),
            Server::Other(id) => id,
        });
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        Status {
            role: role(metrics.state),
            leader,
            term: Some(metrics.current_term),
            keys: self.values.len(),
        }
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { _ = self.raft.shutdown().await })
    }
}

fn config(options: Options) -> Result<openraft::Config, String> {
    let config = openraft::Config {
        cluster_name: "splitbrain-store".into(),
        heartbeat_interval: options.heartbeat_ms,
        election_timeout_min: options.election_ms,
        election_timeout_max: 2 * options.election_ms,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(options.snapshot_entries),
        max_in_snapshot_log_to_keep: KEPT_ENTRIES,
        enable_elect: false,
        ..Default::default()
    };
    config.validate().map_err(|error| error.to_string())
}

fn role(state: ServerState) -> &'static str {
    match state {
        ServerState::Leader => "leader",
        ServerState::Follower => "follower",
        ServerState::Candidate => "candidate",
        ServerState::Learner => "learner",
        ServerState::Shutdown => "stopped",
    }
}

/// Logs changes of role, and stops the node when raft stops: a log that failed must not be served.
async fn watch(raft: Raft, applied: AppliedLog, alarm: Alarm) {
    let mut metrics = raft.metrics();
    let mut last = None;
    loop {
        {
            let now = metrics.borrow_and_update();
            if let Err(error) = &now.running_state {
                return alarm.raise(format!("raft cannot go on: {error}"));
            }
            let seen = (now.state, now.current_leader, now.current_term);
            if last != Some(seen) {
                let leader = now.current_leader.map(|id| id.to_string()).unwrap_or_default();
                info!(role = role(now.state), leader, term = now.current_term, "role");
                let leads = |(state, _, term): (ServerState, _, u64)| {
                    (state == ServerState::Leader).then_some(term)
                };
                if last.and_then(leads) != leads(seen) {
                    applied.leads(leads(seen));
                }
                last = Some(seen);
            }
        }
        if metrics.changed().await.is_err() {
            return alarm.raise("raft has ended");
        }
    }
}

#[cfg(test)]
mod tests;
