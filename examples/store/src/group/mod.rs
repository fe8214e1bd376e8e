//! A group of nodes of which one, the primary, puts all writes in one order.
//!
//! `single`, `read-replicas` and `primary-backup` are groups of different [`Shape`]. The primary
//! begins an epoch with an entry of its own, and feeds its log to the others. Where they can take its place,
//! a majority has to consent, each of which has not heard of the old primary for longer than the
//! lease; and the old primary serves only while a majority has answered it within the lease. So
//! there is one primary at a time, whose lease rests on durations and on no node's clock (Gray and
//! Cheriton, "Leases", SOSP 1989).

mod election;
mod feed;
mod serve;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tracing::info;

use crate::applied::AppliedLog;
use crate::data_dir::DataDir;
use crate::forward;
use crate::id::NodeId;
use crate::ledger::{Entry, Ledger, Position};
use crate::mistakes::Mistake;
use crate::modes::{Alarm, Setup, Started};
use crate::peers::Peers;
use crate::request::{Command, Key, Outcome};

/// What kind of group it is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Whether another node takes the primary's place; otherwise it is the first one for ever.
    pub elects: bool,
    /// Whether the others keep copies.
    pub copies: bool,
    /// Whether a write is done when a majority has it on disk, and not just the primary.
    pub sync: bool,
    /// Whether the others apply what they are fed as it comes.
    pub hot: bool,
    /// Whether each node answers reads from its own copy.
    pub reads_own_copy: bool,
}

/// One node of the group.
pub struct Group {
    /// For what outlives a call.
    this: Weak<Self>,
    peers: Peers,
    shape: Shape,
    mistake: Option<Mistake>,
    heartbeat: Duration,
    election: Duration,
    /// How long a majority's answer is good for, and silence is borne.
    lease: Duration,
    state: Mutex<State>,
    /// Wakes those who feed the others.
    fresh: watch::Sender<()>,
    applied: AppliedLog,
    alarm: Alarm,
    /// Holds the folder's lock.
    _data: DataDir,
}

struct State {
    ledger: Ledger,
    role: Role,
    /// Clients who wait for the entry at an index.
    waiting: BTreeMap<u64, oneshot::Sender<Outcome>>,
}

enum Role {
    Primary(Primary),
    Standby {
        primary: Option<NodeId>,
        heard: Instant,
        /// The last message that was listened to, and its epoch.
        last: (u64, u64),
    },
}

/// What a primary knows.
struct Primary {
    epoch: u64,
    /// Where its epoch began.
    begun: u64,
    /// As far as its log is on its own disk.
    durable: u64,
    followers: BTreeMap<NodeId, Follower>,
}

/// What a primary knows of another node.
#[derive(Clone, Copy)]
struct Follower {
    /// As far as it has the same log, on disk.
    has: u64,
    /// What to send next begins behind this index; nothing if all of it has to be sent.
    next: Option<u64>,
    /// When the last message was sent that it answered.
    answered: Option<Instant>,
    /// How many messages it was sent.
    messages: u64,
}

