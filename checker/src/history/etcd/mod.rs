//! What the clients of etcd's robustness tests record: `client-N/operations.json`, one JSON object for each
//! request with its answer.
//!
//! Each request is a transaction on registers, which are the keys. Revisions, which the store gives to its
//! states, tell what no value does: which deletion it was that a read found nothing after, and which version
//! a condition asked for. What is not certain is left out, so that nothing is called wrong that may be right:
//! that a key was not there says nothing where a lease or a deletion of unknown fate may have taken it away;
//! reads of the past (with a revision) say nothing of the present. Leases, compactions and defragmentations
//! change no key that is looked at.

mod facts;
mod meaning;
mod shape;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::build::Builder;
use super::event::ABSENT;
use super::line::Line;
use super::read::ReadError;
use super::{Datum, ErrorKind, EventError, Header, Kind, Malformed, SCHEMA_VERSION};
use facts::Facts;
use meaning::{Meaning, meanings};
use shape::Recorded;

/// Reads the requests of one client, or of several one after another.
pub(in crate::history) fn read_etcd(
    input: impl BufRead,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    let mut all = Vec::new();
    records(input, &mut all)?;
    build(&all, builder)
}

/// Reads a whole report, if the folder is one.
pub(in crate::history) fn read_report(
    folder: &Path,
    builder: &mut Builder,
) -> Result<bool, ReadError> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path().join("operations.json");
        paths.extend(path.is_file().then_some(path));
    }
    paths.sort();
    let mut all = Vec::new();
    for path in &paths {
        records(BufReader::new(File::open(path)?), &mut all)?;
    }
    build(&all, builder)?;
    Ok(!paths.is_empty())
}

/// Each with the number of the line on which it ends.
fn records(mut input: impl BufRead, all: &mut Vec<(u64, Recorded)>) -> Result<(), ReadError> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let mut stream = serde_json::Deserializer::from_slice(&bytes).into_iter::<Recorded>();
    let (mut line, mut counted) = (1, 0);
    while let Some(record) = stream.next() {
        let record = record.map_err(|error| {
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            Malformed::new(error.line() as u64, "a request of etcd's robustness tests", why)
        })?;
        let end = stream.byte_offset();
        line += bytes[counted..end].iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = end;
        all.push((line, record));
    }
    Ok(())
}

/// An invocation or a completion, with the place of its transaction.
type Moment = (i64, bool, usize);

/// Hands them over in the order of their times. Those of one moment overlap.
fn build(records: &[(u64, Recorded)], builder: &mut Builder) -> Result<(), ReadError> {
    // A header alone would say that there was a run.
    if records.is_empty() {
        return Ok(());
    }
    let header = json!({
        "splitbrain": SCHEMA_VERSION,
        "target": "etcd",
        "vocabulary": "rw-register",
    });
    let header: Header = serde_json::from_value(header).map_err(std::io::Error::from)?;
    builder.header(header);
    let facts = Facts::of(records);
    let mut all: Vec<(u64, &Recorded, Meaning)> = Vec::new();
    for (line, record) in records {
        let of_it = meanings(record, &facts)
            .map_err(|(expected, found)| Malformed::new(*line, expected, found))?;
        all.extend(of_it.into_iter().map(|meaning| (*line, record, meaning)));
    }
    let mut moments: Vec<Moment> = Vec::new();
    for (at, (_, record, meaning)) in all.iter().enumerate() {
        moments.push((record.call, false, at));
        // What is never known to have ended has no end.
        if meaning.kind != Kind::Info {
            moments.push((record.ends.max(record.call), true, at));
        }
    }
    // The last comes first off.
    moments.sort_by_key(|moment| Reverse(*moment));
    let mut processes = Processes::default();
    let mut process_of = vec![0; all.len()];
    while let Some((time, is_end, at)) = moments.pop() {
        let (line, record, meaning) = &mut all[at];
        if !is_end {
            process_of[at] = processes.take(record.client_id);
        }
        let (kind, steps) = match is_end {
            true => (meaning.kind, meaning.answered.take()),
            false => (Kind::Invoke, meaning.asked.take()),
        };
        let error = (is_end && kind == Kind::Fail).then(|| {
            let text = record.output.client_error.clone();
            Box::new(EventError { kind: ErrorKind::Other, text })
        });
        let mut event = Line {
            index: ABSENT,
            time: u64::try_from(time).unwrap_or_default(),
            kind,
            process: process_of[at],
            f: "txn",
            key: None,
            value: steps.map_or(Datum::Null, Datum::Steps),
            version: None,
            client: None,
            node: None,
            due: None,
            probe: false,
            error,
        };
        builder.client(*line, &mut event)?;
        if is_end {
            processes.give_back(record.client_id, process_of[at]);
        }
    }
    Ok(())
}

/// A client is one process until a request of unknown fate, and then another.
#[derive(Default)]
struct Processes {
    idle: HashMap<u64, Vec<u64>>,
    made: u64,
}

impl Processes {
    fn take(&mut self, client: u64) -> u64 {
        let idle = self.idle.entry(client).or_default().pop();
        idle.unwrap_or_else(|| {
            self.made += 1;
            self.made - 1
        })
    }

    fn give_back(&mut self, client: u64, process: u64) {
        self.idle.entry(client).or_default().push(process);
    }
}
