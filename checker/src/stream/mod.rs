//! A history that is still being written, judged as it grows.
//!
//! ```
//! use splitbrain_checker::{Options, stream::Stream};
//! let mut stream = Stream::new(&Options::default());
//! stream.push(br#"{"type":"invoke","process":0,"f":"write","value":1}
//! {"type":"ok","process":0,"f":"write","value":1}
//! {"type":"invoke","process":1,"f":"read","value":null}
//! "#).unwrap();
//! assert!(stream.violation().is_none());
//! stream.push(b"{\"type\":\"ok\",\"process\":1,\"f\":\"read\",\"value\":null}\n").unwrap();
//! assert_eq!(stream.violation().unwrap().line, 4);
//! ```

mod key;
mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::history::{Event, Header, Kind, Malformed, Phase, Process};
use crate::models::list::Objects;
use crate::options::{FailedCas, Options};
use crate::verdict::Verdict;
use key::Key;
use line::{Line, given, parse};

/// Judges registers while their history is written, as JSON lines.
///
/// It says that a history is not linearizable as soon as no continuation can make it so, and holds
/// no more than the operations that are open, what explains them, and a little for each key. What
/// it says of a history up to some line is what [`judge`](crate::judge) says of those lines; for
/// the class, the proof and everything else, that is the one to ask.
#[derive(Debug)]
pub struct Stream {
    options: Options,
    /// The beginning of a line whose end is still to come.
    rest: Vec<u8>,
    lines: u64,
    bytes: u64,
    next_index: u64,
    last_time_ns: u64,
    keys: Vec<Key>,
    key_ids: FxHashMap<Option<String>, usize>,
    processes: FxHashMap<u64, Called>,
    /// Keys on which something completed since the last look.
    touched: BTreeSet<usize>,
    answers: u64,
    violation: Option<Certainty>,
    /// Why the verdict cannot be valid.
    doubt: Option<String>,
    is_over: bool,
}

/// A violation that nothing to come can repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certainty {
    /// The key; `None` in a history without keys.
    pub key: Option<String>,
    /// The line with which it became certain, from 1 (if lines were pushed one by one; else the
    /// last one pushed).
    pub line: u64,
    /// The length of the history up to the end of that line.
    pub bytes: u64,
}

/// An operation that has not completed.
#[derive(Debug)]
struct Called {
    key: usize,
    call: key::Called,
}

impl Stream {
    /// An empty history, to be judged by these options; of [`Options::expect`] and what an early
    /// answer has no use for nothing is made.
    pub fn new(options: &Options) -> Stream {
        let mut stream = Stream {
            options: options.clone(),
            rest: Vec::new(),
            lines: 0,
            bytes: 0,
            next_index: 0,
            last_time_ns: 0,
            keys: Vec::new(),
            key_ids: FxHashMap::default(),
            processes: FxHashMap::default(),
            touched: BTreeSet::new(),
            answers: 0,
            violation: None,
            doubt: None,
            is_over: false,
        };
        stream.choose_model("");
        stream
    }

