//! What was never written, or certainly was not, or only later, is read by nobody.

use serde_json::json;
use splitbrain_checker::{Expectation, Options, judge};

use crate::text::{expect, expect_from, history};

/// Reads of arrays that show what a write, or an add, may have made.
#[test]
fn elements_come_from_somewhere() {
    let wrong = [("unexpected-element", 1)];
    for (check, add) in [("causal-reverse", "write"), ("set", "add")] {
        let text = |read: &str| {
            format!("0 ok {add} 1\n0 fail {add} 2\n8 info {add} 3\n1 ok read {read}\n0 ok {add} 4")
        };
        let fine = json!({"unexpected-count": 0});
        expect(check, &text("[1]"), "valid", &[], fine.clone());
        expect(check, &text("[1, 3]"), "valid", &[], fine);
        for (read, value) in [("[1, 9]", 9), ("[1, 2]", 2), ("[1, 4]", 4)] {
            expect(check, &text(read), "invalid", &wrong, json!({"unexpected": [value]}));
        }
        // It failed once and may have been made another time.
        let again = format!("0 fail {add} 1\n8 info {add} 1\n0 ok read [1]");
        expect(check, &again, "valid", &[], json!({}));
    }
}

/// Whatever is expected, an element that nobody added is none of a set's.
#[test]
fn a_full_set_invents_nothing() {
    let text = |read: &str| format!("0 ok add 1\n0 fail add 2\n8 info add 3\n1 ok read {read}");
    for (read, verdict) in
        [("[1]", "valid"), ("[1, 3]", "valid"), ("[1, 7]", "invalid"), ("[1, 2]", "invalid")]
    {
        let history = history("set-full", &text(read), json!(null));
        for expected in ["eventual", "weak"] {
            let expect: Expectation = expected.parse().expect("a class");
            let judgement = judge(&history, &Options { expect, ..Options::default() });
            assert_eq!(judgement.checks["set-full"].verdict.name(), verdict, "{read}");
            if verdict == "invalid" {
                assert_eq!(judgement.verdict.name(), verdict, "{read} {expected}");
            }
        }
    }
}

#[test]
fn watchers_are_told_what_was_written() {
    let text = |value: &str| {
        format!(
            "0 ok write \"a\"\n0 fail write \"b\"\n8 info write \"c\"\n1 ok watch [[1, {value}]]\n0 ok write \"d\""
        )
    };
    for value in ["\"a\"", "\"c\"", "null"] {
        expect("watch", &text(value), "valid", &[], json!({"unexpected-count": 0}));
    }
    for value in ["\"b\"", "\"d\"", "\"zzz\""] {
        expect("watch", &text(value), "invalid", &[("unexpected-change", 1)], json!({}));
    }
    expect_from(json!("b"), "watch", &text("\"b\""), "valid", &[], json!({}));
    // Where no write was recorded, nothing is known of them.
    expect("watch", "1 ok watch [[1, 7]]", "valid", &[], json!({}));
}

/// An addition of which nobody knows the number added one at most.
#[test]
fn numbers_come_from_somewhere() {
    let wrong = [("unexpected-element", 1)];
    let known = "0 ok add 1\n0 fail add 2";
    expect("monotonic", &format!("{known}\n1 ok read [1]"), "valid", &[], json!({}));
    expect("monotonic", &format!("{known}\n1 ok read [1, 77]"), "invalid", &wrong, json!({}));
    expect("monotonic", &format!("{known}\n1 ok read [1, 2]"), "invalid", &wrong, json!({}));
    expect(
        "monotonic",
        &format!("{known}\n1 ok read [1, 3]\n0 ok add 3"),
        "invalid",
        &wrong,
        json!({}),
    );
    let open = format!("{known}\n8 info add 0");
    expect("monotonic", &format!("{open}\n1 ok read [1, 2]"), "valid", &[], json!({}));
    expect("monotonic", &format!("{open}\n1 ok read [1, 2, 3]"), "invalid", &wrong, json!({}));
    let began = json!([5]);
    expect_from(began, "monotonic", "0 ok add 6\n1 ok read [5, 6]", "valid", &[], json!({}));
}

