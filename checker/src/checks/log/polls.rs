//! How each consumer and each producer goes through the logs: without leaving messages out and without going
//! back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::anomalies::Anomalies;
use super::asked::{assigned, assigns};
use super::partition::Partition;
use super::told::{Message, Step};
use crate::history::{Completion, Moment, NodeId, Operation};

/// A process at a node.
type Consumer = (u64, Option<NodeId>);

/// The places of a log's messages, without the gaps that offsets may have.
struct Places {
    of: BTreeMap<(u64, Message), usize>,
    /// Of each place when the first message there or behind it was acknowledged.
    acknowledged: Vec<Option<Moment>>,
}

/// Where everyone is.
pub struct Consumers<'h> {
    logs: BTreeMap<String, Places>,
    polled: BTreeMap<(Consumer, String), (usize, &'h Operation)>,
    sent: BTreeMap<(Consumer, String), (usize, &'h Operation)>,
    /// Whether one shares its logs with others, of those that said so.
    shares: BTreeMap<Consumer, bool>,
    /// Whether somebody subscribes, so that one that said nothing may share what another process of the same
    /// client subscribed to.
    any_shares: bool,
    worst: Option<(u64, Value)>,
}

/// What a jump from one message to the next is called: inside of an operation and between two; ahead,
/// and back.
struct Names {
    inside: [&'static str; 2],
    /// Between two sends others may have sent.
    outside: [Option<&'static str>; 2],
    verb: &'static str,
}

const POLLS: Names = Names {
    inside: ["int-poll-skip", "int-nonmonotonic-poll"],
    outside: [Some("poll-skip"), Some("nonmonotonic-poll")],
    verb: "was given",
};
const SENDS: Names = Names {
    inside: ["int-send-skip", "int-nonmonotonic-send"],
    outside: [None, Some("nonmonotonic-send")],
    verb: "sent",
};

impl<'h> Consumers<'h> {
    /// Nobody has begun. `any_shares`: whether somebody subscribes.
    pub fn of(logs: &BTreeMap<String, Partition<'h>>, any_shares: bool) -> Consumers<'h> {
        let logs = logs.iter().map(|(name, log)| (name.clone(), Places::of(log))).collect();
        Consumers {
            logs,
            polled: BTreeMap::new(),
            sent: BTreeMap::new(),
            shares: BTreeMap::new(),
            any_shares,
            worst: None,
        }
    }

    /// The next operation.
    pub fn hear(&mut self, op: &'h Operation, steps: &[Step], found: &mut Anomalies<'h>) {
        let consumer = (op.process, op.node());
        if assigns(op) && op.completion() != Completion::Fail {
            // It stays where it is in those that it had before.
            let kept = assigned(op).unwrap_or_default();
            self.polled.retain(|(other, log), _| *other != consumer || kept.contains(log));
            self.shares.insert(consumer, op.f() == "subscribe");
        }
        let is_shared = self.shares.get(&consumer).copied().unwrap_or(self.any_shares);
        let mut polls = false;
        for step in steps.iter().filter(|_| op.is_ok()) {
            match step {
                Step::Send { log, offset: Some(offset), message } => {
                    let at = self.logs[log].of[&(*offset, message.clone())];
                    let last = self.sent.insert((consumer, log.clone()), (at, op));
                    jump(&SENDS, is_shared, log, last, (at, op), found);
                }
                Step::Send { .. } | Step::Silent => {}
                Step::Poll(logs) => {
                    polls = true;
                    for (log, messages) in logs {
                        for place in messages {
                            let at = self.logs[log].of[place];
                            let last = self.polled.insert((consumer, log.clone()), (at, op));
                            jump(&POLLS, is_shared, log, last, (at, op), found);
                        }
                    }
                }
            }
        }
        if polls {
            self.lag(consumer, op);
        }
    }

    /// How long before a poll the first message was acknowledged that it did not give, of logs that
    /// this consumer has been given something of.
    fn lag(&mut self, consumer: Consumer, poll: &Operation) {
        let whole = (consumer, String::new())..;
        let of_it = self.polled.range(whole).take_while(|((other, _), _)| *other == consumer);
        for ((_, log), (at, _)) in of_it {
            let Some(Some(first)) = self.logs[log].acknowledged.get(at + 1) else { continue };
            let lag_ns = poll.invoked.time_ns.saturating_sub(first.time_ns);
            if lag_ns > self.worst.as_ref().map_or(0, |(worst, _)| *worst) {
                let told = json!({"lag": lag_ns, "key": log, "process": poll.process,
                    "time": poll.invoked.time_ns});
                self.worst = Some((lag_ns, told));
            }
        }
    }

    /// The longest, in nanoseconds, and where it was; null if nobody lagged.
    pub fn worst_lag(&self) -> Value {
        self.worst.as_ref().map_or(Value::Null, |(_, told)| told.clone())
    }
}

fn jump<'h>(
    names: &Names,
    is_shared: bool,
    log: &str,
    last: Option<(usize, &'h Operation)>,
    (at, op): (usize, &'h Operation),
    found: &mut Anomalies<'h>,
) {
    let Some((before, earlier)) = last.filter(|(before, _)| at != before + 1) else { return };
    let is_inside = std::ptr::eq(earlier, op);
    let back = usize::from(at <= before);
    let name = if is_inside { Some(names.inside[back]) } else { names.outside[back] };
    let Some(name) = name else { return };
    if is_allowed(name, is_shared) {
        found.allow(name);
    } else {
        let how = if back == 1 { "went back" } else { "left messages out" };
        let why = format!(
            "of log {log} the same one {} message {before} and then message {at}: it {how}",
            names.verb
        );
        found.wrong(name, vec![earlier, op], why);
    }
}

/// As in Jepsen: sends may interleave, and from and to whoever shares logs with others they are taken
/// over.
fn is_allowed(name: &str, is_shared: bool) -> bool {
    match name {
        "int-send-skip" => true,
        "poll-skip" | "nonmonotonic-poll" => is_shared,
        _ => false,
    }
}

impl Places {
    fn of(log: &Partition<'_>) -> Places {
        let mut of = BTreeMap::new();
        let mut acknowledged = Vec::new();
        for (place, (offset, messages)) in log.offsets.iter().enumerate() {
            let mut first: Option<Moment> = None;
            for message in messages.keys() {
                of.insert((*offset, message.clone()), place);
                let end = log.acknowledged(message).and_then(Operation::completed);
                first = [first, end].into_iter().flatten().min();
            }
            acknowledged.push(first);
        }
        let mut behind: Option<Moment> = None;
        for moment in acknowledged.iter_mut().rev() {
            behind = [behind, *moment].into_iter().flatten().min();
            *moment = behind;
        }
        Places { of, acknowledged }
    }
}
