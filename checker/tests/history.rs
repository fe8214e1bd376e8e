//! What the reader accepts, and what it says of what it does not accept.

use std::fmt::Write;

use splitbrain_checker::history::{Format, History, Phase, ReadOptions};

/// Reads a text and compares what came of it: one line for each operation, or the error.
#[track_caller]
fn check(text: &str, expected: &str) {
    let found = match History::read(text.as_bytes()) {
        Ok(history) => show(&history),
        Err(error) => error.to_string(),
    };
    let trimmed: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(found.trim_end(), trimmed.join("\n"));
}

fn show(history: &History) -> String {
    let mut text = String::new();
    for operation in history.operations() {
        let key = history[operation.key].as_deref().unwrap_or("-");
        let node = operation.node().map_or("-", |node| &history[node]);
        let end = operation.completed().map_or("end".to_owned(), |at| at.index.to_string());
        let Ok(()) = writeln!(
            text,
            "{}..{end} p{} {} {key} {node} {} {:?} {}",
            operation.invoked.index,
            operation.process,
            operation.f(),
            operation.argument(),
            operation.completion(),
            operation.result()
        ) else {
            unreachable!("a String takes everything")
        };
    }
    if let Some(line) = history.truncated_line() {
        text += &format!("truncated in line {line}\n");
    }
    text
}

const INVOKE: &str = r#"{"index":0,"time":10,"type":"invoke","process":0,"f":"write","value":1}"#;
const OK: &str = r#"{"index":1,"time":20,"type":"ok","process":0,"f":"write","value":1}"#;

fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn an_invocation_is_joined_with_its_completion() {
    check(&lines(&[INVOKE, OK]), "0..1 p0 write - - 1 Ok 1");
}

#[test]
fn an_invocation_without_completion_may_have_happened() {
    check(INVOKE, "0..end p0 write - - 1 Info null");
}

#[test]
fn other_tools_leave_out_index_header_and_node_and_add_fields() {
    check(
        r#"
        {"process":4,"type":"invoke","f":"read","key":71,"value":null,"time":5,"debug":{"a":[1]}}

        {"process":4,"type":"ok","f":"read","key":71,"value":"x","time":9}
        "#,
        r#"0..1 p4 read 71 - null Ok "x""#,
    );
}

#[test]
fn sparse_indices_are_kept() {
    check(
        &lines(&[&INVOKE.replace("\"index\":0", "\"index\":5"), &OK.replace("x\":1", "x\":9")]),
        "5..9 p0 write - - 1 Ok 1",
    );
}

#[test]
fn a_file_without_an_event_is_refused() {
    let nothing = "line 1: expected an event, found none in the whole file";
    for text in ["", "\n\n", "{\"type\":", "\u{feff}\n", ";; only a comment\n", "[]", "INFO x\n"] {
        check(text, nothing);
    }
    for format in Format::ALL {
        let options = ReadOptions { format: Some(format), independent: false };
        assert!(History::read_with(&b""[..], &options).is_err(), "{format}");
    }
    // The twin: a header says that there was a run.
    check("{\"splitbrain\":1}\n", "");
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    check(&format!("\u{feff}{INVOKE}\n{OK}"), "0..1 p0 write - - 1 Ok 1");
    let edn = "\u{feff}{:type :invoke, :process 0, :f :read, :value nil}";
    check(edn, "0..end p0 read - - null Info null");
}

#[test]
fn unknown_times_and_indices_are_minus_one() {
    let unknown =
        |number: &str| lines(&[INVOKE, &OK.replace("\"time\":20", &format!("\"time\":{number}"))]);
    for number in ["-1", "null"] {
        check(&unknown(number), "0..1 p0 write - - 1 Ok 1");
    }
    for number in ["-2", "1.5", "\"5\""] {
        let error = format!("{number} is not 0 or more, or -1 for unknown");
        let found = OK.replace("\"time\":20", &format!("\"time\":{number}"));
        let expected = format!("line 2: expected a JSON event ({error}), found {found}");
        check(&unknown(number), &expected);
        let edn = format!("{{:process 0, :type :invoke, :f :read, :value nil, :time {number}}}");
        let expected = "line 1: expected :time of 0 or more, or -1 for unknown, found ";
        check(&edn, &format!("{expected}{number}"));
    }
    check(
        "{:process 0, :type :invoke, :f :read, :time -1, :index -1}",
        "0..end p0 read - - null Info null",
    );
}

#[test]
fn a_truncated_last_line_is_left_out_and_reported() {
    let whole = lines(&[INVOKE, OK]);
    for cut in 1..OK.len() {
        let text = &whole[..whole.len() - 1 - cut];
        if text.ends_with('\n') {
            check(text, "0..end p0 write - - 1 Info null");
        } else {
            check(text, "0..end p0 write - - 1 Info null\n truncated in line 2");
        }
    }
    // The twin: only the line feed is missing.
    check(&whole[..whole.len() - 1], "0..1 p0 write - - 1 Ok 1");
}

#[test]
fn a_line_in_the_middle_is_never_truncated() {
    let cut = &OK[..30];
    check(
        &lines(&[INVOKE, cut, OK]),
        &format!("line 2: expected a JSON event (EOF while parsing a string), found {cut}"),
    );
}

