//! What `--json` prints is what `docs/verdict.schema.json` says, no more and no less.

use std::path::Path;
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};

#[path = "serve/store.rs"]
#[allow(dead_code)]
mod store;

fn schema() -> Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verdict.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::draft202012::new(&schema).expect("it is a schema")
}

/// What a command prints of a history.
fn verdict(history: &str, args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, history).unwrap();
    let (command, flags) = args.split_first().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
    let output = program.arg(command).arg(&path).arg("--json").args(flags).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
}

#[track_caller]
fn assert_fits(schema: &Validator, verdict: &Value) {
    let wrong: Vec<String> = schema
        .iter_errors(verdict)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(wrong.is_empty(), "docs/verdict.schema.json and the verdict differ: {wrong:#?}");
}

const QUEUE: &str = r#"{"process":0,"type":"invoke","f":"enqueue","value":1}
{"process":0,"type":"ok","f":"enqueue","value":1}
{"process":1,"type":"invoke","f":"dequeue","value":null}
{"process":1,"type":"ok","f":"dequeue","value":2}
"#;
const NOTHING: &str = r#"{"process":0,"type":"invoke","f":"read","value":null}"#;

#[test]
fn every_kind_of_verdict_fits() {
    let schema = schema();
    let cut = store::history(400);
    let valid = cut.lines().take(205).fold(String::new(), |text, line| text + line + "\n");
    assert_eq!(verdict(&valid, &["check"])["ladder"]["linearizable"], "valid");
    assert_eq!(verdict(&cut, &["check"])["verdict"], "invalid");
    assert_fits(&schema, &verdict(QUEUE, &["check", "--model", "fifo-queue", "--explain-plan"]));
    for history in [&cut, &valid, NOTHING] {
        for args in [
            &["check"][..],
            &["check", "--explain-plan", "--order"],
            &["check", "--expect", "cp"],
            &["check", "--expect", "eventual"],
            &["claim", "--expect", "causal"],
        ] {
            assert_fits(&schema, &verdict(history, args));
        }
    }
}

#[test]
fn stored_verdicts_of_real_runs_fit() {
    let Some(store) = std::env::var_os("SPLITBRAIN_VERDICTS") else {
        eprintln!("SKIPPED: SPLITBRAIN_VERDICTS names no folder of stored runs");
        return;
    };
    let schema = schema();
    let runs = splitbrain::run::kept::Kept::all(Path::new(&store));
    for run in &runs {
        if let Some(verdict) = &run.verdict {
            assert_fits(&schema, verdict);
        }
    }
    assert!(!runs.is_empty(), "no run in {}", store.display());
}

#[test]
fn what_does_not_belong_is_refused() {
    let schema = schema();
    let good = verdict(&store::history(400), &["check"]);
    let check = |change: &dyn Fn(&mut Value)| {
        let mut bad = good.clone();
        change(&mut bad);
        assert_ne!(bad, good);
        assert!(!schema.is_valid(&bad), "{bad}");
    };
    check(&|verdict| verdict["verdict"] = json!("maybe"));
    check(&|verdict| verdict["extra"] = json!(1));
    check(&|verdict| verdict["class"] = json!("strong"));
    check(&|verdict| verdict["ladder"]["linearizable"] = json!(true));
    check(&|verdict| verdict["violations"][0]["witness"] = json!(["a"]));
    check(&|verdict| verdict["faults"][0]["effect"] = json!("done"));
    check(&|verdict| verdict["profile"]["stretches"][0]["sides"][0]["success"] = json!(1.5));
    check(&|verdict| drop(verdict.as_object_mut().unwrap().remove("operations")));
}
