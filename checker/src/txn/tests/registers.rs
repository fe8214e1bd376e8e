//! Each anomaly of registers, and a twin that differs in a little and is none; written as in
//! [`cases`](super::cases).

use super::cases::{check, check_by, judged, valid};
use crate::history::History;
use crate::judge;
use crate::options::Options;
use crate::txn::trusted::KeyOrders;

#[test]
fn reads_of_nothing() {
    let judgement = judged("0 0..1 w x 1\n1 2..3 g x 7");
    assert_eq!(judgement.violations[0].name, "phantom-read");
    assert!(judgement.strongest.is_empty());
    valid("0 0..1 w x 7\n1 2..3 g x 7");
}

#[test]
fn g1a() {
    check("0 0..1! w x 1\n1 2..3 g x 1", &["G1a"], &["read-uncommitted"], &["read-committed"]);
    valid("0 0..1? w x 1\n1 2..3 g x 1");
}

#[test]
fn g1b() {
    check("0 0..9 w x 1 w x 2\n1 1..8 g x 1", &["G1b"], &["read-uncommitted"], &["read-committed"]);
    valid("0 0..9 w x 1 w x 2\n1 1..8 g x 2");
}

/// Who writes what they read comes after it, but for read uncommitted nothing says so: what would be G0, were
/// the order of the versions known, is G1c.
#[test]
fn g1c() {
    check(
        "0 0..9 w x 1 g y 2\n1 1..8 w y 2 g x 1",
        &["G1c"],
        &["read-uncommitted"],
        &["read-committed"],
    );
    check(
        "0 0..9 g y 2 w y 3 w x 1\n1 1..8 g x 1 w x 4 w y 2",
        &["G1c"],
        &["read-uncommitted"],
        &["read-committed"],
    );
    valid("0 0..9 w x 1 g y -\n1 1..8 w y 2 g x 1");
}

#[test]
fn internal_and_future_reads() {
    check("0 0..1 w x 1 g x -", &["internal"], &["read-uncommitted"], &["read-committed"]);
    valid("0 0..1 w x 1 g x 1");
    check("0 0..1 g x 1 w x 1", &["future-read"], &["read-uncommitted"], &["read-committed"]);
    valid("0 0..1 g x - w x 1 g x 1");
    let judgement = judged("0 0..9 g x - g x 1\n1 1..8 w x 1");
    assert!(judgement.violations.iter().any(|violation| violation.name == "internal"));
    valid("0 0..9 g x 1 g x 1\n1 1..8 w x 1");
}

#[test]
fn lost_updates() {
    check(
        "0 0..9 g x - w x 1\n1 1..8 g x - w x 2",
        &["lost-update", "G2-item"],
        &["causal"],
        &[
            "snapshot-isolation",
            "parallel-snapshot-isolation",
            "repeatable-read",
            "update-serializable",
        ],
    );
    valid("0 0..9 g x - w x 1\n1 1..8 g x 1 w x 2");
}

/// Of two that write the same key one began when the other one had ended, and saw what that wrote.
#[test]
fn what_no_snapshots_explain() {
    check(
        "0 0..9 g x - w x 1 w y 1\n1 1..8 g y - w y 2 w x 2",
        &["no-snapshots", "G2-item"],
        &["causal"],
        &["snapshot-isolation", "repeatable-read", "update-serializable"],
    );
    check("0 0..9 g x - w x 1\n1 1..8 g y - w y 2 w x 2", &[], &["strict-serializable"], &[]);
    // What explains them is found although it is not the order in which they began.
    check(
        "0 0..20 g x - w y 1\n1 1..21 g y - w x 1\n2 2..22 g x - g y - w z 1\n3 3..23 g z 1 w z 2 g x -",
        &["G2-item"],
        &["strong-snapshot-isolation"],
        &["repeatable-read", "update-serializable"],
    );
}

