//! The figures against a truth that a simulated store knows: its own log of when each write was
//! committed and when it reached each copy. What is measured never exceeds it, and reaches 80 % of
//! it at 200 operations a second.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::script::Script;

const NODES: usize = 5;
const SIDE: [usize; 2] = [1, 2];
const OTHERS: [usize; 3] = [3, 4, 5];
const CUT_MS: (u64, u64) = (4_000, 10_000);
/// The sides find each other again so long after the heal.
const FOUND_AGAIN_MS: u64 = 14_000;
const END_MS: u64 = 20_000;

/// One write as the store knows it.
#[derive(Clone, Copy)]
struct Commit {
    at_ms: u64,
    /// When each node's copy had it.
    reached_ms: [u64; NODES],
}

/// Every commit of each key, in order: the later one wins everywhere.
type Log = HashMap<String, Vec<Commit>>;

fn apart(one: usize, other: usize, at_ms: u64) -> bool {
    (CUT_MS.0..FOUND_AGAIN_MS).contains(&at_ms) && SIDE.contains(&one) != SIDE.contains(&other)
}

/// The position of the commit that a node shows: the last of those that it has.
fn shown(commits: &[Commit], node: usize, at_ms: u64) -> Option<usize> {
    commits.iter().rposition(|commit| commit.reached_ms[node - 1] <= at_ms)
}

/// A read, and since when it lacked something, as the store knows.
struct Read {
    ended_ms: u64,
    lacked_since_ms: Option<u64>,
}

/// A run of copies that take every write and tell the others when they can be reached.
fn copies(seed: u64) -> (Script, Log, Vec<Read>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut log = Log::new();
    let mut reads = Vec::new();
    let mut script = Script::new(NODES);
    script.phase(0, "main").cut(CUT_MS.0, CUT_MS.1, &SIDE, &OTHERS);
    let mut read = |script: &mut Script, log: &Log, at_ms: u64, node: usize, what: &str| {
        let key = what.split_once(' ').expect("f and key").1;
        let commits = log.get(key).map_or(&[][..], Vec::as_slice);
        // It looks 1 ms after it began and answers 1 ms later.
        let shown = shown(commits, node, at_ms + 1);
        let newer = commits.get(shown.map_or(0, |at| at + 1));
        let lacked_since_ms = newer.map(|newer| newer.at_ms).filter(|since| *since <= at_ms + 1);
        reads.push(Read { ended_ms: at_ms + 2, lacked_since_ms });
        // Values are numbered from 1 for each key.
        let value = shown.map_or(Value::Null, |at| json!(at + 1));
        script.op(at_ms, at_ms + 2, node, what, value);
    };
    for at_ms in (100..END_MS).step_by(5) {
        if at_ms % 500 == 0 {
            for node in 1..=NODES {
                read(&mut script, &log, at_ms, node, "probe p");
            }
        }
        let node = rng.random_range(1..=NODES);
        let key = match rng.random_range(0..20) {
            0 => "p".to_owned(),
            number => format!("k{}", number % 5 + at_ms / 2_500 * 5),
        };
        if rng.random_range(0..2) == 0 {
            read(&mut script, &log, at_ms, node, &format!("read {key}"));
            continue;
        }
        let commits = log.entry(key.clone()).or_default();
        let committed_ms = at_ms + 1;
        let mut reached_ms = [0; NODES];
        for (other, reached_ms) in (1..).zip(&mut reached_ms) {
            let told_ms = committed_ms + if other == node { 0 } else { rng.random_range(2..8) };
            *reached_ms = if apart(node, other, told_ms) { FOUND_AGAIN_MS } else { told_ms };
        }
        commits.push(Commit { at_ms: committed_ms, reached_ms });
        script.op(at_ms, at_ms + 3, node, &format!("write {key}"), json!(commits.len()));
    }
    (script, log, reads)
}

/// `measured` is a lower bound of `truth`, and no bad one.
#[track_caller]
fn close(what: &str, measured: f64, truth: f64) {
    assert!(measured <= truth, "{what}: measured {measured}, and the truth is {truth}");
    assert!(measured >= 0.8 * truth, "{what}: measured {measured} of {truth}");
}

