//! Links of bad quality between local nodes: which engine makes them, and making them.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use splitbrain_nemesis::Link;
use splitbrain_nemesis::node::NodeError;
use splitbrain_nemesis::shaping::rules::parse;
use splitbrain_nemesis::shaping::shaper::{Queue, Shaper, Sockets};
use splitbrain_nemesis::shaping::{Probe, Quality, ShapedLink, Shaping, Share, netem};

use super::capabilities::node_error;
use super::shaping_node::{NodeShaping, NodeWanted, Place, Tools};
use super::shaping_probes::{TimedProbes, begin_connection, timed_socket};
use super::topology::NODE_INTERFACE;
use super::{LocalCluster, lock_file, restore_rules, wait_all};
use crate::environments::shaping_engine::{Engines, NETEM_TRIAL, queue_trial};
use crate::environments::tool::Tool;

/// What shaping needs besides the cluster itself, made when it is first asked for.
pub(super) struct Shapers {
    engines: Engines,
    tools: Tools,
    probes: TimedProbes,
    nodes: Vec<Arc<Mutex<NodeShaping>>>,
    /// Connections that were begun for the last knocking.
    knocks: Mutex<Vec<Vec<OwnedFd>>>,
}

/// Shaping, or why it cannot be had here.
pub(super) type MaybeShapers = OnceLock<Result<Shapers, String>>;

impl LocalCluster {
    /// What shapes here, or why nothing does; tried out at the first call.
    pub(super) fn shapers(&self) -> Result<&Shapers, &str> {
        self.shapers.get_or_init(|| self.find_shapers()).as_ref().map_err(String::as_str)
    }

    fn find_shapers(&self) -> Result<Shapers, String> {
        let tools = Tools {
            ip: Tool::find("ip").map_err(|error| error.to_string())?,
            tc: Tool::find("tc").ok(),
            restore: self.firewall.restore.clone(),
        };
        let (trial, lock) = (tools.clone(), lock_file(&self.sandbox, &self.names[0]));
        let engines = self.nodes[0].agent.ask(move || {
            let netem = trial.tc.as_ref().map(|tc| tc.run(&["-batch", "-"], &[], NETEM_TRIAL));
            // What the firewall takes and the kernel does not hand over is of no use.
            let queue = restore_rules(&trial.restore, lock.as_ref(), &queue_trial())
                .and_then(|()| Sockets::open(1).map(drop));
            Ok(Engines::of(netem.map(|tried| tried.map(drop)), queue))
        });
        let engines = engines.wait().map_err(|error| error.to_string())?;
        engines.any()?;
        let sockets = self.nodes.iter().map(|node| node.agent.ask(timed_socket)).collect();
        let sockets = wait_all(sockets).map_err(|error| error.to_string())?;
        let first = NodeShaping { hooked: true, ..NodeShaping::default() };
        let others = (1..self.nodes.len()).map(|_| NodeShaping::default());
        Ok(Shapers {
            engines,
            tools,
            probes: TimedProbes::new(sockets, self.addresses()),
            nodes: [first].into_iter().chain(others).map(|n| Arc::new(Mutex::new(n))).collect(),
            knocks: Mutex::default(),
        })
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.specs.iter().map(|spec| spec.address).collect()
    }
}

impl Shapers {
    /// What each node is to do for the links to be as wanted.
    fn split(&self, wanted: &[(Link, Quality)]) -> Vec<NodeWanted> {
        let mut split = vec![NodeWanted::default(); self.nodes.len()];
        for (link, quality) in wanted {
            if quality.reset > Share::NONE {
                split[link.to].reset.insert(link.from, quality.reset);
            }
            if quality.shapes() {
                split[link.from].small_packets = true;
                if self.engines.uses_netem(quality) {
                    split[link.from].netem.insert(link.to, *quality);
                } else {
                    split[link.to].queued.insert(link.from, *quality);
                }
            }
        }
        split
    }
}

impl Shaping for LocalCluster {
    fn shape(&self, wanted: &[(Link, Quality)], seed: u64) -> Result<(), NodeError> {
        let shapers = self.shapers().map_err(node_error)?;
        let split = shapers.split(wanted);
        self.start_shapers(shapers, &split).map_err(node_error)?;
        let mut changes = Vec::new();
        for (own, wanted) in split.into_iter().enumerate() {
            if locked(&shapers.nodes[own]).now == wanted {
                continue;
            }
            let place = Place {
                addresses: self.addresses(),
                lock: lock_file(&self.sandbox, &self.names[own]),
                seed,
                own,
            };
            let (node, tools) = (shapers.nodes[own].clone(), shapers.tools.clone());
            changes.push(
                self.nodes[own].agent.ask(move || locked(&node).change(wanted, &tools, &place)),
            );
        }
        wait_all(changes).map(drop).map_err(node_error)
    }