#[test]
fn nothing_comes_out_of_a_queue_before_it_went_in() {
    let beside = "1 invoke drain null\n0 ok enqueue 1\n1 ok drain [1]";
    expect("total-queue", beside, "valid", &[], json!({"unexpected-count": 0}));
    let future = "1 ok drain [1]\n0 ok enqueue 1";
    let results = json!({"unexpected": [1]});
    expect("total-queue", future, "invalid", &[("unexpected-message", 1)], results);
}

/// Of several that are the same each can be lost.
#[test]
fn losses_are_counted_with_those_that_are_the_same() {
    let thrice = "0 ok enqueue 1\n0 ok enqueue 1\n0 ok enqueue 1\n9 info dequeue null";
    let lost = [("lost-message", 2)];
    let all = json!({"lost": [1, 1, 1], "lost-count": 3});
    expect("total-queue", &format!("{thrice}\n1 ok drain []"), "invalid", &lost, all);
    let one = json!({"lost": [1]});
    expect("total-queue", &format!("{thrice}\n1 ok drain [1, 1]"), "unknown", &[], one);
    expect("total-queue", &format!("{thrice}\n1 ok drain [1, 1, 1]"), "valid", &[], json!({}));
}

/// What failed did not happen, and what may have happened did so once.
#[test]
fn a_chain_goes_on_after_what_failed() {
    let wrong = [("causal-violation", 1)];
    let begun = "0 ok read-init 0";
    for (more, verdict) in [
        ("0 fail read null\n0 ok write 1\n0 ok read 1", "valid"),
        ("0 fail read null\n0 ok write 1\n0 ok read 5", "invalid"),
        ("0 fail write 1\n0 ok read 0", "valid"),
        ("0 fail write 1\n0 ok read 1", "invalid"),
        ("8 info write 1\n0 ok read 0\n0 ok read 1\n0 ok read 1", "valid"),
        ("8 info write 1\n0 ok read 1\n0 ok read 0", "invalid"),
        ("8 info write 1\n0 ok read 2", "invalid"),
        ("8 info write 1\n0 ok write 2\n0 ok read 1", "valid"),
        ("8 info read null\n0 ok write 1\n0 ok read 0", "invalid"),
        ("8 info write 1\n0 ok write 3\n0 ok read 3", "unknown"),
    ] {
        let findings = if verdict == "invalid" { &wrong[..] } else { &[] };
        expect("causal", &format!("{begun}\n{more}"), verdict, findings, json!({}));
    }
}

/// What was there at first is read, and stays there, although nobody added it.
#[test]
fn objects_that_do_not_begin_empty_are_checked() {
    let reads = |found: &str| format!("0 ok add 1\n1 ok read {found}");
    for (check, initial, right, wrong, name) in [
        ("counter", json!(10), "11", "1", "counter-out-of-bounds"),
        ("set", json!([5]), "[1, 5]", "[1]", "lost-element"),
        ("set", json!([5]), "[5, 1]", "[1, 5, 6]", "unexpected-element"),
        ("set-full", json!([5]), "[5, 1]", "[1, 6]", "unexpected-element"),
    ] {
        expect_from(initial.clone(), check, &reads(right), "valid", &[], json!({}));
        expect_from(initial, check, &reads(wrong), "invalid", &[(name, 1)], json!({}));
    }
}

#[test]
fn one_operation_is_told_as_one() {
    let last = |text: &str| {
        let judgement = judge(&history("set", text, json!(null)), &Options::default());
        let violation =
            judgement.violations.iter().find(|violation| violation.name == "non-linearizable");
        violation.and_then(|violation| violation.because.last()).cloned().unwrap_or_default()
    };
    assert_eq!(last("0 ok read [1]"), "no moment of its interval explains what this set answered");
    assert!(
        last("0 ok add 1\n0 ok read []").starts_with("no order of these 2 operations on a set")
    );
}
