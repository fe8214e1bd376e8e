//! What a link of bad quality does to packets, in the words of netem (tc-netem(8)).

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::node::Capability;

/// A part of all packets, in parts per million, so that two of them can be compared exactly.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Share(u32);

impl Share {
    /// No packet at all.
    pub const NONE: Share = Share(0);
    /// Every packet.
    pub const ALL: Share = Share(1_000_000);

    /// `percent` of all packets; less than 0 is none, more than 100 is all.
    pub fn percent(percent: f64) -> Share {
        Share((percent.clamp(0.0, 100.0) * 1e4).round() as u32)
    }

    /// As a probability, from 0 to 1.
    pub fn probability(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// The share that is hit by one of two causes that know nothing of each other.
    fn or(self, other: Share) -> Share {
        let missed = (1.0 - self.probability()) * (1.0 - other.probability());
        Share::percent(100.0 * (1.0 - missed))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 1e4)
    }
}

/// How delays lie around their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// Gauss's: as often early as late.
    #[default]
    Normal,
    /// Pareto's with a shape of 3: mostly a little early, now and then very late.
    Pareto,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Distribution::Normal => "normal",
            Distribution::Pareto => "pareto",
        })
    }
}

/// What one directed link does to packets. The default does nothing to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Quality {
    /// Mean delay, in microseconds.
    pub delay_us: u64,
    /// How far delays spread around the mean, in microseconds: the unit of the distribution, as
    /// with netem. Each packet draws its own, so packets may overtake each other.
    pub jitter_us: u64,
    /// How they lie.
    pub distribution: Distribution,
    /// Packets that are lost.
    pub loss: Share,
    /// Mean number of packets that are lost in a row (Gilbert 1960); up to 1, each packet is lost
    /// or not without regard to the others.
    pub burst: u32,
    /// Packets that arrive twice.
    pub duplicate: Share,
    /// Packets that are not delayed, and so overtake those before them.
    pub reorder: Share,
    /// Packets in which one bit is turned, in a way that the receiving program gets to see.
    pub corrupt: Share,
    /// The most that the link carries, in bits of IP packets a second.
    pub bandwidth_bit_s: Option<NonZeroU64>,
    /// TCP segments that are answered by a reset of their connection.
    pub reset: Share,
}

/// No delay lies farther from the mean than this many times the spread (as netem's tables).
pub(super) const FARTHEST: u64 = 4;
/// Packets wait for the link at most this long; then they are lost.
const LONGEST_QUEUE: Duration = Duration::from_millis(200);
/// But so many of them may always wait.
const SHORTEST_QUEUE_PACKETS: u64 = 20;
/// Who waits for a single packet gives up after this time.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest packet that nodes send.
const MTU_BYTES: u64 = 1500;

impl Quality {
    /// Both at once, as if one link came after the other.
    pub fn and(self, other: Quality) -> Quality {
        let wider = if self.jitter_us >= other.jitter_us { self } else { other };
        Quality {
            delay_us: self.delay_us + other.delay_us,
            jitter_us: (self.jitter_us as f64).hypot(other.jitter_us as f64).round() as u64,
            distribution: wider.distribution,
            loss: self.loss.or(other.loss),
            burst: self.burst.max(other.burst),
            duplicate: self.duplicate.or(other.duplicate),
            reorder: self.reorder.or(other.reorder),
            corrupt: self.corrupt.or(other.corrupt),
            bandwidth_bit_s: [self.bandwidth_bit_s, other.bandwidth_bit_s]
                .into_iter()
                .flatten()
                .min(),
            reset: self.reset.or(other.reset),
        }
    }

    /// What it needs of the environment.
    pub fn needs(&self) -> Capability {
        let shares = [self.loss, self.duplicate, self.reorder, self.corrupt];
        let of_packets = shares.iter().any(|share| *share > Share::NONE);
        if of_packets { Capability::Packets } else { Capability::Shaping }
    }

    /// Whether it does something else than resets, which are not made by shaping.
    pub fn shapes(&self) -> bool {
        Quality { reset: Share::NONE, burst: 0, distribution: Distribution::Normal, ..*self }
            != Quality::default()
    }

