//! A client of the bundled store, and what its answers mean.

use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{Action, Call, Register, Ret};
use splitbrain_workloads::objects::set_remove::{self, Element};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use crate::databases::http::{self, Answer};

/// A connection to one node.
pub struct StoreClient {
    pub(super) http: reqwest::Client,
    /// Where the node is.
    pub(super) url: String,
    /// What every key begins with.
    pub(super) prefix: String,
}

impl StoreClient {
    fn of_key(&self, key: &str) -> String {
        format!("{}/kv/{}{key}", self.url, self.prefix)
    }
}

impl Client<Register> for StoreClient {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let url = self.of_key(&call.key);
            let request = match &call.action {
                Action::Read => self.http.get(url),
                Action::Write(value) => self.http.put(url).json(&json!({ "value": value })),
                Action::Cas { old, new } => {
                    self.http.post(url + "/cas").json(&json!({ "old": old, "new": new }))
                }
            };
            understand(&call.action, &http::send(request).await?)
        })
    }
}

/// An element is there if its key has a value.
impl Client<Element> for StoreClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a set_remove::Call,
    ) -> BoxFuture<'a, Result<Outcome<set_remove::Ret>, OpError>> {
        Box::pin(async move {
            let url = self.of_key(&call.key);
            let (request, action) = match call.action {
                set_remove::Action::Read => (self.http.get(url), Action::Read),
                set_remove::Action::Add => {
                    (self.http.put(url).json(&json!({ "value": 1 })), Action::Write(1.into()))
                }
                set_remove::Action::Remove => (self.http.delete(url), Action::Write(0.into())),
            };
            let answer = http::send(request).await?;
            let found = action == Action::Read && !answer.body["value"].is_null();
            understand(&action, &answer).map(|outcome| match outcome.ret {
                Ret::Done => set_remove::Ret::Done.into(),
                Ret::Found(_) | Ret::Foreign(_) => set_remove::Ret::There(found).into(),
            })
        })
    }
}

/// What the store's answer means; see the table in its README.
fn understand(action: &Action, answer: &Answer) -> Result<Outcome<Ret>, OpError> {
    let body = &answer.body;
    match (answer.status, body["outcome"].as_str()) {
        (200, _) if *action == Action::Read => match &body["value"] {
            Value::Null if body.get("value").is_some() => Ok(Ret::Found(None).into()),
            Value::Number(number) if number.is_i64() => Ok(Ret::Found(number.as_i64()).into()),
            Value::Null => Err(OpError::info(ErrorKind::Other, format!("no value: {body}"))),
            other => Ok(Ret::Foreign(other.clone()).into()),
        },
        (200, Some("ok")) => Ok(Ret::Done.into()),
        _ => Err(failure(answer)),
    }
}

/// What an answer means that is not of success.
pub(super) fn failure(answer: &Answer) -> OpError {
    let body = &answer.body;
    let text = || body["error"].as_str().unwrap_or("no reason given").to_owned();
    match (answer.status, body["outcome"].as_str()) {
        (412, Some("mismatch")) => {
            OpError::fail(ErrorKind::Mismatch, format!("found {}", body["value"]))
        }
        (503, Some("refused")) => OpError::fail(ErrorKind::Refused, text()),
        (503, Some("unknown")) => OpError::info(ErrorKind::Timeout, text()),
        (400 | 404 | 405 | 501, Some(_)) => OpError::fail(ErrorKind::Other, text()),
        (status, _) => OpError::info(ErrorKind::Other, format!("status {status}: {body}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use splitbrain_checker::history::Kind;
    use splitbrain_workloads::Completion;

    fn check(action: &Action, status: u16, body: Value, kind: Kind, error: Option<ErrorKind>) {
        let completion = match understand(action, &Answer { status, body }) {
            Ok(_) => (Kind::Ok, None),
            Err(error) => {
                let completion = Completion::error(error, Value::Null);
                (completion.kind, completion.error.map(|error| error.kind))
            }
        };
        assert_eq!(completion, (kind, error));
    }

    #[test]
    fn every_answer_of_the_store_has_its_meaning() {
        use ErrorKind::{Mismatch, Other, Refused, Timeout};
        let write = &Action::Write(1.into());
        let cas = &Action::Cas { old: 1.into(), new: 2.into() };
        check(&Action::Read, 200, json!({"value": 3}), Kind::Ok, None);
        check(&Action::Read, 200, json!({"value": null}), Kind::Ok, None);
        check(&Action::Read, 200, json!({"valu": 3}), Kind::Info, Some(Other));
        check(&Action::Read, 200, json!({"value": "x"}), Kind::Ok, None);
        check(write, 200, json!({"outcome": "ok"}), Kind::Ok, None);
        check(write, 200, Value::Null, Kind::Info, Some(Other));
        check(cas, 412, json!({"outcome": "mismatch", "value": 7}), Kind::Fail, Some(Mismatch));
        check(cas, 501, json!({"outcome": "unsupported"}), Kind::Fail, Some(Other));
        check(write, 503, json!({"outcome": "refused"}), Kind::Fail, Some(Refused));
        check(write, 503, json!({"outcome": "unknown"}), Kind::Info, Some(Timeout));
        check(write, 503, Value::Null, Kind::Info, Some(Other));
        check(write, 502, json!({"outcome": "refused"}), Kind::Info, Some(Other));
        check(write, 400, json!({"outcome": "invalid"}), Kind::Fail, Some(Other));
    }
}
