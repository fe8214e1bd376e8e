//! The judgement as a whole: what was expected, what stays unknown, and the JSON object.

use serde_json::{Value, json};
use splitbrain_checker::history::History;
use splitbrain_checker::linearizable::Budget;
use splitbrain_checker::{Class, Judgement, Options, judge};

/// A history of one register: a header with these fields, and then lines of `[process, type, f,
/// value]` or whole events.
fn history(header: &Value, lines: &[Value]) -> History {
    let mut first = json!({"splitbrain": 1, "run": "store/raft", "seed": 42});
    for (field, value) in header.as_object().expect("an object") {
        first[field] = value.clone();
    }
    let mut text = format!("{first}\n");
    for line in lines {
        let event = match line {
            Value::Array(parts) => {
                json!({"process": parts[0], "type": parts[1], "f": parts[2], "value": parts[3]})
            }
            event => event.clone(),
        };
        text += &format!("{event}\n");
    }
    History::read(text.as_bytes()).expect("a history")
}

fn linearizable() -> Vec<Value> {
    vec![
        json!([0, "invoke", "write", 1]),
        json!([0, "ok", "write", 1]),
        json!([1, "invoke", "read", null]),
        json!([1, "ok", "read", 1]),
    ]
}

fn stale() -> Vec<Value> {
    let mut lines = linearizable();
    lines[3] = json!([1, "ok", "read", null]);
    lines
}

fn corrupt() -> Vec<Value> {
    let mut lines = linearizable();
    lines[3] = json!([1, "ok", "read", 9]);
    lines
}

fn phase_final() -> Value {
    json!({"type": "info", "process": "harness", "f": "phase", "value": "final"})
}

/// Verdict and reason.
#[track_caller]
fn check(judgement: &Judgement, verdict: &str, reason: &str) {
    let found = (judgement.verdict.name(), judgement.reason.as_deref().unwrap_or_default());
    assert_eq!(found, (verdict, reason));
}

fn expecting(lines: &[Value], expect: Class) -> Judgement {
    judge(&history(&json!({}), lines), &Options { expect: expect.into(), ..Options::default() })
}

#[test]
fn the_verdict_answers_what_was_expected() {
    for expect in [Class::Linearizable, Class::Eventual, Class::Weak] {
        check(&expecting(&linearizable(), expect), "valid", "");
        check(&expecting(&corrupt(), expect), "invalid", "");
    }
    check(&expecting(&stale(), Class::Linearizable), "invalid", "");
    check(&expecting(&stale(), Class::Eventual), "unknown", "the history has no final reads");
    check(&expecting(&stale(), Class::Weak), "valid", "");
}

#[test]
fn final_reads_decide_between_eventual_and_weak() {
    let ended = |value: Value| {
        let mut lines = stale();
        lines.extend([phase_final(), json!([2, "invoke", "read", null])]);
        lines.push(json!([2, "ok", "read", value]));
        lines
    };
    check(&expecting(&ended(json!(1)), Class::Eventual), "valid", "");
    check(&expecting(&ended(json!(null)), Class::Eventual), "invalid", "");
    check(&expecting(&ended(json!(null)), Class::Weak), "valid", "");
}

#[test]
fn without_a_successful_operation_nothing_is_valid() {
    let failed = [json!([0, "invoke", "write", 1]), json!([0, "fail", "write", 1])];
    for expect in [Class::Linearizable, Class::Weak] {
        check(&expecting(&[], expect), "unknown", "vacuous: no operation succeeded");
        check(&expecting(&failed, expect), "unknown", "vacuous: no operation succeeded");
    }
    assert_eq!(expecting(&failed, Class::Weak).headline(), "unknown, no faults");
}

#[test]
fn what_is_no_register_is_not_judged() {
    let added = [json!([0, "invoke", "add", 1]), json!([0, "ok", "add", 1])];
    check(
        &expecting(&added, Class::Weak),
        "unknown",
        "event 0: expected an operation of a register: read, write of a value, cas of [old, new], \
         found add 1, answered with 1",
    );
    check(
        &judge(&history(&json!({"vocabulary": "queue"}), &linearizable()), &Options::default()),
        "unknown",
        "expected a vocabulary that there is a check for, found queue",
    );
    assert_eq!(expecting(&added, Class::Weak).misfit.and_then(|misfit| misfit.event), Some(0));
    let named = history(&json!({"vocabulary": "cas-register"}), &linearizable());
    let judged = judge(&named, &Options::default());
    check(&judged, "valid", "");
    assert_eq!(judged.misfit, None);
}

