//! What overlaps a read, or is read by some and not by others, is wrong only if no order allows it.

use serde_json::{Value, json};

use crate::text::{expect, judged};

/// A watcher may begin at any revision, and end at any.
#[test]
fn watchers_are_compared_where_both_were_told() {
    let first = "1 ok watch [[1, 1], [2, 2], [3, 3], [4, 4]]";
    for second in ["[[4, 4], [5, 5], [6, 6]]", "[[3, 3], [4, 4], [5, 5]]", "[[5, 5], [6, 6]]"] {
        let text = format!("{first}\n2 ok watch {second}");
        expect("watch", &text, "valid", &[], json!({"delta-count": 0, "watcher-count": 2}));
    }
    let diverged = [("watch-divergence", 1)];
    for second in ["[[2, 2], [4, 4], [5, 5]]", "[[3, 9], [4, 4]]", "[[4, 5]]"] {
        let text = format!("{first}\n2 ok watch {second}");
        expect("watch", &text, "invalid", &diverged, json!({"delta-count": 1}));
    }
    // Of three the one is wrong that was told what the others were not.
    let text = "1 ok watch [[1, 1], [3, 3]]\n2 ok watch [[1, 1], [2, 2], [3, 3]]\n\
                3 ok watch [[1, 1], [3, 3]]";
    let results = json!({"deltas": [{"thread": 2, "edit-distance": 1}]});
    expect("watch", text, "invalid", &diverged, results);
}

#[test]
fn an_addition_beside_a_final_read_counts_or_not() {
    let late = |found: i64| format!("3 invoke add 9\nfinal\n1@n1 ok read {found}\n3 ok add 9");
    expect("pn-counter", &late(0), "valid", &[], json!({"acceptable": [[0, 0], [9, 9]]}));
    expect("pn-counter", &late(9), "valid", &[], json!({}));
    expect("pn-counter", &late(8), "invalid", &[("wrong-sum", 1)], json!({"errors": [8]}));
    let between = |one: i64, other: i64| {
        format!("0 ok add 1\nfinal\n1@n1 ok read {one}\n0 ok add 2\n2@n2 ok read {other}")
    };
    expect("pn-counter", &between(1, 3), "valid", &[], json!({"final-read-count": 2}));
    for (one, other) in [(1, 1), (3, 3)] {
        expect("pn-counter", &between(one, other), "invalid", &[("wrong-sum", 1)], json!({}));
    }
}

#[test]
fn sums_of_large_numbers_are_sums() {
    let most = i64::MAX;
    let adds = format!("0 ok add {most}\n1 ok add {most}");
    for (check, name) in [("pn-counter", "wrong-sum"), ("counter", "counter-out-of-bounds")] {
        let text = format!("{adds}\n2 ok read 6");
        expect(check, &text, "invalid", &[(name, 1)], json!({"error-count": 1}));
        let back = format!("{adds}\n0 ok add {}\n2 ok read {}", -most, most);
        expect(check, &back, "valid", &[], json!({}));
    }
    let rich = format!("0 ok read {{\"a\":{most},\"b\":{most}}}\n0 ok read {{\"a\":1,\"b\":2}}");
    expect("bank", &rich, "invalid", &[("wrong-total", 1)], json!({}));
    let poor = format!("0 ok read {{\"a\":{},\"b\":0}}", i64::MIN);
    expect("bank", &poor, "invalid", &[("negative-balance", 1)], json!({}));
}

/// Of twenty additions nobody knows whether they happened, and hundreds did.
#[test]
fn many_sums_are_few_ranges() {
    let mut text = String::new();
    for bit in 0..20 {
        text += &format!("{bit} info add {}\n", 1 << bit);
    }
    text += &"50 ok add 3\n".repeat(300);
    let found = |sum: i64| format!("{text}51 ok read {sum}");
    let all = (1 << 20) - 1;
    let results = json!({"acceptable": [[900, 900 + all]]});
    expect("pn-counter", &found(900 + all), "valid", &[], results);
    expect("pn-counter", &found(901 + all), "invalid", &[("wrong-sum", 1)], json!({}));
    // Too many ranges are not decided.
    let mut apart = String::new();
    for digit in 0..30 {
        apart += &format!("{digit} info add {}\n", 3_i64.pow(digit));
    }
    let judgement = judged("pn-counter", &format!("{apart}51 ok read 1"), Value::Null);
    let reason = judgement.checks["pn-counter"].reason.as_deref();
    assert!(reason.is_some_and(|reason| reason.starts_with("budget: ")), "{reason:?}");
}

#[test]
fn an_element_beside_a_final_read_is_there_or_not() {
    // The read that began first is over last, and sees what the other could not.
    let text = |one: &str, other: &str| {
        format!(
            "0 ok add 1\nfinal\n1@n1 invoke read null\n2@n2 invoke read null\n2@n2 ok read {other}\n\
             0 ok add 2\n1@n1 ok read {one}"
        )
    };
    let counts = json!({"lost-count": 0, "unexpected-count": 0, "ok-count": 2});
    expect("set", &text("[1, 2]", "[1]"), "valid", &[], counts);
    expect("set", &text("[1]", "[1]"), "valid", &[], json!({}));
    let early = [("unexpected-element", 1)];
    expect("set", &text("[1]", "[1, 2]"), "invalid", &early, json!({"unexpected": [2]}));
    let lost = [("lost-element", 1)];
    expect("set", &text("[2]", "[1]"), "invalid", &lost, json!({"lost": [1]}));
    // Added between two reads it is in the second.
    let between =
        |second: &str| format!("final\n1@n1 ok read []\n0 ok add 2\n2@n2 ok read {second}");
    expect("set", &between("[2]"), "valid", &[], json!({}));
    expect("set", &between("[]"), "invalid", &lost, json!({"lost": [2]}));
    // What may have been added is there for good once it was seen.
    let seen = |one: &str, other: &str| {
        format!("0 info add 1\nfinal\n1@n1 ok read {one}\n2@n2 ok read {other}")
    };
    expect("set", &seen("[]", "[1]"), "valid", &[], json!({}));
    expect("set", &seen("[1]", "[]"), "invalid", &lost, json!({"lost": [1]}));
}
