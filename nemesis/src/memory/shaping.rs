//! Links of bad quality in the twin: the same [`Line`] that the real shaper has, on the machine's
//! clock for probes and on one of its own for [`MemoryCluster::transit`].

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::{MemoryCluster, Sabotage, State};
use crate::node::{Link, NodeError};
use crate::shaping::{Arrival, Line, Probe, Quality, Release, ShapedLink, Shaping, Share};

/// The shaping of all links.
#[derive(Debug)]
pub(super) struct Shaped {
    lines: BTreeMap<Link, (Line, ShapedLink)>,
    /// Probes on their way, with their nonce.
    on_the_way: Vec<(u64, Arrival)>,
    begun: Instant,
}

impl Default for Shaped {
    fn default() -> Shaped {
        Shaped { lines: BTreeMap::new(), on_the_way: Vec::new(), begun: Instant::now() }
    }
}

impl State {
    /// What becomes of a packet that is sent now over a link.
    fn shape(&mut self, link: Link, now_ns: u64, bytes: usize) -> Vec<Release> {
        let good = vec![Release { at_ns: now_ns, damage: None }];
        let everywhere = self.sabotage == Some(Sabotage::ShapesEverything);
        let line = match self.shaped.lines.get_mut(&link) {
            None if everywhere => self.shaped.lines.values_mut().next(),
            line => line,
        };
        let Some((line, counted)) = line.filter(|(line, _)| line.quality().shapes()) else {
            return good;
        };
        if self.sabotage == Some(Sabotage::ShaperDead) {
            return good;
        }
        *counted.shaped.get_or_insert(0) += 1;
        if self.sabotage == Some(Sabotage::ShapesDoNothing) {
            return good;
        }
        line.pass(now_ns, bytes).into_iter().flatten().collect()
    }
}

impl MemoryCluster {
    /// What becomes of `packets` of `bytes` that are sent over a link, one each `gap`: the number
    /// of each that arrives, none if it is damaged, with when it was sent and received.
    pub fn transit(&self, link: Link, packets: u32, bytes: usize, gap: Duration) -> Vec<Arrival> {
        let mut state = self.state();
        // Far from the clock of the probes, so that neither makes the other wait.
        let begin = state.shaped.begun.elapsed() + Duration::from_secs(3600);
        state.shaped.begun -= Duration::from_secs(7200);
        let mut arrivals = Vec::new();
        for number in 0..packets {
            let sent = begin + gap * number;
            for release in state.shape(link, sent.as_nanos() as u64, bytes) {
                arrivals.push(arrival(link, number, sent, release));
            }
        }
        arrivals.sort_by_key(|arrival| arrival.received);
        arrivals
    }

    /// Whether a TCP connection over the link is reset that is begun now.
    pub fn resets(&self, link: Link) -> bool {
        let mut state = self.state();
        let sabotage = state.sabotage;
        let Some((line, counted)) = state.shaped.lines.get_mut(&link) else { return false };
        if matches!(sabotage, Some(Sabotage::ShapesDoNothing | Sabotage::NeverResets)) {
            return false;
        }
        let hit = line.resets();
        counted.reset = counted.reset.map(|packets| packets + u64::from(hit));
        hit
    }
}

fn arrival(link: Link, number: u32, sent: Duration, release: Release) -> Arrival {
    let received = Duration::from_nanos(release.at_ns);
    match release.damage {
        None => Arrival { link, number: Some(number), sent, received },
        Some(_) => Arrival { link, number: None, sent: Duration::ZERO, received },
    }
}

impl Shaping for MemoryCluster {
    fn shape(&self, wanted: &[(Link, Quality)], seed: u64) -> Result<(), NodeError> {
        let lines = &mut self.state().shaped.lines;
        lines.retain(|link, (line, _)| wanted.contains(&(*link, *line.quality())));
        for (link, quality) in wanted {
            let link = *link;
            let nothing = ShapedLink {
                link,
                shaped: quality.shapes().then_some(0),
                reset: (quality.reset > Share::NONE).then_some(0),
            };
            let seed = seed ^ (link.from as u64) << 32 ^ link.to as u64;
            lines.entry(link).or_insert_with(|| (Line::new(*quality, seed), nothing));
        }
        Ok(())
    }

    fn shaped(&self) -> Result<Vec<ShapedLink>, NodeError> {
        Ok(self.state().shaped.lines.values().map(|(_, counted)| *counted).collect())
    }

    fn send(&self, nonce: u64, probes: &[Probe]) -> Result<(), NodeError> {
        let mut state = self.state();
        for probe in probes {
            let sent = state.shaped.begun.elapsed();
            for release in state.shape(probe.link, sent.as_nanos() as u64, probe.bytes) {
                if state.carry(probe.link) {
                    let arrival = arrival(probe.link, probe.number, sent, release);
                    state.shaped.on_the_way.push((nonce, arrival));
                }
            }
        }
        Ok(())
    }

    fn received(&self, nonce: u64, wait: Duration) -> Result<Vec<Arrival>, NodeError> {
        let next = {
            let state = self.state();
            let next = state.shaped.on_the_way.iter().map(|(_, arrival)| arrival.received).min();
            next.map_or(wait, |next| next.saturating_sub(state.shaped.begun.elapsed()))
        };
        thread::sleep(next.min(wait));
        let mut state = self.state();
        let now = state.shaped.begun.elapsed();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut state.shaped.on_the_way)
            .into_iter()
            .partition(|(_, arrival)| arrival.received <= now);
        state.shaped.on_the_way = later;
        let mut due: Vec<_> =
            due.into_iter().filter(|(of, _)| *of == nonce).map(|(_, arrival)| arrival).collect();
        due.sort_by_key(|arrival| arrival.received);
        Ok(due)
    }

    fn knock(&self, knocks: &[(Link, u32)]) -> Result<(), NodeError> {
        let mut state = self.state();
        let resets = state.sabotage != Some(Sabotage::NeverResets);
        for (link, times) in knocks {
            if let Some((line, counted)) = state.shaped.lines.get_mut(link) {
                let hit = (0..*times).filter(|_| resets && line.resets()).count();
                counted.reset = counted.reset.map(|packets| packets + hit as u64);
            }
        }
        Ok(())
    }
}
