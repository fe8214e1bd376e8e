//! What an operation on logs says.

use serde_json::Value;

use crate::history::Operation;

/// A message, as it is written.
pub type Message = String;

/// What was done, and with what it was answered.
pub enum Step {
    /// A message was sent; its offset is known if that was answered.
    Send { log: String, offset: Option<u64>, message: Message },
    /// Of each log what was given, each message with its offset.
    Poll(Vec<(String, Vec<(u64, Message)>)>),
    /// A poll that does not tell what it was given.
    Silent,
}

/// The steps of an operation. An operation that was not answered, or with null, sent what it was to send and
/// does not tell what it polled.
pub fn steps(op: &Operation) -> Result<Vec<Step>, &Operation> {
    if matches!(op.f(), "assign" | "subscribe" | "crash" | "debug-topic-partitions") {
        return Ok(Vec::new());
    }
    let is_told = op.is_ok() && !op.result().is_null();
    let value = Value::from(if is_told { op.result() } else { op.argument() });
    if value.is_null() && op.f() == "poll" {
        return Ok(vec![Step::Silent]);
    }
    let steps = value.as_array().ok_or(op)?.iter().map(|step| {
        match step[0].as_str()?.trim_start_matches("~:") {
            "send" => send(step),
            "poll" if is_told => poll(&step[1]),
            "poll" => Some(Step::Silent),
            _ => None,
        }
    });
    steps.collect::<Option<_>>().ok_or(op)
}

/// `["send", LOG, MESSAGE]`, or `["send", LOG, [OFFSET, MESSAGE]]`; an offset may be missing.
fn send(step: &Value) -> Option<Step> {
    let log = name(&step[1]);
    let (offset, message) = match &step[2] {
        Value::Array(pair) => match &pair[..] {
            [offset, message] => (offset.as_u64(), message),
            _ => return None,
        },
        message => (None, message),
    };
    Some(Step::Send { log, offset, message: message.to_string() })
}

fn poll(logs: &Value) -> Option<Step> {
    let placed = |pair: &Value| Some((pair[0].as_u64()?, pair.get(1).map(Value::to_string)?));
    let of_log = |(log, messages): (&String, &Value)| {
        let messages = messages.as_array()?.iter().map(placed).collect::<Option<_>>()?;
        Some((log.clone(), messages))
    };
    logs.as_object()?.iter().map(of_log).collect::<Option<_>>().map(Step::Poll)
}

/// A log is called the same whether its name is a number or a text.
pub fn name(log: &Value) -> String {
    log.as_str().map_or_else(|| log.to_string(), str::to_owned)
}
