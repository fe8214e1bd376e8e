//! Logs to which messages are sent and that are polled.

use serde_json::json;

use crate::text::expect;

const SENT: &str = r#"
    0 ok send [["send", 0, [0, 10]], ["send", 0, [1, 11]]]
    0 ok send [["send", 0, [2, 12]]]
    1 fail send [["send", 0, 13]]
    2 info send [["send", 0, 14]]
"#;

#[track_caller]
fn log(more: &str, verdict: &str, findings: &[(&str, u64)]) {
    let names: Vec<&str> = findings.iter().map(|(name, _)| *name).collect();
    expect("log", &format!("{SENT}{more}"), verdict, findings, json!({"error-types": names}));
}

#[test]
fn a_log_gives_everyone_every_message_once_and_in_order() {
    let all = r#"
        3 ok poll [["poll", {"0": [[0, 10], [1, 11]]}]]
        3 ok poll [["poll", {"0": [[2, 12], [3, 14]]}]]
        4 ok poll [["poll", {"0": [[0, 10]]}]]
    "#;
    log(all, "valid", &[]);
    log(&format!("{all}\n3 ok poll [[\"poll\", {{}}]]"), "valid", &[]);
    expect("log", SENT, "unknown", &[], json!({"send-count": 5, "acknowledged-count": 3}));
    let poll = |messages: &str| format!("3 ok poll [[\"poll\", {{\"0\": {messages}}}]]\n");
    log(&poll("[[0, 10], [2, 12]]"), "invalid", &[("int-poll-skip", 1), ("lost-write", 1)]);
    let whole = poll("[[0, 10], [1, 11], [2, 12]]");
    log(&format!("{whole}{}", poll("[[1, 11]]")), "invalid", &[("nonmonotonic-poll", 1)]);
    let back = [("int-nonmonotonic-poll", 1), ("int-poll-skip", 1)];
    log(&poll("[[0, 10], [2, 12], [1, 11]]"), "invalid", &back);
    let ahead = format!("4{}{}{}", &whole[1..], poll("[[0, 10]]"), poll("[[2, 12]]"));
    log(&ahead, "invalid", &[("poll-skip", 1)]);
    // Who was assigned another log and then this one may begin elsewhere, but nobody who keeps it.
    let assigned = |assigned: &str| {
        format!("4{}{}{assigned}{}", &whole[1..], poll("[[0, 10]]"), poll("[[2, 12]]"))
    };
    log(&assigned("3 ok assign [1]\n3 ok assign [0]\n"), "valid", &[]);
    log(&assigned("3 ok assign [1, 0]\n"), "invalid", &[("poll-skip", 1)]);
    log(&assigned("3 fail assign [1]\n"), "invalid", &[("poll-skip", 1)]);
    log(&format!("{whole}{}", poll("[[3, 10]]")), "invalid", &[("duplicate", 1)]);
    log(&format!("{whole}4{}", &poll("[[0, 14]]")[1..]), "invalid", &[("inconsistent-offsets", 1)]);
    log(&format!("{whole}{}", poll("[[3, 13]]")), "invalid", &[("aborted-read", 1)]);
    log(&format!("{whole}{}", poll("[[3, 99]]")), "invalid", &[("unexpected-message", 1)]);
}

