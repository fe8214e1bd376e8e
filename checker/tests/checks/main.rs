//! The checks that workloads bring with them: for each anomaly a history that shows it, and a twin
//! that does not.

// Values are built where they are passed.
#![allow(clippy::needless_pass_by_value)]

mod invented;
mod logs;
mod overlaps;
mod text;

use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use splitbrain_checker::history::History;
use splitbrain_checker::{Options, judge};

use text::{expect, expect_from, history, judged};

#[test]
fn a_set_loses_nothing_and_invents_nothing() {
    let adds = "0 ok add 1\n0 info add 2\n1 fail add 3\n1 ok add 4";
    let counts = json!({"attempt-count": 4, "acknowledged-count": 2, "ok-count": 3,
        "recovered-count": 1, "lost-count": 0, "unexpected-count": 0});
    expect("set", &format!("{adds}\n1 ok read [4, 2, 1]"), "valid", &[], counts);
    let lost = [("lost-element", 1)];
    let one = json!({"lost": [4], "ok-count": 1});
    expect("set", &format!("{adds}\n1 ok read [1]"), "invalid", &lost, one);
    let unexpected = [("unexpected-element", 2)];
    let two = json!({"unexpected": [3, 9], "lost-count": 0});
    expect("set", &format!("{adds}\n1 ok read [1, 4, 3, 9]"), "invalid", &unexpected, two);
    // What is added while the set is read may be there or not; what is added later may not.
    let beside = "1 invoke read null\n0 ok add 1\n1 ok read []\n0 ok add 2";
    expect("set", beside, "valid", &[], json!({"acknowledged-count": 0}));
    let later = "1 ok read [2]\n0 ok add 2";
    expect("set", later, "invalid", &[("unexpected-element", 1)], json!({}));
    // Only the last read counts, and without one nothing is known.
    expect("set", &format!("1 ok read [7]\n{adds}\n1 ok read [1, 4]"), "valid", &[], json!({}));
    let unread = judged("set", adds, Value::Null);
    assert_eq!(unread.checks["set"].reason.as_deref(), Some("the set was never read"));
}

#[test]
fn an_element_of_a_full_set_is_stable_or_lost_and_there_once() {
    let text = "0 ok add 1\n1 ok read [1]\n0 ok add 2\n0 info add 3\n2 ok read [2, 1]";
    let counts = json!({"attempt-count": 3, "stable-count": 2, "lost-count": 0,
        "never-read-count": 1, "never-read": [3], "stale-count": 0, "duplicated-count": 0});
    expect("set-full", text, "valid", &[], counts);
    let lost = format!("{text}\n1 ok read [1]");
    expect("set-full", &lost, "invalid", &[("lost-element", 1)], json!({"lost": [2]}));
    // It comes back, so it was only stale.
    let back = format!("{lost}\n1 ok read [1, 2]");
    expect("set-full", &back, "valid", &[], json!({"stable-count": 2}));
    // Acknowledged and never seen is lost too, but not before it was acknowledged.
    expect("set-full", "0 ok add 1\n0 ok read []", "invalid", &[("lost-element", 1)], json!({}));
    expect(
        "set-full",
        "0 ok read []\n0 ok add 1\n0 ok add 2\n0 ok read [1, 2]",
        "valid",
        &[],
        json!({}),
    );
    let twice = "0 ok add 1\n0 ok read [1, 1]";
    let duplicated = json!({"duplicated": [1], "duplicated-count": 1});
    expect("set-full", twice, "invalid", &[("duplicate-element", 1)], duplicated);
    let removed = judged("set-full", "0 ok add 1\n0 ok remove 1\n0 ok read []", Value::Null);
    assert_eq!(removed.verdict.name(), "valid");
    assert!(removed.checks.is_empty(), "one that is missing is not lost there");
    let again = judged("set-full", "0 ok add 1\n0 ok remove 1\n0 ok read [1]", Value::Null);
    assert_eq!(again.verdict.name(), "invalid");
}

