//! The trial of one link: what its probes show of its quality. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::node::Link;
use crate::shaping::{Arrival, Probe, Quality, Share};

/// From this share on, in parts of one, it is shown by probes that packets are hit as often as
/// they should be. Of fewer, there may be none among all the probes.
pub(super) const PROVABLE: f64 = 0.01;
/// Probes of a round over a link that is to be good.
const GOOD_PROBES: u32 = 20;
/// Probes of a round over one that is only to be slow.
const SLOW_PROBES: u32 = 10;
/// Probes of a round over one of which some are to be hit.
const MANY_PROBES: u32 = 100;
const SMALL_BYTES: usize = 100;
/// Probes that measure a bandwidth are long, and fill the link for about this time.
const LARGE_BYTES: usize = 1400;
const TRAIN: Duration = Duration::from_millis(100);
/// Fewer probes than this show no bandwidth; over a narrow link they are shorter instead.
const SHORTEST_TRAIN: u32 = 3;
const LONGEST_TRAIN: Duration = Duration::from_secs(1);
/// Chance may be this many standard deviations off.
const DEVIATIONS: f64 = 5.0;
/// A busy machine may lose this share of the probes by itself.
const BUSY_LOSS: f64 = 0.1;

/// What was sent over a link and what came of it.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) link: Link,
    /// What it is to be like; none if good.
    pub(super) quality: Option<Quality>,
    /// Nothing arrives over it whatever its quality is.
    cut: bool,
    /// Over a good link most probes take less than this.
    slow: Duration,
    sent: u32,
    /// The first number of this round.
    round_from: u32,
    arrived: BTreeSet<u32>,
    twice: u32,
    damaged: u32,
    /// Those that were not delayed as the others.
    early: u32,
    times: Welford,
    /// Those that took as long as none should over a good link.
    late: usize,
    /// When the first probe of the train was sent and the last one received, and how many.
    train: Option<(Duration, Duration, u32)>,
}

impl Trial {
    pub(super) fn of_good(link: Link, slow: Duration) -> Trial {
        Trial {
            link,
            quality: None,
            cut: false,
            slow,
            sent: 0,
            round_from: 0,
            arrived: BTreeSet::new(),
            twice: 0,
            damaged: 0,
            early: 0,
            times: Welford::default(),
            late: 0,
            train: None,
        }
    }

    pub(super) fn of_bad(link: Link, quality: Quality, cut: bool) -> Trial {
        Trial { quality: Some(quality), cut, ..Trial::of_good(link, Duration::MAX) }
    }

    /// How long the probes of a round may be on their way.
    pub(super) fn time_needed(quality: &Quality) -> Duration {
        let (count, bytes) = round_of(quality);
        let train = count * Duration::from_nanos(quality.transmission_ns(bytes));
        quality.longest_delay() + 2 * train.min(LONGEST_TRAIN)
    }

    /// The probes of the next round; none if everything is shown already.
    pub(super) fn next_probes(&mut self) -> Vec<Probe> {
        if self.sent > 0 && self.what_is_missing().is_none() && !self.cut {
            return Vec::new();
        }
        let (count, bytes) = self.quality.as_ref().map_or((GOOD_PROBES, SMALL_BYTES), round_of);
        if self.quality.is_none() {
            // A busy machine spoils a round, which says nothing about the next.
            *self = Trial { sent: self.sent, ..Trial::of_good(self.link, self.slow) };
        }
        self.round_from = self.sent;
        self.train = None;
        self.sent += count;
        let link = self.link;
        (self.round_from..self.sent).map(|number| Probe { link, number, bytes }).collect()
    }

    pub(super) fn arrived(&mut self, arrival: &Arrival) {
        let Some(number) = arrival.number else {
            self.damaged += 1;
            return;
        };
        if !self.arrived.insert(number) {
            self.twice += 1;
            return;
        }
        let took = arrival.received.saturating_sub(arrival.sent);
        self.late += usize::from(took >= self.slow);
        self.times.add(took.as_secs_f64());
        self.early += u32::from(self.overtook(number, took));
        if number >= self.round_from {
            let (first, last, count) = self.train.unwrap_or((arrival.sent, arrival.received, 0));
            self.train = Some((first.min(arrival.sent), last.max(arrival.received), count + 1));
        }
    }

