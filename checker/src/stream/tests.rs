//! What a stream says of every prefix, compared with what all procedures say of it as a whole.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Stream;
use super::key::Key;
use crate::history::History;
use crate::verdict::Verdict;
use crate::{Options, Rung, judge};

/// How clients of a random history behave.
#[derive(Clone, Copy, Debug)]
struct Clients {
    processes: u64,
    values: u64,
    unique: bool,
    keys: u64,
    lines: usize,
    info: f64,
}

/// A register that clients work on, as lines; some answers are wrong.
struct Simulation {
    lines: Vec<String>,
    /// By process: key, whether it has taken effect, line of the invocation without its type.
    open: Vec<Option<Called>>,
    names: Vec<u64>,
    state: Vec<u64>,
    written: u64,
}

#[derive(Clone)]
struct Called {
    key: u64,
    f: &'static str,
    old: u64,
    new: u64,
    /// Once it has taken effect: what was found.
    found: Option<u64>,
}

impl Clients {
    fn history(self, random: &mut ChaCha8Rng) -> Vec<String> {
        let mut simulation = Simulation {
            lines: Vec::new(),
            open: vec![None; self.processes as usize],
            names: (0..self.processes).collect(),
            state: vec![0; self.keys as usize],
            written: 0,
        };
        let wrong = random.random_range(0..4) as f64 / 20.0;
        while simulation.lines.len() < self.lines {
            simulation.act(self, wrong, random);
        }
        simulation.lines
    }
}

impl Simulation {
    fn act(&mut self, clients: Clients, wrong: f64, random: &mut ChaCha8Rng) {
        let process = random.random_range(0..self.open.len());
        let Some(mut called) = self.open[process].take() else {
            let mut value = || match clients.unique {
                true => {
                    self.written += 1;
                    self.written
                }
                false => random.random_range(0..clients.values),
            };
            let new = value();
            let old = random.random_range(0..if clients.unique { new } else { clients.values });
            let f = ["read", "write", "cas"][random.random_range(0..3)];
            let key = random.random_range(0..clients.keys);
            let called = Called { key, f, old, new, found: None };
            self.line(process, "invoke", &called, None);
            self.open[process] = Some(called);
            return;
        };
        let state = &mut self.state[called.key as usize];
        if called.found.is_none() && random.random_bool(0.7) {
            called.found = Some(*state);
            match called.f {
                "write" => *state = called.new,
                "cas" if *state == called.old => *state = called.new,
                _ => {}
            }
            self.open[process] = Some(called);
            return;
        }
        let mismatch = called.f == "cas" && called.found != Some(called.old);
        let kind = match (called.found, random.random_range(0..10)) {
            _ if random.random_bool(wrong) => ["ok", "fail"][random.random_range(0..2)],
            (_, 0) if random.random_bool(clients.info) => "info",
            (None, _) => "fail",
            _ if mismatch => "fail",
            _ => "ok",
        };
        let seen = match random.random_bool(wrong) {
            true => Some(random.random_range(0..clients.values)),
            false => called.found,
        };
        self.line(process, kind, &called, seen);
        if kind == "info" {
            self.names[process] += self.names.len() as u64;
        }
    }

    fn line(&mut self, process: usize, kind: &str, called: &Called, seen: Option<u64>) {
        let Called { key, f, old, new, .. } = *called;
        let value = match f {
            "read" => seen.map_or("null".to_owned(), |seen| seen.to_string()),
            "cas" => format!("[{old},{new}]"),
            _ => new.to_string(),
        };
        let process = self.names[process];
        self.lines.push(format!(
            r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"{key}","value":{value}}}"#
        ));
    }
}

fn options() -> Options {
    Options { initial: Some(0.into()), ..Options::default() }
}

/// Whether these lines are not linearizable.
fn is_invalid(lines: &[String]) -> bool {
    let history = History::read(lines.join("\n").as_bytes()).expect("a history");
    judge(&history, &options()).ladder[&Rung::Linearizable] == Verdict::Invalid
}

/// The line with which a stream is certain, and what it says at the end.
fn streamed(lines: &[String]) -> (Option<u64>, Verdict) {
    let mut stream = Stream::new(&options());
    for line in lines {
        stream.push(format!("{line}\n").as_bytes()).expect("a well-formed line");
    }
    let line = stream.violation().map(|certainty| certainty.at.line);
    (line, stream.finish().expect("a history"))
}

