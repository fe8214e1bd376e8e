//! The formats of histories, and how to tell them apart.

use std::fmt;
use std::str::FromStr;

use super::BYTE_ORDER_MARK;

/// A format of history files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON event a line: our own, and other tools' with Jepsen's fields.
    Jsonl,
    /// Jepsen's `history.edn` and the files of Knossos.
    Edn,
    /// JSON events in one array, as elle-cli takes them.
    Json,
    /// Lines of Jepsen's log, as in the test data of Porcupine.
    Porcupine,
    /// The text of Plume and PolySI: `w(key,value,session,transaction)`.
    Plume,
    /// The text of AWDIT: `w KEY VALUE`, lines of dashes and of equals signs.
    Awdit,
    /// The binary files of dbcop.
    Dbcop,
    /// The binary logs of Cobra, one for each session.
    Cobra,
    /// The requests that etcd's robustness tests record, one file for each client.
    Etcd,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 9] = [
        Format::Jsonl,
        Format::Edn,
        Format::Json,
        Format::Porcupine,
        Format::Plume,
        Format::Awdit,
        Format::Dbcop,
        Format::Cobra,
        Format::Etcd,
    ];

    /// The format's name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Edn => "edn",
            Format::Json => "json",
            Format::Porcupine => "porcupine",
            Format::Plume => "plume",
            Format::Awdit => "awdit",
            Format::Dbcop => "dbcop",
            Format::Cobra => "cobra",
            Format::Etcd => "etcd",
        }
    }

    /// The format of a file that begins with these bytes, of which a line is enough. What is not
    /// known is taken for JSON lines, whose reader then says what is wrong.
    pub fn detect(beginning: &[u8]) -> Format {
        let beginning = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning);
        // What follows the number of the first transaction tells it from dbcop's.
        if matches!(beginning, [b'S', _, _, _, _, _, _, _, _, b'W' | b'R' | b'C', ..])
            && beginning[1..9].contains(&0)
        {
            return Format::Cobra;
        }
        // No text begins with eight bytes of which some are 0.
        if beginning.iter().take(8).any(|byte| *byte == 0) {
            return Format::Dbcop;
        }
        let mut rest = beginning.trim_ascii_start();
        match rest {
            [b'r' | b'w', b'(', ..] => return Format::Plume,
            [b'r' | b'w', b' ' | b'\t', ..] | [b'#', b' ', ..] | [b'-' | b'=', b'-' | b'=', ..] => {
                return Format::Awdit;
            }
            _ => {}
        }
        if rest.starts_with(b"INFO") {
            return Format::Porcupine;
        }
        while rest.starts_with(b";") {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Format::Edn;
            };
            rest = rest[end..].trim_ascii_start();
        }
        // Nothing but EDN has comments like these.
        if rest.is_empty() && !beginning.trim_ascii().is_empty() {
            return Format::Edn;
        }
        let inside = rest.strip_prefix(b"[").or(rest.strip_prefix(b"(")).unwrap_or(rest);
        let inside = inside.trim_ascii_start();
        match inside.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) {
            Some(map)
                if map.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"\"ClientId")) =>
            {
                Format::Etcd
            }
            Some(map) if map.starts_with(b"\"") && rest.starts_with(b"[") => Format::Json,
            Some(map) if map.starts_with(b"\"") => Format::Jsonl,
            Some([] | [b'}', ..]) => Format::Jsonl,
            Some(_) => Format::Edn,
            None if rest.starts_with(b"#") || rest.len() > inside.len() => Format::Edn,
            None => Format::Jsonl,
        }
    }
}

/// There is no format of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are: {0}")]
pub struct UnknownFormat(pub(super) String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Format, UnknownFormat> {
        Format::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(Format::ALL.map(Format::name).join(", ")))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
