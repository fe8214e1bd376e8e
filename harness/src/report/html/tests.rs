//! That the page holds what it should and nothing that could act. How it looks is for eyes and a
//! browser.

use super::*;
use crate::report::{Question, judge_history};

fn page(history: &str) -> String {
    let history = History::read(history.as_bytes()).unwrap();
    let judged = judge_history(&history, &Question::default(), std::time::Instant::now());
    render(&judged, &history)
}

/// The data as the page's script reads it.
fn data_of(page: &str) -> Value {
    let begin = page.find(r#"id="data">"#).unwrap() + r#"id="data">"#.len();
    let end = begin + page[begin..].find("</script>").unwrap();
    serde_json::from_str(&page[begin..end]).unwrap()
}

const STALE: &str = r#"{"process":0,"type":"invoke","f":"write","value":1,"time":10000}
{"process":0,"type":"ok","f":"write","value":1,"time":2010000}
{"process":1,"type":"invoke","f":"read","value":null,"time":3010000}
{"process":2,"type":"invoke","f":"write","value":7,"time":3020000}
{"process":1,"type":"ok","f":"read","value":null,"time":4010000}
"#;

#[test]
fn operations_are_columns() {
    let operations = &data_of(&page(STALE))["operations"];
    assert_eq!(operations["invoked"], json!([10, 3_000, 10]));
    assert_eq!(operations["took"], json!([2_000, 1_000, -1]));
    assert_eq!(operations["kind"], "ooi");
    assert_eq!(operations["argument"], json!([1, null, 7]));
    assert_eq!(operations["index"], json!([0, 2, 1]));
}

#[test]
fn what_was_violated_is_in_it() {
    let page = page(STALE);
    let verdict = &data_of(&page)["verdict"];
    assert_eq!(verdict["verdict"], "invalid");
    assert_eq!(verdict["violations"][0]["name"], "stale-read");
    for mark in ["/*STYLE*/", "/*SCRIPT*/", "/*DATA*/"] {
        assert!(!page.contains(mark), "{mark} was not filled in");
    }
}

#[test]
fn nothing_is_fetched_and_no_value_is_markup() {
    let evil =
        STALE.replace(r#""value":7"#, r#""value":"</script><script>alert(1)</script>/*DATA*/""#);
    let page = page(&evil);
    assert_eq!(page.matches("</script>").count(), 2, "a value has ended an element");
    assert!(!page.contains("alert(1)</script>"));
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} in the page");
    }
}

#[test]
fn an_enormous_run_keeps_its_violations() {
    let mut lines = STALE.to_owned();
    for at in 0..160_000u64 {
        let time = 5_000_000 + at * 10;
        let event = |kind, value: String, time: u64| {
            format!(
                r#"{{"process":9,"type":"{kind}","f":"read","key":"other","value":{value},"time":{time}}}"#
            )
        };
        lines += &event("invoke", "null".to_owned(), time);
        lines += "\n";
        lines += &event("ok", "null".to_owned(), time + 1);
        lines += "\n";
    }
    let data = data_of(&page(&lines));
    let kept = data["operations"]["kind"].as_str().unwrap().len();
    assert!((40_000..=150_000).contains(&kept), "{kept}");
    assert!(data["shortened"].as_str().unwrap().contains("of 160003"), "{}", data["shortened"]);
    // The three of the violated key come first.
    assert_eq!(data["operations"]["index"][1], 2);
}

#[test]
fn an_operation_takes_less_than_fifty_bytes_of_the_page() {
    // As in a run: five nodes, ten clients, a key for every hundred operations.
    let lines = |operations: u64| -> String {
        let event = |at: u64, kind: &str, time: u64| {
            let (process, node, key) = (at % 10, at % 5 + 1, at / 100);
            format!(
                r#"{{"process":{process},"type":"{kind}","f":"write","key":"k{key}","value":{at},"time":{time},"client":{process},"node":"n{node}","due":{}}}"#,
                at * 300_000
            )
        };
        let both = |at: u64| {
            let called = at * 300_000 + at % 7 * 1_000;
            let answered = called + 2_000_000 + at * 7_919 % 900_000;
            [(called, event(at, "invoke", called)), (answered, event(at, "ok", answered))]
        };
        let mut events: Vec<(u64, String)> = (0..operations).flat_map(both).collect();
        events.sort();
        events.into_iter().map(|(_, line)| line + "\n").collect()
    };
    let (small, large) = (page(&lines(100)).len(), page(&lines(5_100)).len());
    assert!(large - small < 5_000 * 50, "{} a operation", (large - small) / 5_000);
}
