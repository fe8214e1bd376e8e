//! Giving links a bad quality, and proving by timed probes what is bad and what is not.
//!
//! What a probe can show in the time that there is is shown: that delays are not shorter than they
//! should be (a busy machine makes them longer, never shorter), that shares of at least
//! 1 % are hit about as often as they should, that no more comes through than the
//! bandwidth allows, and that all other links are as good as they were. A smaller share is
//! believed because what makes it counts the packets of this very link; and so is a link that the
//! nodes fill so far that no probe arrives in time (see [`Quality::is_narrow`]).

mod trial;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Nemesis, Proof, Trouble};
use crate::faults::Action;
use crate::node::{Link, NodeError};
use crate::shaping::{Probe, Quality, ShapedLink, Shaping, Share};
use trial::Trial;

/// What links are to be like.
pub(super) type Shapes = BTreeMap<Link, Quality>;

/// The most probes that are sent without looking for any that came, as for cuts.
const BURST: usize = 100;

impl Nemesis {
    /// What the active faults want links to be like.
    pub(super) fn shapes(&self) -> Shapes {
        let mut shapes = Shapes::new();
        for action in self.active.values() {
            if let Action::Shape { links, quality } = action {
                for link in links {
                    let both: &mut Quality = shapes.entry(*link).or_default();
                    *both = both.and(*quality);
                }
            }
        }
        shapes
    }

    /// How much longer than usual a probe may be on its way now.
    pub(super) fn longest_way(&self) -> Duration {
        self.shapes().values().map(Trial::time_needed).max().unwrap_or_default()
    }

    /// Makes links as the active faults want them, where they were as in `before`, and verifies
    /// the links that changed and those that are to be good.
    pub(super) fn change_shapes(
        &mut self,
        before: &Shapes,
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let wanted = self.shapes();
        let list: Vec<_> = wanted.iter().map(|(link, quality)| (*link, *quality)).collect();
        self.next_nonce += 1;
        let cluster = self.cluster.clone();
        let shaping = cluster.shaping().ok_or_else(|| Trouble::skip("no shaping"))?;
        shaping.shape(&list, self.next_nonce)?;
        let changed = wanted.iter().filter(|(link, quality)| before.get(link) != Some(quality));
        let changed: Shapes = changed.map(|(link, quality)| (*link, *quality)).collect();
        self.verify_shapes(&changed, &wanted, before, deadline)
    }

    /// Looks whether `links` are still as the active faults want them.
    pub(super) fn shapes_hold(&mut self, links: &[Link], deadline: Instant) -> Result<(), Trouble> {
        let wanted = self.shapes();
        let looked_at: Shapes = wanted
            .iter()
            .filter(|(link, _)| links.contains(link))
            .map(|(link, quality)| (*link, *quality))
            .collect();
        self.verify_shapes(&looked_at, &wanted, &Shapes::new(), deadline).map(drop)
    }

    fn verify_shapes(
        &mut self,
        changed: &Shapes,
        wanted: &Shapes,
        before: &Shapes,
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let cluster = self.cluster.clone();
        let shaping = cluster.shaping().ok_or_else(|| Trouble::skip("no shaping"))?;
        self.next_nonce += 1;
        let slow = wanted.values().chain(before.values()).filter(|q| q.delay_us > 0);
        let slow = slow.map(|quality| Duration::from_micros(quality.delay_us) / 2).min();
        let cuts = self.cuts();
        let good = Link::all(cluster.nodes().len())
            .filter(|link| !wanted.contains_key(link) && !cuts.contains(link))
            .map(|link| Trial::of_good(link, slow.unwrap_or(Duration::MAX)));
        let bad = changed
            .iter()
            .map(|(link, quality)| Trial::of_bad(*link, *quality, cuts.contains(link)));
        let mut trials: Vec<Trial> = bad.chain(good).collect();
        let longest = changed.values().map(Trial::time_needed).max().unwrap_or_default();
        let deadline = deadline + 2 * longest;
        loop {
            self.round(shaping, &mut trials, longest)?;
            let found = shaping.shaped()?;
            let missing = self.missing_of_shapes(&trials, &found, wanted);
            let Some(missing) = missing else {
                return Ok(Proof {
                    shaped: changed.len(),
                    passed: trials.len() - changed.len(),
                    ..Proof::default()
                });
            };
            if Instant::now() > deadline {
                return Err(Trouble::Unknown(missing));
            }
        }
    }

    /// Sends probes over each link that has not shown what it is to show, and waits for them.
    fn round(
        &self,
        shaping: &dyn Shaping,
        trials: &mut [Trial],
        longest: Duration,
    ) -> Result<(), NodeError> {
        let nonce = self.next_nonce;
        let knocks: Vec<_> =
            trials.iter().map(|t| (t.link, t.knocks())).filter(|(_, times)| *times > 0).collect();
        shaping.knock(&knocks)?;
        let mut probes: Vec<Probe> = Vec::new();
        for trial in trials.iter_mut() {
            probes.extend(trial.next_probes());
        }
        for burst in probes.chunks(BURST) {
            shaping.send(nonce, burst)?;
            receive(shaping, nonce, trials, Duration::ZERO)?;
        }
        let until = Instant::now() + longest + shaping.grace();
        while trials.iter().any(Trial::expects_more) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            receive(shaping, nonce, trials, left)?;
        }
        Ok(())
    }

    fn missing_of_shapes(
        &self,
        trials: &[Trial],
        found: &[ShapedLink],
        wanted: &Shapes,
    ) -> Option<String> {
        let say = |link: &Link| format!("{}->{}", self.name(link.from), self.name(link.to));
        if let Some(extra) = found.iter().find(|at| !wanted.contains_key(&at.link)) {
            return Some(format!("{} is still shaped", say(&extra.link)));
        }
        let counted = |link: &Link, quality: &Quality| {
            let at = found.iter().find(|at| at.link == *link);
            if quality.shapes() && at.and_then(|at| at.shaped).unwrap_or(0) == 0 {
                return Some("nothing shapes its packets".to_owned());
            }
            let provable = quality.reset.probability() >= trial::PROVABLE;
            if quality.reset > Share::NONE {
                match at.and_then(|at| at.reset) {
                    None => return Some("nothing resets its connections".to_owned()),
                    Some(0) if provable => return Some("no connection was reset".to_owned()),
                    Some(_) => {}
                }
            }
            None
        };
        let missing: Vec<String> = trials
            .iter()
            .filter_map(|trial| {
                let uncounted = trial.quality.and_then(|quality| counted(&trial.link, &quality));
                let why = uncounted.or_else(|| trial.what_is_missing())?;
                Some(format!("{}: {why}", say(&trial.link)))
            })
            .collect();
        let more =
            if missing.len() > 3 { format!("; {} more", missing.len() - 3) } else { String::new() };
        (!missing.is_empty())
            .then(|| format!("{}{more}", missing[..missing.len().min(3)].join("; ")))
    }
}

fn receive(
    shaping: &dyn Shaping,
    nonce: u64,
    trials: &mut [Trial],
    wait: Duration,
) -> Result<(), NodeError> {
    for arrival in shaping.received(nonce, wait)? {
        if let Some(trial) = trials.iter_mut().find(|trial| trial.link == arrival.link) {
            trial.arrived(&arrival);
        }
    }
    Ok(())
}
