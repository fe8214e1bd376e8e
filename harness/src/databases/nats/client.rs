//! A client of a JetStream key-value bucket, and what the answers mean.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{self, Action, Register, Ret};
use splitbrain_workloads::objects::set_remove::{self, Element};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use super::BUCKET;
use super::protocol::{Message, Requests};

/// A connection to one node.
pub struct NatsClient {
    pub(super) requests: Requests,
    /// What every key begins with.
    pub(super) prefix: String,
    /// Reads may be answered by any replica, not by the stream's leader only.
    pub(super) direct: bool,
    /// How many servers keep the bucket.
    pub(super) replicas: usize,
    /// It has asked for the bucket.
    pub(super) sure: bool,
}

/// What a key has, and the number of the message that set it.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    text: String,
    sequence: u64,
}

impl NatsClient {
    fn subject(&self, key: &str) -> String {
        format!("$KV.{BUCKET}.{}{key}", self.prefix)
    }

    /// Makes the bucket if it is not there, once, as programs do when they start.
    async fn bucket(&mut self) {
        if !self.sure {
            // What is missing then shows at the next request.
            self.sure = make_bucket(&mut self.requests, self.replicas).await.is_ok();
        }
    }

    async fn find(&mut self, key: &str) -> Result<Option<Entry>, OpError> {
        self.bucket().await;
        let question = json!({ "last_by_subj": self.subject(key) }).to_string();
        let kind = if self.direct { "DIRECT.GET" } else { "STREAM.MSG.GET" };
        let answer =
            self.requests.ask(&format!("$JS.API.{kind}.KV_{BUCKET}"), "", &question).await?;
        if self.direct {
            return entry_of_replica(&answer);
        }
        let found = entry_of_leader(&answer);
        if answer.has_error(NO_STREAM) {
            // As programs do that find their bucket gone; whether that succeeds shows next time.
            let _ = make_bucket(&mut self.requests, self.replicas).await;
        }
        found
    }

    /// Sets a key; if `expected` is given, only if that is the number of its last message.
    async fn put(&mut self, key: &str, text: &str, expected: Option<u64>) -> Result<(), OpError> {
        self.bucket().await;
        let only_if = expected.map_or(String::new(), |sequence| {
            format!("Nats-Expected-Last-Subject-Sequence: {sequence}\r\n")
        });
        let answer = self.requests.ask(&self.subject(key), &only_if, text).await?;
        match body(&answer)? {
            body if body["seq"].is_u64() && body.get("error").is_none() => Ok(()),
            body => Err(failure(&body)),
        }
    }
}

/// The number of the failure that says that there is no bucket.
const NO_STREAM: u64 = 10_059;

impl Message {
    fn has_error(&self, code: u64) -> bool {
        let body = serde_json::from_slice::<Value>(&self.payload).unwrap_or_default();
        body["error"]["err_code"] == code
    }
}

/// Makes the bucket as programs make theirs; one that is there already is left as it is.
pub(super) async fn make_bucket(requests: &mut Requests, replicas: usize) -> Result<(), String> {
    let stream = json!({
        "name": format!("KV_{BUCKET}"), "subjects": [format!("$KV.{BUCKET}.>")],
        "max_msgs_per_subject": 1, "num_replicas": replicas, "storage": "file",
        "retention": "limits", "discard": "new", "allow_direct": true,
        "allow_rollup_hdrs": true, "deny_delete": true,
    });
    let subject = format!("$JS.API.STREAM.CREATE.KV_{BUCKET}");
    let answer = requests
        .ask(&subject, "", &stream.to_string())
        .await
        .map_err(|error| error.error().text)?;
    match serde_json::from_slice::<Value>(&answer.payload) {
        Ok(body) if body.get("error").is_none() => Ok(()),
        _ => Err(format!("{}{}", answer.headers, String::from_utf8_lossy(&answer.payload))),
    }
}

/// An answer of the interface, which is JSON. Where nobody was there to be asked, nothing happened.
fn body(answer: &Message) -> Result<Value, OpError> {
    if answer.status() == Some(503) {
        return Err(OpError::fail(ErrorKind::Refused, "nobody is there to answer (503)"));
    }
    Ok(serde_json::from_slice(&answer.payload)?)
}

/// What a failure of JetStream means, by its numbers.
fn failure(body: &Value) -> OpError {
    const UNAVAILABLE: u64 = 10_008;
    const WRONG_LAST_SEQUENCE: u64 = 10_071;
    let error = &body["error"];
    let text = error["description"].as_str().map_or_else(|| body.to_string(), str::to_owned);
    match error["err_code"].as_u64() {
        Some(WRONG_LAST_SEQUENCE) => OpError::fail(ErrorKind::Mismatch, text),
        // It is said before anything is proposed.
        Some(UNAVAILABLE | NO_STREAM) => OpError::fail(ErrorKind::Refused, text),
        _ => OpError::info(ErrorKind::Other, text),
    }
}

