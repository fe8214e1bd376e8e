//! What a suite makes of verdicts, and in which order it asks for them.

mod schema;

use serde_json::{Value, json};

use super::*;
use crate::cli::Exit;

const SUITE: &str = r#"
    name = "small"
    [[matrix]]
    targets = ["store/raft", "store/gossip"]
    faults = ["none", "halves"]
    seeds = [1, 2]
    time_limit = "5s"
    expect = "linearizable"
    [[known]]
    target = "store/gossip"
    faults = "halves"
    reason = "it is AP <& \"eventual\">"
"#;

fn verdict(word: &str) -> Value {
    json!({ "verdict": word, "class": "linearizable", "operations": 9, "run": "store/x/y",
        "violations": [{ "name": "stale-read" }], "reason": "out of budget",
        "no_faults": false, "faults": [] })
}

fn row(cell: &Cell, word: &str) -> Row {
    Row::of(&cell.name(), cell.seed, &verdict(word), 3.0)
}

/// The suite with what each cell showed, by the words of its name that stand before.
fn told(shown: &[(&str, &str)], then: impl FnOnce(&Results)) {
    let suite = Suite::from_toml(SUITE).unwrap();
    let cells = suite.cells(0).unwrap();
    let word = |cell: &Cell| {
        let known = shown.iter().find(|(name, _)| cell.name().starts_with(name));
        known.map(|(_, word)| *word)
    };
    let rows: Vec<Row> =
        cells.iter().filter_map(|cell| word(cell).map(|word| row(cell, word))).collect();
    let tally = Tally::of(&suite, &cells, &rows, false);
    then(&Results { suite: &suite, cells: &cells, rows: &rows, tally: &tally });
}

#[test]
fn what_is_wrong_with_a_suite_is_said_before_anything_runs() {
    let check = |from: &str, to: &str, says: &str| {
        let changed = SUITE.replacen(from, to, 1);
        assert_ne!(changed, SUITE);
        let error = format!("{:#}", Suite::from_toml(&changed).unwrap_err());
        assert!(error.contains(says), "{error}\ndoes not say\n{says}");
    };
    check("store/raft", "store/paxos", "paxos");
    check("\"halves\"]", "\"meteor\"]", "meteor");
    check("[1, 2]", "[1, 1]", "is there twice");
    check("[1, 2]", "[]", "seeds is empty");
    check("\"5s\"", "\"5ms\"", "at least 1s");
    check("\"linearizable\"", "\"perfect\"", "perfect");
    check("target = \"store/gossip\"", "target = \"store/cache\"", "no run of the matrix");
    check("reason = ", "because = ", "unknown field");
    check("seeds", "seed", "unknown field");
}

#[test]
fn verdicts_are_told_apart() {
    let check = |change: Value, outcome: Outcome| {
        let mut verdict = verdict("valid");
        for (name, value) in change.as_object().unwrap() {
            verdict[name] = value.clone();
        }
        assert_eq!(Row::of("c", 1, &verdict, 1.0).outcome, outcome, "{change}");
    };
    check(json!({}), Outcome::Valid);
    check(json!({ "verdict": "invalid" }), Outcome::Invalid);
    check(json!({ "verdict": "unknown" }), Outcome::Unknown);
    check(json!({ "verdict": "invalid", "failure": "disk full" }), Outcome::Invalid);
    check(json!({ "verdict": "unknown", "failure": "disk full" }), Outcome::HarnessFailure);
    let vacuous = json!({ "verdict": "unknown", "reason": "vacuous: no operation succeeded" });
    check(vacuous, Outcome::NotEnoughEvidence);
    let skipped = json!({ "no_faults": true, "faults": [{ "effect": "skipped" }] });
    check(skipped, Outcome::NotEnoughEvidence);
    check(json!({ "no_faults": true, "faults": [] }), Outcome::Valid);
    let failed = Row::of("c", 1, &json!({ "error": "no such program" }), 1.0);
    assert_eq!(failed.outcome, Outcome::HarnessFailure);
    assert_eq!(failed.why.as_deref(), Some("no such program"));
}

#[test]
fn the_reasons_of_the_checker_for_too_little_are_known_here() {
    // A history in which nothing succeeded, judged for real.
    let history = r#"{"process":0,"type":"invoke","f":"read","value":null,"time":1}"#;
    let history = splitbrain_checker::history::History::read(history.as_bytes()).unwrap();
    let question = crate::report::Question::default();
    let judged = crate::report::judge_history(&history, &question, std::time::Instant::now());
    let verdict: Value = serde_json::from_str(&judged.json()).unwrap();
    assert_eq!(Row::of("c", 1, &verdict, 1.0).outcome, Outcome::NotEnoughEvidence, "{verdict}");
}

