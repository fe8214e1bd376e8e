//! The ports through which nodes and clients reach nodes, and who is behind each.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use splitbrain_nemesis::Link;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::carry::{Traveller, connect_through};
use super::loopback::{self, Reserved};
use super::owners::Owners;
use super::probes::{Arrivals, sink};
use super::ways::Ways;

/// The ways into a cluster. All of it is there until the runtime, in which it lives, ends.
pub(super) struct Wiring {
    /// Of each node, the ports on which its program is to listen.
    own: Vec<Vec<Reserved>>,
    /// Of each end (the clients are the last), of each node, of each of its ports: the port by
    /// which that end reaches it. Nothing to itself.
    reach: Vec<Vec<Vec<u16>>>,
    pub(super) shared: Arc<Shared>,
}

/// What the proxies know together.
pub(super) struct Shared {
    pub(super) ways: Ways,
    pub(super) arrivals: Arrivals,
    pub(super) owners: Owners,
    /// Of each node the port of the harness at which probes to it arrive.
    sinks: Vec<u16>,
    /// Probes under way, by the port from which they come, the link they are to go over, and as
    /// what.
    probes: Mutex<HashMap<u16, (Link, Traveller)>>,
}

/// A port of ours.
struct Door {
    listener: TcpListener,
    /// Who comes through it; if that is not certain the owner of each connection is looked up.
    from: Option<usize>,
    to: usize,
    /// The node's own port behind it.
    leads_to: u16,
}

impl Wiring {
    /// Opens the ports and begins to carry. With `one_address` all nodes reach a node by the same
    /// port.
    ///
    /// # Errors
    /// There are not enough ports or descriptors.
    pub(super) fn new(
        runtime: &Runtime,
        nodes: usize,
        ports: usize,
        one_address: bool,
        owners: Owners,
    ) -> io::Result<Wiring> {
        let _entered = runtime.enter();
        let clients = nodes;
        let own = (0..nodes)
            .map(|_| (0..ports).map(|_| Reserved::any()).collect::<io::Result<Vec<_>>>())
            .collect::<io::Result<Vec<_>>>()?;
        let mut reach = vec![vec![Vec::new(); nodes]; nodes + 1];
        let mut doors = Vec::new();
        let mut open = |from, to, own: &Reserved| {
            let (listener, port) = loopback::listen()?;
            doors.push(Door { listener, from, to, leads_to: own.port });
            io::Result::Ok(port)
        };
        for (to, own) in own.iter().enumerate() {
            for own in own {
                reach[clients][to].push(open(Some(clients), to, own)?);
                let shared = if one_address { Some(open(None, to, own)?) } else { None };
                for from in (0..nodes).filter(|from| *from != to) {
                    let port = shared.map_or_else(|| open(Some(from), to, own), Ok)?;
                    reach[from][to].push(port);
                }
                reach[to][to].push(shared.unwrap_or(own.port));
            }
        }
        let (mut sinks, mut receivers) = (Vec::new(), Vec::new());
        for _ in 0..nodes {
            let (listener, port) = loopback::listen()?;
            sinks.push(port);
            receivers.push(listener);
        }
        let shared = Arc::new(Shared {
            ways: Ways::new(nodes),
            arrivals: Arrivals::default(),
            owners,
            sinks,
            probes: Mutex::default(),
        });
        for door in doors {
            runtime.spawn(door.serve(shared.clone()));
        }
        for (to, listener) in receivers.into_iter().enumerate() {
            runtime.spawn(sink(listener, to, shared.clone()));
        }
        Ok(Wiring { own, reach, shared })
    }

    /// The ports on which the program of a node is to listen.
    pub(super) fn listens(&self, node: usize) -> impl Iterator<Item = u16> {
        self.own[node].iter().map(|own| own.port)
    }

    /// The ports by which `from` reaches the ports of `to`. Clients are the end after the nodes.
    pub(super) fn reaches(&self, from: usize, to: usize) -> &[u16] {
        &self.reach[from][to]
    }
}

impl Shared {
    /// Whoever comes from this port is a probe over the link.
    pub(super) fn expect_probe(&self, port: u16, link: Link, who: Traveller) {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner).insert(port, (link, who));
    }

    /// No probe will come from these ports any more.
    pub(super) fn forget_probes(&self, ports: &[u16]) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        probes.retain(|port, _| !ports.contains(port));
    }

    fn probe_from(&self, port: u16) -> Option<(Link, Traveller)> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner).get(&port).copied()
    }
}

impl Door {
    /// Lets everybody in, for ever.
    async fn serve(self, shared: Arc<Shared>) {
        let Door { listener, from, to, leads_to } = self;
        loop {
            let Ok((near, peer)) = listener.accept().await else {
                // Out of descriptors, or the caller has gone already.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                continue;
            };
            let shared = shared.clone();
            tokio::spawn(async move {
                let (link, port, who) = match (shared.probe_from(peer.port()), from) {
                    (Some((link, who)), _) => (link, shared.sinks[link.to], who),
                    (None, Some(from)) => (Link { from, to }, leads_to, Traveller::Connection),
                    (None, None) => match shared.owners.of(&near).await {
                        Some(from) => (Link { from, to }, leads_to, Traveller::Connection),
                        None => return, // nobody of ours, or it has ended meanwhile
                    },
                };
                let back = Link { from: link.to, to: link.from };
                let (there, back) = (shared.ways.at(link), shared.ways.at(back));
                connect_through(near, port, who, there, back).await;
            });
        }
    }
}