#[test]
fn a_counter_is_within_its_bounds() {
    let adds = "0 ok add 5\n1 info add 3\n2 fail add 100\n3 invoke add -2";
    for found in [3, 5, 6, 8] {
        expect("counter", &format!("{adds}\n0 ok read {found}"), "valid", &[], json!({}));
    }
    for (found, row) in
        [(2, json!([[3, 2, 8]])), (9, json!([[3, 9, 8]])), (108, json!([[3, 108, 8]]))]
    {
        let wrong = [("counter-out-of-bounds", 1)];
        let results = json!({"errors": row, "error-count": 1, "read-count": 1});
        expect("counter", &format!("{adds}\n0 ok read {found}"), "invalid", &wrong, results);
    }
    let begins = json!(7);
    let judgement =
        judge(&history("pn-counter", "0 ok add 1\n0 ok read 8", begins), &Options::default());
    assert_eq!(judgement.verdict.name(), "valid", "{judgement:?}");
}

#[test]
fn a_final_read_of_a_counter_is_one_of_the_sums() {
    let adds = "9 ok read 77\n0 ok add 5\n1 info add 3\n2 info add -10\n3 fail add 100";
    for found in [5, 8, -5, -2] {
        let results = json!({"acceptable": [[-5, -5], [-2, -2], [5, 5], [8, 8]],
            "final-reads": [found], "error-count": 0});
        expect("pn-counter", &format!("{adds}\n0 ok read {found}"), "valid", &[], results);
    }
    for found in [6, 105, 0] {
        let wrong = [("wrong-sum", 1)];
        let results = json!({"errors": [found]});
        expect("pn-counter", &format!("{adds}\n0 ok read {found}"), "invalid", &wrong, results);
    }
    let unread = judged("pn-counter", adds, Value::Null);
    assert_eq!(unread.checks["pn-counter"].reason.as_deref(), Some("there was no final read"));
}

#[test]
fn a_queue_gives_back_what_it_got_once() {
    let enqueues = "0 ok enqueue 1\n0 ok enqueue 2\n1 info enqueue 3\n2 fail enqueue 4";
    let all = format!("{enqueues}\n0 ok dequeue 2\n3 ok drain [1, 3]");
    let counts = json!({"attempt-count": 4, "acknowledged-count": 2, "ok-count": 3,
        "recovered-count": 1, "lost-count": 0, "unexpected-count": 0, "duplicated-count": 0});
    expect("total-queue", &all, "valid", &[], counts);
    let lost = format!("{enqueues}\n0 ok dequeue 2\n3 ok drain []");
    expect("total-queue", &lost, "invalid", &[("lost-message", 1)], json!({"lost": [1]}));
    // Who never answered may have taken one, but only one.
    let taken = format!("{enqueues}\n5 info dequeue null\n0 ok dequeue 2\n3 ok drain []");
    expect("total-queue", &taken, "unknown", &[], json!({"lost": [1]}));
    let both = format!("{enqueues}\n5 info dequeue null\n3 ok drain []");
    expect("total-queue", &both, "invalid", &[("lost-message", 1)], json!({"lost-count": 2}));
    let drained = format!("{enqueues}\n5 info drain null\n3 ok drain []");
    expect("total-queue", &drained, "unknown", &[], json!({}));
    // Without a drain it may still be in there; an empty answer at the end is one.
    let waiting = format!("{enqueues}\n0 ok dequeue 2");
    expect("total-queue", &waiting, "unknown", &[], json!({"lost-count": 0}));
    let empty = format!("{waiting}\n0 ok dequeue null");
    expect("total-queue", &empty, "invalid", &[("lost-message", 1)], json!({"lost": [1]}));
    let refilled = format!("{waiting}\n0 ok dequeue null\n0 ok dequeue 1");
    expect("total-queue", &refilled, "unknown", &[], json!({"lost-count": 0}));
    let failed = format!("{all}\n0 ok dequeue 4");
    let unexpected = [("unexpected-message", 1)];
    let results = json!({"unexpected": [4]});
    expect("total-queue", &format!("{failed}\n0 ok drain []"), "invalid", &unexpected, results);
    let again = format!("{enqueues}\n0 ok dequeue 2\n3 ok drain [2, 1]");
    let results = json!({"duplicated": [2]});
    expect("total-queue", &again, "invalid", &[("duplicate-message", 1)], results);
    // It was put in twice, so it may come out twice.
    let same = "0 ok enqueue 1\n1 info enqueue 1\n0 ok drain [1, 1]";
    expect("total-queue", same, "valid", &[], json!({"duplicated-count": 0}));
}

