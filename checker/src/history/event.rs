//! One line of a history, and the header line before the first of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::strict::{key, natural, value};

/// The version of the history schema that this crate reads and writes.
pub const SCHEMA_VERSION: u32 = 1;

/// A short name that is nearly always known at compile time (`read`, `write`, `cas`, `phase`).
pub type Symbol = Cow<'static, str>;

/// One line of a history: an invocation or a completion (Herlihy and Wing 1990), or a note of the
/// nemesis or the harness, both of which are always of kind [`Kind::Info`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the history, from 0, without gaps.
    #[serde(default = "absent", deserialize_with = "natural")]
    pub index: u64,
    /// Nanoseconds of the harness's one monotonic clock since [`Header::started`].
    #[serde(default = "absent", deserialize_with = "natural")]
    pub time: u64,
    /// Invocation or completion.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Who did it.
    pub process: Process,
    /// What was done: `read`, `write`, `cas`, ... or `phase`, `start`, `stop`, `roles`, `shed`.
    pub f: Symbol,
    /// The object that the operation works on; absent where there is only one.
    #[serde(default, deserialize_with = "key", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Argument of an invocation, result of a completion.
    #[serde(default, deserialize_with = "value")]
    pub value: Value,
    /// Version of the object that the system itself reported with the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The worker that ran the operation, fixed for the run (invocations only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<u32>,
    /// The node to which the operation was sent (invocations only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Cow<'static, str>>,
    /// The intended start in nanoseconds; latency is counted from here (invocations, and of shed
    /// operations the first one's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
    /// Whether it is one of the reads of one key at all nodes at once that show whether the nodes
    /// differ (invocations only).
    #[serde(default, skip_serializing_if = "is_false")]
    pub probe: bool,
    /// Why a completion is not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<EventError>,
    /// Name of the fault (nemesis only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Symbol>,
    /// Number of the fault within the run (nemesis only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What came of the fault: `installed`, `healed`, `skipped`, `indeterminate` (nemesis only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Symbol>,
    /// Why the effect is not the one that was wanted (nemesis only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Event {
    /// An event of which only what every line has is set.
    pub fn new(index: u64, time: u64, kind: Kind, process: Process, f: impl Into<Symbol>) -> Event {
        Event {
            index,
            time,
            kind,
            process,
            f: f.into(),
            key: None,
            value: Value::Null,
            version: None,
            client: None,
            node: None,
            due: None,
            probe: false,
            error: None,
            fault: None,
            id: None,
            effect: None,
            reason: None,
        }
    }
}

/// Stands for an index or a time that a line does not give; the reader fills it in.
pub(super) const ABSENT: u64 = u64::MAX;

fn absent() -> u64 {
    ABSENT
}

/// What an event says of its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The operation was handed to a client.
    Invoke,
    /// It happened, and this is its result.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// It may have happened, now or later.
    Info,
}

/// Who an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Process {
    /// One logical thread of operations; its number is never used again after an `info`.
    Client(u64),
    /// The part of the harness that breaks things.
    Nemesis,
    /// The harness itself: phases, shed operations.
    Harness,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Client(number) => write!(f, "{number}"),
            Process::Nemesis => f.write_str("nemesis"),
            Process::Harness => f.write_str("harness"),
        }
    }
}

impl Serialize for Process {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Process::Client(number) => serializer.serialize_u64(*number),
            Process::Nemesis => serializer.serialize_str("nemesis"),
            Process::Harness => serializer.serialize_str("harness"),
        }
    }
}

impl<'de> Deserialize<'de> for Process {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Process, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Process;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a process number, \"nemesis\" or \"harness\"")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Process, E> {
                Ok(Process::Client(number))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Process, E> {
                u64::try_from(number)
                    .map(Process::Client)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Process, E> {
                match name {
                    "nemesis" => Ok(Process::Nemesis),
                    "harness" => Ok(Process::Harness),
                    _ => Err(E::invalid_value(de::Unexpected::Str(name), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Why a completion is not `ok`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventError {
    /// The class of error, which the availability figures are built on.
    pub kind: ErrorKind,
    /// The client's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// The class of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// A correct negative answer, such as a compare-and-set that found another value: counts as
    /// available.
    Mismatch,
    /// The system said that it will not serve the request.
    Refused,
    /// No answer within the operation's time limit.
    Timeout,
    /// The connection could not be made or broke.
    Connection,
    /// Anything else, also what later versions may add.
    #[serde(other)]
    Other,
}

/// The first line of a history: what was run, so that the file can be judged by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the schema, [`SCHEMA_VERSION`].
    pub splitbrain: u32,
    /// Name of the run.
    #[serde(default)]
    pub run: String,
    /// What the system under test saw before each key of this file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key_prefix: String,
    /// Wall-clock time of time zero (RFC 3339).
    #[serde(default)]
    pub started: String,
    /// Seed of the operation and fault schedule.
    #[serde(default)]
    pub seed: u64,
    /// What was tested, such as `store/raft` or `etcd`.
    #[serde(default)]
    pub target: String,
    /// The operations' vocabulary, such as `cas-register`.
    #[serde(default)]
    pub vocabulary: String,
    /// Value of every object before the first write.
    #[serde(default, deserialize_with = "value")]
    pub initial: Value,
    /// Whether no two writes of one key have the same value.
    #[serde(default)]
    pub unique_writes: bool,
    /// Names of the nodes.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// An operation that is not answered by then counts as unavailable.
    #[serde(default = "default_deadline_ms")]
    pub deadline_ms: u64,
    /// After this long a client gives up and the operation is `info`.
    #[serde(default = "default_op_timeout_ms")]
    pub op_timeout_ms: u64,
    /// Versions of the programs that took part.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// The whole plan of the run.
    #[serde(default)]
    pub plan: Value,
    /// Whether only the order within each process is known, as in histories of tools that keep no
    /// times.
    #[serde(default, skip_serializing_if = "is_false")]
    pub session_order_only: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn default_deadline_ms() -> u64 {
    1_000
}

fn default_op_timeout_ms() -> u64 {
    10_000
}
