//! Links of bad quality: what programs in the nodes see of each, within a stated tolerance.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Case, Connection, Witness, healed, installed};
use crate::faults::Action;
use crate::node::{Capability, Cluster, Link};
use crate::shaping::{Arrival, Distribution, Quality, Share};
use crate::{Effect, Nemesis, VERIFY_LIMIT};

/// The cases, in the order in which they are run.
pub(super) const CASES: &[(&str, Case)] = &[
    ("slow links are as slow as asked, each direction by itself", delay),
    ("delays spread as asked and let packets overtake", jitter),
    ("lossy links lose as many as asked, also in bursts", loss),
    ("packets are doubled, reordered and damaged as often as asked", shares),
    ("narrow links carry what they can", bandwidth),
    ("a TCP client sees a reset", reset),
    ("only as many connections are reset as asked", some_resets),
    ("bad qualities add up and end one by one", add_up),
];

const BAD: Link = Link { from: 0, to: 1 };
const BACK: Link = Link { from: 1, to: 0 };
const OTHER: Link = Link { from: 2, to: 1 };
const PACKETS: u32 = 1_000;
/// Enough to see that nothing is wrong with a link, and what its delay is.
const FEW_PACKETS: u32 = 200;
const BYTES: usize = 200;
/// How often a machine may disturb a measurement.
const MOST_TRIES: u32 = 10;

/// Where programs are slow, it takes longer to see what is so.
fn nemesis(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) -> Nemesis {
    let limit = VERIFY_LIMIT.max(200 * witness.lateness());
    Nemesis::new(cluster.clone()).with_verify_limit(limit)
}

/// What arrived of a stream.
struct Seen {
    sent: u32,
    arrivals: Vec<Arrival>,
    /// What a program sees of a good link here, which is taken off.
    usual_ms: f64,
    /// How far the times may be off beside what is stated.
    late_ms: f64,
}

impl Seen {
    fn of(witness: &dyn Witness, link: Link) -> Seen {
        Seen::of_many(witness, link, PACKETS)
    }

    fn of_few(witness: &dyn Witness, link: Link) -> Seen {
        Seen::of_many(witness, link, FEW_PACKETS)
    }

    fn of_many(witness: &dyn Witness, link: Link, sent: u32) -> Seen {
        let arrivals = undisturbed(witness, || witness.stream(link, sent, BYTES, witness.gap()));
        let late_ms = witness.lateness().as_secs_f64() * 1e3;
        Seen { sent, arrivals, usual_ms: 0.0, late_ms }
    }

    fn numbers(&self) -> Vec<u32> {
        self.arrivals.iter().filter_map(|arrival| arrival.number).collect()
    }

    fn ms(&self) -> Vec<f64> {
        let whole = self.arrivals.iter().filter(|arrival| arrival.number.is_some());
        let took = whole.map(|a| a.received.saturating_sub(a.sent).as_secs_f64() * 1e3);
        took.map(|ms| ms - self.usual_ms).collect()
    }

    fn median_ms(&self) -> f64 {
        let mut ms = self.ms();
        ms.sort_by(f64::total_cmp);
        *ms.get(ms.len() / 2).expect("some arrive")
    }

    /// Mean and standard deviation of what lies between the 1st and 99th percentile.
    fn mean_and_deviation_ms(&self) -> (f64, f64) {
        let mut ms = self.ms();
        ms.sort_by(f64::total_cmp);
        let ms = &ms[ms.len() / 100..ms.len() - ms.len() / 100];
        let mean = ms.iter().sum::<f64>() / ms.len() as f64;
        let variance = ms.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / ms.len() as f64;
        (mean, variance.sqrt())
    }

    fn share(&self, count: usize) -> f64 {
        count as f64 / f64::from(self.sent)
    }

    fn lost(&self) -> f64 {
        let distinct: BTreeSet<u32> = self.numbers().into_iter().collect();
        self.share((self.sent as usize).saturating_sub(distinct.len() + self.damaged_count()))
    }

    fn doubled(&self) -> f64 {
        let numbers = self.numbers();
        let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
        self.share(numbers.len() - distinct.len())
    }

    fn damaged_count(&self) -> usize {
        self.arrivals.iter().filter(|arrival| arrival.number.is_none()).count()
    }

    fn inversions(&self) -> usize {
        self.numbers().windows(2).filter(|pair| pair[0] > pair[1]).count()
    }
}

