//! Cutting links, and proving by probes what is cut and what is not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{Nemesis, Proof, Trouble};
use crate::node::{Link, Links, NodeError};
use crate::shaping::Quality;

/// How long to wait for probes before they are sent again.
const RESEND_AFTER: Duration = Duration::from_millis(4);
/// The most probes that are sent without looking for any that came: a host queues 1000 packets
/// that it has not yet delivered (net.core.netdev_max_backlog), the nodes' own among them.
const BURST: usize = 200;

impl Nemesis {
    /// Makes the nodes cut `wanted` where they cut `before`, and verifies the whole network: at
    /// each node that changed exactly the wanted rules are there, each of them has dropped a
    /// packet, and over every link that is not cut a probe has arrived.
    pub(super) fn change_cuts(
        &mut self,
        before: &BTreeSet<Link>,
        wanted: &BTreeSet<Link>,
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let changed: BTreeSet<usize> =
            before.symmetric_difference(wanted).map(|link| link.to).collect();
        let senders_at: Vec<(usize, Vec<usize>)> = changed
            .iter()
            .map(|to| (*to, wanted.iter().filter(|cut| cut.to == *to).map(|c| c.from).collect()))
            .collect();
        let cluster = self.cluster.clone();
        let links = cluster.links().ok_or_else(|| Trouble::skip("no links"))?;
        links.block(&senders_at)?;
        self.next_nonce += 1;
        let nodes = cluster.nodes().len();
        let shapes = self.shapes();
        // That nothing cuts it is then shown by the rules alone.
        let narrow = |link: &Link| shapes.get(link).is_some_and(Quality::is_narrow);
        let mut open = Evidence {
            nonce: self.next_nonce,
            changed: changed.into_iter().collect(),
            wanted,
            silent: wanted.clone(),
            unheard: Link::all(nodes)
                .chain(Link::from_clients(nodes))
                .filter(|link| !wanted.contains(link) && !narrow(link))
                .collect(),
            leaked: None,
            rules_as_wanted: false,
        };
        let (cuts, ways) = (wanted.len(), open.unheard.len());
        while !open.complete() {
            open.collect(links)?;
            if open.leaked.is_some() || Instant::now() > deadline {
                break;
            }
        }
        if open.complete() && open.leaked.is_none() {
            return Ok(Proof { blocked: cuts, passed: ways, ..Proof::default() });
        }
        Err(Trouble::Unknown(self.what_is_missing(&open)))
    }

    /// Looks whether each of `cuts` still drops: its rule counts packets that are sent now, and
    /// none of them arrives.
    pub(super) fn cuts_hold(&mut self, cuts: &[Link], deadline: Instant) -> Result<(), Trouble> {
        let cluster = self.cluster.clone();
        let links = cluster.links().ok_or_else(|| Trouble::skip("no links"))?;
        self.next_nonce += 1;
        let nonce = self.next_nonce;
        let receivers: BTreeSet<usize> = cuts.iter().map(|link| link.to).collect();
        let receivers: Vec<usize> = receivers.into_iter().collect();
        let before = counters(links, &receivers)?;
        let say = |link: &Link| format!("{}->{}", self.name(link.from), self.name(link.to));
        if let Some(cut) = cuts.iter().find(|cut| !before.contains_key(cut)) {
            return Err(Trouble::Unknown(format!("the rule for {} is gone", say(cut))));
        }
        loop {
            for burst in cuts.chunks(BURST) {
                links.probe(nonce, burst)?;
            }
            let now = counters(links, &receivers)?;
            if let Some(leaked) = links.arrived(nonce, Duration::ZERO)?.first() {
                let leaked = say(leaked);
                return Err(Trouble::Unknown(format!("a probe came through the cut {leaked}")));
            }
            let silent = cuts.iter().find(|cut| now.get(cut) <= before.get(cut));
            match silent {
                None => return Ok(()),
                Some(cut) if Instant::now() > deadline => {
                    let cut = say(cut);
                    return Err(Trouble::Unknown(format!("the rule for {cut} drops nothing")));
                }
                Some(_) => {}
            }
        }
    }

