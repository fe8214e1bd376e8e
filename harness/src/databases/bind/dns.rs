//! Messages of DNS (RFC 1035) and of its dynamic updates (RFC 2136), over TCP, as far as text
//! records go.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::databases::wire::Stream;

/// Everything is well.
pub const NOERROR: u8 = 0;
/// There is no such name.
pub const NXDOMAIN: u8 = 3;
/// The records are not as they should have been before an update.
pub const NXRRSET: u8 = 8;

const TYPE_SOA: u16 = 6;
const TYPE_TXT: u16 = 16;
const CLASS_IN: u16 = 1;
const CLASS_CHAOS: u16 = 3;
const CLASS_ANY: u16 = 255;
/// The two bits that say that the rest of a name stands elsewhere.
const POINTER: u8 = 0xc0;
const FLAGS_QUERY: u16 = 0;
const FLAGS_UPDATE: u16 = 5 << 11;

/// What is sent.
pub enum Request<'a> {
    /// The text of a name.
    Text(&'a str),
    /// What a server is called.
    ServerId,
    /// Whether a server has a zone.
    Zone(&'a str),
    /// Replaces the text of a name in a zone, or removes it.
    Update {
        /// The zone.
        zone: &'a str,
        /// The name.
        name: &'a str,
        /// Only if this is its text.
        only_if: Option<&'a str>,
        /// What it is to be; nothing removes the name.
        text: Option<&'a str>,
    },
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it went (RCODE).
    pub code: u8,
    /// The texts in it.
    pub texts: Vec<String>,
    /// How many records it has.
    pub records: u16,
}

impl Request<'_> {
    /// As it is sent, without the length before it.
    fn bytes(&self, id: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut numbers = |numbers: &[u16]| {
            numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        };
        match self {
            Request::Update { only_if, text, .. } => {
                let (before, after) = (u16::from(only_if.is_some()), 1 + u16::from(text.is_some()));
                numbers(&[id, FLAGS_UPDATE, 1, before, after, 0]);
            }
            _ => numbers(&[id, FLAGS_QUERY, 1, 0, 0, 0]),
        }
        match *self {
            Request::Text(name) => question(&mut bytes, name, TYPE_TXT, CLASS_IN),
            Request::ServerId => question(&mut bytes, "id.server", TYPE_TXT, CLASS_CHAOS),
            Request::Zone(zone) => question(&mut bytes, zone, TYPE_SOA, CLASS_IN),
            Request::Update { zone, name, only_if, text } => {
                question(&mut bytes, zone, TYPE_SOA, CLASS_IN);
                if let Some(text) = only_if {
                    record(&mut bytes, name, CLASS_IN, Some(text));
                }
                record(&mut bytes, name, CLASS_ANY, None);
                if let Some(text) = text {
                    record(&mut bytes, name, CLASS_IN, Some(text));
                }
            }
        }
        bytes
    }
}

fn question(bytes: &mut Vec<u8>, name: &str, kind: u16, class: u16) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        debug_assert!(label.len() < usize::from(POINTER));
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(class.to_be_bytes());
}

/// A text record that nobody may keep (TTL 0), or its absence.
fn record(bytes: &mut Vec<u8>, name: &str, class: u16, text: Option<&str>) {
    question(bytes, name, TYPE_TXT, class);
    bytes.extend([0; 4]);
    let data: Vec<u8> = text.map_or(Vec::new(), |text| {
        debug_assert!(text.len() < 256);
        [&[text.len() as u8], text.as_bytes()].concat()
    });
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
}

/// Sends a request and reads the answer to it.
///
/// # Errors
/// The connection is broken, or what comes is no answer to that.
pub async fn ask(stream: &mut Stream, request: &Request<'_>, id: u16) -> io::Result<Answer> {
    let bytes = request.bytes(id);
    stream.write_all(&[&(bytes.len() as u16).to_be_bytes(), &bytes[..]].concat()).await?;
    let length = stream.read_u16().await?;
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes).await?;
    let answer = understand(&bytes).filter(|(answered, _)| *answered == id);
    answer.map(|(_, answer)| answer).ok_or_else(|| io::Error::other("no answer to what was asked"))
}

/// The number of an answer, and the answer.
fn understand(bytes: &[u8]) -> Option<(u16, Answer)> {
    let number = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let code = number(2)? as u8 & 0xf;
    let (questions, records) = (number(4)?, number(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = after_name(bytes, at)? + 4;
    }
    let mut texts = Vec::new();
    for _ in 0..records {
        at = after_name(bytes, at)?;
        let (kind, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = bytes.get(at + 10..at + 10 + length)?;
        if kind == TYPE_TXT {
            let (text_length, text) = data.split_first()?;
            let text = text.get(..usize::from(*text_length))?;
            texts.push(String::from_utf8_lossy(text).into_owned());
        }
        at += 10 + length;
    }
    Some((number(0)?, Answer { code, texts, records }))
}

/// Where a name ends that begins there.
fn after_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length & POINTER == POINTER => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_the_rfcs_write_them() {
        let query = Request::Text("k.t").bytes(7);
        assert_eq!(query, b"\0\x07\0\0\0\x01\0\0\0\0\0\0\x01k\x01t\0\0\x10\0\x01");
        let update = |only_if, text| {
            Request::Update { zone: "t", name: "k.t", only_if, text }.bytes(7)[12..].to_vec()
        };
        let zone = b"\x01t\0\0\x06\0\x01";
        let gone = b"\x01k\x01t\0\0\x10\0\xff\0\0\0\0\0\0";
        let is = |text: u8| [b"\x01k\x01t\0\0\x10\0\x01\0\0\0\0\0\x02\x01", &[text][..]].concat();
        assert_eq!(update(None, Some("5")), [&zone[..], gone, &is(b'5')].concat());
        assert_eq!(update(Some("4"), Some("5")), [&zone[..], &is(b'4'), gone, &is(b'5')].concat());
        assert_eq!(update(None, None), [&zone[..], gone].concat());
    }

    #[test]
    fn answers_are_read_and_torn_ones_refused() {
        let head = b"\0\x07\x84\0\0\x01\0\x01\0\0\0\0";
        let asked = b"\x01k\x01t\0\0\x10\0\x01";
        let text = b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0\x03\x0242";
        let whole = [&head[..], asked, text].concat();
        let expect = Answer { code: NOERROR, texts: vec!["42".to_owned()], records: 1 };
        assert_eq!(understand(&whole), Some((7, expect)));
        for length in 0..whole.len() {
            assert_eq!(understand(&whole[..length]), None, "{length} bytes");
        }
        let none = b"\0\x07\x84\x03\0\0\0\0\0\0\0\0";
        let expect = Answer { code: NXDOMAIN, texts: Vec::new(), records: 0 };
        assert_eq!(understand(none), Some((7, expect)));
    }
}