#[test]
fn what_is_not_an_event() {
    check("{}\n", "line 1: expected a JSON event (missing field `type`), found {}");
    check("hello\n", "line 1: expected a JSON event (expected value), found hello");
    check(
        "\n{\"type\":\"done\"}\n",
        "line 2: expected a JSON event (unknown variant `done`, expected one of `invoke`, `ok`, \
         `fail`, `info`), found {\"type\":\"done\"}",
    );
}

#[test]
fn pairing_is_checked() {
    check(
        &lines(&[INVOKE, &INVOKE.replace("\"index\":0", "\"index\":1")]),
        "line 2: expected the completion of process 0's write (event 0) before its next \
         invocation, found the invocation of a write",
    );
    check(
        &lines(&[OK]),
        "line 1: expected an invocation of process 0 before its completion, found the completion \
         of a write",
    );
    check(
        &lines(&[INVOKE, &OK.replace("write", "read")]),
        "line 2: expected the completion of process 0's write, found the completion of a read",
    );
    let keyed = |line: &str, key: &str| line.replace("\"f\"", &format!("\"key\":\"{key}\",\"f\""));
    check(
        &lines(&[&keyed(INVOKE, "a"), &keyed(OK, "b")]),
        "line 2: expected key a, that of process 0's invocation, found key b",
    );
    check(&lines(&[&keyed(INVOKE, "a"), OK]), "0..1 p0 write a - 1 Ok 1");
}

#[test]
fn a_process_ends_with_an_info() {
    let info = OK.replace("\"ok\"", "\"info\"");
    let again = INVOKE.replace("\"index\":0,\"time\":10", "\"index\":2,\"time\":30");
    check(
        &lines(&[INVOKE, &info, &again]),
        "line 3: expected no more events of process 0, which ended with an info, found the \
         invocation of a write",
    );
    // The twin: the client goes on under a new number.
    check(
        &lines(&[INVOKE, &info, &again.replace("\"process\":0", "\"process\":5")]),
        "0..1 p0 write - - 1 Info 1
         2..end p5 write - - 1 Info null",
    );
}

#[test]
fn an_index_does_not_run_backwards_and_a_time_that_does_is_that_of_the_event_before() {
    let went_back = |text: &str| {
        let history = History::read(text.as_bytes()).expect("a history");
        (history.end().time_ns, history.clock_went_back().map(ToString::to_string))
    };
    let early = lines(&[INVOKE, &OK.replace("20", "9")]);
    check(&early, "0..1 p0 write - - 1 Ok 1");
    let told = "the clock went back, first at line 2, by at most 0.000001 ms (events: 1)";
    assert_eq!(went_back(&early), (10, Some(told.to_owned())));
    assert_eq!(went_back(&lines(&[INVOKE, OK])), (20, None));
    check(&lines(&[INVOKE, &OK.replace("20", "10")]), "0..1 p0 write - - 1 Ok 1");
    check(
        &lines(&[INVOKE, &OK.replace("\"index\":1", "\"index\":0")]),
        "line 2: expected an index of at least 1, found 0",
    );
}

#[test]
fn a_cas_has_two_values() {
    let cas = |value: &str| {
        INVOKE.replace("write", "cas").replace("\"value\":1", &format!("\"value\":{value}"))
    };
    check(&cas("[1,2]"), "0..end p0 cas - - [1,2] Info null");
    check(&cas("[1]"), "line 1: expected [old, new] as the value of a cas, found [1]");
    check(&cas("3"), "line 1: expected [old, new] as the value of a cas, found 3");
}

#[test]
fn the_header_names_the_nodes_and_its_version_is_checked() {
    let header = r#"{"splitbrain":1,"nodes":["n1","n2"],"extra":true}"#;
    let text = lines(&[header, &INVOKE.replace("\"f\"", "\"node\":\"n2\",\"f\"")]);
    check(&text, "0..end p0 write - n2 1 Info null");
    let history = History::read(text.as_bytes()).expect("a history");
    assert_eq!(history.nodes(), ["n1", "n2"]);
    assert_eq!(history.header().map(|header| header.deadline_ms), Some(1_000));
    check(
        &header.replace(":1,", ":2,"),
        "line 1: expected a header of schema version 1, found version 2",
    );
    check(
        &lines(&[INVOKE, header]),
        &format!("line 2: expected a JSON event (missing field `type`), found {header}"),
    );
}

#[test]
fn every_event_belongs_to_the_phase_before_it() {
    let phase = |index: u64, name: &str| {
        format!(
            r#"{{"index":{index},"time":0,"type":"info","process":"harness","f":"phase","value":"{name}"}}"#
        )
    };
    let read = |index: u64| {
        format!(
            r#"{{"index":{index},"time":0,"type":"invoke","process":{index},"f":"read","value":null}}"#
        )
    };
    let text = lines(&[&read(0), &phase(1, "main"), &read(2), &phase(3, "final"), &read(4)]);
    let history = History::read(text.as_bytes()).expect("a history");
    let phases: Vec<_> = history.operations().iter().map(|operation| operation.phase).collect();
    assert_eq!(phases, [None, Some(Phase::Main), Some(Phase::Final)]);
    check(&phase(0, "lunch"), "line 1: expected the name of a phase, found \"lunch\"");
    check(
        &phase(0, "main").replace("\"info\"", "\"ok\""),
        "line 1: expected an info, the only type of event of the harness, found ok",
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = History::open("/nonexistent/history.jsonl").expect_err("no file");
    assert!(error.to_string().starts_with("/nonexistent/history.jsonl: "), "{error}");
}
