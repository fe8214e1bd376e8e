//! A cluster that is only a few tables: the in-memory twin of a real one.
//!
//! It does what [`Links`] and [`Processes`] promise, and can be made to break its promises, so
//! that it can be shown that [`Nemesis`](crate::Nemesis) does not believe what is not so.

mod clocks;
mod disks;
mod limits;
mod members;
mod shaping;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clocks, Deviation};
use crate::disk::Disks;
use crate::node::{
    Cluster, DropRule, Limits, Link, Links, Members, NodeError, ProcessState, Processes, Signal,
};
use crate::shaping::Shaping;

/// A way in which the twin breaks its promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// New rules are listed but let everything pass.
    RulesDoNothing,
    /// New rules are flushed as soon as they are made.
    RulesVanish,
    /// Nothing passes over this link, rule or no rule.
    DeadLink(Link),
    /// Rules can no longer be changed.
    FirewallLocked,
    /// Signals have no effect.
    SignalsLost,
    /// Programs no longer start.
    WillNotStart,
    /// Programs start, and end at once.
    EndsAtOnce,
    /// What shapes links counts their packets and lets them pass.
    ShapesDoNothing,
    /// What shapes links is gone, though its rules are there.
    ShaperDead,
    /// Rules that reset connections are there and hit none.
    NeverResets,
    /// Links that nobody named are shaped as well.
    ShapesEverything,
    /// New limits are listed but hold nobody back.
    LimitsDoNothing,
    /// New limits are gone as soon as they are made.
    LimitsVanish,
    /// Limits cannot be taken away.
    LimitsStay,
    /// The administration says that nodes leave and join, but they do not.
    MembersStay,
    /// What is said of a disk is written down, and has no effect.
    DisksDoNothing,
    /// A loss of power takes nothing.
    PowerStays,
    /// Files are told to be damaged, and are not.
    DamageDoesNothing,
    /// What a clock is told is written down, and has no effect.
    ClocksDoNothing,
    /// Programs ask another clock.
    ClockIsOwn,
}

/// A cluster of nodes that run one process each.
#[derive(Debug)]
pub struct MemoryCluster {
    names: Vec<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Packets that each rule has dropped.
    rules: BTreeMap<Link, u64>,
    /// What the probes of the last nonce reached.
    arrived: Vec<(u64, Link)>,
    /// Of each node its process, if it has one.
    processes: Vec<Option<ProcessState>>,
    next_pid: i32,
    shaped: shaping::Shaped,
    limits: limits::Table,
    /// Nodes that have left.
    left: BTreeSet<usize>,
    disks: Vec<disks::Disk>,
    clocks: Vec<Deviation>,
    sabotage: Option<Sabotage>,
}

impl MemoryCluster {
    /// Nodes `n1`, `n2`, ... that see each other and run.
    pub fn new(nodes: usize) -> MemoryCluster {
        let process = |node: usize| Some(ProcessState { pid: node as i32 + 1, stopped: false });
        MemoryCluster {
            names: (1..=nodes).map(|number| format!("n{number}")).collect(),
            state: Mutex::new(State {
                processes: (0..nodes).map(process).collect(),
                next_pid: nodes as i32 + 1,
                disks: (0..nodes).map(|_| disks::Disk::default()).collect(),
                clocks: vec![Deviation::default(); nodes],
                ..State::default()
            }),
        }
    }

    /// Breaks promises from now on, or keeps them again.
    pub fn sabotage(&self, sabotage: Option<Sabotage>) {
        self.state().sabotage = sabotage;
    }

    /// Removes all rules behind everybody's back.
    pub fn flush(&self) {
        self.state().rules.clear();
    }

    /// Whether a packet over the link would arrive now; it counts as one.
    pub fn passes(&self, link: Link) -> bool {
        self.state().carry(link)
    }