/// A fault whose events come with these effects, around the operations or before them.
fn with_fault(effects: &[&str], around: bool, lines: &[Value]) -> Vec<Value> {
    let event = |f: &str| {
        json!({"type": "info", "process": "nemesis", "f": f, "fault": "halves", "id": 1,
            "value": {"cut": [], "targets": []}})
    };
    let mut begin = vec![event("start")];
    for effect in effects {
        let mut event = event("start");
        event["effect"] = json!(effect);
        event["reason"] = json!("because");
        begin.push(event);
    }
    let mut healed = event("stop");
    healed["effect"] = json!("healed");
    let end = vec![event("stop"), healed];
    let (operations, nothing) = (lines.to_vec(), Vec::new());
    let (inside, after) = if around { (operations, nothing) } else { (nothing, operations) };
    [begin, inside, end, after].concat()
}

#[test]
fn a_run_whose_faults_were_not_in_force_is_not_valid() {
    let planned = json!({"plan": {"faults": [{"name": "halves"}]}});
    let run = |header: &Value, lines: &[Value]| {
        judge(&history(header, lines), &Options { faults_required: true, ..Options::default() })
    };
    let reason = "fault not in force: the plan asked for faults, and none was verified in force \
                  while operations ran";
    let lines = linearizable();
    check(&run(&planned, &with_fault(&["installed"], true, &lines)), "valid", "");
    check(&run(&planned, &with_fault(&["installed"], false, &lines)), "unknown", reason);
    check(&run(&planned, &with_fault(&["indeterminate"], true, &lines)), "unknown", reason);
    check(&run(&planned, &with_fault(&[], true, &lines)), "unknown", reason);
    let mut undone = with_fault(&["installed"], true, &lines);
    let stop = undone.iter_mut().find(|line| line["f"] == "stop").expect("it ends");
    stop["value"] = json!({ "in_force": false });
    check(&run(&planned, &undone), "unknown", reason);
    check(&run(&planned, &lines), "unknown", reason);
    // An environment that lacks the fault, or a plan without any, is judged as it stands.
    check(&run(&planned, &with_fault(&["skipped"], true, &lines)), "valid", "");
    check(&run(&json!({"plan": {"faults": []}}), &lines), "valid", "");
    check(&run(&json!({}), &lines), "valid", "");
    // Invalid outranks unknown, and an old history is judged as it stands.
    check(&run(&planned, &stale()), "invalid", "");
    check(&judge(&history(&planned, &lines), &Options::default()), "valid", "");
}

#[test]
fn a_headline_says_when_nothing_was_broken() {
    let headline =
        |lines: &[Value]| judge(&history(&json!({}), lines), &Options::default()).headline();
    assert_eq!(headline(&with_fault(&["installed"], true, &linearizable())), "linearizable");
    let skipped = with_fault(&["skipped"], true, &linearizable());
    assert_eq!(headline(&skipped), "linearizable, no faults");
    assert_eq!(
        headline(&with_fault(&["installed"], true, &stale())),
        "at least weakly consistent, at most eventually consistent"
    );
    assert_eq!(headline(&with_fault(&["installed"], true, &corrupt())), "corrupt");
}

#[test]
fn the_initial_value_is_that_of_the_options_or_of_the_header() {
    let reads_zero = [json!([0, "invoke", "read", null]), json!([0, "ok", "read", 0])];
    let zero = Options { initial: Some(json!(0)), ..Options::default() };
    check(&judge(&history(&json!({}), &reads_zero), &Options::default()), "invalid", "");
    check(&judge(&history(&json!({}), &reads_zero), &zero), "valid", "");
    check(&judge(&history(&json!({"initial": 0}), &reads_zero), &Options::default()), "valid", "");
    check(&judge(&history(&json!({"initial": 5}), &reads_zero), &zero), "valid", "");
}