#[test]
fn no_identifier_is_given_out_twice() {
    let unique = "0 ok generate 1\n1 fail generate null\n2 info generate null\n0 ok generate 5";
    let counts = json!({"attempted-count": 4, "acknowledged-count": 2, "duplicated-count": 0,
        "range": [1, 5]});
    expect("unique-ids", unique, "valid", &[], counts);
    let twice = format!("{unique}\n3 ok generate 1\n4 ok generate 1\n4 ok generate \"x\"");
    let results = json!({"duplicated": {"1": 3}, "duplicated-count": 1});
    expect("unique-ids", &twice, "invalid", &[("duplicate-id", 1)], results);
}

#[test]
fn an_answer_belongs_to_its_question() {
    let echoed = "0 ok echo 1\n1 fail echo 2\n2 info echo 3\n0 ok echo \"x\"";
    let counts = json!({"attempted-count": 4, "acknowledged-count": 2, "wrong-count": 0});
    expect("echo", echoed, "valid", &[], counts);
    let mixed_up = format!("{echoed}\n0 invoke echo 5\n1 ok echo 6\n0 ok echo 6");
    let results = json!({"acknowledged-count": 4, "wrong-count": 1});
    expect("echo", &mixed_up, "invalid", &[("wrong-echo", 1)], results);
}

#[test]
fn a_bank_keeps_its_money() {
    let accounts = json!({"a": 10, "b": 0});
    let transfer = "0 ok transfer {\"from\": \"a\", \"to\": \"b\", \"amount\": 3}";
    let bank = |balances: &str, verdict: &str, findings: &[(&str, u64)], results: Value| {
        let text = format!("{transfer}\n1 ok read {balances}");
        expect_from(accounts.clone(), "bank", &text, verdict, findings, results);
    };
    bank("{\"a\": 7, \"b\": 3}", "valid", &[], json!({"read-count": 1, "error-count": 0}));
    // An old read is not a wrong one.
    bank("{\"a\": 10, \"b\": 0}", "valid", &[], json!({}));
    let wrong = json!({"wrong-total": {"count": 1,
        "first": {"index": 2, "value": {"a": 7, "b": 0}},
        "worst": {"index": 2, "value": {"a": 7, "b": 0}},
        "last": {"index": 2, "value": {"a": 7, "b": 0}}}});
    let total = [("wrong-total", 1)];
    bank("{\"a\": 7, \"b\": 0}", "invalid", &total, json!({"errors": wrong, "error-count": 1}));
    bank("{\"a\": -1, \"b\": 11}", "invalid", &[("negative-balance", 1)], json!({}));
    bank("{\"a\": 10, \"b\": null}", "invalid", &[("nil-balance", 1)], json!({}));
    bank("{\"a\": 10}", "invalid", &[("nil-balance", 1)], json!({}));
    bank("{\"a\": 10, \"b\": 0, \"c\": 0}", "invalid", &[("unexpected-account", 1)], json!({}));
    // Whoever may overdraw an account may leave less than nothing in it, and no other total.
    let overdraft = transfer.replace('}', ", \"overdraft\": true}");
    for (balances, verdict, findings) in [
        ("{\"a\": -1, \"b\": 11}", "valid", &[][..]),
        ("{\"a\": -1, \"b\": 10}", "invalid", &total),
    ] {
        let text = format!("{overdraft}\n1 ok read {balances}");
        expect_from(accounts.clone(), "bank", &text, verdict, findings, json!({}));
    }
    let told = Options { negative_balances: true, ..Options::default() };
    let text = format!("{transfer}\n1 ok read {{\"a\": -1, \"b\": 11}}");
    let judgement = judge(&history("bank", &text, accounts.clone()), &told);
    assert_eq!(judgement.checks["bank"].verdict.name(), "valid");
    // Without opening balances the first read tells them.
    let reads = "0 ok read {\"0\":60, \"1\":40}\n0 ok read {\"0\":50, \"1\":50}";
    expect("bank", reads, "valid", &[], json!({"read-count": 2}));
    let other = format!("{reads}\n0 ok read {{\"0\":50, \"1\":60}}");
    expect("bank", &other, "invalid", &total, json!({"error-count": 1}));
    let unread = judged("bank", transfer, Value::Null);
    assert_eq!(unread.checks["bank"].reason.as_deref(), Some("the accounts were never read"));
}