/// What is measured while nothing but the link makes packets late. A machine that stands still in
/// between, which somebody who only sleeps can tell, falsifies all times; then it is measured again.
fn undisturbed<T>(witness: &dyn Witness, measure: impl Fn() -> T) -> T {
    const SLEEP: Duration = Duration::from_millis(5);
    let most = SLEEP + 10 * witness.lateness();
    let mut tries = 0;
    loop {
        let done = AtomicBool::new(false);
        let (measured, overslept) = thread::scope(|scope| {
            let sleeper = scope.spawn(|| {
                let mut longest = Duration::ZERO;
                while !done.load(Ordering::Relaxed) {
                    let asleep = Instant::now();
                    thread::sleep(SLEEP);
                    longest = longest.max(asleep.elapsed());
                }
                longest
            });
            let measured = measure();
            done.store(true, Ordering::Relaxed);
            (measured, sleeper.join().expect("it only sleeps"))
        });
        tries += 1;
        if overslept <= most || tries == MOST_TRIES {
            return measured;
        }
        eprintln!("who slept for {SLEEP:?} woke after {overslept:?}: measured again");
    }
}

/// Whether a figure is as expected; if not, what is wrong with it.
fn nearly(what: &str, found: f64, expected: f64, tolerance: f64) -> Result<(), String> {
    ((found - expected).abs() <= tolerance)
        .then_some(())
        .ok_or_else(|| format!("{what}: {found:.3}, not {expected} +- {tolerance}"))
}

#[track_caller]
fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    nearly(what, found, expected, tolerance).unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// What a program sees of a link whose delay is constant. A busy machine makes packets late, and never
/// early: while half of them come later than they should by more than `more_ms`, and what is stated of
/// every program, it is looked at again.
#[track_caller]
fn delayed(
    witness: &dyn Witness,
    link: Link,
    packets: u32,
    expected_ms: f64,
    more_ms: f64,
) -> Seen {
    let look = || Seen::of_many(witness, link, packets);
    let too_late = |seen: &Seen| seen.median_ms() > expected_ms + more_ms + seen.late_ms;
    let mut seen = look();
    for _ in 1..MOST_TRIES {
        if !too_late(&seen) {
            break;
        }
        seen = look();
    }
    near("median in ms", seen.median_ms(), expected_ms, more_ms + seen.late_ms);
    near("lost", seen.lost(), 0.0, 0.01);
    seen
}

#[track_caller]
fn good(witness: &dyn Witness, link: Link) {
    let seen = delayed(witness, link, FEW_PACKETS, 0.0, 0.0);
    assert!(seen.damaged_count() == 0 && seen.doubled() == 0.0, "{link:?} does not carry well");
}

/// Makes one link bad, hands what a program sees of it to `check`, and undoes it.
#[track_caller]
fn while_bad(
    cluster: &Arc<dyn Cluster>,
    witness: &dyn Witness,
    quality: Quality,
    check: impl Fn(&Seen),
) {
    while_bad_looking(cluster, witness, quality, |look| check(&look()));
}

/// The same of times, which a busy machine falsifies for a while, and a wrong link always is wrong about:
/// while they are not as they should be it is looked at again.
#[track_caller]
fn while_slow(
    cluster: &Arc<dyn Cluster>,
    witness: &dyn Witness,
    quality: Quality,
    check: impl Fn(&Seen) -> Result<(), String>,
) {
    while_bad_looking(cluster, witness, quality, |look| {
        let mut wrong = None;
        for _ in 0..MOST_TRIES {
            match check(&look()) {
                Ok(()) => return,
                Err(again) => wrong = Some(again),
            }
        }
        panic!("{}", wrong.unwrap_or_default());
    });
}

#[track_caller]
fn while_bad_looking(
    cluster: &Arc<dyn Cluster>,
    witness: &dyn Witness,
    quality: Quality,
    check: impl Fn(&dyn Fn() -> Seen),
) {
    let usual_ms = Seen::of_few(witness, BAD).median_ms();
    let mut nemesis = nemesis(cluster, witness);
    installed(&nemesis.install(1, &Action::Shape { links: vec![BAD], quality }));
    check(&|| Seen { usual_ms, ..Seen::of(witness, BAD) });
    assert!(nemesis.still_in_force(1).is_ok(), "{:?}", nemesis.still_in_force(1));
    good(witness, OTHER);
    healed(&nemesis.undo(1));
    good(witness, BAD);
}

