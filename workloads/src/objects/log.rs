//! Logs to which messages are sent and from which consumers poll what is new (Jepsen's kafka): what a
//! consumer is assigned it polls alone, and what it subscribes to it shares with others.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Workload;
use crate::messages::Messages;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `log`.
pub const WORKLOAD: Workload = Workload {
    name: "log",
    about: "Messages that are sent to logs, and consumers that poll the logs which they are assigned.",
    load: |settings| Box::new(Messages::new(settings)),
};

/// How consumers come to the logs that they poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubVia {
    /// Each is told which, and polls all of them.
    Assign,
    /// Those who want the same ones share their messages out among themselves.
    Subscribe,
    /// Now this, now that.
    Both,
}

/// Some logs of whole numbers, and consumers of which each has what it was assigned for itself. A consumer is a
/// client at a node; it begins each log at the beginning, and anew after a call of which nobody knows how
/// it ended.
pub struct Log;

/// The same with transactions of several sends and polls, and with consumers that share logs.
pub struct Transactional;

/// A step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Append this message to the log of this number.
    Send(u64, i64),
    /// Return what is new to this consumer in these logs, or else in those that it was assigned.
    Poll(Option<Vec<u64>>),
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// All in one: `send` and `poll` if there is nothing else, and otherwise `txn`. What is polled is never what
    /// is sent in the same call.
    Transact(Vec<Step>),
    /// Poll these logs from now on, and no others. Where it has come to in those that it had before, it goes on.
    Assign(Vec<u64>),
    /// The same, sharing them with all who subscribe to them: each message is for one of these.
    Subscribe(Vec<u64>),
    /// Forget everything, as if this client were another one; the answer is that nobody knows what became of it
    /// ([`crate::OpError::Info`]).
    Crash,
}

/// A message with its offset.
pub type Placed = (u64, Value);

/// What a step returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// The offset of the message.
    Sent(u64),
    /// Of each log that has something new the messages in their order.
    Polled(Vec<(u64, Vec<Placed>)>),
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// Of a transaction what each step does.
    Steps(Vec<Done>),
    /// The logs will be polled.
    Asked,
}

impl Vocabulary for Log {
    const NAME: &'static str = "log";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let shares = matches!(f, "txn" | "subscribe");
        Transactional::decode(f, key, value).ok().filter(|_| !shares).ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "send [[\"send\", LOG, INTEGER], ...], poll [[\"poll\", [LOG, ...]]], \
                       poll [[\"poll\"]], assign [LOG, ...] or crash null",
        })
    }

    fn encode(call: &Call, ret: Ret) -> Value {
        Transactional::encode(call, ret)
    }
}

impl Vocabulary for Transactional {
    const NAME: &'static str = "transactional-log";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let step = |step: &Value| match step[0].as_str()? {
            "send" => Some(Step::Send(step[1].as_u64()?, step[2].as_i64()?)),
            "poll" if step[1].is_null() => Some(Step::Poll(None)),
            "poll" => numbers(&step[1]).map(|logs| Step::Poll(Some(logs))),
            _ => None,
        };
        let steps = || -> Option<Vec<Step>> { value.as_array()?.iter().map(step).collect() };
        let call = match f {
            "assign" => numbers(value).map(Call::Assign),
            "subscribe" => numbers(value).map(Call::Subscribe),
            "crash" => Some(Call::Crash),
            _ => steps().filter(|steps| f == named(steps)).map(Call::Transact),
        };
        call.ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "send, poll or txn of [[\"send\", LOG, INTEGER], [\"poll\", [LOG, ...]], [\"poll\"], \
                       ...], assign or subscribe [LOG, ...], or crash null",
        })
    }

    /// As in Jepsen: `["send", LOG, [OFFSET, MESSAGE]]` and `["poll", {LOG: [[OFFSET, MESSAGE], ...]}]`.
    fn encode(call: &Call, ret: Ret) -> Value {
        match (call, ret) {
            (Call::Transact(steps), Ret::Steps(done)) => {
                steps.iter().zip(done).map(|(step, done)| told(step, done)).collect()
            }
            (Call::Assign(logs) | Call::Subscribe(logs), _) => json!(logs),
            (Call::Transact(_) | Call::Crash, _) => Value::Null,
        }
    }
}

/// What an operation of these steps is called.
pub(crate) fn named(steps: &[Step]) -> &'static str {
    let sends = steps.iter().filter(|step| matches!(step, Step::Send(..))).count();
    match sends {
        0 => "poll",
        _ if sends == steps.len() => "send",
        _ => "txn",
    }
}

/// The argument for steps.
pub(crate) fn argument(steps: &[Step]) -> Value {
    let told = |step: &Step| match step {
        Step::Send(log, message) => json!(["send", log, message]),
        Step::Poll(Some(logs)) => json!(["poll", logs]),
        Step::Poll(None) => json!(["poll"]),
    };
    steps.iter().map(told).collect()
}

fn told(step: &Step, done: Done) -> Value {
    match (step, done) {
        (Step::Send(log, message), Done::Sent(offset)) => json!(["send", log, [offset, message]]),
        (_, Done::Polled(logs)) => {
            let of_log = |(log, messages): (u64, Vec<Placed>)| (log.to_string(), json!(messages));
            json!(["poll", logs.into_iter().map(of_log).collect::<Map<String, Value>>()])
        }
        (Step::Poll(_), Done::Sent(_)) => Value::Null,
    }
}

fn numbers(logs: &Value) -> Option<Vec<u64>> {
    logs.as_array()?.iter().map(Value::as_u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_as_it_is_written() {
        let sends = json!([["send", 0, 1], ["send", 1, 2]]);
        let mixed = json!([["send", 0, 1], ["poll"], ["poll", [1, 2]]]);
        for (f, steps) in [("send", &sends), ("poll", &json!([["poll", [0]]])), ("txn", &mixed)] {
            let Ok(Call::Transact(read)) = Transactional::decode(f, None, steps) else {
                panic!("{f}")
            };
            assert_eq!((named(&read), &argument(&read)), (f, steps));
            assert_eq!(Log::decode(f, None, steps).is_ok(), f != "txn");
        }
        for (f, wrong) in [("poll", &sends), ("send", &mixed), ("assign", &json!(["a"]))] {
            assert!(Transactional::decode(f, None, wrong).is_err(), "{f}");
        }
        let assigned = Log::decode("assign", None, &json!([1, 2])).unwrap();
        assert_eq!(Log::encode(&assigned, Ret::Asked), json!([1, 2]));
        assert!(Log::decode("subscribe", None, &json!([1])).is_err());
    }

    #[test]
    fn an_answer_has_offsets() {
        let steps = vec![Step::Send(0, 7), Step::Poll(None)];
        let polled = Done::Polled(vec![(3, vec![(0, 5.into()), (1, 6.into())])]);
        let ret = Ret::Steps(vec![Done::Sent(4), polled]);
        let told = Transactional::encode(&Call::Transact(steps), ret);
        assert_eq!(told, json!([["send", 0, [4, 7]], ["poll", {"3": [[0, 5], [1, 6]]}]]));
    }
}