#[test]
fn reads_of_null_may_stand_for_anything() {
    let any = Options { nil_reads_any: true, ..Options::default() };
    check(&judge(&history(&json!({}), &stale()), &any), "valid", "");
    check(&judge(&history(&json!({}), &corrupt()), &any), "invalid", "");
}

#[test]
fn a_budget_that_ends_leaves_the_answer_open() {
    // 1 is written twice, so that zones do not apply and there is something to search.
    let lines = [
        json!([0, "invoke", "write", 1]),
        json!([1, "invoke", "write", 1]),
        json!([2, "invoke", "write", 2]),
        json!([3, "invoke", "read", null]),
        json!([3, "ok", "read", 1]),
        json!([0, "ok", "write", 1]),
        json!([1, "ok", "write", 1]),
        json!([2, "ok", "write", 2]),
    ];
    let history = history(&json!({}), &lines);
    let spent = |comparisons| {
        let budget = Budget { comparisons, ..Budget::default() };
        judge(&history, &Options { budget, ..Options::default() })
    };
    let judgement = spent(0);
    let reason = judgement.reason.as_deref().unwrap_or_default();
    let begins = "budget: the limit on comparisons ended the search at answer 0 of 4, after ";
    assert!(reason.starts_with(begins), "{reason}");
    assert_eq!(judgement.verdict.name(), "unknown");
    assert_eq!((judgement.class, judgement.cap), (None, None));
    assert_eq!(judgement.class_at_least, Some(Class::Weak));
    assert_eq!(judgement.class_at_most, Some(Class::Linearizable));
    assert_eq!(judgement.headline(), "at least weakly consistent, no faults");
    check(&spent(Budget::default().comparisons), "valid", "");
}

#[test]
fn the_json_object() {
    let lines = with_fault(&["installed"], true, &stale());
    let judgement = judge(&history(&json!({}), &lines), &Options::default());
    let mut value = serde_json::to_value(&judgement).expect("a value");
    // What was measured has tests of its own.
    for measured in ["profile", "failover"] {
        let removed = value.as_object_mut().expect("an object").remove(measured);
        assert!(removed.is_some_and(|removed| removed.is_object()));
    }
    assert_eq!(
        value,
        json!({
            "format": 1,
            "verdict": "invalid",
            "expect": "linearizable",
            "class": null,
            "class_at_least": "weak",
            "class_at_most": "eventual",
            "cap": null,
            "cap_reason": "no cut between sides could be judged",
            "cap_windows": [],
            "ladder": {
                "linearizable": "invalid", "sequential": "valid", "causal": "valid",
                "causal-convergence": "valid", "weak-causal": "valid", "pram": "valid",
                "writes-follow-reads": "valid", "monotonic-writes": "valid",
                "monotonic-reads": "valid", "read-your-writes": "valid", "converged": "unknown",
            },
            "ladder_reasons": {"converged": "the history has no final reads"},
            "strongest": ["sequential"],
            "weakest_ruled_out": ["linearizable"],
            "violations": [{
                "name": "stale-read",
                "key": null,
                "witness": [2, 4],
                "because": [
                    "the register began as null",
                    "after that, process 0 wrote 1 between 0.000 s and 0.000 s",
                    "process 1 read null between 0.000 s and 0.000 s, but 1 had been acknowledged \
                     0.000 s before this began",
                ],
                "count": 1,
                "rules_out": ["linearizable"],
            }],
            "operations": 2,
            "check_ms": null,
            "faults": [{
                "id": 1, "name": "halves", "effect": "installed", "reason": "because", "nature": "unknown",
                "decided_to_in_force_ms": 0.0, "active_ms": 0.0,
                "heal_decided_to_verified_ms": 0.0,
            }],
            "no_faults": false,
            "seed": 42,
            "run": "store/raft",
        })
    );
    let valid = judge(&history(&json!({}), &linearizable()), &Options::default());
    let valid = serde_json::to_value(&valid).expect("a value");
    assert_eq!(valid["class"], "linearizable");
    assert_eq!(valid["strongest"], json!(["linearizable"]));
    assert_eq!(valid["no_faults"], true);
    assert_eq!(valid.get("reason"), None);
}