    /// Takes the next piece of the history, which may end anywhere, and looks at it.
    ///
    /// # Errors
    /// A line that does not belong into a history. Nothing is to be pushed after that.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if self.rest.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.rest);
                self.line(&line)?;
                self.rest = line;
                self.rest.clear();
            }
        }
        self.look();
        Ok(())
    }

    /// The first violation.
    pub fn violation(&self) -> Option<&Certainty> {
        self.violation.as_ref()
    }

    /// Whether the history says that nothing comes any more: the harness takes everything down.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether what was pushed is linearizable, if nothing follows. A line that breaks off is left
    /// out.
    ///
    /// # Errors
    /// A last line, without a line feed, that does not belong into a history.
    pub fn finish(mut self) -> Result<Verdict, Malformed> {
        let rest = std::mem::take(&mut self.rest);
        self.line(&rest)?;
        self.look();
        Ok(match (self.violation, self.doubt) {
            (Some(_), _) => Verdict::Invalid,
            (None, _) if self.answers == 0 => Verdict::unknown("vacuous: no operation succeeded"),
            (None, Some(doubt)) => Verdict::unknown(doubt),
            (None, None) => match self.keys.iter().all(Key::is_exact) {
                true => Verdict::Valid,
                false => Verdict::unknown("an operation was open for too long to be followed"),
            },
        })
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.bytes += line.len() as u64;
        self.lines += u64::from(!line.is_empty());
        match parse(line, self.lines)? {
            Line::Nothing => Ok(()),
            Line::Header(header) => {
                self.header(*header);
                Ok(())
            }
            Line::Event(event) => self.event(*event).map_err(|(expected, found)| Malformed {
                line: self.lines,
                expected,
                found,
            }),
        }
    }

    fn header(&mut self, header: Header) {
        self.choose_model(&header.vocabulary);
        self.options.initial.get_or_insert(header.initial);
    }

    fn choose_model(&mut self, of_header: &str) {
        let name = self.options.model.map_or(of_header, |model| model.name());
        let is_register = matches!(Objects::named(name), Some(Objects::Registers));
        self.doubt = if self.options.failed_cas == FailedCas::Observed {
            Some("there is no early answer where a failed cas counts".to_owned())
        } else if name.is_empty() || is_register {
            None
        } else {
            Some(format!("there is no early answer for the model {name}"))
        };
    }

    fn event(&mut self, event: Event) -> Result<(), (String, String)> {
        self.order(&event)?;
        match event.process {
            Process::Client(process) if self.doubt.is_none() => self.client(process, event),
            Process::Client(_) | Process::Nemesis => Ok(()),
            Process::Harness => {
                let teardown = serde_json::to_value(Phase::Teardown).expect("a name");
                self.is_over |= event.f == "phase" && event.value == teardown;
                Ok(())
            }
        }
    }

    /// Indices rise, and time does not turn back.
    fn order(&mut self, event: &Event) -> Result<(), (String, String)> {
        let index = given(event.index).unwrap_or(self.next_index);
        if index < self.next_index {
            return Err((format!("an index of at least {}", self.next_index), index.to_string()));
        }
        self.next_index = index.saturating_add(1);
        let time_ns = given(event.time).unwrap_or(self.last_time_ns);
        if time_ns < self.last_time_ns {
            let least = self.last_time_ns;
            return Err((format!("a time of at least {least} ns"), format!("{time_ns} ns")));
        }
        self.last_time_ns = time_ns;
        Ok(())
    }

    fn client(&mut self, process: u64, event: Event) -> Result<(), (String, String)> {
        if event.kind == Kind::Invoke {
            let initial = self.options.initial.as_ref();
            let keys = &mut self.keys;
            let key = *self.key_ids.entry(event.key).or_insert_with_key(|name| {
                keys.push(Key::new(name.clone(), initial));
                keys.len() - 1
            });
            match self.keys[key].invoke(&event.f, &event.value) {
                None => self.doubt = Some(format!("{} is not an operation of a register", event.f)),
                Some(call) => {
                    if self.processes.insert(process, Called { key, call }).is_some() {
                        let expected = format!("a completion of process {process}");
                        return Err((expected, "its next invocation".to_owned()));
                    }
                }
            }
            return Ok(());
        }
        let Some(Called { key, call }) = self.processes.remove(&process) else {
            let expected = format!("an invocation of process {process} before its completion");
            return Err((expected, format!("the completion of a {}", event.f)));
        };
        self.answers += u64::from(event.kind == Kind::Ok);
        let says_nothing = self.options.nil_reads_any && event.value.is_null();
        self.keys[key].complete(call, event.kind, &event.value, says_nothing);
        self.touched.insert(key);
        Ok(())
    }

    fn look(&mut self) {
        while let Some(key) = self.touched.pop_first() {
            match self.keys[key].look() {
                Ok(false) => {}
                Ok(true) if self.violation.is_some() => {}
                Ok(true) => {
                    let key = self.keys[key].name.clone();
                    let (line, bytes) = (self.lines, self.bytes);
                    self.violation = Some(Certainty { key, line, bytes });
                }
                Err(limit) => self.doubt = self.doubt.take().or(Some(limit)),
            }
        }
    }
}
