//! Logs to which messages are sent and from which clients poll what is new, each at its own pace (Jepsen's
//! kafka).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;
use serde_json::{Map, Value, json};
use splitbrain_checker::history::Event;

use super::{KEY_CHOICE, KEYS, Load, Settings, Workload};
use crate::choice::KeyChoice;
use crate::generator::{Context, Generator, Invocation, Repeat, UntilOk};
use crate::keys;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `log`.
pub const WORKLOAD: Workload = Workload {
    name: "log",
    about: "Messages that are sent to logs, of which each client polls all from the beginning.",
    load: |settings| Box::new(Messages { settings: settings.clone(), sent: Arc::default() }),
};

/// Some logs of whole numbers. A poll returns what this client has not been given yet.
pub struct Log;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Append these messages, each to the log of a number, all in one.
    Send(Vec<(u64, i64)>),
    /// Return what is new in these logs.
    Poll(Vec<u64>),
}

/// A message with its offset.
pub type Placed = (u64, Value);

/// What a call returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// The offset of each message.
    Sent(Vec<u64>),
    /// Of each log that has something new the messages in their order.
    Polled(Vec<(u64, Vec<Placed>)>),
}

impl Vocabulary for Log {
    const NAME: &'static str = "log";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let steps = value.as_array().map_or(&[][..], Vec::as_slice);
        let send = |step: &Value| {
            let message = (step[1].as_u64()?, step[2].as_i64()?);
            (step[0] == "send").then_some(message)
        };
        let call = match (f, steps) {
            ("send", [_, ..]) => steps.iter().map(send).collect::<Option<_>>().map(Call::Send),
            ("poll", [poll]) if poll[0] == "poll" => poll[1]
                .as_array()
                .and_then(|logs| logs.iter().map(Value::as_u64).collect::<Option<_>>())
                .map(Call::Poll),
            _ => None,
        };
        call.ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "send [[\"send\", LOG, INTEGER], ...] or poll [[\"poll\", [LOG, ...]]]",
        })
    }

    /// As in Jepsen: `["send", LOG, [OFFSET, MESSAGE]]` and `["poll", {LOG: [[OFFSET, MESSAGE], ...]}]`.
    fn encode(call: &Call, ret: Ret) -> Value {
        match (call, ret) {
            (Call::Send(messages), Ret::Sent(offsets)) => messages
                .iter()
                .zip(offsets)
                .map(|((log, message), offset)| json!(["send", log, [offset, message]]))
                .collect(),
            (_, Ret::Polled(logs)) => {
                let of_log =
                    |(log, messages): (u64, Vec<Placed>)| (log.to_string(), json!(messages));
                json!([["poll", logs.into_iter().map(of_log).collect::<Map<String, Value>>()]])
            }
            (Call::Poll(_), Ret::Sent(_)) => Value::Null,
        }
    }
}

/// Most messages that are sent in one.
const MOST_SENT: usize = 4;
/// Most polls of a client before it has come to the end.
const FINAL_TRIES: u32 = 50;

struct Messages {
    settings: Settings,
    /// How many messages there have been.
    sent: Arc<Mutex<i64>>,
}

impl Messages {
    fn poll(&self) -> Value {
        json!([["poll", (0..self.settings.keys(keys::KEYS) as u64).collect::<Vec<u64>>()]])
    }
}

impl Load for Messages {
    fn vocabulary(&self) -> &'static str {
        Log::NAME
    }

    fn heeds(&self) -> &'static [&'static str] {
        &[KEYS, KEY_CHOICE]
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let (settings, sent, poll) = (self.settings.clone(), self.sent.clone(), self.poll());
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut invocation = if ctx.rng.random_bool(0.5) {
                let mut sent = sent.lock().expect("no one panics here");
                let messages = (0..ctx.rng.random_range(1..=MOST_SENT)).map(|_| {
                    *sent += 1;
                    json!([
                        "send",
                        settings.choose(KeyChoice::Uniform, ctx, settings.keys(keys::KEYS)),
                        *sent
                    ])
                });
                Invocation::keyless("send", messages.collect::<Value>())
            } else {
                Invocation::keyless("poll", poll.clone())
            };
            invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
            invocation
        }))
    }

    /// Who was given everything is answered with nothing.
    fn finals(&self, _keys: Vec<String>, _converge_within: Duration) -> Box<dyn Generator> {
        let poll = Invocation::keyless("poll", self.poll());
        let is_empty = |answer: &Event| {
            let logs = answer.value[0][1].as_object();
            logs.is_some_and(|logs| logs.values().all(|new| *new == json!([])))
        };
        Box::new(UntilOk::answering(is_empty, poll, FINAL_TRIES))
    }
}
