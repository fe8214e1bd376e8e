//! Transactions that are not isolated as they should be: known mistakes, each of which is a level
//! of isolation that other systems offer on purpose.
//!
//! Read uncommitted, read committed: Berenson et al., "A Critique of ANSI SQL Isolation Levels",
//! 1995. Snapshot isolation: the same, section 4.2. Long fork: Sovran et al., "Transactional Storage
//! for Geo-replicated Systems", 2011.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Node;
use crate::mistakes::Mistake;
use crate::request::{Command, Key, Outcome, Values, Write};
use crate::transaction::{self, Action, Step};

/// How long a client thinks between two steps.
const THINKS: Duration = Duration::from_millis(3);
/// How far half of the keys lag behind where forks are long.
const LAGS: Duration = Duration::from_millis(300);

/// Carries out a transaction at the leader in a way that is not isolated; `None` if the node does
/// not make such a mistake.
pub async fn run(node: &Node, steps: &[Step], deadline: Instant) -> Option<Outcome> {
    Some(match node.mistake? {
        Mistake::SnapshotIsolation => from_snapshot(node, steps, true, deadline).await,
        Mistake::LostUpdate => from_snapshot(node, steps, false, deadline).await,
        Mistake::ReadCommitted => read_committed(node, steps, deadline).await,
        Mistake::ReadUncommitted => dirty(node, steps, deadline).await,
        _ => return None,
    })
}

/// Reads from a snapshot, and writes what it made of it. Where the first committer wins, only if nobody
/// else has written the same keys since; who read what another one wrote meanwhile is not asked: write
/// skew. Otherwise over all that was written since: lost updates.
async fn from_snapshot(
    node: &Node,
    steps: &[Step],
    first_committer_wins: bool,
    deadline: Instant,
) -> Outcome {
    let snapshot = node.values.some(&transaction::keys(steps));
    let mut after = snapshot.clone();
    let mut answered = steps.to_vec();
    if let Err(value) = transaction::run(&mut answered, &mut after) {
        return Outcome::Mismatch { value };
    }
    sleep(THINKS * steps.len() as u32).await;
    let written: BTreeSet<&Key> =
        steps.iter().filter(|step| !step.reads()).map(|step| &step.1).collect();
    let of = |values: &Values, key: &Key| values.get(key).cloned().unwrap_or_default();
    let compared = written.iter().filter(|_| first_committer_wins);
    let unchanged = compared.map(|key| Step(Action::Expect, (*key).clone(), of(&snapshot, key)));
    let set = written.iter().map(|key| Step(Action::W, (*key).clone(), of(&after, key)));
    let commit: Vec<Step> = unchanged.chain(set).collect();
    if commit.is_empty() {
        return Outcome::Done { steps: answered };
    }
    match node.transact(commit, deadline).await {
        Outcome::Done { .. } => Outcome::Done { steps: answered },
        other => other,
    }
}

/// Each step reads what is committed when its turn comes: read skew. What is written is written in
/// the end, if nobody else has written the same keys since, as if they had been locked.
async fn read_committed(node: &Node, steps: &[Step], deadline: Instant) -> Outcome {
    let (mut locked, mut own) = (Values::new(), Values::new());
    let mut answered = steps.to_vec();
    for step in &mut answered {
        let now = node.values.get(&step.1);
        if !step.reads() && !own.contains_key(&step.1) {
            locked.insert(step.1.clone(), now.clone());
            own.insert(step.1.clone(), now.clone());
        }
        let mut seen =
            if own.contains_key(&step.1) { own.clone() } else { [(step.1.clone(), now)].into() };
        if let Err(value) = transaction::run(std::slice::from_mut(step), &mut seen) {
            return Outcome::Mismatch { value };
        }
        own.iter_mut().for_each(|(key, value)| value.clone_from(&seen[key]));
        sleep(THINKS).await;
    }
    let unchanged = locked.into_iter().map(|(key, value)| Step(Action::Expect, key, value));
    let set = own.into_iter().map(|(key, value)| Step(Action::W, key, value));
    let commit: Vec<Step> = unchanged.chain(set).collect();
    if !commit.is_empty() {
        match node.transact(commit, deadline).await {
            Outcome::Done { .. } => {}
            other => return other,
        }
    }
    Outcome::Done { steps: answered }
}

/// What is written is there for all to see before it is known whether it stays: every seventh
/// transaction is taken back, and nothing of it is rolled back.
async fn dirty(node: &Node, steps: &[Step], deadline: Instant) -> Outcome {
    let outcome = node.transact(steps.to_vec(), deadline).await;
    sleep(THINKS * steps.len() as u32).await;
    let written = steps.iter().filter(|step| !step.reads());
    match written.filter_map(|step| step.2.as_u64()).next() {
        Some(value) if value % 7 == 0 => Outcome::refused("the client has taken it back"),
        _ => outcome,
    }
}

/// The values as they were a while ago.
#[derive(Clone, Default)]
pub struct Lagging(Arc<Mutex<Values>>);

impl Lagging {
    /// Follows the values of a node for as long as there is one.
    pub fn follow(&self, node: Weak<Node>) {
        let kept = self.0.clone();
        tokio::spawn(async move {
            loop {
                let Some(node) = node.upgrade() else { return };
                let now = node.values.all();
                drop(node);
                sleep(LAGS).await;
                *kept.lock().unwrap() = now;
            }
        });
    }

    /// Answers reads at this very node, of every other key with what it was a while ago. Which keys
    /// those are depends on the node, so two nodes see two writes in opposite orders.
    pub fn read(&self, node: &Node, steps: &[Step]) -> Outcome {
        let mut answered = steps.to_vec();
        let number = |text: String| text.bytes().map(usize::from).sum::<usize>();
        for Step(_, key, value) in &mut answered {
            let fresh = (number(key.to_string()) + number(node.peers.me().to_string())) % 2 == 0;
            *value = match fresh {
                true => node.values.get(key),
                false => self.0.lock().unwrap().get(key).cloned().unwrap_or_default(),
            };
        }
        Outcome::Done { steps: answered }
    }
}

/// Whether a transaction only reads, and a node that makes this mistake answers it by itself.
pub fn answers_alone(command: &Command) -> Option<&[Step]> {
    match &command.write {
        Write::Txn { steps } if steps.iter().all(|step| step.0 == Action::R) => Some(steps),
        _ => None,
    }
}