#[test]
fn a_long_fork_is_two_reads_that_each_know_what_the_other_does_not() {
    let writes = "0 ok write [[\"w\", 1, 1]]\n1 info write [[\"w\", 2, 1]]";
    let read = |one: &str, two: &str| format!("2 ok read [[\"r\", 1, {one}], [\"r\", 2, {two}]]");
    let [left, right] = [read("1", "null"), read("null", "1")];
    let fine = format!("{writes}\n{left}\n{}\n{}", read("1", "1"), read("null", "null"));
    let counts =
        json!({"read-count": 3, "early-read-count": 1, "late-read-count": 1, "fork-count": 0});
    expect("long-fork", &fine, "valid", &[], counts);
    let forked = format!("{fine}\n{right}\n{left}");
    expect("long-fork", &forked, "invalid", &[("long-fork", 1)], json!({"fork-count": 1}));
    let other_way = "2 ok read [[\"r\", 2, null], [\"r\", 1, 1]]";
    let turned = format!("{writes}\n{right}\n{other_way}");
    expect("long-fork", &turned, "invalid", &[("long-fork", 1)], json!({}));
    let rewritten = format!("{writes}\n0 ok write [[\"w\", 1, 1]]\n{left}\n{right}");
    expect("long-fork", &rewritten, "unknown", &[], json!({}));
}

#[test]
fn of_two_insertions_under_a_key_one_succeeds() {
    let rows = "0 ok insert [1, null]\n1 fail insert [null, 2]\n2 info insert [3, null]";
    let counts = json!({"key-count": 1, "legal-count": 1, "illegal-count": 0, "illegal": []});
    expect("g2", rows, "valid", &[], counts);
    let both = format!("{rows}\n1 ok insert [null, 4]");
    let illegal = json!({"legal-count": 0, "illegal-count": 1, "illegal": [[1, null], [null, 4]]});
    expect("g2", &both, "invalid", &[("predicate-write-skew", 1)], illegal);
}

/// In the final phase what each node answered last counts, whoever was asked last of all.
#[test]
fn a_set_is_the_same_at_every_node_in_the_end() {
    let read = |node: &str, value: Value| {
        let line = |kind: &str, value: &Value| {
            json!({"process": 1, "type": kind, "f": "read", "node": node, "value": value})
                .to_string()
        };
        format!("{}\n{}\n", line("invoke", &Value::Null), line("ok", &value))
    };
    let check = |reads: &[(&str, Value)], verdict: &str, lost: Value| {
        let header = json!({"splitbrain": 1, "vocabulary": "set", "nodes": ["n1", "n2"]});
        let mut text = format!("{header}\n");
        for (kind, value) in [("invoke", 1), ("ok", 1), ("invoke", 2), ("ok", 2)] {
            let add = json!({"process": 0, "type": kind, "f": "add", "value": value});
            text += &format!("{add}\n");
        }
        text += &read("n1", json!([7]));
        let phase = json!({"process": "harness", "type": "info", "f": "phase", "value": "final"});
        text += &format!("{phase}\n");
        reads.iter().for_each(|(node, value)| text += &read(node, value.clone()));
        let history = History::read(text.as_bytes()).expect("a history");
        let judgement = judge(&history, &Options::default());
        let result = serde_json::to_value(&judgement.checks["set"]).expect("a value");
        assert_eq!((&result["verdict"], &result["lost"]), (&verdict.into(), &lost), "{result}");
    };
    let (both, one) = (json!([2, 1]), json!([1]));
    // A node that had not heard of it at first has heard of it in the end.
    check(&[("n1", one.clone()), ("n2", both.clone()), ("n1", both.clone())], "valid", json!([]));
    check(&[("n1", one), ("n2", both)], "invalid", json!([2]));
}

