//! How a primary keeps the others' logs like its own.
//!
//! One message at a time to each: what is new, behind a place that both hold. If the other does not hold it,
//! it is sent everything. A message without news is a heartbeat. Nothing is sent that is not on the
//! primary's own disk.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::{Group, Role};
use crate::id::NodeId;
use crate::ledger::{Entry, Image, Position};
use crate::peers::at_most_a_message;

const FEED: &str = "/group/feed";

/// How many entries go into one message at most; the rest waits for the next.
const MESSAGE_ENTRIES: usize = 500;

/// Everything may be large.
const EVERYTHING_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
struct Feed {
    primary: NodeId,
    epoch: u64,
    /// Messages of an epoch are numbered, so that one that was late does no harm.
    number: u64,
    from: From,
    entries: Vec<Entry>,
    /// As far as writes are done.
    done: u64,
}

#[derive(Serialize, Deserialize)]
enum From {
    /// The entries follow this place.
    Behind(Position),
    /// They follow these values, and nothing else is there.
    Image(Image),
}

impl From {
    fn at(&self) -> Position {
        match self {
            Self::Behind(at) => *at,
            Self::Image(image) => image.at,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Fed {
    /// It has the same log up to this index, on disk.
    Has(u64),
    /// It has another log there.
    Lacks,
    /// It listens to a later epoch only, or has had a later message.
    Late { promised: u64 },
}

/// The route for peers.
pub fn routes(group: Arc<Group>) -> Router {
    Router::new().route(FEED, post(hear)).layer(DefaultBodyLimit::disable()).with_state(group)
}

async fn hear(State(group): State<Arc<Group>>, Json(feed): Json<Feed>) -> Json<Fed> {
    Json(group.hear(feed).await)
}

/// Feeds one other node, whenever this one is the primary.
pub async fn run(group: Weak<Group>, peer: NodeId, mut fresh: watch::Receiver<()>) {
    loop {
        let Some(group) = group.upgrade() else { return };
        fresh.mark_unchanged();
        let more = match group.feed_for(peer) {
            Some((feed, limit)) => {
                let sent = Instant::now();
                match group.peers.ask(peer, FEED, &feed, limit).await {
                    Ok(fed) => group.fed(peer, feed.epoch, sent, fed),
                    Err(error) => {
                        debug!(%error, "not fed");
                        false
                    }
                }
            }
            None => false,
        };
        let pause = group.heartbeat;
        drop(group);
        if !more {
            // Whether there is news or it is time for a heartbeat is all the same.
            _ = timeout(pause, fresh.changed()).await;
        }
    }
}

impl Group {
    /// What to tell a node now, and how long that may take.
    fn feed_for(&self, peer: NodeId) -> Option<(Feed, Duration)> {
        let mut guard = self.state();
        let state = &mut *guard;
        let Role::Primary(primary) = &mut state.role else { return None };
        if primary.durable < primary.begun {
            // What lies before is not known to be on disk either, and nobody must be told less than
            // all of it: it would take that for the whole log.
            return None;
        }
        let follower = primary.followers.get_mut(&peer)?;
        follower.messages += 1;
        let (number, durable) = (follower.messages, primary.durable);
        let held = follower.next.and_then(|index| state.ledger.position(index));
        let on_disk = |entry: &&Entry| entry.at.index <= durable;
        let (from, entries, limit): (_, Vec<Entry>, _) = match held {
            Some(at) => {
                let news = state.ledger.behind(at.index).take_while(on_disk);
                let news = news.take(MESSAGE_ENTRIES).cloned().collect();
                (From::Behind(at), at_most_a_message(news), self.lease)
            }
            None => {
                let base = state.ledger.base().clone();
                let all = state.ledger.behind(base.at.index).take_while(on_disk);
                let all = all.cloned().collect();
                (From::Image(base), all, EVERYTHING_TIMEOUT)
            }
        };
        let (me, epoch, done) = (self.peers.me(), primary.epoch, state.ledger.applied().index);
        Some((Feed { primary: me, epoch, number, from, entries, done }, limit))
    }

    /// Notes what a node answered, and returns whether there is more to tell it at once.
    fn fed(&self, peer: NodeId, epoch: u64, sent: Instant, fed: Fed) -> bool {
        let mut guard = self.state();
        let state = &mut *guard;
        let Role::Primary(primary) = &mut state.role else { return false };
        if primary.epoch != epoch {
            return false;
        }
        let Some(follower) = primary.followers.get_mut(&peer) else { return false };
        let more = match fed {
            Fed::Late { promised } => {
                if promised > epoch && self.fences() {
                    self.step_down(state, super::nobody());
                }
                return false;
            }
            Fed::Has(index) => {
                follower.has = follower.has.max(index);
                follower.next = Some(index);
                index < primary.durable
            }
            Fed::Lacks => {
                follower.next = None;
                true
            }
        };
        follower.answered = Some(sent);
        self.advance(state);
        more
    }

    /// Listens to a primary.
    async fn hear(&self, feed: Feed) -> Fed {
        let Feed { primary, epoch, number, from, entries, done } = feed;
        let end = entries.last().map_or(from.at(), |entry| entry.at);
        let durable = {
            let mut guard = self.state();
            let state = &mut *guard;
            let promised = state.ledger.promised();
            let late = match &state.role {
                Role::Standby { last, .. } => epoch == last.0 && number <= last.1,
                // Nobody else leads in this node's own epoch.
                Role::Primary(_) => epoch <= promised,
            };
            if epoch < promised && self.fences() || late {
                return Fed::Late { promised };
            }
            if epoch > promised {
                // It is durable before whatever is appended behind it.
                drop(self.promise(state, epoch));
            }
            let (heard, last) = (Instant::now(), (epoch, number));
            let role = Role::Standby { primary: Some(primary), heard, last };
            self.step_down(state, role);
            let Some(durable) = self.take(state, from, entries) else { return Fed::Lacks };
            durable
        };
        if durable.await.is_err() {
            // The alarm has been raised.
            return Fed::Late { promised: 0 };
        }
        // Only now: what is read here must still be here after a restart.
        let mut state = self.state();
        let applies = self.shape.hot || state.ledger.is_long();
        if applies && state.ledger.holds(end) {
            state.ledger.apply_to(done.min(end.index));
        }
        Fed::Has(end.index)
    }

    /// Takes over what is new. What is returned tells when it is durable; nothing is if the two logs
    /// differ.
    fn take(
        &self,
        state: &mut super::State,
        from: From,
        entries: Vec<Entry>,
    ) -> Option<oneshot::Receiver<()>> {
        let (tell, told) = oneshot::channel();
        let alarm = self.alarm.clone();
        let done = move |result: std::io::Result<()>| match result {
            Ok(()) => _ = tell.send(()),
            Err(error) => alarm.raise(format!("cannot write the log: {error}")),
        };
        match from {
            From::Image(base) => state.ledger.install(base, entries, done),
            From::Behind(at) if !state.ledger.holds(at) => return None,
            From::Behind(_) => {
                let held = |entry: &Entry| state.ledger.holds(entry.at);
                let news: Vec<Entry> = entries.into_iter().skip_while(held).collect();
                let follows = |entry: &Entry| entry.at.index == state.ledger.end().index + 1;
                if !news.first().is_none_or(follows) {
                    return None;
                }
                // Also if there is nothing new: what is there already may not be on disk yet.
                state.ledger.append(news, done);
            }
        }
        Some(told)
    }
}
