//! What the workloads' operations are in the protocol's own requests, and their answers.

use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::{Invocation, OpError};

use super::super::message::{NO_KEY, code, meaning};
use super::NodeClient;

/// The vocabularies that there are requests for.
pub(in super::super) const VOCABULARIES: [&str; 8] =
    ["cas-register", "set", "counter", "echo", "unique-ids", "list-append", "rw-register", "log"];

/// Elements of more than one set are told apart by this in the one that the protocol has. Numbers stay so
/// small that programs of every language can count them.
const SET_SIZE: u64 = 1 << 20;

impl NodeClient {
    /// Carries an operation out; its value in the history.
    pub(super) async fn carry_out(&mut self, invocation: &Invocation) -> Result<Value, OpError> {
        let key = self.shared.number(invocation.key.as_deref().unwrap_or_default());
        let value = &invocation.value;
        match (self.vocabulary, &*invocation.f) {
            ("log", "send") => self.send(value).await,
            ("log", "poll") => self.poll(value).await,
            ("log", "assign") => Ok(self.assign(value)),
            ("log", "crash") => {
                self.forget();
                Err(OpError::info(ErrorKind::Other, "crashed, as it was asked to"))
            }
            ("set", "read") => {
                let body = self.expect(json!({ "type": "read" })).await?;
                let all = if self.shared.broadcast { &body["messages"] } else { &body["value"] };
                let all = all.as_array().ok_or_else(|| strange(&body))?;
                Ok(all.iter().filter_map(|element| of_set(element, key)).collect())
            }
            ("cas-register", "read") => {
                let body = self.ask(json!({ "type": "read", "key": key })).await?;
                match code(&body) {
                    // It has not been written yet.
                    Some(NO_KEY) => Ok(Value::Null),
                    Some(code) => Err(meaning(code, &body)),
                    None => member(&body, "value"),
                }
            }
            (_, f) => {
                let request = self.request(f, key, value).ok_or_else(|| {
                    OpError::fail(ErrorKind::Other, format!("the protocol has no {f} {value}"))
                })?;
                let body = self.expect(request).await?;
                match (self.vocabulary, f) {
                    ("counter", "read") => member(&body, "value"),
                    ("unique-ids", _) => member(&body, "id"),
                    ("echo", _) => member(&body, "echo"),
                    (_, "txn") => member(&body, "txn"),
                    _ => Ok(value.clone()),
                }
            }
        }
    }

    /// The request of an operation that needs one only.
    fn request(&self, f: &str, key: u64, value: &Value) -> Option<Value> {
        Some(match (self.vocabulary, f) {
            ("cas-register", "write") => json!({ "type": "write", "key": key, "value": value }),
            ("cas-register", "cas") => {
                json!({ "type": "cas", "key": key, "from": value[0], "to": value[1] })
            }
            ("set", "add") => {
                let element = key * SET_SIZE + value.as_u64().filter(|value| *value < SET_SIZE)?;
                match self.shared.broadcast {
                    true => json!({ "type": "broadcast", "message": element }),
                    false => json!({ "type": "add", "element": element }),
                }
            }
            ("counter", "add") => json!({ "type": "add", "delta": value }),
            ("counter", "read") => json!({ "type": "read" }),
            ("echo", "echo") => json!({ "type": "echo", "echo": value }),
            ("unique-ids", "generate") => json!({ "type": "generate" }),
            ("list-append" | "rw-register", "txn") => json!({ "type": "txn", "txn": value }),
            _ => return None,
        })
    }

    /// Asks, and takes every error for what its code means.
    async fn expect(&mut self, body: Value) -> Result<Value, OpError> {
        let body = self.ask(body).await?;
        match code(&body) {
            Some(code) => Err(meaning(code, &body)),
            None => Ok(body),
        }
    }

    /// The protocol sends one message at a time. Several, one after another, would not be the one operation
    /// that the workload takes them for.
    async fn send(&mut self, value: &Value) -> Result<Value, OpError> {
        let [step] = value.as_array().map_or(&[][..], Vec::as_slice) else {
            let why = "the protocol sends one message at a time";
            return Err(OpError::fail(ErrorKind::Other, why));
        };
        let request = json!({ "type": "send", "key": step[1].to_string(), "msg": step[2] });
        let offset = self.expect(request).await.and_then(|body| member(&body, "offset"))?;
        Ok(json!([["send", step[1], [offset, step[2]]]]))
    }