    fn shaped(&self) -> Result<Vec<ShapedLink>, NodeError> {
        let shapers = self.shapers().map_err(node_error)?;
        let listings = shapers.nodes.iter().zip(&self.nodes).map(|(state, node)| {
            let (state, save) = (state.clone(), self.firewall.save.clone());
            let tc = shapers.tools.tc.clone();
            node.agent.ask(move || {
                let state = locked(&state);
                let rules = if state.hooked { save.run(&["-c"], &[], "")? } else { String::new() };
                let shown = match &tc {
                    Some(tc) if !state.now.netem.is_empty() => {
                        tc.run(&["-s", "-j", "qdisc", "show", "dev", NODE_INTERFACE], &[], "")?
                    }
                    _ => "[]".to_owned(),
                };
                let shaper = state.shaper.as_ref().map(Shaper::lines).unwrap_or_default();
                Ok((rules, shown, shaper))
            })
        });
        let listings = wait_all(listings.collect()).map_err(node_error)?;
        let mut found = BTreeMap::new();
        fn at(found: &mut BTreeMap<Link, ShapedLink>, link: Link) -> &mut ShapedLink {
            found.entry(link).or_insert(ShapedLink { link, shaped: None, reset: None })
        }
        for (own, (rules, shown, shaper)) in listings.into_iter().enumerate() {
            let rules = parse(&rules).map_err(node_error)?;
            for (sender, queue, _) in rules.queued {
                let link = Link { from: self.node_at(sender)?, to: own };
                // A rule whose queue nobody serves lets everything pass: nothing is shaped.
                let served = shaper.iter().find(|(number, ..)| *number == queue);
                at(&mut found, link).shaped = Some(served.map_or(0, |(.., packets)| *packets));
            }
            for (sender, packets) in rules.reset {
                let link = Link { from: self.node_at(sender)?, to: own };
                at(&mut found, link).reset = Some(packets);
            }
            for (to, packets) in netem::parse(&shown).map_err(node_error)? {
                at(&mut found, Link { from: own, to }).shaped = Some(packets);
            }
        }
        Ok(found.into_values().collect())
    }

    fn send(&self, nonce: u64, probes: &[Probe]) -> Result<(), NodeError> {
        self.shapers().map_err(node_error)?.probes.send(nonce, probes);
        Ok(())
    }

    fn received(
        &self,
        nonce: u64,
        wait: Duration,
    ) -> Result<Vec<splitbrain_nemesis::shaping::Arrival>, NodeError> {
        self.shapers().map_err(node_error)?.probes.received(nonce, wait).map_err(node_error)
    }

    fn knock(&self, knocks: &[(Link, u32)]) -> Result<(), NodeError> {
        let shapers = self.shapers().map_err(node_error)?;
        let begun = knocks.iter().map(|(link, times)| {
            let (to, times) = (self.specs[link.to].address, *times);
            let begin = move || (0..times).map(|_| begin_connection(to)).collect::<io::Result<_>>();
            self.nodes[link.from].agent.ask(begin)
        });
        let begun: Vec<Vec<OwnedFd>> = wait_all(begun.collect()).map_err(node_error)?;
        *shapers.knocks.lock().unwrap_or_else(PoisonError::into_inner) = begun;
        Ok(())
    }
}

impl LocalCluster {
    /// Starts the shapers that are needed and not there, from this thread, since those of the
    /// nodes can start processes only (what they start is born in the keeper's PID namespace).
    fn start_shapers(&self, shapers: &Shapers, wanted: &[NodeWanted]) -> io::Result<()> {
        let queues = self.nodes.len() as Queue;
        let missing: Vec<usize> = (0..self.nodes.len())
            .filter(|own| !wanted[*own].queued.is_empty())
            .filter(|own| locked(&shapers.nodes[*own]).shaper.is_none())
            .collect();
        let sockets =
            missing.iter().map(|own| self.nodes[*own].agent.ask(move || Sockets::open(queues)));
        for (own, sockets) in missing.iter().zip(wait_all(sockets.collect())?) {
            let shaper = Shaper::start(&self.names[*own], sockets)?;
            locked(&shapers.nodes[*own]).shaper = Some(shaper);
        }
        Ok(())
    }

    fn node_at(&self, address: IpAddr) -> Result<usize, NodeError> {
        let node = self.specs.iter().position(|spec| spec.address == address);
        node.ok_or_else(|| node_error(format!("there is a rule for {address}")))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