    /// Whether the node's process runs and is not stopped.
    pub fn runs(&self, node: usize) -> bool {
        self.state().processes[node].is_some_and(|process| !process.stopped)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn carry(&mut self, link: Link) -> bool {
        if self.sabotage == Some(Sabotage::DeadLink(link)) {
            return false;
        }
        match self.rules.get_mut(&link) {
            Some(_) if self.sabotage == Some(Sabotage::RulesDoNothing) => true,
            Some(packets) => {
                *packets += 1;
                false
            }
            None => true,
        }
    }
}

impl Cluster for MemoryCluster {
    fn nodes(&self) -> &[String] {
        &self.names
    }

    fn links(&self) -> Option<&dyn Links> {
        Some(self)
    }

    fn processes(&self) -> Option<&dyn Processes> {
        Some(self)
    }

    fn shaping(&self) -> Option<&dyn Shaping> {
        Some(self)
    }

    fn limits(&self) -> Option<&dyn Limits> {
        Some(self)
    }

    fn members(&self) -> Option<&dyn Members> {
        Some(self)
    }

    fn clocks(&self) -> Option<&dyn Clocks> {
        Some(self)
    }

    fn disks(&self) -> Option<&dyn Disks> {
        Some(self)
    }
}

impl Links for MemoryCluster {
    fn block(&self, senders_at: &[(usize, Vec<usize>)]) -> Result<(), NodeError> {
        let mut state = self.state();
        if state.sabotage == Some(Sabotage::FirewallLocked) {
            return Err(NodeError("the firewall is locked".to_owned()));
        }
        for (to, senders) in senders_at {
            state.rules.retain(|link, _| link.to != *to);
            if state.sabotage != Some(Sabotage::RulesVanish) {
                state.rules.extend(senders.iter().map(|from| (Link { from: *from, to: *to }, 0)));
            }
        }
        Ok(())
    }

    fn rules(&self, nodes: &[usize]) -> Result<Vec<DropRule>, NodeError> {
        let state = self.state();
        let at_nodes = state.rules.iter().filter(|(link, _)| nodes.contains(&link.to));
        Ok(at_nodes.map(|(link, packets)| DropRule { link: *link, packets: *packets }).collect())
    }

    fn probe(&self, nonce: u64, links: &[Link]) -> Result<(), NodeError> {
        let mut state = self.state();
        for link in links {
            if state.carry(*link) {
                state.arrived.push((nonce, *link));
            }
        }
        Ok(())
    }

    fn arrived(&self, nonce: u64, _wait: Duration) -> Result<Vec<Link>, NodeError> {
        let arrived = std::mem::take(&mut self.state().arrived);
        Ok(arrived.into_iter().filter(|(of, _)| *of == nonce).map(|(_, link)| link).collect())
    }
}

impl Processes for MemoryCluster {
    fn signal(&self, node: usize, signal: Signal) -> Result<(), NodeError> {
        let mut state = self.state();
        if state.sabotage == Some(Sabotage::SignalsLost) {
            return Ok(());
        }
        let process = &mut state.processes[node];
        match signal {
            Signal::Kill | Signal::End => *process = None,
            Signal::Stop => process.iter_mut().for_each(|process| process.stopped = true),
            Signal::Continue => process.iter_mut().for_each(|process| process.stopped = false),
        }
        Ok(())
    }

    fn states(&self, node: usize) -> Result<Vec<ProcessState>, NodeError> {
        Ok(self.state().processes[node].into_iter().collect())
    }

    fn start(&self, node: usize) -> Result<(), NodeError> {
        let mut state = self.state();
        if state.sabotage == Some(Sabotage::WillNotStart) {
            return Err(NodeError("the program will not start".to_owned()));
        }
        if state.processes[node].is_some() {
            return Err(NodeError("it runs already".to_owned()));
        }
        if state.sabotage == Some(Sabotage::EndsAtOnce) {
            return Ok(());
        }
        let pid = state.next_pid;
        state.next_pid += 1;
        state.processes[node] = Some(ProcessState { pid, stopped: false });
        Ok(())
    }
}
