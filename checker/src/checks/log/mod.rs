//! Logs to which messages are sent and which are polled (Jepsen's `kafka`): each message has one offset
//! and each offset one message, whoever polls is given all messages in their order, and what was
//! acknowledged is there.
//!
//! As in Jepsen, messages of others between those of one send are counted and allowed: no log promises that
//! sends do not interleave.

mod polls;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Check, Finding, Object, Report};
use crate::history::{Completion, Operation};
use polls::Consumers;
use told::{Message, Step, steps};

/// `send` of `[["send", LOG, MESSAGE], ...]`, answered with `[["send", LOG, [OFFSET, MESSAGE]], ...]`;
/// `poll`, answered with `[["poll", {LOG: [[OFFSET, MESSAGE], ...]}]]`; `txn` of both; and `assign` or
/// `subscribe`, after which a consumer may begin elsewhere. A consumer is a process at a node.
pub(super) struct Log;

/// What is counted and allowed.
const ALLOWED: [&str; 1] = ["int-send-skip"];

/// One log.
#[derive(Default)]
struct Partition<'h> {
    /// Who said that a message is there, by offset and message.
    offsets: BTreeMap<u64, BTreeMap<Message, &'h Operation>>,
    sends: BTreeMap<Message, &'h Operation>,
    polled: BTreeMap<Message, &'h Operation>,
}

/// An anomaly: what shows it, and why it is one.
type Instance<'h> = (Vec<&'h Operation>, String);

/// All anomalies by name.
type Anomalies<'h> = BTreeMap<&'static str, Vec<Instance<'h>>>;

impl Check for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn operations(&self) -> &'static str {
        "send of [[\"send\", LOG, MESSAGE], ...]; poll, answered with [[\"poll\", {LOG: [[OFFSET, MESSAGE], ...]}]]"
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["send", "poll", "txn", "assign", "subscribe"])?;
        let mut logs: BTreeMap<String, Partition<'h>> = BTreeMap::new();
        // Who was given nothing new in the end had been given everything.
        let mut emptied: Option<&Operation> = None;
        let [mut send_count, mut poll_count] = [0; 2];
        for &op in &object.operations {
            let all = steps(op)?;
            for step in &all {
                match step {
                    Step::Send { log, offset, message } => {
                        send_count += 1;
                        let log = logs.entry(log.clone()).or_default();
                        log.sends.insert(message.clone(), op);
                        if let Some(offset) = offset {
                            log.places(*offset, message, op);
                        }
                    }
                    Step::Poll(polled) => {
                        poll_count += usize::from(op.is_ok());
                        for (log, messages) in polled {
                            let log = logs.entry(log.clone()).or_default();
                            for (offset, message) in messages {
                                log.places(*offset, message, op);
                                log.polled.entry(message.clone()).or_insert(op);
                            }
                        }
                    }
                }
            }
            if op.is_ok()
                && matches!(&all[..], [Step::Poll(polled)] if polled.iter().all(|(_, of)| of.is_empty()))
            {
                emptied = Some(op);
            }
        }
        let mut found = Anomalies::new();
        let (mut acknowledged, mut unseen_count) = (0, 0);
        for (name, log) in &logs {
            log.offsets_and_messages(name, &mut found);
            let unseen = log.unseen();
            acknowledged += log.sends.values().filter(|send| send.is_ok()).count();
            unseen_count += unseen.len();
            log.lost(name, &unseen, emptied, &mut found);
        }
        let mut consumers = Consumers::of(&logs);
        for &op in &object.operations {
            consumers.hear(op, &steps(op)?, &mut found);
        }
        let mut report = match poll_count {
            0 => Report::unknown("nothing was polled"),
            _ => Report::valid(),
        };
        report.set("log-count", logs.len());
        report.set("send-count", send_count);
        report.set("acknowledged-count", acknowledged);
        report.set("poll-count", poll_count);
        report.set("unseen-count", unseen_count);
        report.set("worst-realtime-lag", consumers.worst_lag());
        let is_bad = |name: &&&str| !ALLOWED.contains(*name);
        let names = || found.keys();
        report.set("error-types", names().map(|name| Value::from(*name)).collect::<Vec<_>>());
        let bad = names().filter(is_bad).map(|name| Value::from(*name));
        report.set("bad-error-types", bad.collect::<Vec<_>>());
        for (name, instances) in found {
            report.set(&format!("{name}-count"), instances.len());
            let count = instances.len();
            let first = instances.into_iter().next().filter(|_| is_bad(&&name));
            if let Some((witness, why)) = first {
                report.find(Finding { name, count, witness, why });
            }
        }
        Ok(report)
    }
}