#[test]
fn a_log_keeps_what_it_acknowledged() {
    let first = "3 ok poll [[\"poll\", {\"0\": [[0, 10]]}]]\n";
    // The others may still be given to somebody, until somebody was given all there is.
    let results = json!({"unseen-count": 2, "error-types": []});
    expect("log", &format!("{SENT}{first}"), "valid", &[], results);
    log(&format!("{first}3 ok poll [[\"poll\", {{}}]]"), "invalid", &[("unseen", 2)]);
    // Gaps between offsets are none between messages, but a message of someone else is one.
    let apart = r#"
        0 ok send [["send", 0, [0, 1]], ["send", 0, [7, 3]]]
        3 ok poll [["poll", {"0": [[0, 1], [7, 3]]}]]
    "#;
    expect("log", apart, "valid", &[], json!({}));
    let between = format!("{apart}1 ok send [[\"send\", 0, [4, 2]]]\n");
    let found = [("int-poll-skip", 1), ("lost-write", 1)];
    let results = json!({"error-types": ["int-poll-skip", "int-send-skip", "lost-write"],
        "bad-error-types": ["int-poll-skip", "lost-write"]});
    expect("log", &between, "invalid", &found, results);
    // Sends may interleave, as long as everybody is given everything.
    let interleaved = r#"
        0 ok send [["send", 0, [0, 1]], ["send", 0, [2, 3]]]
        1 ok send [["send", 0, [1, 2]]]
        3 ok poll [["poll", {"0": [[0, 1], [1, 2], [2, 3]]}]]
    "#;
    expect("log", interleaved, "valid", &[], json!({"error-types": ["int-send-skip"]}));
    let back = "0 ok send [[\"send\", 0, [5, 1]]]\n0 ok send [[\"send\", 0, [4, 2]]]\n\
                3 ok poll [[\"poll\", {\"0\": [[4, 2], [5, 1]]}]]";
    expect("log", back, "invalid", &[("nonmonotonic-send", 1)], json!({}));
    let inside = "0 ok send [[\"send\", 0, [5, 1]], [\"send\", 0, [4, 2]]]\n\
                  3 ok poll [[\"poll\", {\"0\": [[4, 2], [5, 1]]}]]";
    expect("log", inside, "invalid", &[("int-nonmonotonic-send", 1)], json!({}));
}

/// Who is answered with nothing has been given all of what it asked for, and of nothing else.
#[test]
fn a_poll_of_one_log_says_nothing_of_others() {
    let sent = "0 ok send [[\"send\", 0, [0, 1]]]\n0 ok send [[\"send\", 1, [0, 1]]]\n\
                1 ok poll [[\"poll\", {\"0\": [[0, 1]], \"1\": [[0, 1]]}]]\n0 ok send [[\"send\", 0, [1, 2]]]";
    let poll =
        |of: &str| format!("{sent}\n1 invoke poll [[\"poll\"{of}]]\n1 ok poll [[\"poll\", {{}}]]");
    let unseen = json!({"unseen-count": 1});
    expect("log", &poll(", [1]"), "valid", &[], unseen.clone());
    for of in [", [0]", ", [0, 1]", ""] {
        expect("log", &poll(of), "invalid", &[("unseen", 1)], unseen.clone());
    }
    // Who was assigned a log may begin at its end, and who subscribed shares it.
    let begun = "0 ok send [[\"send\", 5, [0, 1]]]\n";
    let end = "0 ok send [[\"send\", 5, [1, 2]]]\n2 ok poll [[\"poll\", {}]]";
    let given = "2 ok poll [[\"poll\", {\"5\": [[0, 1]]}]]\n";
    for (more, verdict) in [
        (format!("2 ok assign [6]\n{end}"), "valid"),
        (format!("2 ok assign [5]\n{end}"), "valid"),
        (format!("2 ok assign [5]\n{given}{end}"), "invalid"),
        (format!("2 ok assign [5]\n{given}2 ok assign [6]\n{end}"), "valid"),
        (format!("2 ok subscribe [5]\n{given}{end}"), "valid"),
    ] {
        let found: &[(&str, u64)] = if verdict == "invalid" { &[("unseen", 1)] } else { &[] };
        expect("log", &format!("{begun}{more}"), verdict, found, json!({}));
    }
}

/// Those who share logs take them over from each other; who was assigned them does not.
#[test]
fn who_subscribed_may_go_back() {
    let all = "0 ok send [[\"send\", 5, [0, 1]], [\"send\", 5, [1, 2]], [\"send\", 5, [2, 3]]]";
    for (more, name) in [("[[1, 2], [2, 3]]", "nonmonotonic-poll"), ("[[2, 3]]", "poll-skip")] {
        let first = if name == "poll-skip" { "[[0, 1]]" } else { "[[0, 1], [1, 2], [2, 3]]" };
        let text = |f: &str| {
            format!(
                "{all}\n9 ok poll [[\"poll\", {{\"5\": [[0, 1], [1, 2], [2, 3]]}}]]\n2 ok {f} [5]\n\
                 2 ok poll [[\"poll\", {{\"5\": {first}}}]]\n2 ok poll [[\"poll\", {{\"5\": {more}}}]]"
            )
        };
        let allowed = json!({"error-types": [name], "bad-error-types": []});
        expect("log", &text("subscribe"), "valid", &[], allowed);
        let wrong = json!({"bad-error-types": [name]});
        expect("log", &text("assign"), "invalid", &[(name, 1)], wrong.clone());
        // One that says nothing may share what a process before it subscribed to.
        let silent = text("assign").replace("2 ok assign [5]\n", "");
        let other = format!("7 ok subscribe [5]\n{silent}");
        expect("log", &other, "valid", &[], json!({"error-types": [name], "bad-error-types": []}));
        expect("log", &silent, "invalid", &[(name, 1)], wrong);
    }
}

