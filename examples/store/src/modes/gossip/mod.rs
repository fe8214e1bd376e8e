//! `gossip`: every node takes writes; all agree in the end, and the last writer wins.
//!
//! A write is on this node's disk before it is acknowledged, then told to all peers at once. What a
//! peer missed it gets when the two next compare notes (anti-entropy; Demers et al., "Epidemic
//! Algorithms for Replicated Database Maintenance", PODC 1987).

mod exchange;

use tokio::sync::mpsc;

use super::{Mode, Setup, Started};
use crate::stamped::{Entry, Everywhere, Links};

pub const MODE: Mode = Mode {
    name: Outboxes::MODE,
    about: "Every node takes writes, the last writer wins: always available, eventually consistent.",
    start: |setup| Box::pin(start(setup)),
};

type Gossip = Everywhere<Outboxes>;

/// What to tell each peer. Bounded: one that is out of reach or slow will compare notes.
struct Outboxes(Vec<mpsc::Sender<Entry>>);

impl Links for Outboxes {
    const MODE: &'static str = "gossip";

    fn tell(&self, entry: &Entry) {
        self.0.iter().for_each(|outbox| _ = outbox.try_send(entry.clone()));
    }
}

async fn start(setup: Setup) -> Result<Started, String> {
    let (peers, interval) = (setup.peers.clone(), setup.options.gossip_interval);
    let (outboxes, inboxes): (_, Vec<_>) = peers
        .others()
        .map(|peer| (peer, mpsc::channel(1024)))
        .map(|(peer, (tell, told))| (tell, (peer, told)))
        .unzip();
    let gossip = Gossip::open(setup, "gossip.log", |_| Outboxes(outboxes))?;
    exchange::spawn(&gossip, &peers, inboxes, interval);
    Ok(Started { peer_routes: exchange::routes(gossip.clone()), replica: gossip })
}