fn entry_of_leader(answer: &Message) -> Result<Option<Entry>, OpError> {
    const NOTHING: u64 = 10_037;
    let body = body(answer)?;
    let message = &body["message"];
    match (message["seq"].as_u64(), body["error"]["err_code"].as_u64()) {
        (Some(sequence), _) => {
            let bytes = BASE64.decode(message["data"].as_str().unwrap_or_default())?;
            Ok(Some(Entry { text: String::from_utf8_lossy(&bytes).into_owned(), sequence }))
        }
        (None, Some(NOTHING)) => Ok(None),
        (None, _) => Err(failure(&body)),
    }
}

fn entry_of_replica(answer: &Message) -> Result<Option<Entry>, OpError> {
    let sequence = answer.header("Nats-Sequence").and_then(|number| number.parse().ok());
    match (sequence, answer.status()) {
        (Some(sequence), _) => {
            let text = String::from_utf8_lossy(&answer.payload).into_owned();
            Ok(Some(Entry { text, sequence }))
        }
        (None, Some(404)) => Ok(None),
        (None, Some(503)) => Err(OpError::fail(ErrorKind::Refused, "nobody is there to answer")),
        (None, _) => Err(OpError::info(ErrorKind::Other, answer.headers.clone())),
    }
}

impl Client<Register> for NatsClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a register::Call,
    ) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let found = match &call.action {
                Action::Write(_) => None,
                Action::Read | Action::Cas { .. } => self.find(&call.key).await?,
            };
            match &call.action {
                Action::Write(value) => {
                    self.put(&call.key, &value.to_string(), None).await.map(|()| Ret::Done.into())
                }
                Action::Read => Ok(match found {
                    None => Ret::Found(None).into(),
                    Some(entry) => match entry.text.parse() {
                        Ok(value) => Ret::Found(Some(value)).into(),
                        Err(_) => Ret::Foreign(entry.text.into()).into(),
                    },
                }),
                Action::Cas { old, new } => {
                    let entry = found.filter(|entry| entry.text == old.to_string());
                    let different = "another value was found";
                    let entry =
                        entry.ok_or_else(|| OpError::fail(ErrorKind::Mismatch, different))?;
                    let put = self.put(&call.key, &new.to_string(), Some(entry.sequence)).await;
                    put.map(|()| Ret::Done.into())
                }
            }
        })
    }
}

/// An element is there if its key says so.
impl Client<Element> for NatsClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a set_remove::Call,
    ) -> BoxFuture<'a, Result<Outcome<set_remove::Ret>, OpError>> {
        Box::pin(async move {
            let text = match call.action {
                set_remove::Action::Add => "1",
                set_remove::Action::Remove => "0",
                set_remove::Action::Read => {
                    let found = self.find(&call.key).await?;
                    return Ok(set_remove::Ret::There(
                        found.is_some_and(|entry| entry.text == "1"),
                    )
                    .into());
                }
            };
            self.put(&call.key, text, None).await.map(|()| set_remove::Ret::Done.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(headers: &str, payload: &str) -> Message {
        Message { headers: headers.to_owned(), payload: payload.as_bytes().to_vec() }
    }

    fn check(found: Result<Option<Entry>, OpError>, expect: &str) {
        let meaning = match found {
            Ok(Some(Entry { text, sequence })) => format!("{text} by {sequence}"),
            Ok(None) => "nothing".to_owned(),
            Err(OpError::Fail(error)) => format!("fail {:?}", error.kind),
            Err(OpError::Info(error)) => format!("info {:?}", error.kind),
        };
        assert_eq!(meaning, expect);
    }

    #[test]
    fn every_answer_of_a_bucket_has_its_meaning() {
        let leader = |payload: &str| entry_of_leader(&said("", payload));
        check(leader(r#"{"message":{"seq":7,"data":"NDI="}}"#), "42 by 7");
        check(leader(r#"{"message":{"seq":7}}"#), " by 7");
        check(leader(r#"{"error":{"code":404,"err_code":10037}}"#), "nothing");
        check(leader(r#"{"error":{"code":503,"err_code":10008}}"#), "fail Refused");
        check(leader(r#"{"error":{"code":500,"err_code":1}}"#), "info Other");
        check(leader("garbage"), "info Other");
        check(entry_of_leader(&said("NATS/1.0 503\r\n\r\n", "")), "fail Refused");
        let replica = |headers: &str| entry_of_replica(&said(headers, "42"));
        check(replica("NATS/1.0\r\nNats-Sequence: 7\r\n\r\n"), "42 by 7");
        check(replica("NATS/1.0 404 Message Not Found\r\n\r\n"), "nothing");
        check(replica("NATS/1.0 503\r\n\r\n"), "fail Refused");
        check(replica("NATS/1.0 408 Bad Request\r\n\r\n"), "info Other");
        let kind = |code: u64| Err(failure(&json!({ "error": { "err_code": code } })));
        check(kind(10_071), "fail Mismatch");
        check(kind(10_008), "fail Refused");
        check(kind(NO_STREAM), "fail Refused");
        check(kind(10_077), "info Other");
    }
}
