//! What is written is what was read: no operation, time, fault or answer is lost on the way to
//! another notation and back.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::files;
use proptest::prelude::*;
use serde_json::{Value, json};
use splitbrain_checker::history::{
    ErrorKind, Event, EventError, Header, History, Kind, Notation, Process,
};
use splitbrain_checker::{Options, judge};

fn written(history: &History, notation: Notation) -> String {
    let mut text = Vec::new();
    history.write(notation, &mut text).expect("a Vec takes everything");
    String::from_utf8(text).expect("UTF-8")
}

/// Writes the history in every notation and reads it again.
#[track_caller]
fn check(history: &History) {
    let events: Vec<Event> = history.events().collect();
    for notation in Notation::ALL.into_iter().filter(|notation| notation.has_real_time()) {
        let text = written(history, notation);
        let again = History::read(text.as_bytes()).unwrap_or_else(|e| panic!("{e} in\n{text}"));
        assert_eq!(again.events().collect::<Vec<_>>(), events, "{text}");
        assert_eq!(again.header(), history.header());
        assert_eq!(again.keys(), history.keys());
    }
}

#[test]
fn what_jepsen_would_have_written() {
    let text = r#"{"splitbrain":1,"vocabulary":"register","initial":5,"nodes":["n1","n2"]}
        {"index":3,"time":10,"type":"invoke","process":0,"f":"write","key":"k1","value":1,"client":0,"node":"n1","due":4}
        {"index":4,"time":20,"type":"ok","process":0,"f":"write","key":"k1","value":1,"version":7}
        {"index":5,"time":21,"type":"info","process":"nemesis","f":"start","fault":"halves","id":1,"value":{"cut":[["n1","n2"]]},"effect":"installed"}
        {"index":6,"time":22,"type":"invoke","process":1,"f":"cas","key":"7","value":[1,2]}
        {"index":8,"time":30,"type":"info","process":1,"f":"cas","key":"7","error":{"kind":"timeout","text":"no \"answer\""}}
        {"index":9,"time":31,"type":"invoke","process":2,"f":"read","key":"k1","value":null}"#;
    let history = History::read(text.as_bytes()).expect("a history");
    check(&history);
    let edn = written(&history, Notation::Edn);
    let lines: Vec<&str> = edn.lines().skip(1).collect();
    let expected = r#";; independent: each value is [key value]
{:index 3, :time 10, :type :invoke, :process 0, :f :write, :value ["k1" 1], :client 0, :due 4, :node "n1"}
{:index 4, :time 20, :type :ok, :process 0, :f :write, :value ["k1" 1], :version 7}
{:index 5, :time 21, :type :info, :process :nemesis, :f :start, :value {:cut [["n1" "n2"]]}, :id 1, :fault :halves, :effect :installed}
{:index 6, :time 22, :type :invoke, :process 1, :f :cas, :value [7 [1 2]]}
{:index 8, :time 30, :type :info, :process 1, :f :cas, :value [7 nil], :error [:timeout "no \"answer\""]}
{:index 9, :time 31, :type :invoke, :process 2, :f :read, :value ["k1" nil]}"#;
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn transactions_have_keywords() {
    let text = r#"{"type":"invoke","process":0,"f":"txn","value":[["append",3,1],["r","x",null]]}
        {"type":"ok","process":0,"f":"txn","value":[["append",3,1],["r","x",[1,2]]]}"#;
    let history = History::read(text.as_bytes()).expect("a history");
    check(&history);
    assert_eq!(
        written(&history, Notation::Edn),
        "{:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append 3 1] [:r \"x\" nil]]}\n\
         {:index 1, :time 0, :type :ok, :process 0, :f :txn, :value [[:append 3 1] [:r \"x\" [1 2]]]}\n"
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1_000_000..1_000_000).prop_map(|number| json!(f64::from(number) / 64.0)),
        "\\PC{0,6}|[\\x00-\\x7f]{0,6}|:k|nil|7".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z0-9\" -]{0,4}|-?[0-9]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[derive(Clone, Debug)]
struct Call {
    process: u64,
    f: String,
    key: Option<String>,
    argument: Value,
    result: Value,
    kind: Kind,
    gap_ns: u64,
    error: Option<EventError>,
    extra: Option<u32>,
    open: bool,
}

fn call() -> impl Strategy<Value = Call> {
    let key = prop::option::weighted(0.8, "[a-z]{1,2}|-?[0-9]{1,2}|\\PC{0,3}");
    let f = "read|write|cas|txn|odd name|7up|get";
    let kind = prop_oneof![Just(Kind::Ok), Just(Kind::Fail), Just(Kind::Info)];
    let error = prop::option::of(("\\PC{0,4}", 0..5_usize)).prop_map(|error| {
        let kinds = [
            ErrorKind::Mismatch,
            ErrorKind::Refused,
            ErrorKind::Timeout,
            ErrorKind::Connection,
            ErrorKind::Other,
        ];
        error.map(|(text, kind)| EventError { kind: kinds[kind], text })
    });
    let what = (f, key, value(), value());
    let how = (kind, 0..100_u64, error, prop::option::of(any::<u32>()), any::<bool>());
    (0..4_u64, what, how).prop_map(
        |(process, (f, key, argument, result), (kind, gap_ns, error, extra, open))| {
            let argument = if f == "cas" { json!([argument, 1]) } else { argument };
            Call { process, f, key, argument, result, kind, gap_ns, error, extra, open }
        },
    )
}

/// Events of calls that overlap, with notes of the nemesis and the harness between them.
fn history_of(calls: &[Call], header: Option<Header>) -> History {
    let mut events: Vec<Event> = Vec::new();
    let mut open: Vec<Event> = Vec::new();
    let (mut time, mut next_process) = (0, 4);
    let mut process_of: Vec<u64> = (0..4).collect();
    for call in calls {
        time += call.gap_ns;
        let slot = call.process as usize;
        if let Some(at) = open.iter().position(|e| e.process == Process::Client(process_of[slot])) {
            let end = open.remove(at);
            if end.kind == Kind::Info {
                process_of[slot] = next_process;
                next_process += 1;
            }
            events.push(Event { time, index: events.len() as u64, ..end });
        }
        let process = Process::Client(process_of[slot]);
        let index = 2 * events.len() as u64;
        let begin = Event {
            key: call.key.clone(),
            value: call.argument.clone(),
            client: call.extra,
            node: call.extra.map(|node| format!("n{}", node % 3).into()),
            due: call.extra.map(u64::from),
            ..Event::new(index, time, Kind::Invoke, process, call.f.clone())
        };
        open.push(Event {
            value: call.result.clone(),
            client: None,
            node: None,
            due: None,
            kind: call.kind,
            error: call.error.clone(),
            version: call.extra.map(u64::from),
            ..begin.clone()
        });
        events.push(begin);
        if call.open {
            let who = if call.gap_ns % 2 == 0 { Process::Nemesis } else { Process::Harness };
            events.push(Event {
                value: call.result.clone(),
                fault: Some(call.f.clone().into()),
                id: call.extra.map(u64::from),
                effect: call.extra.map(|_| "installed".into()),
                reason: call.key.clone(),
                ..Event::new(0, time, Kind::Info, who, "start")
            });
        }
    }
    for (at, event) in (0..).zip(&mut events) {
        event.index = 2 * at;
    }
    History::from_events(header, events).expect("well-formed")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_is_lost(calls in prop::collection::vec(call(), 1..20), headed in any::<bool>()) {
        let header = json!({"splitbrain": 1, "run": "x \"y\"", "initial": [1], "nodes": ["n1"]});
        let header = headed.then(|| serde_json::from_value(header).expect("a header"));
        check(&history_of(&calls, header));
    }
}

/// Every history of the corpora, ours and, if `SPLITBRAIN_CORPORA` is set, those of others.
fn corpora() -> Vec<(PathBuf, History)> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let others = std::env::var_os("SPLITBRAIN_CORPORA").map(PathBuf::from);
    if others.is_none() {
        eprintln!("SKIPPED: SPLITBRAIN_CORPORA is not set, so only our own corpus was converted");
    }
    let folders = others.into_iter().chain([ours]);
    let paths = folders.flat_map(|folder| files(&folder));
    let read = |path: PathBuf| {
        let history = match fs::read_to_string(&path) {
            // Our own have comments, which are no part of a history.
            Ok(text) if path.extension().is_some_and(|extension| extension == "jsonl") => {
                let lines = text.lines().map(|line| if line.starts_with('#') { "" } else { line });
                History::read(lines.collect::<Vec<_>>().join("\n").as_bytes())
            }
            _ => History::open(&path),
        };
        Some((path, history.ok().filter(|history| !history.operations().is_empty())?))
    };
    paths.filter_map(read).collect()
}

#[test]
fn verdicts_stay_what_they_were() {
    let histories = corpora();
    assert!(histories.len() >= 50, "{} histories", histories.len());
    for (path, history) in histories {
        // Times are written as they were taken, so where a clock went back nothing tells of that any more.
        let timed = ["cap_reason", "profile", "failover"];
        let untimed = if history.clock_went_back().is_some() { &timed[..] } else { &[] };
        let judgement = |history: &History| {
            let judgement = judge(history, &Options::default());
            let mut judgement = serde_json::to_value(&judgement).expect("JSON");
            untimed.iter().for_each(|field| judgement[field] = Value::Null);
            judgement
        };
        let expected = judgement(&history);
        for notation in Notation::ALL.into_iter().filter(|notation| notation.has_real_time()) {
            let text = written(&history, notation);
            let again = History::read(text.as_bytes())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(judgement(&again), expected, "{}", path.display());
        }
    }
}

/// What is read again from the notations of transactional checkers: for each transaction its process, whether it
/// was committed, and its steps.
#[track_caller]
fn check_transactions(lines: &str, expected: &str) {
    let history = History::read(lines.as_bytes()).expect("a history");
    let levels = |history: &History| judge(history, &Options::default()).ladder;
    for notation in [Notation::Plume, Notation::Dbcop] {
        history.fits(notation).expect("transactions on registers");
        let mut bytes = Vec::new();
        history.write(notation, &mut bytes).expect("a Vec takes everything");
        let again = History::read(&*bytes).expect("a history");
        let mut told: Vec<String> = again
            .operations()
            .iter()
            .map(|one| {
                let value = if one.is_ok() { one.result() } else { one.argument() };
                format!("{} {} {value}", one.process, one.is_ok())
            })
            .collect();
        told.sort();
        assert_eq!(told, expected.lines().map(str::trim).collect::<Vec<_>>(), "{notation:?}");
        for (level, verdict) in levels(&again) {
            assert_eq!(verdict, levels(&history)[&level], "{notation:?}: {}", level.name());
        }
    }
}

/// `PROCESS TYPE VALUE`, each an invocation and its completion.
fn transactions(text: &str) -> String {
    let event = |line: &str| {
        let words: Vec<&str> = line.trim().splitn(3, ' ').collect();
        let [process, kind, value] = words[..] else { panic!("{line}") };
        let answered = if kind == "ok" { value } else { "null" };
        format!(
            r#"{{"process":{process},"type":"invoke","f":"txn","value":{value}}}
               {{"process":{process},"type":"{kind}","f":"txn","value":{answered}}}
            "#
        )
    };
    text.lines().map(event).collect()
}

#[test]
fn transactions_for_other_checkers() {
    check_transactions(
        &transactions(
            r#"0 ok [["w",7,1],["w",8,2]]
               1 ok [["r",7,1],["r",9,null]]
               2 fail [["w",7,3]]
               3 info [["w",9,4],["r",7,null]]
               4 info [["w",9,5]]
               1 ok [["r",9,4]]"#,
        ),
        r#"0 true [["w",7,1],["w",8,2]]
           1 true [["r",7,1],["r",9,0]]
           1 true [["r",9,4]]
           2 false [["w",7,3]]
           3 true [["w",9,4]]"#,
    );
    // Names are numbered, and so is a value that stands for what was there at first.
    check_transactions(
        &transactions(
            "0 ok [[\"w\",\"x\",0],[\"w\",\"y\",\"a\"]]\n1 ok [[\"r\",\"y\",\"a\"],[\"r\",\"x\",0]]",
        ),
        r#"0 true [["w",0,1],["w",1,2]]
           1 true [["r",1,2],["r",0,1]]"#,
    );
}

#[test]
fn what_is_no_transaction_on_registers_has_no_place_there() {
    for value in [r#"[["append",7,1]]"#, r#"[["r",7,[1]]]"#, "3"] {
        let history = History::read(transactions(&format!("0 ok {value}")).as_bytes());
        let history = history.expect("a history");
        assert!(history.fits(Notation::Edn).is_ok());
        let why = history.fits(Notation::Plume).expect_err("it does not fit");
        assert!(why.expected.starts_with("transactions on registers"), "{why}");
    }
}