#[test]
fn a_chain_sees_its_own_writes() {
    let begun = "0 ok read-init 0\n0 ok write 1";
    let fine = format!("{begun}\n0 ok read 1\n0 ok write 2\n0 ok read 2");
    let counts = json!({"read-count": 3, "write-count": 2, "error-count": 0});
    expect("causal", &fine, "valid", &[], counts);
    let stale = format!("{begun}\n0 ok read null\n0 ok write 2\n0 ok read 2");
    let errors = json!({"errors": [{"index": 4, "expected": 1, "read": 0}]});
    expect("causal", &stale, "invalid", &[("causal-violation", 1)], errors);
    // What began with something was not there before the chain.
    expect("causal", "0 ok read-init 3", "invalid", &[("causal-violation", 1)], json!({}));
    // After what may have happened, nothing is certain.
    expect("causal", "0 ok read-init 0\n0 info write 1\n1 ok read 0", "valid", &[], json!({}));
    let beside = "0 invoke write 1\n1 ok read 0\n0 ok write 1";
    expect("causal", beside, "unknown", &[], json!({}));
}

#[test]
fn numbers_grow_with_time() {
    let adds = "0 ok add 1\n1 invoke add 0\n0 ok add 3\n1 ok add 2\n2 info add 9\n4 fail add 8";
    let counts = json!({"add-count": 3, "fail-count": 1, "info-count": 1, "lost-count": 0,
        "duplicate-count": 0, "off-order-count": 0});
    expect("monotonic", &format!("{adds}\n0 ok read [3, 1, 2]"), "valid", &[], counts);
    let lost = [("lost-element", 1)];
    expect(
        "monotonic",
        &format!("{adds}\n0 ok read [3, 1]"),
        "invalid",
        &lost,
        json!({"lost": [2]}),
    );
    let back = format!("{adds}\n0 ok add 2\n0 ok read [1, 2, 3]");
    let found = [("duplicate-element", 1), ("off-order", 1)];
    let results = json!({"duplicates": [2], "off-order": [[3, 2]]});
    expect("monotonic", &back, "invalid", &found, results);
    let twice = format!("{adds}\n0 ok read [1, 2, 3, 2]");
    expect(
        "monotonic",
        &twice,
        "invalid",
        &[("duplicate-element", 1)],
        json!({"duplicate-count": 1}),
    );
    expect("monotonic", adds, "unknown", &[], json!({}));
}

#[test]
fn all_who_watch_are_told_the_same() {
    let text = "0 ok write 5\n0 ok write 6\n9 info write 7\n0 ok write 9\n1 ok watch [[0, 5], [1, 6]]\n1 ok watch [[2, 7]]\n2 ok watch [[0, 5]]";
    let counts = json!({"watcher-count": 2, "change-count": 3, "delta-count": 0, "revisions": 2});
    expect("watch", text, "valid", &[], counts);
    let other = format!("{text}\n3 ok watch [[0, 5], [2, 7]]");
    let deltas = json!({"deltas": [{"thread": 3, "edit-distance": 1}], "nonmonotonic-count": 0});
    expect("watch", &other, "invalid", &[("watch-divergence", 1)], deltas);
    let replaced = format!("{text}\n3 ok watch [[0, 5], [1, 9], [2, 7]]");
    expect("watch", &replaced, "invalid", &[("watch-divergence", 1)], json!({"delta-count": 1}));
    let back = format!("{text}\n1 ok watch [[1, 6]]");
    let found = [("nonmonotonic-watch", 1)];
    expect(
        "watch",
        &back,
        "invalid",
        &found,
        json!({"nonmonotonic-errors": [{"thread": 1, "revisions": [2, 1]}]}),
    );
    expect("watch", "0 ok write 5\n1 ok watch []", "unknown", &[], json!({}));
}