#[test]
fn staleness_divergence_and_convergence_are_those_that_the_store_knows() {
    for seed in 1..=5 {
        let (script, log, reads) = copies(seed);
        let profile = script.judgement().profile;
        let staleness = profile.staleness.expect("registers");
        let ages = reads.iter().filter_map(|read| Some(read.ended_ms - read.lacked_since_ms?));
        let ages: Vec<u64> = ages.collect();
        let oldest_ms = *ages.iter().max().expect("some") as f64;
        close("stale reads", staleness.stale as f64, ages.len() as f64);
        close("age", staleness.oldest_ms.expect("some"), oldest_ms);
        // When the copies of the probed key differed, to the millisecond.
        let differ = |at_ms: u64| {
            let mut shown = (1..=NODES).map(|node| shown(&log["p"], node, at_ms));
            let first = shown.next();
            shown.any(|other| Some(other) != first)
        };
        let (mut longest_ms, mut since_ms) = (0, None);
        for at_ms in 0..END_MS + 100 {
            match (differ(at_ms), since_ms) {
                (true, None) => since_ms = Some(at_ms),
                (false, Some(since)) => {
                    longest_ms = longest_ms.max(at_ms - since);
                    since_ms = None;
                }
                _ => {}
            }
        }
        let divergence = profile.divergence.expect("probed");
        close("divergence", divergence.longest_ms, longest_ms as f64);
        let healing = &profile.convergence[0];
        let healed_ms = CUT_MS.1 + 10;
        let truth_ms = (FOUND_AGAIN_MS - healed_ms) as f64;
        close("convergence", healing.at_least_ms.expect("probed"), truth_ms);
        assert!(healing.at_most_ms >= Some(truth_ms), "{:?}", healing.at_most_ms);
    }
}

/// When the backup takes over from the primary, which has then told it nothing for `lag_ms`.
fn take_over(seed: u64, lag_ms: u64, silent_ms: u64) -> (Script, Vec<(u64, bool)>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut script = Script::new(2);
    let killed_ms = 8_000;
    script.phase(0, "main").leads(50, 1).leads(killed_ms + silent_ms, 2);
    script.fault("kill", killed_ms, 14_000, &json!({"cut": [], "targets": ["n1"]}));
    let mut kept: HashMap<String, u64> = HashMap::new();
    let mut lost = Vec::new();
    for (number, at_ms) in (1_u64..).zip((100..12_000).step_by(5)) {
        let once = rng.random_range(0..10) == 0;
        let key = if once { format!("w{number}") } else { format!("k{}", number % 7) };
        let is_over = at_ms >= killed_ms + silent_ms;
        if at_ms >= killed_ms && !is_over {
            script.failing(at_ms, at_ms + 1, 2, &key, number, ("fail", "refused"));
            continue;
        }
        let node = if is_over { 2 } else { 1 };
        script.op(at_ms, at_ms + 2, node, &format!("write {key}"), json!(number));
        // Committed 1 ms after it began, and told to the backup so much later.
        if at_ms + 1 + lag_ms <= killed_ms || is_over {
            kept.insert(key, number);
        } else {
            kept.entry(key).or_insert(0);
            lost.push((at_ms + 1, once));
        }
    }
    script.phase(15_000, "final");
    for round_ms in [15_100, 15_500] {
        for (key, value) in &kept {
            let value = if *value == 0 { Value::Null } else { json!(value) };
            script.read_at_all(round_ms, key, &[value.clone(), value]);
        }
    }
    (script, lost)
}

#[test]
fn rto_and_rpo_are_those_that_the_store_knows() {
    for (seed, silent_ms) in (1..=5).zip([0, 120, 400, 1_300, 3_000]) {
        let lag_ms = 2_000;
        let (script, lost) = take_over(seed, lag_ms, silent_ms);
        let failover = script.judgement().failover;
        // From then on a write was taken; it began within 5 ms and was acknowledged 2 ms later.
        let rto_ms = failover.faults[0].rto_ms.expect("it went on");
        let most_ms = if silent_ms == 0 { 0.0 } else { silent_ms as f64 + 7.0 };
        assert!(rto_ms >= silent_ms as f64 && rto_ms <= most_ms, "{rto_ms} of {silent_ms}");
        let loss = &failover.faults[0].loss;
        let once = lost.iter().filter(|(_, once)| *once).count() as u64;
        assert_eq!(loss.lost_once, Some(once), "exact for keys that were written once");
        assert!(loss.lost() <= Some(lost.len() as u64));
        let span_ms = lost.last().expect("some").0 - lost[0].0;
        close("span of what was lost", loss.span_ms.expect("some"), span_ms as f64);
        // The twin that tells its backup before it acknowledges loses nothing.
        let loss = take_over(seed, 0, silent_ms).0.judgement().failover.loss;
        assert_eq!(loss.lost(), Some(0));
    }
}