impl Group {
    /// Starts this node, with its log in `file`.
    pub async fn start(setup: Setup, file: &str, shape: Shape) -> Result<Started, String> {
        let Setup { peers, data, mount, mistake, options, applied, alarm } = setup;
        let keep = options.snapshot_entries;
        let mut ledger = Ledger::open(&data.file(file), mount, keep, mistake, applied.clone())?;
        if !shape.sync && shape.hot {
            // Whatever a primary passed on was on its disk, and thereby done.
            ledger.apply_to(u64::MAX);
        }
        let group = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            peers,
            shape,
            mistake,
            heartbeat: Duration::from_millis(options.heartbeat_ms),
            election: Duration::from_millis(options.election_ms),
            lease: Duration::from_millis(2 * options.election_ms),
            state: Mutex::new(State { ledger, role: nobody(), waiting: BTreeMap::new() }),
            fresh: watch::Sender::new(()),
            applied,
            alarm,
            _data: data,
        });
        if shape.elects {
            tokio::spawn(election::run(Arc::downgrade(&group)));
        } else if group.first() == group.peers.me() {
            let epoch = group.state().ledger.promised() + 1;
            let promised = group.promise(&mut group.state(), epoch);
            promised.await.map_err(|_| "the journal has stopped")?;
            group.lead(epoch);
        }
        if shape.copies {
            for peer in group.peers.others() {
                tokio::spawn(feed::run(Arc::downgrade(&group), peer, group.fresh.subscribe()));
            }
        }
        let peer_routes = forward::routes(group.clone())
            .merge(feed::routes(group.clone()))
            .merge(election::routes(group.clone()));
        Ok(Started { peer_routes, replica: group })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn first(&self) -> NodeId {
        self.peers.all().next().expect("a cluster has a node")
    }

    fn majority(&self) -> usize {
        self.peers.all().count() / 2 + 1
    }

    /// Listens to no older epoch any more. What is returned tells when that is durable.
    fn promise(&self, state: &mut State, epoch: u64) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        let alarm = self.alarm.clone();
        state.ledger.promise(epoch, move |result| match result {
            Ok(()) => _ = tell.send(()),
            Err(error) => alarm.raise(format!("cannot write the log: {error}")),
        });
        told
    }

    /// Becomes the primary of an epoch, unless a later one has been promised meanwhile.
    fn lead(&self, epoch: u64) {
        let mut state = self.state();
        if state.ledger.promised() != epoch {
            return;
        }
        let end = state.ledger.end();
        let follower = Follower { has: 0, next: Some(end.index), answered: None, messages: 0 };
        let followers = self.peers.others().map(|peer| (peer, follower)).collect();
        let begun = end.index + 1;
        state.role = Role::Primary(Primary { epoch, begun, durable: 0, followers });
        info!(epoch, begun, "leads");
        self.applied.leads(Some(epoch));
        self.append(&mut state, None);
    }

    /// Puts an entry at the end of the log, as primary.
    fn append(&self, state: &mut State, command: Option<Command>) -> u64 {
        let Role::Primary(primary) = &state.role else { unreachable!("only a primary appends") };
        let at = Position { epoch: primary.epoch, index: state.ledger.end().index + 1 };
        let (this, alarm) = (self.this.clone(), self.alarm.clone());
        state.ledger.append(vec![Entry { at, command }], move |result| match result {
            Ok(()) => this.upgrade().into_iter().for_each(|group| group.is_durable(at)),
            Err(error) => alarm.raise(format!("cannot write the log: {error}")),
        });
        at.index
    }

    /// An entry of this node's is on its disk.
    fn is_durable(&self, at: Position) {
        let mut state = self.state();
        if let Role::Primary(primary) = &mut state.role
            && primary.epoch == at.epoch
        {
            primary.durable = primary.durable.max(at.index);
            self.advance(&mut state);
            _ = self.fresh.send(());
        }
    }

    /// As primary, applies what is done by now and tells those who wait for it.
    fn advance(&self, state: &mut State) {
        let Role::Primary(primary) = &state.role else { return };
        let done = if self.shape.sync && self.mistake != Some(Mistake::AckBeforeQuorum) {
            let mut has: Vec<u64> = primary.followers.values().map(|it| it.has).collect();
            has.push(primary.durable);
            has.sort_unstable_by(|one, other| other.cmp(one));
            has[self.majority() - 1]
        } else {
            primary.durable
        };
        // What an earlier primary left is done when something of this epoch behind it is.
        if done >= primary.begun {
            for (index, outcome) in state.ledger.apply_to(done) {
                if let Some(waiting) = state.waiting.remove(&index) {
                    _ = waiting.send(outcome);
                }
            }
        }
    }

    /// Whether this node leads, and no other can have been made primary until now.
    fn leads(&self, state: &State) -> Result<(), String> {
        let Role::Primary(primary) = &state.role else {
            return Err("this node is not the primary".into());
        };
        if !self.shape.elects || !self.fences() {
            return Ok(());
        }
        let recent = |answered: Instant| answered.elapsed() <= self.lease;
        let answering = primary.followers.values().filter(|it| it.answered.is_some_and(recent));
        match answering.count() + 1 >= self.majority() {
            true => Ok(()),
            false => Err("the majority does not answer this primary".into()),
        }
    }

    /// Whether this node may serve: it leads, and has applied what earlier primaries left.
    fn serves(&self, state: &State) -> Result<(), String> {
        match &state.role {
            Role::Primary(primary) if state.ledger.applied().index < primary.begun => {
                Err("this node has just become the primary and is not up to date yet".into())
            }
            _ => self.leads(state),
        }
    }

    /// Whether an old primary is kept from going on.
    fn fences(&self) -> bool {
        self.mistake != Some(Mistake::NoFencing)
    }

    /// Is a standby from now on. Those who wait learn that nobody can tell.
    fn step_down(&self, state: &mut State, role: Role) {
        if let Role::Primary(primary) = &state.role {
            info!(epoch = primary.epoch, "leads no more");
            self.applied.leads(None);
        }
        state.role = role;
        state.waiting.clear();
    }

    fn read_own_copy(&self, key: &Key) -> Value {
        self.state().ledger.get(key)
    }
}

/// The role of a node that has heard of nobody yet.
fn nobody() -> Role {
    Role::Standby { primary: None, heard: Instant::now(), last: (0, 0) }
}
