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
//! assert_eq!(stream.violation().unwrap().at.line, 4);
//! ```

mod key;
mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::history::{Event, Header, Kind, Malformed, Phase, Process, Symbol, unquoted};
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
    place: Place,
    next_index: u64,
    keys: Vec<Key>,
    key_ids: FxHashMap<Option<String>, usize>,
    processes: FxHashMap<u64, State>,
    /// Keys on which something completed since the last look.
    touched: BTreeSet<usize>,
    /// The end of the last line that was looked at.
    looked: Place,
    answers: u64,
    completions: u64,
    violation: Option<Certainty>,
    /// Why the verdict cannot be valid.
    doubt: Option<String>,
    is_over: bool,
    /// Whether there was a header or an event.
    has_begun: bool,
}

/// A violation that nothing to come can repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certainty {
    /// The key; `None` in a history without keys.
    pub key: Option<String>,
    /// It was not there yet at the end of this line.
    pub after: Place,
    /// It is there at the end of this one: the next one if lines are pushed one by one, else at most
    /// so many lines later as are looked at together.
    pub at: Place,
}

/// The end of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line's number, from 1; 0 is before the first.
    pub line: u64,
    /// The length of the history up to there.
    pub bytes: u64,
}

/// To look costs about as much as so many lines.
const LINES_A_LOOK: u64 = 64;

/// Where a process stands that is not idle.
#[derive(Debug)]
enum State {
    Open(Called),
    /// Had an `info`.
    Ended,
}

/// An operation that has not completed.
#[derive(Debug)]
struct Called {
    f: Symbol,
    key: Option<String>,
    /// The key's position and its operation, unless nothing is made of them.
    call: Option<(usize, key::Called)>,
}