#[test]
fn a_message_that_is_sent_again_is_there_as_often_as_it_may_be() {
    let poll = "1 ok poll [[\"poll\", {\"0\": [[0, 1]]}]]";
    let twice = "1 ok poll [[\"poll\", {\"0\": [[0, 1], [1, 1]]}]]";
    let [ok, fail] = ["0 ok send [[\"send\", 0, [0, 1]]]", "2 fail send [[\"send\", 0, 1]]"];
    let info = "3 info send [[\"send\", 0, 1]]";
    for text in [format!("{ok}\n{fail}\n{poll}"), format!("{fail}\n{ok}\n{poll}")] {
        expect("log", &text, "valid", &[], json!({}));
    }
    expect("log", &format!("{fail}\n{info}\n{poll}"), "valid", &[], json!({}));
    expect("log", &format!("{fail}\n{poll}"), "invalid", &[("aborted-read", 1)], json!({}));
    expect("log", &format!("{ok}\n{info}\n{twice}"), "valid", &[], json!({}));
    expect("log", &format!("{ok}\n{fail}\n{twice}"), "invalid", &[("duplicate", 1)], json!({}));
    let future = [("unexpected-message", 1)];
    expect("log", &format!("{poll}\n{ok}"), "invalid", &future, json!({}));
    let beside = "1 invoke poll [[\"poll\"]]\n0 ok send [[\"send\", 0, [0, 1]]]\n\
                  1 ok poll [[\"poll\", {\"0\": [[0, 1]]}]]";
    expect("log", beside, "valid", &[], json!({}));
}

/// A poll that never answered may have been given what nobody else was.
#[test]
fn what_a_silent_poll_may_have_been_given_is_not_certainly_lost() {
    let sent = "0 ok send [[\"send\", 0, [0, 1]]]\n0 ok send [[\"send\", 0, [1, 2]]]";
    let behind = "2 ok poll [[\"poll\", {\"0\": [[1, 2]]}]]";
    let unseen = json!({"unseen-count": 1});
    let lost = [("lost-write", 1)];
    for (text, verdict) in [
        (format!("{sent}\n1 info poll [[\"poll\"]]\n{behind}"), "unknown"),
        (format!("{sent}\n1 info poll null\n{behind}"), "unknown"),
        (format!("{sent}\n{behind}"), "invalid"),
        (format!("{sent}\n1 fail poll [[\"poll\"]]\n{behind}"), "invalid"),
        (format!("{sent}\n1 info poll [[\"poll\", [7]]]\n{behind}"), "invalid"),
        // It was over before there was anything.
        (format!("1 info poll [[\"poll\"]]\n{sent}\n{behind}"), "invalid"),
    ] {
        let found = if verdict == "invalid" { &lost[..] } else { &[] };
        expect("log", &text, verdict, found, unseen.clone());
    }
}

#[test]
fn answers_without_a_value_say_nothing() {
    let sent = "0 invoke send [[\"send\", 5, 1]]\n0 ok send null";
    let poll = "2 ok poll [[\"poll\", {\"5\": [[0, 1]]}]]";
    let counts = json!({"send-count": 1, "acknowledged-count": 1, "unseen-count": 0});
    expect("log", &format!("{sent}\n{poll}"), "valid", &[], counts);
    let null = format!("{sent}\n3 invoke poll null\n{poll}\n3 info poll null");
    expect("log", &null, "valid", &[], json!({"poll-count": 1}));
    expect("log", &format!("{sent}\n3 ok poll null"), "unknown", &[], json!({"unseen-count": 1}));
    let others = format!("{sent}\n7 info crash null\n8 ok debug-topic-partitions {{}}\n{poll}");
    expect("log", &others, "valid", &[], json!({}));
    expect(
        "log",
        &format!("{others}\n2 ok poll [[\"poll\", {{\"5\": [[1, 9]]}}]]"),
        "invalid",
        &[("unexpected-message", 1)],
        json!({}),
    );
}

