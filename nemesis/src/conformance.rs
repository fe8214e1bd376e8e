//! What every [`Cluster`] must do, as cases that an environment's tests run.
//!
//! Nothing here asks the nemesis whether it worked, except to hear its claim: what is compared
//! with the claim is what a [`Witness`] sees from inside of the nodes.

mod clocks;
mod disks;
mod limits;
mod members;
mod shaping;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Reading;
use crate::faults::{ALL, Action, Break, Choice, Scene};
use crate::grudge::Grudge;
use crate::node::{Capability, Cluster, Link};
use crate::shaping::Arrival;
use crate::{Effect, Nemesis};

/// Somebody who sees the nodes from inside, through programs that run there.
pub trait Witness {
    /// The links over which a message gets from program to program now. Both programs run.
    fn heard(&self) -> BTreeSet<Link>;
    /// Which life of its program a node is in, another number for each; `None` if nothing there
    /// answers.
    fn life(&self, node: usize) -> Option<u64>;
    /// Has the program at the one end send `packets` numbered datagrams of `bytes` (IP packets),
    /// one each `gap`, and says what the program at the other end received, in that order. Both
    /// tell the same time.
    fn stream(&self, link: Link, packets: u32, bytes: usize, gap: Duration) -> Vec<Arrival>;
    /// Has the program at the one end connect to the one at the other end by TCP.
    fn connect(&self, link: Link) -> Connection;
    /// How late a program may be by itself when something has come, or when it is to send.
    fn lateness(&self) -> Duration {
        Duration::from_millis(4)
    }
    /// How far apart the packets of a stream are sent, so that programs can keep up with it.
    fn gap(&self) -> Duration {
        Duration::from_millis(1).max(self.lateness() / 10)
    }
    /// The part of a core, from 0 to 1, that the node's program is given when it computes without
    /// a pause for a while. It runs.
    fn share(&self, node: usize) -> f64;
    /// Has the node's program take so many bytes of memory and write to all of it. It runs, and may
    /// die of it.
    fn take(&self, node: usize, bytes: u64);
    /// Has the program of a node append to a file on its disk, and with `sync` make it and its name
    /// durable; how long the write alone took, or the error of the system (errno).
    fn append(&self, node: usize, file: &str, text: &str, sync: bool) -> Result<Duration, i32>;
    /// What the program of a node reads from a file on its disk; `None` if there is no such file.
    fn read(&self, node: usize, file: &str) -> Result<Option<String>, i32>;
    /// What the program of a node, which runs, is told of the time.
    fn clock(&self, node: usize) -> Option<Reading>;
}

/// What a TCP client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It is connected.
    Open,
    /// The connection was refused or reset (RST).
    Reset,
    /// Nothing came.
    Silent,
}

/// One case: it panics, with what is wrong, if the cluster does not conform. The cluster has at
/// least 4 nodes that run and see each other, and is left so.
pub type Case = fn(&Arc<dyn Cluster>, &dyn Witness);

/// All cases, by name.
pub fn cases() -> impl Iterator<Item = &'static (&'static str, Case)> {
    CASES.iter().chain(shaping_cases()).chain(disks::CASES).chain(clocks::CASES)
}

/// Those that are about links of bad quality.
pub fn shaping_cases() -> impl Iterator<Item = &'static (&'static str, Case)> {
    shaping::CASES.iter()
}

const CASES: &[(&str, Case)] = &[
    ("nothing is broken before", nothing_is_broken),
    ("every fault of links cuts exactly its links", every_cut),
    ("cuts add up and end one by one", cuts_add_up),
    ("killed nodes are dead and start again", kill),
    ("stopped nodes have ended and start again", stop),
    ("paused nodes stand still and go on", pause),
    ("a node short of time gets only that much", limits::cpu),
    ("a node short of memory dies of more and starts again", limits::memory),
    ("a node that left is no member, and joins again", members::leave),
    ("healing ends everything and may be repeated", heal_all),
];

fn all_links(cluster: &dyn Cluster) -> BTreeSet<Link> {
    Link::all(cluster.nodes().len()).collect()
}

#[track_caller]
fn installed(effect: &Effect) {
    assert!(matches!(effect, Effect::Installed(_)), "not installed: {effect:?}");
}

#[track_caller]
fn healed(effect: &Effect) {
    assert!(matches!(effect, Effect::Healed(_)), "not healed: {effect:?}");
}

#[track_caller]
fn assert_heard(cluster: &dyn Cluster, witness: &dyn Witness, cuts: &[Link], when: &str) {
    let mut expected = all_links(cluster);
    expected.retain(|link| !cuts.contains(link));
    let heard = witness.heard();
    let leaks: Vec<_> = heard.difference(&expected).collect();
    let lost: Vec<_> = expected.difference(&heard).collect();
    assert!(leaks.is_empty() && lost.is_empty(), "{when}: leaks {leaks:?}, lost {lost:?}");
}

