//! What etcd's robustness tests record, as transactions on registers.

use serde_json::{Value, json};
use splitbrain_checker::history::{Format, History, Operation, ReadOptions};
use splitbrain_checker::{Options, judge};

fn put(key: &str, value: &str) -> Value {
    json!({"Type": "put-operation", "Range": {"Start": "", "End": "", "Limit": 0},
        "Put": {"Key": key, "Value": {"Value": value}, "LeaseID": 0}, "Delete": {"Key": ""}})
}

fn delete(key: &str) -> Value {
    json!({"Type": "delete-operation", "Put": {"Key": "", "Value": {}}, "Delete": {"Key": key}})
}

fn txn(conditions: &Value, success: &Value, failure: &Value) -> Value {
    json!({"Type": "txn", "Range": null, "Txn": {"Conditions": conditions,
        "OperationsOnSuccess": success, "OperationsOnFailure": failure}})
}

fn range(start: &str, end: &str) -> Value {
    json!({"Type": "range", "Txn": null,
        "Range": {"Start": start, "End": end, "Limit": 0, "Revision": 0}})
}

/// Pairs of a key, a value and its revision.
fn pairs(pairs: &[(&str, &str, i64)]) -> Value {
    let pair = |(key, value, revision): &(&str, &str, i64)| json!({"Key": key, "Value": {"Value": value}, "ModRevision": revision});
    pairs.iter().map(pair).collect()
}

fn found(revision: i64, of: &[(&str, &str, i64)]) -> Value {
    json!({"Range": {"KVs": pairs(of), "Count": of.len()}, "Revision": revision, "Error": ""})
}

fn done(revision: i64, results: &Value) -> Value {
    json!({"Txn": {"Failure": false, "Results": results}, "Revision": revision, "Error": ""})
}

/// A put that nobody else is in the way of.
fn wrote(revision: i64) -> Value {
    done(revision, &json!([{"KVs": null, "Count": 0, "Deleted": 0}]))
}

fn lost() -> Value {
    json!({"Txn": null, "Range": null, "Revision": 0, "Error": "context deadline exceeded"})
}

/// A request of a client from a time to another.
fn request(client: u64, times: (i64, i64), input: &Value, output: &Value) -> String {
    let (call, end) = times;
    format!(
        "{{\n  \"ClientId\": {client},\n  \"Input\": {input},\n  \"Call\": {call},\n  \"Output\": {output},\n  \
         \"Return\": {end}\n}}\n"
    )
}

/// One line for each operation.
#[track_caller]
fn check(requests: &[String], expected: &str) {
    let history = History::read(requests.concat().as_bytes()).expect("a history");
    let show = |operation: &Operation| {
        let told = if operation.is_ok() { operation.result() } else { operation.argument() };
        format!("p{} {told} {:?}", operation.process, operation.completion())
    };
    let shown: Vec<String> = history.operations().iter().map(show).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(shown, expected);
}

#[test]
fn requests_are_transactions_on_the_keys() {
    let none = json!(null);
    let if_at =
        |revision| json!([{"Key": "a", "ExpectedRevision": revision, "ExpectedVersion": 0}]);
    let read = json!({"Type": "range-operation", "Range": {"Start": "a", "End": "", "Limit": 0}});
    check(
        &[
            request(1, (0, 10), &txn(&if_at(0), &json!([put("a", "1")]), &none), &wrote(2)),
            request(2, (5, 7), &range("a", ""), &found(1, &[])),
            request(
                1,
                (20, 30),
                &txn(&if_at(2), &json!([put("a", "2")]), &json!([read])),
                &wrote(3),
            ),
            request(
                2,
                (40, 50),
                &txn(&if_at(2), &json!([put("a", "3")]), &json!([read])),
                &json!({"Txn": {"Failure": true, "Results": [{"KVs": pairs(&[("a", "2", 3)]), "Count": 1}]}, "Revision": 3}),
            ),
            request(
                1,
                (60, 70),
                &txn(&none, &json!([delete("a")]), &none),
                &done(4, &json!([{"Deleted": 1}])),
            ),
            request(
                1,
                (80, 90),
                &txn(&none, &json!([delete("a"), put("b", "4")]), &none),
                &done(5, &json!([{"Deleted": 0}, {}])),
            ),
            request(2, (81, 91), &txn(&none, &json!([put("c", "5")]), &none), &lost()),
            request(2, (100, 110), &range("a", "c"), &found(5, &[("b", "4", 5)])),
            request(
                2,
                (120, 130),
                &json!({"Type": "compact", "Compact": {"Revision": 3}}),
                &json!({"Revision": 5}),
            ),
        ],
        r#"
        p0 [["r","a",null],["w","a","1"]] Ok
        p1 [["r","a",null]] Ok
        p0 [["r","a","1"],["w","a","2"]] Ok
        p1 [["r","a","2"]] Ok
        p0 [["w","a","deleted@4"]] Ok
        p0 [["r","a","deleted@4"],["w","b","4"]] Ok
        p1 [["w","c","5"]] Info
        p2 [["r","a","deleted@4"],["r","b","4"]] Ok
        "#,
    );
}