    /// Whether a probe that has just come was not delayed as the others. Where none is lost it has
    /// then come before one that was sent before it, which a busy machine does not change.
    fn overtook(&self, number: u32, took: Duration) -> bool {
        let Some(quality) = &self.quality else { return false };
        if quality.loss.max(quality.corrupt) > Share::NONE || number < self.round_from {
            return took < Duration::from_micros(quality.delay_us) / 2;
        }
        let before = self.arrived.range(self.round_from..number).count();
        before < (number - self.round_from) as usize
    }

    /// How many connections a round begins over it, of which one at least is to be reset: three
    /// times as many as that takes in the mean.
    pub(super) fn knocks(&self) -> u32 {
        let reset = self.quality.map_or(0.0, |quality| quality.reset.probability());
        match reset {
            0.0 => 0,
            1.0 => 1,
            _ => (3.0 / reset.max(PROVABLE)).ceil() as u32,
        }
    }

    /// Whether a probe of this round may still come.
    pub(super) fn expects_more(&self) -> bool {
        !self.cut
            && self.arrived.range(self.round_from..).count()
                < (self.sent - self.round_from) as usize
    }

    /// Why what arrived is not what should; none if it is.
    pub(super) fn what_is_missing(&self) -> Option<String> {
        match &self.quality {
            _ if self.cut => None,
            None => self.not_good(),
            Some(quality) => self.not_bad(quality),
        }
    }

    fn not_good(&self) -> Option<String> {
        let count = self.sent - self.round_from;
        if self.arrived.len() < count as usize {
            return Some(format!("{} of {count} probes arrived", self.arrived.len()));
        }
        if self.twice + self.damaged > 0 {
            return Some(format!("{} probes came twice, {} damaged", self.twice, self.damaged));
        }
        (self.late > self.arrived.len() / 4)
            .then(|| format!("{} probes took {:?} and longer", self.late, self.slow))
    }

    fn not_bad(&self, quality: &Quality) -> Option<String> {
        let (sent, came) = (f64::from(self.sent), self.arrived.len() as f64);
        let lost = (sent - came - f64::from(self.damaged)).max(0.0);
        let narrow = quality.is_narrow();
        if came == 0.0 && narrow {
            return None;
        }
        if came == 0.0
            && quality.loss < Share::percent(50.0)
            && quality.corrupt < Share::percent(50.0)
        {
            return Some("no probe arrived".to_owned());
        }
        let other_losses = if narrow { 1.0 } else { BUSY_LOSS };
        let burst = if quality.burst > 1 { 2.0 * f64::from(quality.burst) } else { 1.0 };
        let copies = came + f64::from(self.twice + self.damaged);
        None.or_else(|| share("lost", lost, sent / burst, sent, quality.loss, other_losses))
            .or_else(|| share("doubled", self.twice.into(), came, came, quality.duplicate, 0.0))
            .or_else(|| share("damaged", self.damaged.into(), copies, copies, quality.corrupt, 0.0))
            .or_else(|| self.not_hurried(quality, came))
            .or_else(|| self.not_slow(quality))
            .or_else(|| self.not_narrow(quality))
    }

    fn not_hurried(&self, quality: &Quality, came: f64) -> Option<String> {
        // Where delays spread far, an early one need not have been hurried.
        let clear = quality.delay_us > 8 * quality.jitter_us;
        let reorder = if clear { quality.reorder } else { Share::NONE };
        share("early", self.early.into(), came, came, reorder, 0.0)
    }

