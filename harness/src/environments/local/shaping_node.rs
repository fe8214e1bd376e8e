//! What one node does for its links to be bad: its queues, its resets and its netem.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use splitbrain_nemesis::shaping::rules::{Rules, hook_text, rules_text};
use splitbrain_nemesis::shaping::shaper::{Queue, Shaper};
use splitbrain_nemesis::shaping::{Quality, Share, netem};

use super::restore_rules;
use super::topology::NODE_INTERFACE;
use crate::environments::tool::Tool;

#[derive(Clone)]
pub(super) struct Tools {
    pub(super) ip: Tool,
    pub(super) tc: Option<Tool>,
    pub(super) restore: Tool,
}

/// What a node does now; of links to it what it does as receiver, of links from it as sender.
#[derive(Default)]
pub(super) struct NodeShaping {
    pub(super) shaper: Option<Shaper>,
    pub(super) hooked: bool,
    /// By the other node.
    pub(super) now: NodeWanted,
}

#[derive(Clone, Default, PartialEq)]
pub(super) struct NodeWanted {
    /// Through the shaper, by sender.
    pub(super) queued: BTreeMap<usize, Quality>,
    pub(super) reset: BTreeMap<usize, Share>,
    /// Through netem, by receiver.
    pub(super) netem: BTreeMap<usize, Quality>,
    /// Whether a link from it is shaped by anybody: then it sends no packet that is longer than
    /// the link's, to be cut in pieces later.
    pub(super) small_packets: bool,
}

/// Where a node is and how its rules are changed.
pub(super) struct Place {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) lock: PathBuf,
    pub(super) seed: u64,
    pub(super) own: usize,
}

impl NodeShaping {
    /// Makes the node do what is wanted, to be called in its namespace.
    pub(super) fn change(
        &mut self,
        wanted: NodeWanted,
        tools: &Tools,
        place: &Place,
    ) -> io::Result<()> {
        if wanted.small_packets != self.now.small_packets {
            let segments = if wanted.small_packets { 1 } else { 65_535 };
            let text = format!("link set dev {NODE_INTERFACE} gso_max_segs {segments}\n");
            tools.ip.run(&["-batch", "-"], &[], &text)?;
            self.now.small_packets = wanted.small_packets;
        }
        self.change_netem(&wanted.netem, tools, place)?;
        self.change_queues(wanted, tools, place)
    }

    fn change_netem(
        &mut self,
        wanted: &BTreeMap<usize, Quality>,
        tools: &Tools,
        place: &Place,
    ) -> io::Result<()> {
        let Some(tc) = tools.tc.as_ref().filter(|_| *wanted != self.now.netem) else {
            return Ok(());
        };
        let mut text = String::new();
        if self.now.netem.is_empty() {
            text += &netem::root_text(NODE_INTERFACE);
        }
        let same = |to: &usize| self.now.netem.get(to) == wanted.get(to);
        if wanted.is_empty() {
            text += &netem::no_root_text(NODE_INTERFACE);
        } else {
            for to in self.now.netem.keys().filter(|to| !same(to)) {
                text += &netem::delete_text(NODE_INTERFACE, *to);
            }
            for (to, quality) in wanted.iter().filter(|(to, _)| !same(to)) {
                text += &netem::add_text(NODE_INTERFACE, *to, place.addresses[*to], quality);
            }
        }
        let done = tc.run(&["-batch", "-"], &[], &text);
        self.now.netem.clone_from(wanted);
        if done.is_err() {
            // Half of it may be there: away with all of it, so that it can be tried again.
            let _ = tc.run(&["-batch", "-"], &[], &netem::no_root_text(NODE_INTERFACE));
            self.now.netem.clear();
        }
        done.map(drop)
    }

    fn change_queues(
        &mut self,
        wanted: NodeWanted,
        tools: &Tools,
        place: &Place,
    ) -> io::Result<()> {
        if (&wanted.queued, &wanted.reset) == (&self.now.queued, &self.now.reset) {
            return Ok(());
        }
        if let Some(shaper) = &self.shaper {
            for from in 0..place.addresses.len() {
                let link_seed = (from as u64) << 32 | place.own as u64;
                let seed = place.seed ^ link_seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                shaper.set(from as Queue, wanted.queued.get(&from).copied(), seed)?;
            }
        }
        let rules = Rules {
            queued: wanted
                .queued
                .keys()
                .map(|from| (place.addresses[*from], *from as Queue))
                .collect(),
            reset: wanted.reset.iter().map(|(from, s)| (place.addresses[*from], *s)).collect(),
        };
        let hook = if self.hooked { String::new() } else { hook_text() };
        let text = hook + &rules_text(&rules, NODE_INTERFACE);
        restore_rules(&tools.restore, OsStr::new(&place.lock), &text)?;
        self.hooked = true;
        if wanted.queued.is_empty() {
            self.shaper = None; // no more packets come; what it holds it lets go now
        }
        self.now.queued = wanted.queued;
        self.now.reset = wanted.reset;
        Ok(())
    }
}