fn compare(cases: usize, seed: u64, clients: impl Fn(&mut ChaCha8Rng) -> Clients) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let long = std::env::var("SPLITBRAIN_LONG").ok().and_then(|times| times.parse().ok());
    let cases = cases * long.unwrap_or(1) / if cfg!(debug_assertions) { 10 } else { 1 };
    let mut invalid = 0;
    for _ in 0..cases {
        let clients = clients(&mut random);
        let lines = clients.history(&mut random);
        let (certain, verdict) = streamed(&lines);
        // What is refuted stays so, whatever follows: the line before is enough to look at.
        let sound = match certain.map(|line| line as usize) {
            Some(line) => is_invalid(&lines[..line]) && !is_invalid(&lines[..line - 1]),
            None => !is_invalid(&lines),
        };
        assert!(sound, "not at line {certain:?} of\n{}", lines.join("\n"));
        assert_eq!(verdict.is_invalid(), certain.is_some(), "{}", lines.join("\n"));
        invalid += usize::from(certain.is_some());
    }
    eprintln!("{cases} random streams: {invalid} invalid, each at the first line that makes it so");
    assert!(invalid > cases / 20 && invalid < cases * 9 / 10);
}

#[test]
fn few_values_are_refuted_at_the_first_possible_line() {
    compare(3_000, 1, |random| Clients {
        processes: random.random_range(1..6),
        values: random.random_range(2..5),
        unique: false,
        keys: random.random_range(1..3),
        lines: random.random_range(4..30),
        info: 1.0,
    });
}

#[test]
fn unique_values_are_refuted_at_the_first_possible_line() {
    compare(3_000, 2, |random| Clients {
        processes: random.random_range(1..8),
        values: 4,
        unique: true,
        keys: 1,
        lines: random.random_range(4..40),
        info: 1.0,
    });
}

#[test]
fn longer_streams_go_back_over_checkpoints() {
    compare(100, 3, |random| Clients {
        processes: 6,
        values: 3,
        unique: random.random_bool(0.5),
        keys: 2,
        lines: 150,
        info: 0.3,
    });
}

#[test]
fn pieces_may_end_anywhere() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let clients = Clients { processes: 4, values: 3, unique: false, keys: 1, lines: 60, info: 1.0 };
    for _ in 0..200 {
        let lines = clients.history(&mut random);
        let text = lines.join("\n");
        let mut stream = Stream::new(&options());
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random.random_range(1..=rest.len().min(200)));
            stream.push(piece).expect("a history");
            rest = after;
        }
        assert_eq!(stream.finish().expect("a history"), streamed(&lines).1);
    }
}

/// Many operations by twenty clients, without a violation: only crashed ones are kept.
#[test]
fn memory_follows_what_is_open() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let lines = if cfg!(debug_assertions) { 4_000 } else { 40_000 };
    let clients = Clients { processes: 20, values: 5, unique: true, keys: 1, lines, info: 0.1 };
    let mut stream = Stream::new(&options());
    let mut most = 0;
    let mut simulation = Simulation {
        lines: Vec::new(),
        open: vec![None; 20],
        names: (0..20).collect(),
        state: vec![0],
        written: 0,
    };
    for _ in 0..lines {
        simulation.act(clients, 0.0, &mut random);
        for line in simulation.lines.drain(..) {
            stream.push(format!("{line}\n").as_bytes()).expect("a well-formed line");
        }
        most = most.max(stream.keys.iter().map(Key::held).max().unwrap_or(0));
    }
    eprintln!("at most {most} operations and values held");
    assert_eq!(stream.finish().expect("a history"), Verdict::Valid);
    assert!(most < 4_000, "{most}");
}