#[test]
fn who_sees_an_effect_sees_what_was_over_before_it_began() {
    let writes = "0 ok write 1\n1 invoke write 2\n0 ok write 3\n1 ok write 2";
    expect("causal-reverse", &format!("{writes}\n0 ok read [1, 3]"), "valid", &[], json!({}));
    expect("causal-reverse", &format!("{writes}\n0 ok read [1, 2]"), "valid", &[], json!({}));
    expect("causal-reverse", &format!("{writes}\n0 ok read []"), "valid", &[], json!({}));
    let results = json!({"errors": [{"index": 6, "missing": [1], "expected-count": 1}]});
    let wrong = [("causal-reverse", 1)];
    expect("causal-reverse", &format!("{writes}\n0 ok read [3]"), "invalid", &wrong, results);
    let unacknowledged = "0 info write 1\n1 ok write 2\n1 ok read [2]";
    expect("causal-reverse", unacknowledged, "valid", &[], json!({}));
}

#[test]
fn parts_are_seen_in_the_order_in_which_they_were_written() {
    let text =
        "0 ok write 0\n1 ok read [null, null]\n1 ok read [null, \"a\"]\n1 ok read [\"b\", \"a\"]";
    let counts = json!({"all-count": 1, "some-count": 1, "none-count": 1, "bad-count": 0});
    expect("sequential", text, "valid", &[], counts);
    let gap = format!("{text}\n1 ok read [\"b\", null]");
    expect("sequential", &gap, "invalid", &[("trailing-gap", 1)], json!({"bad": [["b", null]]}));
}

#[test]
fn results_of_several_objects_are_summed_and_told_apart() {
    let line = |process: u64, kind: &str, f: &str, key: &str, value: Value| {
        json!({"process": process, "type": kind, "f": f, "key": key, "value": value}).to_string()
    };
    let mut lines = vec![json!({"splitbrain": 1, "vocabulary": "set"}).to_string()];
    for (key, read) in [("a", json!([1])), ("b", json!([])), ("c", json!([1]))] {
        lines.push(line(0, "invoke", "add", key, json!(1)));
        lines.push(line(0, "ok", "add", key, json!(1)));
        lines.push(line(0, "invoke", "read", key, Value::Null));
        lines.push(line(0, "ok", "read", key, read));
    }
    let history = History::read(format!("{}\n", lines.join("\n")).as_bytes()).expect("a history");
    let judgement = judge(&history, &Options::default());
    let shown = serde_json::to_value(&judgement.checks["set"]).expect("a value");
    assert_eq!(shown["attempt-count"], 3);
    assert_eq!(shown["lost-count"], 1);
    assert!(shown.get("lost").is_none(), "{shown}");
    assert_eq!(shown["failures"]["b"]["lost"], json!([1]));
    assert_eq!(shown["failures"].as_object().expect("an object").len(), 1);
    let lost = judgement.violations.iter().find(|violation| violation.name == "lost-element");
    assert_eq!(lost.and_then(|violation| violation.key.as_deref()), Some("b"));
}

#[test]
fn what_is_not_of_the_workload_is_named() {
    let judgement = judged("bank", "0 ok brew 1", Value::Null);
    let misfit = judgement.misfit.expect("a misfit");
    assert_eq!(misfit.event, Some(0));
    assert!(misfit.expected.starts_with("an operation of a bank: transfer"), "{misfit}");
    assert_eq!(judged("bank", "0 ok read 5", Value::Null).verdict.name(), "unknown");
}

