//! One log, as those tell who sent to it and polled it.

use std::collections::BTreeMap;

use super::super::{may_explain, precedes};
use super::anomalies::Anomalies;
use super::told::Message;
use crate::history::{Completion, Operation};

/// One log.
#[derive(Default)]
pub struct Partition<'h> {
    /// Who said that a message is there, by offset and message.
    pub offsets: BTreeMap<u64, BTreeMap<Message, &'h Operation>>,
    sends: BTreeMap<Message, Vec<&'h Operation>>,
    /// Of the polls that were given a message the one that was over first.
    polled: BTreeMap<Message, &'h Operation>,
}

/// What nobody was given although somebody should have been.
pub struct Missing<'h> {
    /// The anomaly's name.
    pub name: &'static str,
    /// The send.
    pub send: &'h Operation,
    /// Who should have been given it, or was given one behind it.
    pub by: &'h Operation,
    /// Why it should be there.
    pub why: String,
}

impl<'h> Partition<'h> {
    /// A message was sent, and perhaps its offset told.
    pub fn sent(&mut self, message: &Message, offset: Option<u64>, send: &'h Operation) {
        self.sends.entry(message.clone()).or_default().push(send);
        if let Some(offset) = offset {
            self.places(offset, message, send);
        }
    }

    /// A message was given to somebody.
    pub fn given(&mut self, message: &Message, offset: u64, poll: &'h Operation) {
        self.places(offset, message, poll);
        let first = self.polled.entry(message.clone()).or_insert(poll);
        if poll.completed() < first.completed() {
            *first = poll;
        }
    }

    fn places(&mut self, offset: u64, message: &Message, op: &'h Operation) {
        self.offsets.entry(offset).or_default().entry(message.clone()).or_insert(op);
    }

    /// The send of a message that was acknowledged, the first of several.
    pub fn acknowledged(&self, message: &Message) -> Option<&'h Operation> {
        self.sends.get(message)?.iter().find(|send| send.is_ok()).copied()
    }

    /// How many sends were acknowledged.
    pub fn acknowledged_count(&self) -> usize {
        self.sends.values().flatten().filter(|send| send.is_ok()).count()
    }

    /// Each offset has one message, each message one offset for each time it may have been sent, and
    /// whoever was given a message was given it after somebody sent it.
    pub fn offsets_and_messages(&self, name: &str, found: &mut Anomalies<'h>) {
        let mut places: BTreeMap<&Message, Vec<(u64, &'h Operation)>> = BTreeMap::new();
        for (offset, messages) in &self.offsets {
            if messages.len() > 1 {
                let why = format!(
                    "log {name} has different messages at offset {offset}: {}",
                    messages.keys().cloned().collect::<Vec<_>>().join(", ")
                );
                let witness = messages.values().take(2).copied().collect();
                found.wrong("inconsistent-offsets", witness, why);
            }
            for (message, op) in messages {
                places.entry(message).or_default().push((*offset, *op));
            }
        }
        let attempts = |message: &Message| self.sends.get(message).map_or(&[][..], Vec::as_slice);
        let may_be = |send: &&&Operation| send.completion() != Completion::Fail;
        for (message, places) in places {
            let times = attempts(message).iter().filter(may_be).count();
            if let [(one, first), (other, second), ..] = places[..]
                && places.len() > times
            {
                let why =
                    format!("message {message} of log {name} is at offsets {one} and {other}");
                found.wrong("duplicate", vec![first, second], why);
            }
        }
        for (message, poll) in &self.polled {
            let sends = attempts(message);
            let witness = || sends.first().copied().into_iter().chain([*poll]).collect();
            if sends.is_empty() {
                let why = format!("message {message} of log {name} was never sent");
                found.wrong("unexpected-message", witness(), why);
            } else if !sends.iter().any(|send| may_be(&send)) {
                let why = format!("the send of message {message} to log {name} had failed");
                found.wrong("aborted-read", witness(), why);
            } else if !may_explain(sends, poll) {
                let why = format!("message {message} of log {name} was polled before it was sent");
                found.wrong("unexpected-message", witness(), why);
            }
        }
    }

    /// What was acknowledged and nobody was given.
    pub fn unseen(&self) -> impl Iterator<Item = (&Message, &'h Operation)> {
        let unseen = self.sends.keys().filter(|message| !self.polled.contains_key(*message));
        unseen.filter_map(|message| Some((message, self.acknowledged(message)?)))
    }

    /// What nobody was given although something behind it was given, or somebody who asked for all
    /// that is left was given nothing.
    pub fn missing(&self, name: &str, emptied: Option<&'h Operation>) -> Vec<Missing<'h>> {
        let (last, behind) = (self.offsets.iter().rev())
            .find_map(|(offset, messages)| {
                let poll = messages.keys().find_map(|message| self.polled.get(message))?;
                Some((*offset, *poll))
            })
            .unzip();
        let before: BTreeMap<&Message, u64> = (self.offsets.iter().rev())
            .flat_map(|(offset, messages)| messages.keys().map(move |message| (message, *offset)))
            .collect();
        let missing = |(message, send): (&Message, &'h Operation)| {
            let is_before = before.get(message).is_some_and(|offset| Some(*offset) < last);
            if let Some(by) = behind.filter(|_| is_before) {
                let why = format!(
                    "message {message} of log {name} was acknowledged and given to nobody, though \
                     one behind it was"
                );
                return Some(Missing { name: "lost-write", send, by, why });
            }
            let by = emptied.filter(|end| precedes(send, end))?;
            let why = format!(
                "message {message} of log {name} was acknowledged before somebody asked for all that \
                 is left and was given nothing, and nobody was ever given it"
            );
            Some(Missing { name: "unseen", send, by, why })
        };
        self.unseen().filter_map(missing).collect()
    }
}
