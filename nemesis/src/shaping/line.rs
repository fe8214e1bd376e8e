//! What becomes of each packet on a link: pure, the same for the same seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::quality::{Distribution, FARTHEST, Quality, Share};

/// One copy of a packet that leaves the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// When, in nanoseconds of the same clock as its arrival.
    pub at_ns: u64,
    /// Where to turn a bit of it, if it is to be damaged; any number.
    pub damage: Option<u64>,
}

/// A directed link with its quality and its memory: what came before decides on bursts and on
/// when the link is free.
#[derive(Clone, Debug)]
pub struct Line {
    quality: Quality,
    rng: ChaCha8Rng,
    /// In the bad state of Gilbert's chain.
    losing: bool,
    /// Until then the link is busy with packets that came before.
    free_at_ns: u64,
}

impl Line {
    /// A link on which nothing is on its way. The seed decides on all chance.
    pub fn new(quality: Quality, seed: u64) -> Line {
        Line { quality, rng: ChaCha8Rng::seed_from_u64(seed), losing: false, free_at_ns: 0 }
    }

    /// Its quality.
    pub fn quality(&self) -> &Quality {
        &self.quality
    }

    /// A packet of `bytes` comes at `now_ns`; the copies of it that arrive, in no certain order:
    /// none if it is lost, two if it is duplicated. Times do not go back from call to call.
    pub fn pass(&mut self, now_ns: u64, bytes: usize) -> [Option<Release>; 2] {
        if self.loses() {
            return [None, None];
        }
        let duplicated = self.hits(self.quality.duplicate);
        let first = self.carry(now_ns, bytes);
        [first, if duplicated { self.carry(now_ns, bytes) } else { None }]
    }

    /// Puts one copy on the link; none if too many packets wait for it already.
    fn carry(&mut self, now_ns: u64, bytes: usize) -> Option<Release> {
        let begins_ns = self.free_at_ns.max(now_ns);
        if begins_ns - now_ns > self.quality.longest_queue().as_nanos() as u64 {
            return None;
        }
        let left_ns = self.occupy(now_ns, bytes);
        let overtakes = self.hits(self.quality.reorder);
        let delay_ns = if overtakes { 0 } else { self.delay_ns() };
        let damage = self.hits(self.quality.corrupt).then(|| self.rng.random());
        Some(Release { at_ns: left_ns + delay_ns, damage })
    }

    /// A piece of a stream of `bytes` comes at `now_ns`, of which nothing can be lost: when it
    /// arrives. Times do not go back from call to call.
    pub fn convey(&mut self, now_ns: u64, bytes: usize) -> u64 {
        self.occupy(now_ns, bytes) + self.delay_ns()
    }

    /// When the next piece of a stream should come at the earliest, since too much waits before.
    pub fn room_at_ns(&self) -> u64 {
        self.free_at_ns.saturating_sub(self.quality.longest_queue().as_nanos() as u64)
    }

    /// Whether a segment that comes now is answered by a reset.
    pub fn resets(&mut self) -> bool {
        self.hits(self.quality.reset)
    }

    /// When the last bit is on the link.
    fn occupy(&mut self, now_ns: u64, bytes: usize) -> u64 {
        self.free_at_ns = self.free_at_ns.max(now_ns) + self.quality.transmission_ns(bytes);
        self.free_at_ns
    }

    fn hits(&mut self, share: Share) -> bool {
        share > Share::NONE && self.rng.random_bool(share.probability())
    }

    fn loses(&mut self) -> bool {
        if !self.quality.bursty() {
            return self.hits(self.quality.loss);
        }
        let (begin, end) = self.quality.gilbert();
        let change = if self.losing { end } else { begin };
        self.losing ^= self.rng.random_bool(change);
        self.losing
    }

