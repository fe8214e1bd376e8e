//! The formats of histories, and how to tell them apart.

use std::fmt;

/// A format of history files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON event a line: our own, and other tools' with Jepsen's fields.
    Jsonl,
    /// Jepsen's `history.edn` and the files of Knossos.
    Edn,
    /// Lines of Jepsen's log, as in the test data of Porcupine.
    Porcupine,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Format::Jsonl, Format::Edn, Format::Porcupine];

    /// The format's name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Edn => "edn",
            Format::Porcupine => "porcupine",
        }
    }

    /// The format of a file that begins with these bytes. What is not known is taken for JSON
    /// lines, whose reader then says what is wrong.
    pub(super) fn detect(beginning: &[u8]) -> Format {
        let mut rest = beginning.trim_ascii_start();
        if rest.starts_with(b"INFO") {
            return Format::Porcupine;
        }
        while rest.starts_with(b";") {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Format::Edn;
            };
            rest = rest[end..].trim_ascii_start();
        }
        let inside = rest.strip_prefix(b"[").or(rest.strip_prefix(b"(")).unwrap_or(rest);
        let inside = inside.trim_ascii_start();
        match inside.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) {
            Some(map) if map.starts_with(b"\"") => Format::Jsonl,
            Some([] | [b'}', ..]) => Format::Jsonl,
            Some(_) => Format::Edn,
            None if rest.starts_with(b"#") || rest.len() > inside.len() => Format::Edn,
            None => Format::Jsonl,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