/// What a read did not find says nothing where it may have gone unseen, or lies behind a limit.
#[test]
fn what_is_not_certain_is_left_out() {
    let none = json!(null);
    let write = |key: &str, value: &str| txn(&none, &json!([put(key, value)]), &none);
    let mut leased = put("l", "9");
    leased["Put"]["LeaseID"] = json!(7);
    let limited = json!({"Range": {"KVs": pairs(&[("a", "1", 2)]), "Count": 2}, "Revision": 4});
    let mut past = range("a", "");
    past["Range"]["Revision"] = json!(2);
    check(
        &[
            request(1, (0, 1), &write("a", "1"), &wrote(2)),
            request(1, (2, 3), &write("b", "2"), &wrote(3)),
            request(1, (4, 5), &txn(&none, &json!([leased]), &none), &wrote(4)),
            request(1, (6, 7), &range("a", "z"), &limited),
            request(1, (8, 9), &range("l", ""), &found(4, &[])),
            request(1, (10, 11), &past, &found(4, &[("a", "1", 2)])),
            request(3, (12, 13), &txn(&none, &json!([delete("b")]), &none), &lost()),
            request(1, (14, 15), &range("b", ""), &found(4, &[])),
            // Either part of it may have been done.
            request(
                4,
                (16, 17),
                &txn(&none, &json!([put("x", "3")]), &json!([put("y", "4")])),
                &lost(),
            ),
            request(
                1,
                (18, 19),
                &write("a", "5"),
                &json!({"ClientError": "etcdserver: too many requests", "Error": ""}),
            ),
        ],
        r#"
        p0 [["w","a","1"]] Ok
        p0 [["w","b","2"]] Ok
        p0 [["w","l","9"]] Ok
        p0 [["r","a","1"]] Ok
        p1 [["w","x","3"]] Info
        p2 [["w","y","4"]] Info
        p0 [["w","a","5"]] Fail
        "#,
    );
}

/// The verdict, and the anomaly's name if there is one.
fn verdict(requests: &[String]) -> (&'static str, Option<&'static str>) {
    let history = History::read(requests.concat().as_bytes()).expect("a history");
    let expect = "strict-serializable".parse().expect("a level");
    let judgement = judge(&history, &Options { expect, ..Options::default() });
    (judgement.verdict.name(), judgement.violations.first().map(|one| one.name))
}

#[test]
fn what_etcd_may_not_do_is_found() {
    let none = json!(null);
    let write = |value: &str| txn(&none, &json!([put("a", value)]), &none);
    let begun =
        [request(1, (0, 10), &write("1"), &wrote(2)), request(1, (20, 30), &write("2"), &wrote(3))];
    let with = |more: &[String]| verdict(&[&begun[..], more].concat());
    let current = request(2, (40, 50), &range("a", ""), &found(3, &[("a", "2", 3)]));
    assert_eq!(with(&[current]), ("valid", None));
    let stale = request(2, (40, 50), &range("a", ""), &found(3, &[("a", "1", 2)]));
    assert_eq!(with(&[stale]).0, "invalid");
    // Two that began at the same version cannot both have succeeded.
    let cas = |client, value: &str, revision| {
        let condition = json!([{"Key": "a", "ExpectedRevision": 3}]);
        let input = txn(&condition, &json!([put("a", value)]), &none);
        request(client, (40, 50), &input, &wrote(revision))
    };
    assert_eq!(with(&[cas(1, "3", 4)]), ("valid", None));
    assert_eq!(with(&[cas(1, "3", 4), cas(2, "4", 5)]), ("invalid", Some("lost-update")));
    // A deleted key is not there, until it is written again.
    let gone = [
        request(
            1,
            (40, 50),
            &txn(&none, &json!([delete("a")]), &none),
            &done(4, &json!([{"Deleted": 1}])),
        ),
        request(2, (60, 70), &range("a", ""), &found(4, &[])),
        request(1, (80, 90), &write("3"), &wrote(5)),
    ];
    assert_eq!(with(&gone), ("valid", None));
    let too_late = request(2, (100, 110), &range("a", ""), &found(5, &[]));
    assert_eq!(with(&[&gone[..], &[too_late]].concat()).0, "invalid");
}

#[test]
fn a_report_is_one_history() {
    let folder = std::env::temp_dir().join(format!("splitbrain-etcd-{}", std::process::id()));
    let none = json!(null);
    let write = request(1, (0, 10), &txn(&none, &json!([put("a", "1")]), &none), &wrote(2));
    let read = request(2, (20, 30), &range("a", ""), &found(2, &[("a", "1", 2)]));
    for (name, text) in [("client-1", write), ("client-2", read)] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
        std::fs::write(folder.join(name).join("operations.json"), text).expect("written");
    }
    let history = History::open(&folder);
    std::fs::remove_dir_all(&folder).expect("removed");
    let history = history.expect("a history");
    let processes: Vec<u64> = history.operations().iter().map(|o| o.process).collect();
    assert_eq!(processes, [0, 1]);
    assert!(judge(&history, &Options::default()).verdict.is_valid());
}

#[test]
fn errors_name_the_line() {
    let refused = |text: &str| {
        let options = ReadOptions { format: Some(Format::Etcd), ..ReadOptions::default() };
        History::read_with(text.as_bytes(), &options).expect_err("a refusal").to_string()
    };
    let fine = request(1, (0, 1), &range("a", ""), &found(1, &[]));
    let lines = fine.lines().count();
    let wrong = request(1, (2, 3), &json!({"Type": "snapshot"}), &found(1, &[]));
    assert_eq!(
        refused(&format!("{fine}{wrong}")),
        format!(
            "line {}: expected range, txn, leaseGrant, leaseRevoke, defragment or compact, found snapshot",
            lines + wrong.lines().count()
        )
    );
    let cut = refused(&fine[..fine.len() - 5]);
    assert!(cut.contains("expected a request of etcd's robustness tests, found EOF"), "{cut}");
    let missing = refused("\n{\"ClientId\":1}");
    assert!(missing.starts_with("line 2: ") && missing.contains("missing field"), "{missing}");
    let unanswered = txn(&json!(null), &json!([put("a", "1")]), &json!(null));
    let unanswered = request(1, (0, 1), &unanswered, &done(2, &json!([])));
    assert!(refused(&unanswered).contains("a result for each operation of a txn, found 0 of 1"));
}