    /// It stays where it is in logs that it had before, and begins at the beginning of the others.
    fn assign(&mut self, value: &Value) -> Value {
        let logs = names(value);
        self.offsets.retain(|log, _| logs.contains(log));
        self.assigned = Some(logs);
        value.clone()
    }

    fn forget(&mut self) {
        self.offsets.clear();
        self.assigned = None;
    }

    /// What is new to this client in each log, and where the next poll of it begins.
    async fn poll(&mut self, value: &Value) -> Result<Value, OpError> {
        let [step] = value.as_array().map_or(&[][..], Vec::as_slice) else {
            let why = "the protocol polls once at a time";
            return Err(OpError::fail(ErrorKind::Other, why));
        };
        let logs = step.get(1).map(names).or_else(|| self.assigned.clone()).ok_or_else(|| {
            OpError::fail(ErrorKind::Mismatch, "no logs were assigned to this consumer")
        })?;
        let offsets: serde_json::Map<String, Value> = logs
            .into_iter()
            .map(|log| (log.clone(), self.offsets.get(&log).copied().unwrap_or(0).into()))
            .collect();
        let body = self.expect(json!({ "type": "poll", "offsets": offsets })).await?;
        let polled = body["msgs"].as_object().ok_or_else(|| strange(&body))?;
        for (log, messages) in polled {
            let last = messages.as_array().and_then(|messages| messages.last()?[0].as_u64());
            if let Some(last) = last {
                self.offsets.insert(log.clone(), last + 1);
            }
        }
        Ok(json!([["poll", polled]]))
    }
}

/// The names of logs, as the protocol has them.
fn names(logs: &Value) -> Vec<String> {
    logs.as_array().into_iter().flatten().map(ToString::to_string).collect()
}

/// An element of the set of that number, as the workload knows it. What none of ours can be stays as it is.
fn of_set(element: &Value, set: u64) -> Option<Value> {
    match element.as_u64() {
        Some(number) => (number / SET_SIZE == set).then(|| (number % SET_SIZE).into()),
        None => Some(element.clone()),
    }
}

fn member(body: &Value, name: &str) -> Result<Value, OpError> {
    body.get(name).cloned().ok_or_else(|| strange(body))
}

/// An answer without what it must have leaves everything open.
fn strange(body: &Value) -> OpError {
    OpError::info(ErrorKind::Other, format!("not the answer to that: {body}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Shared;
    use super::*;

    #[test]
    fn every_operation_of_a_workload_has_its_request() {
        let check = |vocabulary: &'static str, f: &str, value: Value, expect: Value| {
            let shared = Arc::new(Shared::new(vocabulary == "set"));
            let client = NodeClient::new("http://127.0.0.1:1", "n1", vocabulary, shared);
            assert_eq!(
                client.request(f, 2, &value).unwrap_or_default(),
                expect,
                "{vocabulary} {f}"
            );
        };
        let write = json!({ "type": "write", "key": 2, "value": 5 });
        check("cas-register", "write", json!(5), write);
        let cas = json!({ "type": "cas", "key": 2, "from": 5, "to": 6 });
        check("cas-register", "cas", json!([5, 6]), cas);
        let message = json!({ "type": "broadcast", "message": 2 * SET_SIZE + 7 });
        check("set", "add", json!(7), message);
        check("counter", "add", json!(-3), json!({ "type": "add", "delta": -3 }));
        check("echo", "echo", json!(4), json!({ "type": "echo", "echo": 4 }));
        check("unique-ids", "generate", Value::Null, json!({ "type": "generate" }));
        let steps = json!([["r", 1, null], ["append", 2, 3]]);
        check("list-append", "txn", steps.clone(), json!({ "type": "txn", "txn": steps }));
        check("counter", "remove", json!(1), Value::Null);
    }

    #[test]
    fn each_set_has_its_elements() {
        let mine = json!(2 * SET_SIZE + 7);
        assert_eq!(of_set(&mine, 2), Some(json!(7)));
        assert_eq!(of_set(&mine, 1), None);
        assert_eq!(of_set(&json!("x"), 1), Some(json!("x")));
    }
}