#[test]
fn a_known_failure_is_good_until_it_stops() {
    let good = [("store/raft", "valid"), ("store/gossip register none", "valid")];
    let with = |word| [&good[..], &[("store/gossip", word)]].concat();
    told(&with("invalid"), |results| {
        assert_eq!(results.tally.exit(), Exit::Valid);
        assert!(results.text().contains("known to fail: store/gossip halves (2 of 2)"));
    });
    told(&with("valid"), |results| {
        assert_eq!(results.tally.exit(), Exit::Invalid);
        assert!(results.text().contains("STOPPED FAILING: store/gossip halves"));
        assert!(results.markdown().contains("stopped failing"));
    });
    // One of two that it speaks of still fails.
    let seeds = [("store/gossip register halves seed 1", "invalid"), ("store/gossip", "valid")];
    told(&[&good[..], &seeds].concat(), |results| {
        assert_eq!(results.tally.exit(), Exit::Valid);
    });
    // Not asked: nobody knows whether it would still fail.
    told(&good, |results| {
        assert_eq!(results.tally.exit(), Exit::Valid);
        assert!(results.tally.sentence().ends_with("2 not run"));
    });
}

#[test]
fn the_exit_code_says_whose_fault_it_is() {
    let check = |word: &str, exit: Exit| {
        told(&[("store/raft register halves", word), ("store/raft", "valid")], |results| {
            assert_eq!(results.tally.exit(), exit, "{word}");
        });
    };
    check("valid", Exit::Valid);
    check("invalid", Exit::Invalid);
    check("unknown", Exit::Unknown);
    check("nothing at all", Exit::Harness);
    told(&[], |results| assert_eq!(results.tally.exit(), Exit::Unknown));
}

#[test]
fn news_comes_first() {
    let suite = Suite::from_toml(SUITE).unwrap();
    let cells = suite.cells(0).unwrap();
    let night = |shown: &[(&str, &str)]| -> Vec<Row> {
        let word = |cell: &Cell| {
            shown
                .iter()
                .find(|(family, _)| cell.family().starts_with(family))
                .map(|(_, word)| *word)
        };
        cells.iter().filter_map(|cell| word(cell).map(|word| row(cell, word))).collect()
    };
    let raft = ("store/raft", "valid");
    let before = [
        night(&[raft, ("store/gossip register halves", "valid")]),
        night(&[raft, ("store/gossip register halves", "invalid")]),
    ];
    let order: Vec<String> = news_first(cells, &before).iter().map(Cell::name).collect();
    assert_eq!(
        order,
        [
            "store/gossip register none seed 1",
            "store/gossip register none seed 2",
            "store/gossip register halves seed 1",
            "store/gossip register halves seed 2",
            "store/raft register none seed 1",
            "store/raft register halves seed 1",
            "store/raft register none seed 2",
            "store/raft register halves seed 2",
        ]
    );
}

#[test]
fn drawn_seeds_are_the_same_for_the_same_draw_and_others_for_another() {
    let suite = Suite::from_toml(&SUITE.replace("[1, 2]", "3")).unwrap();
    let seeds =
        |draw| -> Vec<u64> { suite.cells(draw).unwrap().iter().map(|cell| cell.seed).collect() };
    assert_eq!(seeds(5), seeds(5));
    assert_ne!(seeds(5), seeds(6));
    let names: Vec<String> = suite.cells(5).unwrap().iter().map(Cell::name).collect();
    assert_eq!(names[0], "store/raft register none #1");
}

#[test]
fn the_suites_of_the_repository_are_understood() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/suites");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let suite = Suite::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
        assert_eq!(Some(suite.name.as_str()), path.file_stem().unwrap().to_str());
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn junit_tells_failures_errors_and_what_is_known_apart() {
    let shown = [
        ("store/raft register none seed 1", "invalid"),
        ("store/raft register none", "unknown"),
        ("store/raft register halves seed 1", "nothing at all"),
        ("store/gossip", "invalid"),
    ];
    told(&shown, |results| {
        let xml = results.junit().unwrap();
        schema::check(&xml);
        for part in [
            r#"type="invalid""#,
            r#"type="unknown""#,
            r#"type="harness""#,
            r#"type="known-failure""#,
            r#"type="not-run""#,
            "it is AP &lt;&amp; &quot;eventual&quot;&gt;",
        ] {
            assert!(xml.contains(part), "{part} is not in\n{xml}");
        }
    });
}