impl<'h> Partition<'h> {
    fn places(&mut self, offset: u64, message: &Message, op: &'h Operation) {
        self.offsets.entry(offset).or_default().entry(message.clone()).or_insert(op);
    }

    /// The messages that are known to be there, in the order of their offsets.
    fn order(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.offsets.values().flat_map(BTreeMap::keys)
    }

    /// Each offset has one message, each message one offset, and somebody sent it.
    fn offsets_and_messages(&self, name: &str, found: &mut Anomalies<'h>) {
        let mut places: BTreeMap<&Message, Vec<(u64, &'h Operation)>> = BTreeMap::new();
        for (offset, messages) in &self.offsets {
            if messages.len() > 1 {
                let why = format!(
                    "log {name} has different messages at offset {offset}: {}",
                    messages.keys().cloned().collect::<Vec<_>>().join(", ")
                );
                let witness = messages.values().take(2).copied().collect();
                found.entry("inconsistent-offsets").or_default().push((witness, why));
            }
            for (message, op) in messages {
                places.entry(message).or_default().push((*offset, *op));
            }
        }
        for (message, places) in places {
            if let [(one, first), (other, second), ..] = places[..] {
                let why =
                    format!("message {message} of log {name} is at offsets {one} and {other}");
                found.entry("duplicate").or_default().push((vec![first, second], why));
            }
        }
        for (message, poll) in &self.polled {
            match self.sends.get(message) {
                None => {
                    let why = format!("message {message} of log {name} was never sent");
                    found.entry("unexpected-message").or_default().push((vec![poll], why));
                }
                Some(send) if send.completion() == Completion::Fail => {
                    let why = format!("the send of message {message} to log {name} had failed");
                    found.entry("aborted-read").or_default().push((vec![send, poll], why));
                }
                Some(_) => {}
            }
        }
    }

    /// What was acknowledged and nobody was given.
    fn unseen(&self) -> BTreeSet<&Message> {
        let is_unseen = |(message, send): &(&Message, &&Operation)| {
            send.is_ok() && !self.polled.contains_key(*message)
        };
        self.sends.iter().filter(is_unseen).map(|(message, _)| message).collect()
    }

    /// What nobody was given although something behind it was given, or somebody was given everything.
    fn lost(
        &self,
        name: &str,
        unseen: &BTreeSet<&Message>,
        emptied: Option<&'h Operation>,
        found: &mut Anomalies<'h>,
    ) {
        let mut later: Option<&'h Operation> = None;
        let mut before = BTreeSet::new();
        for message in self.order().rev() {
            match (self.polled.get(message), later) {
                (Some(poll), None) => later = Some(poll),
                (None, Some(_)) => drop(before.insert(message)),
                _ => {}
            }
        }
        for &message in unseen {
            let send = self.sends[message];
            if let (true, Some(later)) = (before.contains(message), later) {
                let why = format!(
                    "message {message} of log {name} was acknowledged and given to nobody, though \
                     one behind it was"
                );
                found.entry("lost-write").or_default().push((vec![send, later], why));
            } else if let Some(end) = emptied.filter(|end| super::precedes(send, end)) {
                let why = format!(
                    "message {message} of log {name} was acknowledged, and who had been given \
                     everything had not been given this"
                );
                found.entry("unseen").or_default().push((vec![send, end], why));
            }
        }
    }
}