    /// The mean may not be shorter than it should by more than a tenth and what chance explains.
    fn not_slow(&self, quality: &Quality) -> Option<String> {
        let (delay, jitter) = (quality.delay_us as f64 / 1e6, quality.jitter_us as f64 / 1e6);
        let hurried = quality.reorder.probability();
        let expected = delay * (1.0 - hurried);
        let spread = (jitter * jitter + delay * delay * hurried * (1.0 - hurried)).sqrt();
        let chance = DEVIATIONS * spread / (self.times.count.max(1) as f64).sqrt();
        let least = 0.9 * expected - chance;
        let mean = self.times.mean;
        let enough = self.times.count >= 3 || quality.loss > Share::NONE;
        let lasting = |seconds: f64| Duration::from_secs_f64(seconds.max(0.0));
        if delay > 0.0 && (mean < least || !enough) {
            return Some(format!(
                "{} probes took {:?} in the mean, not {:?}",
                self.times.count,
                lasting(mean),
                lasting(expected)
            ));
        }
        // Spread is shown where it is large against what a busy machine does by itself.
        let little = 0.25 * jitter;
        (jitter > 0.001 && self.times.count > 3 && self.times.deviation() < little).then(|| {
            format!(
                "delays spread by {:?} only, not {:?}",
                lasting(self.times.deviation()),
                lasting(jitter)
            )
        })
    }

    /// No more may come than the link carries in the time.
    fn not_narrow(&self, quality: &Quality) -> Option<String> {
        let (first, last, count) = self.train?;
        let shortest =
            Duration::from_micros(quality.delay_us.saturating_sub(4 * quality.jitter_us));
        let (_, bytes) = round_of(quality);
        let busy = Duration::from_nanos(quality.transmission_ns(bytes)) * count;
        let hurried = if quality.reorder > Share::NONE { Duration::ZERO } else { shortest };
        let took = (last - first).saturating_sub(hurried);
        (quality.bandwidth_bit_s.is_some() && took < busy.mul_f64(0.85))
            .then(|| format!("{count} packets came through within {took:?}, not {busy:?}"))
    }
}

/// How many probes of which length a round sends over a link that is to be bad: as many as show
/// its quality, and over a link of little bandwidth no more than it carries in the time.
fn round_of(quality: &Quality) -> (u32, usize) {
    let shares = [quality.loss, quality.duplicate, quality.reorder, quality.corrupt];
    let some_are_hit = shares.iter().any(|share| *share > Share::NONE);
    let many = some_are_hit || quality.jitter_us > 0;
    let Some(bit_s) = quality.bandwidth_bit_s else {
        return (if many { MANY_PROBES } else { SLOW_PROBES }, SMALL_BYTES);
    };
    let bytes_in = |time: Duration| (bit_s.get() as f64 / 8.0 * time.as_secs_f64()) as usize;
    let least = if many { MANY_PROBES } else { SHORTEST_TRAIN } as usize;
    let count = (bytes_in(TRAIN) / LARGE_BYTES).clamp(least, MANY_PROBES as usize);
    let bytes = (bytes_in(TRAIN) / count).clamp(SMALL_BYTES, LARGE_BYTES);
    let fit = (bytes_in(LONGEST_TRAIN) / bytes).max(SHORTEST_TRAIN as usize);
    (count.min(fit) as u32, bytes)
}

/// Compares how many of `trials` were hit with how many should be; chance is that of
/// `independent` trials. None if as many as should.
fn share(
    what: &str,
    hit: f64,
    independent: f64,
    trials: f64,
    expected: Share,
    more_allowed: f64,
) -> Option<String> {
    let (expected_share, found) = (expected.probability(), hit / trials.max(1.0));
    let deviation = (expected_share * (1.0 - expected_share) / independent.max(1.0)).sqrt();
    let chance = DEVIATIONS * deviation;
    let none_yet = hit == 0.0 && expected_share >= PROVABLE;
    let too_few = found < expected_share - chance;
    let too_many = expected > Share::NONE && found > expected_share + chance + more_allowed;
    (none_yet || too_few || too_many)
        .then(|| format!("{hit} of {trials} probes were {what}, where {expected} should"))
}

/// Mean and deviation in one pass (Welford 1962).
#[derive(Debug, Default)]
struct Welford {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Welford {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    fn deviation(&self) -> f64 {
        (self.squares / self.count.saturating_sub(1).max(1) as f64).sqrt()
    }
}

#[cfg(test)]
mod tests;
