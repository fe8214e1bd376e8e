//! `multi-primary`: every node is a primary, and each sends its own writes to all others.
//!
//! A write is on this node's disk before it is acknowledged; the others get it later. Where two
//! nodes have written the same key, the later stamp of a hybrid logical clock wins at all of them, so a write wins
//! over all that its node had heard of. Each node speaks for itself only: unlike in `gossip`, what it
//! wrote before it died comes when it is back, and not before.

mod ship;

use self::ship::{Marks, Outbox};
use super::{Mode, Setup, Started};
use crate::stamped::{Entry, Everywhere, Links};

pub const MODE: Mode = Mode {
    name: Ships::MODE,
    about: "Every node takes writes and sends its own to all others, conflicts go to the last writer: \
            always available, eventually consistent.",
    start: |setup| Box::pin(start(setup)),
};

type MultiPrimary = Everywhere<Ships>;

/// What goes to the others, and how far they have come.
struct Ships {
    marks: Marks,
    outboxes: Vec<Outbox>,
}

impl Links for Ships {
    const MODE: &'static str = "multi-primary";

    fn tell(&self, entry: &Entry) {
        self.outboxes.iter().for_each(|outbox| outbox.put(entry));
    }
}

async fn start(setup: Setup) -> Result<Started, String> {
    let (peers, pause) = (setup.peers.clone(), setup.options.gossip_interval);
    let (outboxes, inboxes): (_, Vec<_>) = peers.others().map(|_| ship::outbox()).unzip();
    let ships = |store: &_| Ships { marks: Marks::of(store), outboxes };
    let node = MultiPrimary::open(setup, "primary.log", ships)?;
    for (peer, inbox) in peers.others().zip(inboxes) {
        tokio::spawn(ship::run(node.clone(), peers.clone(), peer, inbox, pause));
    }
    Ok(Started { peer_routes: ship::routes(node.clone()), replica: node })
}
