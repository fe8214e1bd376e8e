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
    // Who was assigned anew may begin elsewhere.
    let assigned =
        format!("4{}{}3 ok assign [0]\n{}", &whole[1..], poll("[[0, 10]]"), poll("[[2, 12]]"));
    log(&assigned, "valid", &[]);
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