fn nothing_is_broken(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    assert_heard(cluster.as_ref(), witness, &[], "at first");
    for node in 0..cluster.nodes().len() {
        assert!(witness.life(node).is_some(), "{} does not answer", cluster.nodes()[node]);
    }
}

fn every_cut(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let mut nemesis = Nemesis::new(cluster.clone());
    let nodes = cluster.nodes();
    for (id, fault) in (1..).zip(ALL.iter().filter(|fault| fault.needs == Capability::Links)) {
        let Choice { targets, args, .. } = &Choice::usual(fault);
        let scene = Scene { nodes, leaders: &[1], targets, args, beat: 0, seed: id };
        let action = (fault.decide)(&scene).expect("there are nodes enough").action;
        let Action::Cut(grudge) = &action else { panic!("{} is no cut", fault.name) };
        let (from_clients, between): (Vec<Link>, Vec<Link>) =
            grudge.cuts.iter().partition(|link| link.from == nodes.len());
        installed(&nemesis.install(id, &action));
        if from_clients.is_empty() {
            assert_heard(cluster.as_ref(), witness, &between, fault.name);
        }
        for node in 0..nodes.len() {
            let deaf = from_clients.iter().any(|link| link.to == node);
            assert_eq!(witness.life(node).is_none(), deaf, "{}: answers of {node}", fault.name);
        }
        healed(&nemesis.undo(id));
        assert_heard(cluster.as_ref(), witness, &[], &format!("after {}", fault.name));
    }
}

fn cuts_add_up(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let nodes = cluster.nodes().len();
    let (first, second) = (Grudge::isolate(nodes, &[0]), Grudge::isolate(nodes, &[1]));
    let both = [first.cuts.clone(), second.cuts.clone()].concat();
    let mut nemesis = Nemesis::new(cluster.clone());
    installed(&nemesis.install(1, &Action::Cut(first)));
    installed(&nemesis.install(2, &Action::Cut(second.clone())));
    assert_heard(cluster.as_ref(), witness, &both, "both");
    healed(&nemesis.undo(1));
    assert_heard(cluster.as_ref(), witness, &second.cuts, "the second only");
    healed(&nemesis.undo(2));
    assert_heard(cluster.as_ref(), witness, &[], "after both");
}

fn lives(cluster: &dyn Cluster, witness: &dyn Witness) -> Vec<Option<u64>> {
    (0..cluster.nodes().len()).map(|node| witness.life(node)).collect()
}

fn kill(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    down(Break::Kill, cluster, witness);
}

fn stop(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    down(Break::Stop, cluster, witness);
}

fn down(what: Break, cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let before = lives(cluster.as_ref(), witness);
    let mut nemesis = Nemesis::new(cluster.clone());
    installed(&nemesis.install(1, &Action::nodes(what, vec![0, 2])));
    let during = lives(cluster.as_ref(), witness);
    for (node, life) in during.iter().enumerate() {
        let expected = if [0, 2].contains(&node) { None } else { before[node] };
        assert_eq!(*life, expected, "node {node} while 0 and 2 are down");
    }
    healed(&nemesis.undo(1));
    let after = lives(cluster.as_ref(), witness);
    for node in 0..after.len() {
        assert!(after[node].is_some(), "node {node} does not answer again");
        let same = after[node] == before[node];
        assert_eq!(same, ![0, 2].contains(&node), "node {node}: a new life only if it was down");
    }
    assert_heard(cluster.as_ref(), witness, &[], "after they were down");
}

fn pause(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let before = lives(cluster.as_ref(), witness);
    let mut nemesis = Nemesis::new(cluster.clone());
    installed(&nemesis.install(1, &Action::nodes(Break::Pause, vec![1])));
    let during = lives(cluster.as_ref(), witness);
    assert_eq!(during[1], None, "it answers although it is paused");
    assert_eq!(during[0], before[0], "another one is not hit");
    healed(&nemesis.undo(1));
    assert_eq!(lives(cluster.as_ref(), witness), before, "all go on in the same life");
}

fn heal_all(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let nodes = cluster.nodes().len();
    let mut nemesis = Nemesis::new(cluster.clone());
    installed(&nemesis.install(1, &Action::Cut(Grudge::halves(nodes))));
    installed(&nemesis.install(2, &Action::nodes(Break::Kill, vec![0])));
    installed(&nemesis.install(3, &Action::nodes(Break::Pause, vec![1])));
    let effects = nemesis.heal_all();
    assert_eq!(effects.len(), 3);
    effects.iter().for_each(|(_, effect)| healed(effect));
    assert!(nemesis.heal_all().is_empty(), "there is nothing more to heal");
    nothing_is_broken(cluster, witness);
}

#[cfg(test)]
mod tests;