    fn what_is_missing(&self, open: &Evidence) -> String {
        let say = |link: &Link| format!("{}->{}", self.name(link.from), self.name(link.to));
        let some = |links: &BTreeSet<Link>| {
            let shown: Vec<_> = links.iter().take(3).map(say).collect();
            let more = if links.len() > shown.len() { ", ..." } else { "" };
            format!("{}{more}", shown.join(", "))
        };
        if let Some(link) = &open.leaked {
            return format!("a probe came through the cut {}", say(link));
        }
        let mut missing = Vec::new();
        if !open.rules_as_wanted {
            missing.push("the rules found at the nodes are not the wanted ones".to_owned());
        }
        if !open.silent.is_empty() {
            missing.push(format!("no packet was dropped by the rule for {}", some(&open.silent)));
        }
        if !open.unheard.is_empty() {
            missing.push(format!("no probe arrived over {}", some(&open.unheard)));
        }
        missing.join("; ")
    }
}

/// How many packets each rule at `nodes` has dropped.
fn counters(links: &dyn Links, nodes: &[usize]) -> Result<BTreeMap<Link, u64>, NodeError> {
    Ok(links.rules(nodes)?.into_iter().map(|rule| (rule.link, rule.packets)).collect())
}

/// What has not been proven yet.
struct Evidence<'a> {
    nonce: u64,
    /// The nodes whose rules were replaced.
    changed: Vec<usize>,
    wanted: &'a BTreeSet<Link>,
    /// Cuts whose rule has dropped nothing so far.
    silent: BTreeSet<Link>,
    /// Ways over which no probe has arrived so far.
    unheard: BTreeSet<Link>,
    /// A cut over which a probe has arrived although it was sent after the rules were made.
    leaked: Option<Link>,
    rules_as_wanted: bool,
}

impl Evidence<'_> {
    fn complete(&self) -> bool {
        self.rules_as_wanted && self.silent.is_empty() && self.unheard.is_empty()
    }

    /// One round: probes over all that is not proven, then a look at what came of them.
    fn collect(&mut self, links: &dyn Links) -> Result<(), NodeError> {
        let unproven: Vec<Link> = self.silent.union(&self.unheard).copied().collect();
        for burst in unproven.chunks(BURST) {
            links.probe(self.nonce, burst)?;
            if unproven.len() > BURST {
                self.receive(links, Duration::from_millis(1))?;
            }
        }
        // Reading the rules takes a while, in which the probes arrive.
        if !self.rules_as_wanted || !self.silent.is_empty() {
            self.read_rules(links)?;
        }
        let wait = if self.unheard.is_empty() { Duration::ZERO } else { RESEND_AFTER };
        self.receive(links, wait)
    }

    fn receive(&mut self, links: &dyn Links, wait: Duration) -> Result<(), NodeError> {
        for link in links.arrived(self.nonce, wait)? {
            self.unheard.remove(&link);
            if self.wanted.contains(&link) {
                self.leaked = Some(link);
            }
        }
        Ok(())
    }

    fn read_rules(&mut self, links: &dyn Links) -> Result<(), NodeError> {
        // Rules at nodes that did not change count on from before, which is proof enough of them.
        let mut nodes = self.changed.clone();
        nodes.extend(self.silent.iter().map(|link| link.to));
        nodes.sort_unstable();
        nodes.dedup();
        let rules = links.rules(&nodes)?;
        let found: BTreeSet<Link> = rules.iter().map(|rule| rule.link).collect();
        let there = |link: &&Link| nodes.contains(&link.to);
        self.rules_as_wanted =
            found.len() == rules.len() && found.iter().eq(self.wanted.iter().filter(there));
        for rule in rules.iter().filter(|rule| rule.packets > 0) {
            self.silent.remove(&rule.link);
        }
        Ok(())
    }
}