const NONE: Quality = Quality {
    delay_us: 0,
    jitter_us: 0,
    distribution: Distribution::Normal,
    loss: Share::NONE,
    burst: 0,
    duplicate: Share::NONE,
    reorder: Share::NONE,
    corrupt: Share::NONE,
    bandwidth_bit_s: None,
    reset: Share::NONE,
};

fn delay(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    good(witness, BAD);
    let quality = Quality { delay_us: 100_000, ..NONE };
    let mut nemesis = nemesis(cluster, witness);
    installed(&nemesis.install(1, &Action::Shape { links: vec![BAD], quality }));
    let seen = delayed(witness, BAD, PACKETS, 101.0, 3.0);
    let ms = seen.ms();
    let fastest = ms.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(fastest >= 99.9, "one was on its way for {fastest} ms only");
    good(witness, BACK);
    good(witness, OTHER);
    healed(&nemesis.undo(1));
    good(witness, BAD);
}

fn jitter(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let normal = Quality { delay_us: 200_000, jitter_us: 40_000, ..NONE };
    while_slow(cluster, witness, normal, |seen| {
        let (mean, deviation) = seen.mean_and_deviation_ms();
        nearly("mean in ms", mean, 200.0, 7.0 + seen.late_ms)?;
        nearly("deviation in ms", deviation, 38.0, 5.0 + seen.late_ms / 3.0)?;
        let overtook = seen.inversions();
        (overtook > 100).then_some(()).ok_or_else(|| format!("{overtook} overtook"))
    });
    let pareto = Quality { distribution: Distribution::Pareto, ..normal };
    while_slow(cluster, witness, pareto, |seen| {
        let (mean, _) = seen.mean_and_deviation_ms();
        // Most are early and few very late, whatever a busy machine adds to all.
        nearly(
            "mean behind the median in ms",
            mean - seen.median_ms(),
            11.0,
            7.0 + seen.late_ms / 20.0,
        )?;
        let longest = seen.ms().into_iter().fold(0.0, f64::max);
        let is_right = (290.0..=370.0 + 3.0 * seen.late_ms).contains(&longest);
        is_right.then_some(()).ok_or_else(|| format!("{longest} ms"))
    });
}

/// Where streams are carried and not packets, faults of packets are skipped, and it is said.
fn of_streams(cluster: &Arc<dyn Cluster>) -> bool {
    let streams = !cluster.has(Capability::Packets);
    if streams {
        eprintln!("SKIPPED: {}", cluster.lacks(Capability::Packets));
        for quality in
            [Quality { loss: Share::ALL, ..NONE }, Quality { reorder: Share::ALL, ..NONE }]
        {
            let lossy = Action::Shape { links: vec![BAD], quality };
            let effect = Nemesis::new(cluster.clone()).install(1, &lossy);
            assert!(matches!(effect, Effect::Skipped(_)), "{quality}: {effect:?}");
        }
    }
    streams
}

fn loss(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if of_streams(cluster) {
        return;
    }
    let loss = Share::percent(20.0);
    while_bad(cluster, witness, Quality { loss, ..NONE }, |seen| {
        near("lost", seen.lost(), 0.2, 0.06);
        near("packets lost in a row", mean_run(seen), 1.25, 0.25);
    });
    while_bad(cluster, witness, Quality { loss, burst: 8, ..NONE }, |seen| {
        near("lost", seen.lost(), 0.2, 0.15);
        near("packets lost in a row", mean_run(seen), 8.0, 4.0);
    });
}

/// How many packets are lost in a row, in the mean.
fn mean_run(seen: &Seen) -> f64 {
    let numbers: BTreeSet<u32> = seen.numbers().into_iter().collect();
    let fates: Vec<bool> = (0..seen.sent).map(|number| numbers.contains(&number)).collect();
    let runs: Vec<_> = fates.chunk_by(|a, b| a == b).filter(|run| !run[0]).collect();
    runs.iter().map(|run| run.len()).sum::<usize>() as f64 / runs.len().max(1) as f64
}