#[test]
fn what_can_be_explained_of_a_violation_is_told() {
    // Two compare-and-sets found the same value, which was written once.
    let lines = [
        json!([0, "invoke", "write", 1]),
        json!([0, "ok", "write", 1]),
        json!([1, "invoke", "cas", [1, 2]]),
        json!([2, "invoke", "cas", [1, 3]]),
        json!([1, "ok", "cas", [1, 2]]),
        json!([2, "ok", "cas", [1, 3]]),
    ];
    let judgement = expecting(&lines, Class::Linearizable);
    let violation = &judgement.violations[0];
    assert_eq!(violation.name, "non-linearizable");
    let reached = violation.reached.as_ref().expect("how far it can be explained");
    assert_eq!(reached.unexplained, 3);
    let shown = serde_json::to_value(&reached.configurations).expect("JSON");
    assert_eq!(shown, json!([{"holds": 2, "to_come": [3]}]));
    let steps = serde_json::to_value(&reached.steps).expect("JSON");
    let written = json!({"answered": 0, "configurations": [{"holds": 1, "to_come": []}]});
    let exchanged = json!({"answered": 2, "configurations": [{"holds": 2, "to_come": [3]}]});
    assert_eq!(steps, json!([written, exchanged]));
    let because = violation.because.last().expect("an argument");
    assert!(because.contains("the register then holds 2;"), "{because}");
    // Its twin, in which the second found what the first left.
    let mut twin = lines.clone();
    twin[3] = json!([2, "invoke", "cas", [2, 3]]);
    twin[5] = json!([2, "ok", "cas", [2, 3]]);
    assert!(expecting(&twin, Class::Linearizable).violations.is_empty());
}

#[test]
fn an_order_is_given_if_asked_for() {
    let judged = |lines: &[Value], order| {
        let options = Options { order, ..Options::default() };
        judge(&history(&json!({}), lines), &options).order
    };
    assert_eq!(
        judged(&linearizable(), true).into_iter().collect::<Vec<_>>(),
        [(String::new(), vec![0, 2])]
    );
    assert!(judged(&linearizable(), false).is_empty());
    assert!(judged(&stale(), true).is_empty(), "there is none");
}

#[test]
fn models_have_orders_too() {
    let judged = |last: &Value| {
        let lines = [
            json!([0, "invoke", "append", "a"]),
            json!([1, "invoke", "append", "b"]),
            json!([1, "ok", "append", "b"]),
            json!([2, "invoke", "get", null]),
            json!([2, "ok", "get", last]),
        ];
        let model = Some("kv-append".parse().expect("a model"));
        let options = Options { order: true, model, ..Options::default() };
        judge(&history(&json!({}), &lines), &options).order.into_values().collect::<Vec<_>>()
    };
    assert_eq!(judged(&json!("ab")), [[0, 1, 3]]);
    assert_eq!(judged(&json!("b")), [[1, 3]], "nobody needs the first");
    assert!(judged(&json!("a")).is_empty(), "there is none");
}

#[test]
fn a_history_in_which_nothing_was_ever_read_says_nothing() {
    let mut lines = linearizable();
    lines[3] = json!([1, "info", "read", null]);
    let reason = "vacuous: none of 1 reads was answered";
    check(&expecting(&lines, Class::Linearizable), "unknown", reason);
    check(&expecting(&lines, Class::Weak), "unknown", reason);
    // Its twins: a read that was answered, and nobody who asked.
    check(&expecting(&linearizable(), Class::Linearizable), "valid", "");
    check(&expecting(&lines[..2], Class::Linearizable), "valid", "");
}

#[test]
fn what_a_workload_is_there_to_find_is_wrong_whatever_was_expected() {
    let totals = |sum: i64| {
        let lines =
            [json!([0, "invoke", "read", null]), json!([0, "ok", "read", {"0": 50, "1": sum}])];
        let header = json!({"vocabulary": "bank", "initial": {"0": 50, "1": 50}});
        let history = history(&header, &lines);
        let expect = "serializable".parse().expect("a level");
        judge(&history, &Options { expect, ..Options::default() })
    };
    check(&totals(40), "invalid", "");
    let reason = "serializable is not defined for these objects";
    check(&totals(50), "unknown", reason);
}
