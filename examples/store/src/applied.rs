//! The log of what this node shows, since when, and which writes it calls done: a truth for whoever
//! wants to compare.
//!
//! One line of JSON for each change, written when it is made and before anybody can be answered by
//! it, so that a node which is killed has written all that was seen of it. Times are those of
//! `CLOCK_MONOTONIC`, which all processes of a machine have in common and nobody can set.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use nix::time::{ClockId, clock_gettime};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::error;

use crate::request::Key;

/// Where changes are noted, if anywhere. Clones write to the same file.
#[derive(Clone, Default)]
pub struct AppliedLog(Option<Arc<File>>);

impl AppliedLog {
    /// Appends to the file at `path`, if there is one; the first line says that this node shows
    /// nothing yet.
    pub fn open(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file = File::options().append(true).create(true).open(path);
        let file = file.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let log = Self(Some(Arc::new(file)));
        log.shows_nothing();
        Ok(log)
    }

    /// Whether anybody wants to know.
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// From now on `key` has this value here. Of two values of a key, the one with the greater `at`,
    /// a pair, is the newer.
    pub fn shows(&self, key: &Key, value: &Value, at: impl Serialize) {
        self.note(|| json!({ "key": key, "value": value, "at": at }));
    }

    /// From now on no key has a value here.
    pub fn shows_nothing(&self) {
        self.note(|| json!({ "empty": true }));
    }

    /// The write of this value is done, and whoever asked for it is about to be told.
    pub fn done(&self, key: &Key, value: &Value) {
        self.note(|| json!({ "done": key, "value": value }));
    }

    /// From now on this node leads, in the term or epoch of that number; or it does not.
    pub fn leads(&self, term: Option<u64>) {
        self.note(|| json!({ "leads": term }));
    }

    fn note(&self, what: impl FnOnce() -> Value) {
        let Some(file) = &self.0 else { return };
        let mut line = what();
        line["ns"] = monotonic_ns().into();
        // One call, so that nothing is half there and nobody else's line comes between.
        let written = file.as_ref().write_all(format!("{line}\n").as_bytes());
        if let Err(error) = written {
            error!(%error, "the log of what is applied has a gap");
        }
    }
}

fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every machine has this clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_lines_in_the_order_in_which_they_were_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("applied.jsonl");
        let key = Key::new("k".to_owned()).unwrap();
        for _ in 0..2 {
            let log = AppliedLog::open(Some(&path)).unwrap();
            log.shows(&key, &json!(7), (3, 4));
            log.leads(Some(3));
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 6, "a second life goes on behind the first");
        assert!(lines.is_sorted_by_key(|line| line["ns"].as_u64().unwrap()));
        assert_eq!(lines[3]["empty"], true);
        assert_eq!((&lines[4]["key"], &lines[4]["value"]), (&json!("k"), &json!(7)));
        assert_eq!((&lines[4]["at"], &lines[5]["leads"]), (&json!([3, 4]), &json!(3)));
    }

    #[test]
    fn nothing_is_written_where_nobody_asked() {
        let log = AppliedLog::open(None).unwrap();
        assert!(!log.is_kept());
        log.shows_nothing();
    }
}