    /// The longest that a packet is on its way, apart from waiting for bandwidth.
    pub fn longest_delay(&self) -> Duration {
        Duration::from_micros(self.delay_us + FARTHEST * self.jitter_us)
    }

    /// The longest that a packet waits for bandwidth; one that would have to wait longer is lost.
    pub fn longest_queue(&self) -> Duration {
        self.bandwidth_bit_s.map_or(Duration::ZERO, |bit_s| {
            let few = SHORTEST_QUEUE_PACKETS * MTU_BYTES * 8 * 1_000_000 / bit_s;
            LONGEST_QUEUE.max(Duration::from_micros(few))
        })
    }

    /// Whether the nodes' own packets may fill the link so far that one more is not seen to arrive
    /// in any time that one can wait for it: below 120 kbit/s.
    pub fn is_narrow(&self) -> bool {
        self.longest_queue() > PATIENCE
    }

    /// How long a packet of `bytes` occupies the link, in nanoseconds.
    pub fn transmission_ns(&self, bytes: usize) -> u64 {
        self.bandwidth_bit_s.map_or(0, |bit_s| bytes as u64 * 8 * 1_000_000_000 / bit_s)
    }

    /// The probabilities of Gilbert's chain: to begin losing, and to end it. Losing all packets
    /// needs no chain.
    pub(super) fn gilbert(&self) -> (f64, f64) {
        let (loss, burst) = (self.loss.probability(), f64::from(self.burst.max(1)));
        ((loss / (burst * (1.0 - loss))).min(1.0), 1.0 / burst)
    }

    /// Whether losses come in runs.
    pub(super) fn bursty(&self) -> bool {
        self.burst > 1 && self.loss < Share::ALL
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        let time = |us: u64| format!("{:?}", Duration::from_micros(us));
        if self.delay_us > 0 || self.jitter_us > 0 {
            words.push(format!("delay {}", time(self.delay_us)));
        }
        if self.jitter_us > 0 {
            words.push(format!("jitter {} ({})", time(self.jitter_us), self.distribution));
        }
        let burst =
            if self.bursty() { format!(" in runs of {}", self.burst) } else { String::new() };
        for (name, share, more) in [
            ("loss", self.loss, burst.as_str()),
            ("duplicate", self.duplicate, ""),
            ("reorder", self.reorder, ""),
            ("corrupt", self.corrupt, ""),
            ("reset", self.reset, ""),
        ] {
            if share > Share::NONE {
                words.push(format!("{name} {share}{more}"));
            }
        }
        words.extend(self.bandwidth_bit_s.map(|bit_s| format!("bandwidth {bit_s} bit/s")));
        f.write_str(if words.is_empty() { "as good as new" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_qualities_on_one_link_add_up() {
        let delay = Quality { delay_us: 10_000, jitter_us: 3_000, ..Quality::default() };
        let pareto = Distribution::Pareto;
        let other = Quality {
            delay_us: 5_000,
            jitter_us: 4_000,
            distribution: pareto,
            loss: Share::percent(50.0),
            bandwidth_bit_s: NonZeroU64::new(1_000),
            ..Quality::default()
        };
        let both = delay.and(other).and(Quality { loss: Share::percent(50.0), ..delay });
        assert_eq!(
            both.to_string(),
            "delay 25ms, jitter 5.831ms (pareto), loss 75%, bandwidth 1000 bit/s"
        );
        assert_eq!(delay.and(Quality::default()), delay);
    }

    #[test]
    fn what_shapes_nothing_needs_no_shaper() {
        assert!(!Quality::default().shapes());
        assert!(!Quality { reset: Share::ALL, burst: 3, ..Quality::default() }.shapes());
        assert!(Quality { loss: Share::percent(0.0001), ..Quality::default() }.shapes());
        assert_eq!(Quality::default().to_string(), "as good as new");
    }

    #[test]
    fn a_slow_link_still_holds_a_few_packets() {
        let of = |bit_s| Quality { bandwidth_bit_s: NonZeroU64::new(bit_s), ..Quality::default() };
        assert_eq!(of(1_000_000_000).longest_queue(), LONGEST_QUEUE);
        assert_eq!(of(240_000).longest_queue(), Duration::from_secs(1));
        assert_eq!(of(8_000).transmission_ns(1000), 1_000_000_000);
    }
}