    fn delay_ns(&mut self) -> u64 {
        let mean_ns = self.quality.delay_us as f64 * 1e3;
        if self.quality.jitter_us == 0 {
            return mean_ns as u64;
        }
        // In (0, 1], so that neither a logarithm nor a root is infinite.
        let mut uniform = || 1.0 - self.rng.random::<f64>();
        let deviation = match self.quality.distribution {
            // Box and Muller 1958.
            Distribution::Normal => {
                (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
            }
            // By inversion, moved so that its mean is 0, and scaled as in netem's table.
            Distribution::Pareto => (uniform().powf(-1.0 / 3.0) - 1.5) * 4.0 / 3.0,
        };
        let deviation = deviation.clamp(-(FARTHEST as f64), FARTHEST as f64);
        (mean_ns + deviation * self.quality.jitter_us as f64 * 1e3).max(0.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    const PACKETS: usize = 20_000;
    const GAP_NS: u64 = 1_000_000;
    const BYTES: usize = 1_000;

    /// Of each packet, one a millisecond, how long its copies were on their way.
    fn delays_ns(quality: Quality) -> Vec<Vec<u64>> {
        let mut line = Line::new(quality, 7);
        (0..PACKETS as u64)
            .map(|number| {
                let now = number * GAP_NS;
                line.pass(now, BYTES).into_iter().flatten().map(|copy| copy.at_ns - now).collect()
            })
            .collect()
    }

    fn mean_and_deviation_ms(quality: Quality) -> (f64, f64) {
        let ms: Vec<f64> =
            delays_ns(quality).into_iter().flatten().map(|ns| ns as f64 / 1e6).collect();
        let mean = ms.iter().sum::<f64>() / ms.len() as f64;
        let variance = ms.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / ms.len() as f64;
        (mean, variance.sqrt())
    }

    #[track_caller]
    fn assert_near(what: &str, found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
    }

    #[test]
    fn a_good_link_lets_everything_through_at_once() {
        assert!(delays_ns(Quality::default()).iter().all(|copies| copies[..] == [0]));
    }

    #[test]
    fn delay_is_exact_and_jitter_has_its_distribution() {
        let delay = Quality { delay_us: 50_000, ..Quality::default() };
        assert!(delays_ns(delay).iter().all(|copies| copies[..] == [50_000_000]));
        let normal = Quality { jitter_us: 10_000, ..delay };
        let (mean, deviation) = mean_and_deviation_ms(normal);
        assert_near("mean", mean, 50.0, 0.3);
        assert_near("standard deviation", deviation, 10.0, 0.3);
        let pareto = Quality { distribution: Distribution::Pareto, ..normal };
        let (mean, _) = mean_and_deviation_ms(pareto);
        // A little under 50, since the longest tail is cut off.
        assert_near("mean", mean, 49.5, 0.6);
        let all: Vec<u64> = delays_ns(pareto).into_iter().flatten().collect();
        let early = all.iter().filter(|ns| **ns < 50_000_000).count() as f64 / all.len() as f64;
        // P(X < 1.5) of Pareto's distribution with shape 3 is 1 - 1.5^-3.
        assert_near("share before the mean", early, 0.704, 0.01);
        assert!(all.iter().all(|ns| (43_000_000..=90_000_000).contains(ns)));
    }

    #[test]
    fn losses_are_as_many_and_as_bursty_as_asked() {
        for burst in [0, 1, 5, 20] {
            let quality = Quality { loss: Share::percent(10.0), burst, ..Quality::default() };
            let lost: Vec<bool> = delays_ns(quality).iter().map(Vec::is_empty).collect();
            let share = lost.iter().filter(|lost| **lost).count() as f64 / PACKETS as f64;
            let runs = lost.chunk_by(|a, b| a == b).filter(|run| run[0]).count() as f64;
            let length = share * PACKETS as f64 / runs;
            assert_near("loss", share, 0.1, 0.015 + 0.001 * f64::from(burst));
            // Independent losses come 1 / (1 - 0.1) in a row.
            let expected = if burst > 1 { f64::from(burst) } else { 1.11 };
            assert_near("packets lost in a row", length, expected, 0.15 * expected);
        }
        let all = Quality { loss: Share::ALL, burst: 5, ..Quality::default() };
        assert!(delays_ns(all).iter().all(Vec::is_empty));
    }

    #[test]
    fn packets_are_doubled_damaged_and_overtaken() {
        let share = Share::percent(20.0);
        let twice = delays_ns(Quality { duplicate: share, ..Quality::default() });
        let doubled = twice.iter().filter(|copies| copies.len() == 2).count();
        assert_near("doubled", doubled as f64 / PACKETS as f64, 0.2, 0.01);
        assert!(twice.iter().all(|copies| !copies.is_empty()));
        let hurried = delays_ns(Quality { reorder: share, delay_us: 9_000, ..Quality::default() });
        let early = hurried.iter().filter(|copies| copies[..] == [0]).count();
        assert_near("early", early as f64 / PACKETS as f64, 0.2, 0.01);
        assert_eq!(
            hurried.iter().filter(|copies| copies[..] == [9_000_000]).count(),
            PACKETS - early
        );
        let mut line = Line::new(Quality { corrupt: share, ..Quality::default() }, 1);
        let damaged = (0..PACKETS).filter(|_| line.pass(0, 1)[0].unwrap().damage.is_some()).count();
        assert_near("damaged", damaged as f64 / PACKETS as f64, 0.2, 0.01);
    }

    #[test]
    fn a_narrow_link_carries_no_more_than_it_can_and_drops_the_rest() {
        // Half of what is sent: 1000 bytes a millisecond are 8 Mbit/s.
        let quality = Quality {
            bandwidth_bit_s: NonZeroU64::new(4_000_000),
            delay_us: 5_000,
            ..Quality::default()
        };
        let delays = delays_ns(quality);
        assert_eq!(delays[0], [7_000_000], "2 ms on the link and 5 ms on the way");
        assert_eq!(delays[1], [8_000_000], "it had to wait 1 ms");
        let arrived = delays.iter().filter(|copies| !copies.is_empty()).count();
        assert_near("half arrives", arrived as f64 / PACKETS as f64, 0.5, 0.01);
        let longest = delays.into_iter().flatten().max().unwrap();
        assert!((200_000_000..210_000_000).contains(&longest), "{longest}");
    }

    #[test]
    fn a_stream_waits_for_a_narrow_link_and_loses_nothing() {
        let quality = Quality {
            bandwidth_bit_s: NonZeroU64::new(4_000_000),
            delay_us: 5_000,
            ..Quality::default()
        };
        let mut line = Line::new(quality, 7);
        let convey = |line: &mut Line, ms: u64| line.convey(ms * 1_000_000, BYTES) / 1_000_000;
        assert_eq!(convey(&mut line, 0), 7, "2 ms on the link and 5 ms on the way");
        assert_eq!(line.room_at_ns(), 0);
        let last = (0..999).map(|_| convey(&mut line, 0)).last();
        assert_eq!(last, Some(2_005), "all wait, however long");
        assert_eq!(line.room_at_ns() / 1_000_000, 1_800, "200 ms before the link is free");
        assert_eq!(convey(&mut line, 3_000), 3_007);
    }

    #[test]
    fn as_many_segments_are_reset_as_asked() {
        let mut line = Line::new(Quality { reset: Share::percent(20.0), ..Quality::default() }, 3);
        let reset = (0..PACKETS).filter(|_| line.resets()).count();
        assert_near("reset", reset as f64 / PACKETS as f64, 0.2, 0.01);
        assert!(!Line::new(Quality::default(), 3).resets());
    }

    #[test]
    fn the_seed_decides() {
        let quality =
            Quality { jitter_us: 1_000, loss: Share::percent(30.0), ..Quality::default() };
        let fates = |seed| {
            let mut line = Line::new(quality, seed);
            (0..100).map(|now| line.pass(now, 1)).collect::<Vec<_>>()
        };
        assert_eq!(fates(1), fates(1));
        assert_ne!(fates(1), fates(2));
    }
}