#[test]
fn skews() {
    check(
        "0 0..9 w x 1 w y 2\n1 1..8 g x - g y 2",
        &["G-single", "fractured-read"],
        &["monotonic-atomic-view"],
        &["snapshot-isolation", "repeatable-read", "update-serializable", "read-atomic"],
    );
    valid("0 0..9 w x 1 w y 2\n1 1..8 g x 1 g y 2");
    let skew = "0 0..9 g x - w y 1\n1 1..8 g y - w x 2";
    check(
        skew,
        &["G2-item"],
        &["strong-snapshot-isolation"],
        &["repeatable-read", "update-serializable"],
    );
    assert_eq!(judged(skew).violations[0].shape, Some("write-skew"));
    valid("0 0..9 g x - w y 1\n1 1..8 g y 1 w x 2");
}

#[test]
fn long_forks() {
    let text = |last: &str| {
        format!("0 0..9 w x 1\n1 1..10 w y 2\n2 2..11 g x 1 g y -\n3 3..12 g x {last} g y 2")
    };
    let judgement = judged(&text("-"));
    assert_eq!(judgement.violations[0].shape, Some("long-fork"));
    valid(&text("1"));
}

#[test]
fn stale_reads_of_whole_transactions() {
    check(
        "0 0..1 w x 1\n1 2..3 g x -",
        &["G-single-realtime"],
        &["strong-session-serializable"],
        &["strong-snapshot-isolation"],
    );
    check(
        "0 0..1 w x 1\n0 2..3 g x -",
        &["fractured-read"],
        &["serializable", "monotonic-atomic-view"],
        &["read-atomic"],
    );
    valid("0 0..2 w x 1\n1 1..3 g x -");
}

/// Two that each saw the two versions of a key in another order.
#[test]
fn cyclic_versions() {
    let text = |seen: [u32; 2]| {
        format!(
            "0 0..20 w x 1\n1 1..21 w x 2\n2 2..3 g x 1\n2 4..5 g x 2\n3 6..7 g x {}\n3 8..9 g x {}",
            seen[0], seen[1]
        )
    };
    check(
        &text([2, 1]),
        &["causality-violation", "cyclic-versions"],
        &["serializable", "read-atomic"],
        &["causal"],
    );
    valid(&text([1, 2]).replace("3 6..7 g x 1", "3 6..7 g x 2"));
}

fn by(keys: KeyOrders) -> Options {
    Options { keys, ..Options::default() }
}

/// What the user knows of the keys tells in which order versions came.
#[test]
fn keys_that_are_linearizable() {
    let keys = KeyOrders { linearizable: true, ..KeyOrders::default() };
    let text = |seen: u32| {
        format!("0 0..1 w x 1\n1 2..3 w x 2\n2 4..5 g x 2 w y 5\n3 6..7 g y 5 g x {seen}")
    };
    check(
        &text(1),
        &["cyclic-versions"],
        &["strong-session-serializable"],
        &["strong-snapshot-isolation"],
    );
    check_by(&by(keys), &text(1), &["cyclic-versions"], &[], &["read-uncommitted"]);
    check_by(&by(keys), &text(2), &[], &["strict-serializable"], &[]);
    // What was there at first is the oldest version.
    let text = |seen: &str| format!("0 0..1 w x 1\n1 2..3 g x {seen}");
    check_by(&by(keys), &text("-"), &["cyclic-versions"], &[], &["read-uncommitted"]);
    check_by(&by(keys), &text("1"), &[], &["strict-serializable"], &[]);
}

/// Who read and then wrote counts with both, although nothing says which of these is the newer one.
#[test]
fn keys_that_are_linearizable_through_updates() {
    let keys = KeyOrders { linearizable: true, ..KeyOrders::default() };
    let text = |seen: [u32; 2]| {
        let [one, other] = seen;
        format!(
            "0 0..20 w x 1 w z 1\n1 1..21 w x 2\n2 2..3 g x {one}\n3 4..5 g x 2\n4 6..7 g x 2 w x 3\n\
             5 8..9 g x {other}"
        )
    };
    check_by(&by(keys), &text([1, 1]), &["cyclic-versions"], &[], &["read-uncommitted"]);
    check_by(&by(keys), &text([1, 3]), &[], &["strict-serializable"], &[]);
}