/// Where consumers are assigned logs, one that was not says nothing of any.
#[test]
fn a_poll_of_who_was_assigned_nothing_says_nothing() {
    let sent = "0 ok send [[\"send\", 0, [0, 1]]]\n4 ok send [[\"send\", 1, [0, 2]]]";
    let empty = "2 ok poll [[\"poll\", {}]]";
    expect("log", &format!("{sent}\n3 ok assign [1]\n{empty}"), "valid", &[], json!({}));
    let named = "2 invoke poll [[\"poll\", [0]]]\n2 ok poll [[\"poll\", {}]]";
    let unseen = [("unseen", 1)];
    expect("log", &format!("{sent}\n3 ok assign [1]\n{named}"), "invalid", &unseen, json!({}));
    expect("log", &format!("{sent}\n{empty}"), "invalid", &[("unseen", 2)], json!({}));
}

/// What a transaction sends is there for others when it is over, and for itself after that only.
#[test]
fn a_transaction_is_not_given_what_is_not_committed() {
    let own = |polled: &str| {
        format!(
            "0 ok txn [[\"send\", 0, [0, 1]], [\"poll\", {{{polled}}}]]\n1 ok poll [[\"poll\", {{\"0\": [[0, 1]]}}]]"
        )
    };
    expect("log", &own(""), "valid", &[], json!({"error-types": []}));
    expect("log", &own("\"0\": [[0, 1]]"), "invalid", &[("precommitted-read", 1)], json!({}));
    // Two at once, of which each was given what the other sent; the twin was given one of them.
    let two = |polled: &str| {
        format!(
            "0 invoke txn [[\"send\", 0, 1], [\"poll\"]]\n1 invoke txn [[\"poll\"], [\"send\", 1, 2]]\n\
             0 ok txn [[\"send\", 0, [0, 1]], [\"poll\", {{{polled}}}]]\n\
             1 ok txn [[\"poll\", {{\"0\": [[0, 1]]}}], [\"send\", 1, [0, 2]]]\n\
             3 ok poll [[\"poll\", {{\"0\": [[0, 1]], \"1\": [[0, 2]]}}]]"
        )
    };
    expect("log", &two(""), "valid", &[], json!({}));
    expect("log", &two("\"1\": [[0, 2]]"), "invalid", &[("G1c", 1)], json!({}));
    // A message that two may have sent is nobody's in particular.
    let again = "2 info send [[\"send\", 0, 1]]\n";
    expect("log", &format!("{again}{}", own("\"0\": [[0, 1]]")), "valid", &[], json!({}));
}

/// Polls of one transaction go on from each other, as those of one consumer do.
#[test]
fn polls_inside_of_a_transaction_leave_nothing_out() {
    let sent = "0 ok send [[\"send\", 5, [0, 1]], [\"send\", 5, [1, 2]], [\"send\", 5, [2, 3]]]\n\
                9 ok poll [[\"poll\", {\"5\": [[0, 1], [1, 2], [2, 3]]}]]\n2 ok subscribe [5]";
    let txn = |second: &str| {
        format!(
            "{sent}\n2 ok txn [[\"poll\", {{\"5\": [[0, 1]]}}], [\"poll\", {{\"5\": {second}}}], [\"send\", 6, [0, 9]]]\n\
                 9 ok poll [[\"poll\", {{\"6\": [[0, 9]]}}]]"
        )
    };
    expect("log", &txn("[[1, 2], [2, 3]]"), "valid", &[], json!({"error-types": []}));
    expect("log", &txn("[[2, 3]]"), "invalid", &[("int-poll-skip", 1)], json!({}));
    expect("log", &txn("[[0, 1]]"), "invalid", &[("int-nonmonotonic-poll", 1)], json!({}));
    // What a transaction sent that failed was given to nobody.
    let aborted =
        "3 fail txn [[\"send\", 5, 4], [\"poll\"]]\n4 ok poll [[\"poll\", {\"5\": [[3, 4]]}]]";
    expect("log", &format!("{sent}\n{aborted}"), "invalid", &[("aborted-read", 1)], json!({}));
}