#[test]
fn lines_that_do_not_belong_are_refused() {
    let refused = |lines: &[&str]| {
        let mut stream = Stream::new(&options());
        let text = lines.join("\n") + "\n";
        stream.push(text.as_bytes()).expect_err("a refusal").to_string()
    };
    let invoke = r#"{"process":1,"type":"invoke","f":"read","value":null,"time":5}"#;
    let early = r#"{"process":2,"type":"invoke","f":"read","value":null,"time":4}"#;
    let ok = r#"{"process":2,"type":"ok","f":"read","value":null}"#;
    assert!(refused(&[invoke, "", invoke]).starts_with("line 3: expected a completion"));
    let info = invoke.replace("invoke", "info");
    assert!(refused(&[invoke, &info, invoke]).starts_with("line 3: expected no more events"));
    let keyed = |kind, key| invoke.replace("invoke", kind).replace("\"f\"", key);
    let (a, b) = (keyed("invoke", "\"key\":1,\"f\""), keyed("ok", "\"key\":\"1\",\"f\""));
    let other = "line 2: expected the completion of process 1's read of key 1, found that of a read \
                 of key \"1\"";
    assert_eq!(refused(&[&a, &b]), other);
    let write = keyed("ok", "\"f\"").replace("\"read\"", "\"write\"");
    assert!(refused(&[invoke, &write]).starts_with("line 2: expected the completion of process 1"));
    let late = r#"{"splitbrain":1}"#;
    assert!(refused(&[invoke, late]).starts_with("line 2: expected a JSON event"));
    let long = invoke.replace("null", "18446744073709551616");
    assert!(refused(&[&long]).starts_with("line 1: expected whole numbers of at most 64 bits"));
    assert!(Stream::new(&options()).push(format!("{invoke}\n{early}\n").as_bytes()).is_ok());
    assert!(refused(&[ok]).starts_with("line 1: expected an invocation of process 2"));
    assert!(refused(&["nonsense"]).starts_with("line 1: expected a JSON event"));
    assert!(refused(&[r#"{"splitbrain":9}"#]).contains("schema version 1"));
}

#[test]
fn what_cannot_be_followed_is_unknown_and_refused_where_it_is_wrong() {
    let mutex = || Options { model: Some("mutex".parse().expect("a model")), ..Options::default() };
    let mut stream = Stream::new(&mutex());
    assert!(stream.doubt().is_some_and(|doubt| doubt.contains("mutex")));
    let lines = b"{\"process\":1,\"type\":\"invoke\",\"f\":\"acquire\"}\n\
        {\"process\":1,\"type\":\"ok\",\"f\":\"acquire\"}\n";
    stream.push(lines).expect("a history");
    let verdict = stream.finish().expect("a history");
    assert!(matches!(verdict, Verdict::Unknown { .. }), "{verdict:?}");
    let mut stream = Stream::new(&mutex());
    stream.push(lines).expect("a history");
    let completion = lines.split_inclusive(|byte| *byte == b'\n').nth(1).expect("a line");
    let error = stream.push(completion).expect_err("a completion without an invocation");
    assert!(error.to_string().starts_with("line 3: expected"), "{error}");
}

#[test]
fn a_violation_lies_between_two_places() {
    let line = |process: u32, kind: &str, f: &str, value: &str| {
        format!(r#"{{"process":{process},"type":"{kind}","f":"{f}","value":{value}}}"#) + "\n"
    };
    let pair = |f: &str, value: &str| line(0, "invoke", f, value) + &line(0, "ok", f, value);
    let text =
        pair("write", "1").repeat(100) + &pair("read", "0") + &pair("write", "1").repeat(100);
    let mut stream = Stream::new(&options());
    stream.push(text.as_bytes()).expect("a history");
    let certainty = stream.violation().expect("a stale read");
    assert!(certainty.after.line < 202 && certainty.at.line >= 202, "{certainty:?}");
    assert!(certainty.at.line <= certainty.after.line + super::LINES_A_LOOK, "{certainty:?}");
    for place in [certainty.after, certainty.at] {
        let lines = text[..place.bytes as usize].lines().count();
        assert_eq!(lines as u64, place.line);
    }
}

#[test]
fn a_header_and_the_end_are_understood() {
    let mut stream = Stream::new(&Options::default());
    stream.push(b"{\"splitbrain\":1,\"vocabulary\":\"register\",\"initial\":7}\n").unwrap();
    let read = r#"{"process":1,"type":"invoke","f":"read","value":null}"#;
    stream.push(format!("{read}\n").as_bytes()).unwrap();
    stream.push(b"{\"process\":1,\"type\":\"ok\",\"f\":\"read\",\"value\":7}\n").unwrap();
    assert!(!stream.is_over());
    let end = r#"{"type":"info","process":"harness","f":"phase","value":"teardown"}"#;
    stream.push(end.as_bytes()).unwrap();
    stream.push(b"\n").unwrap();
    assert!(stream.is_over());
    assert_eq!(stream.finish(), Ok(Verdict::Valid));
}
