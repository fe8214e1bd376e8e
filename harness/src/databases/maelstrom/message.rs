//! Messages of the Maelstrom protocol: `{"src", "dest", "body": {"type", "msg_id"?, "in_reply_to"?, ...}}`, one a
//! line, and what its error codes mean.

use serde::Deserialize;
use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::OpError;

/// What is looked at of a message on its way; the rest goes through as it is.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    /// Who sends it.
    #[serde(default)]
    pub(super) src: String,
    /// Who is to get it.
    pub(super) dest: String,
    pub(super) body: Value,
}

impl Envelope {
    /// Whether it answers the message of this number.
    pub(super) fn answers(&self, msg_id: u64) -> bool {
        self.body["in_reply_to"] == msg_id
    }
}

/// A message as a line, without its end.
pub(super) fn line(src: &str, dest: &str, body: &Value) -> String {
    json!({ "src": src, "dest": dest, "body": body }).to_string()
}

/// Codes that mean that it certainly did not happen.
const DEFINITE: [(u64, ErrorKind); 9] = [
    (1, ErrorKind::Other),     // node not found
    (10, ErrorKind::Other),    // not supported
    (11, ErrorKind::Refused),  // temporarily unavailable
    (12, ErrorKind::Other),    // malformed request
    (14, ErrorKind::Refused),  // abort
    (20, ErrorKind::Mismatch), // key does not exist
    (21, ErrorKind::Mismatch), // key already exists
    (22, ErrorKind::Mismatch), // precondition failed
    (30, ErrorKind::Refused),  // transaction conflict
];

/// Nothing is there under that key.
pub(super) const NO_KEY: u64 = 20;
/// The comparison failed.
pub(super) const PRECONDITION: u64 = 22;
/// It is not known what was asked for.
pub(super) const NOT_SUPPORTED: u64 = 10;

/// The code of an answer that is an error.
pub(super) fn code(body: &Value) -> Option<u64> {
    (body["type"] == "error").then(|| body["code"].as_u64().unwrap_or(13))
}

/// What the code means. Every other one leaves open whether it happened: 0 (timeout), 13 (crash), and
/// a program's own from 1000 on.
pub(super) fn meaning(code: u64, body: &Value) -> OpError {
    let text = format!("error {code}: {}", body["text"].as_str().unwrap_or("no text"));
    match DEFINITE.iter().find(|(definite, _)| *definite == code) {
        Some((_, kind)) => OpError::fail(*kind, text),
        None if code == 0 => OpError::info(ErrorKind::Timeout, text),
        None => OpError::info(ErrorKind::Other, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_definite_errors_are_certain() {
        let check = |code: u64, expect: &str| {
            let said = match meaning(code, &json!({})) {
                OpError::Fail(error) => format!("fail {:?}", error.kind),
                OpError::Info(error) => format!("info {:?}", error.kind),
            };
            assert_eq!(said, expect, "{code}");
        };
        check(0, "info Timeout");
        check(11, "fail Refused");
        check(13, "info Other");
        check(20, "fail Mismatch");
        check(22, "fail Mismatch");
        check(30, "fail Refused");
        check(1000, "info Other");
        assert_eq!(code(&json!({"type": "error"})), Some(13));
        assert_eq!(code(&json!({"type": "read_ok", "code": 1})), None);
    }
}
