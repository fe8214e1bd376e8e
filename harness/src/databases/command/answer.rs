//! What a client in another language is asked, and what its answers mean.

use serde_json::{Map, Value, json};
use splitbrain_checker::history::{ErrorKind, EventError, Kind};
use splitbrain_workloads::{Completion, Invocation};

/// The line for an operation, without its end. All keys begin with `prefix`; an object without a key
/// gets one too, so that a client always knows what is its to write.
pub(super) fn request(id: u64, invocation: &Invocation, prefix: &str) -> String {
    let Invocation { f, key, value, .. } = invocation;
    let key = format!("{prefix}{}", key.as_deref().unwrap_or("it"));
    let value = match steps(invocation) {
        Some(steps) => steps.iter().map(|step| with_prefix(step, prefix)).collect(),
        None => value.clone(),
    };
    json!({ "id": id, "f": f.to_string(), "key": key, "value": value }).to_string()
}

/// The steps of a transaction.
fn steps(invocation: &Invocation) -> Option<&Vec<Value>> {
    invocation.value.as_array().filter(|_| &*invocation.f == "txn")
}

fn with_prefix(step: &Value, prefix: &str) -> Value {
    let key = step[1].as_str().map_or_else(|| step[1].to_string(), str::to_owned);
    json!([step[0], format!("{prefix}{key}"), step[2]])
}

/// What a line means; if it is no answer to the question of this number, why not.
pub(super) fn understand(
    id: u64,
    invocation: &Invocation,
    line: &str,
) -> Result<Completion, String> {
    let answer: Map<String, Value> =
        serde_json::from_str(line).map_err(|_| "it is no JSON object".to_owned())?;
    if answer.get("id") != Some(&id.into()) {
        return Err(format!("its id is not {id}"));
    }
    let word = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = match word("type").as_str() {
        "ok" => Kind::Ok,
        "fail" => Kind::Fail,
        "info" => Kind::Info,
        _ => return Err("its type is not ok, fail or info".to_owned()),
    };
    if kind == Kind::Ok {
        let version = answer.get("version").and_then(Value::as_u64);
        let value = returned(invocation, answer.get("value"))?;
        return Ok(Completion { kind, value, version, error: None });
    }
    let class = match word("error").as_str() {
        "mismatch" => ErrorKind::Mismatch,
        "refused" => ErrorKind::Refused,
        "timeout" => ErrorKind::Timeout,
        "connection" => ErrorKind::Connection,
        "" | "other" => ErrorKind::Other,
        other => return Err(format!("there is no error {other:?}")),
    };
    let error = Some(EventError { kind: class, text: word("text") });
    Ok(Completion { kind, value: invocation.value.clone(), version: None, error })
}

/// The value of a success: what was asked for, or what was given.
fn returned(invocation: &Invocation, value: Option<&Value>) -> Result<Value, String> {
    let needed = || value.cloned().ok_or_else(|| "it is ok, but has no value".to_owned());
    let Some(steps) = steps(invocation) else {
        return if invocation.value.is_null() { needed() } else { Ok(invocation.value.clone()) };
    };
    let found = needed()?;
    let found = found.as_array().filter(|found| found.len() == steps.len());
    let found =
        found.ok_or_else(|| "its value is not as many steps as were asked for".to_owned())?;
    // The keys as they were before the prefix.
    Ok(steps.iter().zip(found).map(|(step, found)| json!([step[0], step[1], found[2]])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(invocation: &Invocation, line: &str, expect: &str) {
        let said = match understand(7, invocation, line) {
            Ok(Completion { kind, value, error, .. }) => {
                let error = error.map(|error| format!(" {:?} {}", error.kind, error.text));
                format!("{kind:?} {value}{}", error.unwrap_or_default())
            }
            Err(why) => why,
        };
        assert_eq!(said, expect, "{line}");
    }

    #[test]
    fn every_answer_has_its_meaning_and_what_is_none_is_said() {
        let read = Invocation::new("read", "k", Value::Null);
        let write = Invocation::new("write", "k", 3);
        check(&read, r#"{"id":7,"type":"ok","value":3}"#, "Ok 3");
        check(&read, r#"{"id":7,"type":"ok","value":null}"#, "Ok null");
        check(&read, r#"{"id":7,"type":"ok"}"#, "it is ok, but has no value");
        check(&write, r#"{"id":7,"type":"ok"}"#, "Ok 3");
        check(&write, r#"{"id":7,"type":"ok","value":4}"#, "Ok 3");
        let refused = r#"{"id":7,"type":"fail","error":"refused","text":"no leader"}"#;
        check(&write, refused, "Fail 3 Refused no leader");
        check(&write, r#"{"id":7,"type":"info"}"#, "Info 3 Other ");
        check(&write, r#"{"id":7,"type":"fail","error":"oops"}"#, "there is no error \"oops\"");
        check(&write, r#"{"id":8,"type":"ok"}"#, "its id is not 7");
        check(&write, r#"{"type":"ok"}"#, "its id is not 7");
        check(&write, r#"{"id":7,"type":"yes"}"#, "its type is not ok, fail or info");
        check(&write, "Traceback", "it is no JSON object");
        check(&write, "[7]", "it is no JSON object");
    }

    #[test]
    fn keys_have_the_prefix_outside_and_not_inside() {
        let write = Invocation::new("write", "k1", 3);
        let line = request(1, &write, "run-");
        assert_eq!(line, r#"{"f":"write","id":1,"key":"run-k1","value":3}"#);
        let add = Invocation::keyless("add", 2);
        assert_eq!(request(2, &add, "run-"), r#"{"f":"add","id":2,"key":"run-it","value":2}"#);
        let txn = Invocation::keyless("txn", json!([["r", 1, null], ["append", 2, 5]]));
        let line = request(3, &txn, "run-");
        assert!(line.contains(r#"[["r","run-1",null],["append","run-2",5]]"#), "{line}");
        let answer = r#"{"id":7,"type":"ok","value":[["r","run-1",[4]],["append","run-2",5]]}"#;
        check(&txn, answer, r#"Ok [["r",1,[4]],["append",2,5]]"#);
        check(
            &txn,
            r#"{"id":7,"type":"ok","value":[]}"#,
            "its value is not as many steps as were asked for",
        );
    }
}
