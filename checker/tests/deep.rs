//! Deep and long inputs: an answer or a clear refusal, and no recursion over the input. The sizes
//! are a tenth without optimisation.

use std::fmt::Write;

use serde_json::json;
use splitbrain_checker::history::{Format, History, ReadOptions};
use splitbrain_checker::{Options, judge};

const SCALE: usize = if cfg!(debug_assertions) { 1 } else { 10 };

fn read(text: &str, format: Format) -> Result<History, String> {
    let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
    History::read_with(text.as_bytes(), &options).map_err(|error| error.to_string())
}

fn event(text: &mut String, kind: &str, process: usize, f: &str, key: usize, value: &str) {
    writeln!(
        text,
        "{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\"key\":\"k{key}\",\"value\":{value}}}"
    )
    .expect("a String takes everything");
}

#[track_caller]
fn verdict(text: &str, operations: usize) -> &'static str {
    let history = read(text, Format::Jsonl).expect("a history");
    assert_eq!(history.operations().len(), operations);
    judge(&history, &Options::default()).verdict.name()
}

#[test]
fn a_line_of_100_megabytes() {
    let long = "x".repeat(SCALE * 10_000_000);
    let json = format!(
        "{{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":\"{long}\"}}\n\
         {{\"process\":0,\"type\":\"ok\",\"f\":\"write\"}}\n"
    );
    let edn = format!(
        "{{:process 0 :type :invoke :f :write :value \"{long}\"}}\n\
         {{:process 0 :type :ok :f :write}}\n"
    );
    for (text, format) in [(&json, Format::Jsonl), (&json, Format::Json), (&edn, Format::Edn)] {
        let history = read(text, format).expect("a history");
        let [operation] = history.operations() else { panic!("one operation") };
        assert_eq!(operation.argument().as_str().map(str::len), Some(long.len()), "{format}");
        assert!(judge(&history, &Options::default()).verdict.is_valid());
    }
    for format in [Format::Porcupine, Format::Plume, Format::Awdit] {
        match read(&long, format) {
            // A line about something else, in a log.
            Ok(history) => assert!(history.operations().is_empty() && format == Format::Porcupine),
            Err(error) => {
                assert!(error.starts_with("line 1: ") && error.len() < 300, "{error:.300}");
            }
        }
    }
}

#[test]
fn a_million_brackets() {
    let count = SCALE * 100_000;
    for opening in ["[", "(", "{", "#{", "{:a ", "#_", "^", "#tag "] {
        let error = read(&opening.repeat(count), Format::Edn).expect_err("no end");
        assert!(error.starts_with("line 1: expected "), "{error:.300}");
    }
    for opening in ["[", "{\"a\":"] {
        let nested = opening.repeat(count);
        let line =
            format!("{{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":{nested}");
        for (text, format) in [(line.clone() + "\n", Format::Jsonl), (line + "}", Format::Json)] {
            let error = read(&text, format).expect_err("no end");
            assert!(error.starts_with("line 1: expected "), "{error:.300}");
        }
    }
}

#[test]
fn a_million_keys() {
    let keys = SCALE * 100_000;
    let mut text = String::new();
    for key in 0..keys {
        event(&mut text, "invoke", 0, "write", key, "1");
        event(&mut text, "ok", 0, "write", key, "1");
    }
    assert_eq!(verdict(&text, keys), "valid");
    event(&mut text, "invoke", 0, "read", keys / 2, "null");
    event(&mut text, "ok", 0, "read", keys / 2, "null");
    assert_eq!(verdict(&text, keys + 1), "invalid");
}

#[test]
fn a_million_operations_of_one_key() {
    let count = SCALE * 100_000;
    let mut text = String::new();
    for number in 0..count {
        let (f, value) = if number % 2 == 0 { ("write", number) } else { ("read", number - 1) };
        event(&mut text, "invoke", number % 10, f, 0, &json!(value).to_string());
        event(&mut text, "ok", number % 10, f, 0, &json!(value).to_string());
    }
    assert_eq!(verdict(&text, count), "valid");
    event(&mut text, "invoke", 0, "read", 0, "null");
    event(&mut text, "ok", 0, "read", 0, "0");
    assert_eq!(verdict(&text, count + 1), "invalid");
}

#[test]
fn ten_thousand_open_operations() {
    let open = 10_000;
    let mut text = String::new();
    for process in 0..open {
        event(&mut text, "invoke", process, "write", 0, &process.to_string());
    }
    event(&mut text, "invoke", open, "read", 0, "null");
    event(&mut text, "ok", open, "read", 0, "7");
    // They are never answered.
    assert_eq!(verdict(&text, open + 1), "valid");
    for process in 0..open {
        event(&mut text, "ok", process, "write", 0, &process.to_string());
    }
    assert_eq!(verdict(&text, open + 1), "valid");
    event(&mut text, "invoke", open, "read", 0, "null");
    event(&mut text, "ok", open, "read", 0, "null");
    assert_eq!(verdict(&text, open + 2), "invalid");
}