impl Stream {
    /// An empty history, to be judged by these options; of [`Options::expect`] and what an early
    /// answer has no use for nothing is made.
    ///
    /// [`doubt`](Stream::doubt) says whether there can be an early answer; lines are looked at
    /// either way.
    pub fn new(options: &Options) -> Stream {
        let mut stream = Stream {
            options: options.clone(),
            rest: Vec::new(),
            place: Place::default(),
            next_index: 0,
            keys: Vec::new(),
            key_ids: FxHashMap::default(),
            processes: FxHashMap::default(),
            touched: BTreeSet::new(),
            looked: Place::default(),
            answers: 0,
            completions: 0,
            violation: None,
            doubt: None,
            is_over: false,
            has_begun: false,
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
                if self.place.line >= self.looked.line + LINES_A_LOOK {
                    self.look();
                }
            }
        }
        self.look();
        Ok(())
    }

    /// The end of the last whole line.
    pub fn place(&self) -> Place {
        self.place
    }

    /// How many operations have ended so far, in whatever way.
    pub fn completions(&self) -> u64 {
        self.completions
    }

    /// Why there is no early answer, if there is none.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
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
        let (bytes, lines) = (line.len() as u64, u64::from(!line.is_empty()));
        self.place = Place { line: self.place.line + lines, bytes: self.place.bytes + bytes };
        let number = self.place.line;
        match parse(line, number)? {
            Line::Nothing => return Ok(()),
            Line::Header(_) if self.has_begun => {
                return Err(Malformed::new(
                    number,
                    "a JSON event",
                    "a second header or a late one",
                ));
            }
            Line::Header(header) => self.header(*header),
            Line::Event(event) => self
                .event(*event)
                .map_err(|(expected, found)| Malformed::new(number, expected, found))?,
        }
        self.has_begun = true;
        Ok(())
    }

    fn header(&mut self, header: Header) {
        self.choose_model(&header.vocabulary);
        self.options.initial.get_or_insert(header.initial);
    }

    fn choose_model(&mut self, of_header: &str) {
        let name = self.options.model.map_or(of_header, |model| model.name());
        let is_register = matches!(Objects::named(name), Some(Objects::Registers));
        self.doubt = if self.options.failed_cas == FailedCas::Observed {
            Some("compare-and-sets that failed are not followed line by line".to_owned())
        } else if name.is_empty() || is_register {
            None
        } else {
            Some(format!("the model {name} is not followed line by line"))
        };
    }

    fn event(&mut self, event: Event) -> Result<(), (String, String)> {
        self.order(&event)?;
        match event.process {
            Process::Client(process) => self.client(process, event),
            Process::Nemesis => Ok(()),
            Process::Harness => {
                let teardown = serde_json::to_value(Phase::Teardown).expect("a name");
                self.is_over |= event.f == "phase" && event.value == teardown;
                Ok(())
            }
        }
    }

    /// Indices rise.
    fn order(&mut self, event: &Event) -> Result<(), (String, String)> {
        let index = given(event.index).unwrap_or(self.next_index);
        if index < self.next_index {
            return Err((format!("an index of at least {}", self.next_index), index.to_string()));
        }
        self.next_index = index.saturating_add(1);
        Ok(())
    }

    fn client(&mut self, process: u64, event: Event) -> Result<(), (String, String)> {
        if event.kind == Kind::Invoke {
            let found = || format!("the invocation of a {}", event.f);
            return match self.processes.get(&process) {
                Some(State::Open(open)) => {
                    let expected = format!("a completion of process {process}'s {}", open.f);
                    Err((expected, found()))
                }
                Some(State::Ended) => {
                    let expected = "no more events of process";
                    Err((format!("{expected} {process}, which ended with an info"), found()))
                }
                None => {
                    let call = self.call(&event);
                    let called = Called { f: event.f, key: event.key, call };
                    self.processes.insert(process, State::Open(called));
                    Ok(())
                }
            };
        }
        let Some(State::Open(Called { f, key, call })) = self.processes.remove(&process) else {
            let expected = format!("an invocation of process {process} before its completion");
            return Err((expected, format!("the completion of a {}", event.f)));
        };
        if f != event.f || (event.key.is_some() && event.key != key) {
            let of_key = |key: &Option<String>| {
                key.as_ref().map_or(String::new(), |key| format!(" of key {key}"))
            };
            let expected = format!("the completion of process {process}'s {f}{}", of_key(&key));
            return Err((expected, format!("that of a {}{}", event.f, of_key(&event.key))));
        }
        if event.kind == Kind::Info {
            self.processes.insert(process, State::Ended);
        }
        self.answers += u64::from(event.kind == Kind::Ok);
        self.completions += 1;
        if let (Some((key, call)), None) = (call, &self.doubt) {
            let says_nothing = self.options.nil_reads_any && event.value.is_null();
            self.keys[key].complete(call, event.kind, &event.value, says_nothing);
            self.touched.insert(key);
        }
        Ok(())
    }

    /// What a register makes of an invocation.
    fn call(&mut self, event: &Event) -> Option<(usize, key::Called)> {
        if self.doubt.is_some() {
            return None;
        }
        let key = match self.key_ids.get(&event.key) {
            Some(key) => *key,
            None => {
                self.keys.push(Key::new(event.key.clone(), self.options.initial.as_ref()));
                self.key_ids.insert(event.key.clone(), self.keys.len() - 1);
                self.keys.len() - 1
            }
        };
        let call = self.keys[key].invoke(&event.f, &event.value);
        if call.is_none() {
            self.doubt = Some(format!("{} is not an operation of a register", event.f));
        }
        call.map(|call| (key, call))
    }

    /// The name of a key, as a history that is read as a whole has it.
    fn name(&self, key: usize) -> Option<String> {
        let name = self.keys[key].name.clone()?;
        let text = unquoted(&name).filter(|text| !self.key_ids.contains_key(&Some(text.clone())));
        Some(text.unwrap_or(name))
    }

    fn look(&mut self) {
        while let Some(key) = self.touched.pop_first() {
            match self.keys[key].look() {
                Ok(false) => {}
                Ok(true) if self.violation.is_some() => {}
                Ok(true) => {
                    let key = self.name(key);
                    self.violation = Some(Certainty { key, after: self.looked, at: self.place });
                }
                Err(limit) => self.doubt = self.doubt.take().or(Some(limit)),
            }
        }
        self.looked = self.place;
    }
}