#[test]
fn keys_that_are_sequential() {
    let keys = KeyOrders { sequential: true, ..KeyOrders::default() };
    let text = |seen: [u32; 2]| {
        let [one, other] = seen;
        format!(
            "0 0..9 w x 1\n1 1..10 w x 2\n2 2..3 g x 1\n2 4..5 g x 2\n3 6..7 g x {one}\n3 8..11 g x {other}"
        )
    };
    check_by(&by(keys), &text([2, 1]), &["cyclic-versions"], &[], &["read-uncommitted"]);
    check_by(&by(keys), &text([2, 2]), &[], &["strict-serializable"], &[]);
}

#[test]
fn writes_that_follow_reads() {
    let keys = KeyOrders { writes_follow_reads: true, ..KeyOrders::default() };
    // Two that each replaced what the other wrote.
    let crossed = "0 0..9 g y 2 w y 3 w x 1\n1 1..8 g x 1 w x 4 w y 2";
    check_by(&by(keys), crossed, &["G0", "G1c"], &[], &["read-uncommitted"]);
    let after = "0 0..9 w x 1\n1 1..8 g x 1 w x 4 w y 2";
    check_by(&by(keys), after, &[], &["strict-serializable"], &[]);
    // Who only reads says nothing of the order, and neither does what is read after the write.
    let reads = "0 0..9 w x 1\n1 1..10 w x 2\n2 2..5 g x 1 g x 2\n3 3..6 g x 2 g x 1 g x -";
    check_by(
        &by(keys),
        reads,
        &["internal", "G-single", "observed-transaction-vanishes", "cyclic-versions"],
        &["read-committed"],
        &["snapshot-isolation", "repeatable-read", "update-serializable", "monotonic-atomic-view"],
    );
    let crossed = "0 0..9 w x 1 g x 2\n1 1..8 g x 1 w x 2";
    check_by(
        &by(keys),
        crossed,
        &["internal", "cyclic-versions", "G1c"],
        &["read-uncommitted"],
        &["read-committed"],
    );
}

/// Of many transactions only the level that is expected is decided, and it is what it is of few; the others are
/// that too, or unknown.
#[test]
fn levels_that_are_asked_for_alone() {
    let filler: String = (1..=50_001).map(|at| format!("w({at},1,0,{at})\n")).collect();
    let levels =
        ["causal", "read-atomic", "monotonic-atomic-view", "read-committed", "read-uncommitted"];
    for (case, broken) in [
        ("w(-8,1,1,1)|r(-8,1,2,2)|w(-9,1,2,2)|r(-9,1,3,3)|r(-8,1,3,3)", 0),
        ("w(-8,1,1,1)|r(-8,1,2,2)|w(-9,1,2,2)|r(-9,1,3,3)|r(-8,0,3,3)", 1),
        ("w(-8,1,1,1)|w(-9,1,1,1)|r(-9,0,2,2)|r(-8,1,2,2)", 2),
        ("w(-8,1,1,1)|w(-9,1,1,1)|r(-8,1,2,2)|r(-9,0,2,2)", 3),
        ("r(-8,2,1,1)|w(-9,1,1,1)|w(-8,2,2,2)|r(-9,1,2,2)", 4),
    ] {
        let case = case.replace('-', "60000").replace('|', "\n");
        let text = format!("{case}\n{filler}");
        let read = |text: &str| History::read(text.as_bytes()).expect("a history");
        let (few, many) = (read(&case), read(&text));
        let all = judge(&few, &Options::default()).ladder;
        for (at, level) in levels.into_iter().enumerate() {
            let expect = level.parse().expect("a level");
            let judgement = judge(&many, &Options { expect, ..Options::default() });
            let verdict = if at < broken { "invalid" } else { "valid" };
            assert_eq!(judgement.verdict.name(), verdict, "{level} of {case}");
            for (level, verdict) in judgement.ladder {
                let known = &all[&level];
                assert!(
                    verdict == *known || verdict.reason().is_some(),
                    "{} of {case}",
                    level.name()
                );
            }
        }
    }
}