fn shares(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if of_streams(cluster) {
        return;
    }
    let some = Share::percent(20.0);
    while_bad(cluster, witness, Quality { duplicate: some, ..NONE }, |seen| {
        near("doubled", seen.doubled(), 0.2, 0.06);
        near("lost", seen.lost(), 0.0, 0.01);
    });
    while_bad(cluster, witness, Quality { reorder: some, delay_us: 100_000, ..NONE }, |seen| {
        let early = seen.ms().iter().filter(|ms| **ms < 50.0).count();
        near("early", seen.share(early), 0.2, 0.06);
        assert!(seen.inversions() > 50, "{} overtook", seen.inversions());
    });
    while_bad(cluster, witness, Quality { corrupt: some, ..NONE }, |seen| {
        near("damaged", seen.share(seen.damaged_count()), 0.2, 0.06);
        near("lost", seen.lost(), 0.0, 0.01);
    });
}

fn bandwidth(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    const LARGE: usize = 1_000;
    // Half of what is sent: 4 Mbit/s where a packet is sent each millisecond.
    let bit_s = (LARGE as f64 * 8.0 / witness.gap().as_secs_f64() / 2.0) as u64;
    let quality = Quality { bandwidth_bit_s: NonZeroU64::new(bit_s), ..NONE };
    let mut nemesis = nemesis(cluster, witness);
    installed(&nemesis.install(1, &Action::Shape { links: vec![BAD], quality }));
    let arrivals = undisturbed(witness, || witness.stream(BAD, PACKETS, LARGE, witness.gap()));
    // Over each hundred packets, so that a sender that was not given the processor for a while
    // does not count.
    let mut rates: Vec<f64> = arrivals
        .windows(101)
        .map(|some| (some[100].received - some[0].received).as_secs_f64())
        .map(|seconds| 100.0 * LARGE as f64 * 8.0 / seconds)
        .collect();
    rates.sort_by(f64::total_cmp);
    let found = *rates.get(rates.len() / 2).expect("hundreds arrive");
    near("bits a second", found, bit_s as f64, 0.1 * bit_s as f64);
    healed(&nemesis.undo(1));
    good(witness, BAD);
}

fn reset(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    assert_eq!(witness.connect(BAD), Connection::Open, "before");
    let mut nemesis = nemesis(cluster, witness);
    let quality = Quality { reset: Share::ALL, ..NONE };
    installed(&nemesis.install(1, &Action::Shape { links: vec![BAD], quality }));
    assert_eq!(witness.connect(BAD), Connection::Reset);
    assert_eq!(witness.connect(OTHER), Connection::Open, "another one");
    if cluster.has(Capability::Packets) {
        // Where all is streams, this one's would be reset too.
        good(witness, BAD);
    }
    healed(&nemesis.undo(1));
    assert_eq!(witness.connect(BAD), Connection::Open, "after");
}

fn some_resets(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let resets = |link| {
        let tries = (0..60).map(|_| witness.connect(link));
        tries.filter(|connection| *connection == Connection::Reset).count()
    };
    let mut nemesis = nemesis(cluster, witness);
    let quality = Quality { reset: Share::percent(30.0), ..NONE };
    installed(&nemesis.install(1, &Action::Shape { links: vec![BAD], quality }));
    // A connection has more than one segment, so that more may be hit; 4.5 standard deviations.
    let hit = resets(BAD);
    assert!((2..=57).contains(&hit), "{hit} of 60 were reset at 30 %");
    assert_eq!(resets(OTHER), 0, "at another link");
    healed(&nemesis.undo(1));
    assert_eq!(resets(BAD), 0, "after it");
}

fn add_up(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    let mut nemesis = nemesis(cluster, witness);
    let all: Vec<Link> = Link::all(cluster.nodes().len()).collect();
    let is_late_by = |link, ms| _ = delayed(witness, link, FEW_PACKETS, ms, 3.0);
    let delay = |ms: u64| Quality { delay_us: ms * 1_000, ..NONE };
    installed(&nemesis.install(1, &Action::Shape { links: all, quality: delay(100) }));
    installed(&nemesis.install(2, &Action::Shape { links: vec![BAD], quality: delay(60) }));
    is_late_by(BAD, 161.0);
    is_late_by(OTHER, 101.0);
    healed(&nemesis.undo(1));
    is_late_by(BAD, 61.0);
    good(witness, OTHER);
    assert_eq!(nemesis.heal_all().len(), 1);
    good(witness, BAD);
}