/// What some order of a correct object explains, the check of the workload does not call wrong.
#[test]
fn nothing_linearizable_is_called_wrong() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut valid = [0; 3];
    for _ in 0..4_000 {
        for (at, (model, check)) in
            [("set", "set"), ("counter", "counter"), ("unordered-queue", "total-queue")]
                .into_iter()
                .enumerate()
        {
            let text = random(model, &mut rng);
            if judged(model, &text, Value::Null).ladder[&splitbrain_checker::Rung::Linearizable]
                .is_valid()
            {
                let judgement = judged(check, &text, Value::Null);
                assert!(!judgement.checks[check].verdict.is_invalid(), "{check}\n{text}");
                valid[at] += 1;
            }
        }
    }
    assert!(valid.into_iter().all(|valid| valid > 250), "{valid:?}");
}

/// Up to 6 operations of 3 clients.
fn random(model: &str, rng: &mut impl rand::Rng) -> String {
    let mut lines = Vec::new();
    let mut open: Vec<Option<(String, Value)>> = vec![None; 3];
    let mut process = [0, 1, 2];
    let mut made = 0;
    while made < 5 || (open.iter().any(Option::is_some) && rng.random_bool(0.8)) {
        let client = rng.random_range(0..3);
        if let Some((f, argument)) = open[client].take() {
            let kind = ["ok", "ok", "ok", "info", "fail"][rng.random_range(0..5)];
            let reads = ["read", "dequeue"].contains(&f.as_str());
            let some = rng.random_range(0..3);
            let value = match model {
                _ if !reads || kind != "ok" => argument,
                "set" => json!(&[[1, 2], [2, 1], [1, 2]][some][..rng.random_range(0..3)]),
                "counter" => json!(some),
                _ => json!([1, 2, 1][some]),
            };
            lines.push(format!("{} {kind} {f} {value}", process[client]));
            if kind == "info" {
                process[client] += 3;
            }
        } else if made < 5 {
            let (writes, reads) = match model {
                "unordered-queue" => ("enqueue", "dequeue"),
                _ => ("add", "read"),
            };
            let write = rng.random_bool(0.6);
            let argument = if write { json!(rng.random_range(1..=2)) } else { Value::Null };
            let f = if write { writes } else { reads };
            lines.push(format!("{} invoke {f} {argument}", process[client]));
            open[client] = Some((f.to_owned(), argument));
            made += 1;
        }
    }
    lines.join("\n")
}

#[test]
fn stats() {
    let text = "0 ok write 1
                0 fail write 2
                1 info write 3
                2 ok read 1";
    let each = json!({
        "read": {"count": 1, "ok-count": 1, "fail-count": 0, "info-count": 0, "verdict": "valid"},
        "write": {"count": 3, "ok-count": 1, "fail-count": 1, "info-count": 1, "verdict": "valid"},
    });
    let all = json!({"count": 4, "ok-count": 2, "fail-count": 1, "info-count": 1, "by-f": each});
    expect("stats", text, "valid", &[], all);
    let never = text.replace("ok read", "fail read");
    expect("stats", &never, "unknown", &[], json!({"ok-count": 1, "fail-count": 2}));
}

/// What looks like a step of a transaction is an element like any other.
#[test]
fn sets_of_what_looks_like_steps() {
    let text = |seen: &str| {
        let add = |element: &str| {
            format!(
                r#"{{"process":0,"type":"invoke","f":"add","value":{element}}}
                   {{"process":0,"type":"ok","f":"add","value":{element}}}"#
            )
        };
        format!(
            r#"{{"splitbrain":1,"vocabulary":"set"}}
               {}
               {}
               {{"process":1,"type":"invoke","f":"read","value":null}}
               {{"process":1,"type":"ok","f":"read","value":{seen}}}"#,
            add(r#"["r","x",1]"#),
            add(r#"["w","y",2]"#)
        )
    };
    let verdict = |seen: &str| {
        let history = History::read(text(seen).as_bytes()).expect("a history");
        judge(&history, &Options::default()).checks["set"].verdict.name()
    };
    assert_eq!(verdict(r#"[["r","x",1],["w","y",2]]"#), "valid");
    assert_eq!(verdict(r#"[["r","x",1]]"#), "invalid");
}
