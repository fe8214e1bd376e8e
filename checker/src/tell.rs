//! Sentences about operations.

use std::fmt;

use crate::history::{Completion, Datum, ErrorKind, History, Operation};

/// Tells what operations did, in one history's names.
#[derive(Clone, Copy)]
pub(crate) struct Teller<'h> {
    pub history: &'h History,
}

/// A time in seconds since the start of the run.
pub(crate) struct Seconds(pub u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.0 as f64 / 1e9)
    }
}

impl Teller<'_> {
    /// A clause with a subject, what was asked, where, when, and how it ended.
    pub fn clause(self, operation: &Operation) -> String {
        let process = operation.process;
        let began = Seconds(operation.invoked.time_ns);
        let what = match (operation.f(), operation.completion()) {
            ("read" | "get", Completion::Ok) => {
                format!(
                    "process {process} read {}{}",
                    operation.result(),
                    self.node(operation, "from")
                )
            }
            ("write" | "put", Completion::Ok) => {
                format!(
                    "process {process} wrote {}{}",
                    operation.argument(),
                    self.node(operation, "to")
                )
            }
            ("cas", Completion::Ok) => {
                let [old, new] = pair(operation.argument());
                let node = self.node(operation, "at");
                format!("process {process} found {old} and replaced it by {new}{node}")
            }
            (f, Completion::Ok) if operation.result() != operation.argument() => format!(
                "process {process} called {f} {}{} and got {}",
                operation.argument(),
                self.node(operation, "at"),
                operation.result()
            ),
            (f, _) => format!(
                "process {process} called {f} {}{}",
                operation.argument(),
                self.node(operation, "at")
            ),
        };
        let end = match (operation.completion(), operation.completed()) {
            (Completion::Ok, Some(at)) => {
                format!("between {began} and {}", Seconds(at.time_ns))
            }
            (Completion::Fail, Some(at)) => {
                let why = operation.error().map_or("failed", |error| kind(error.kind));
                format!(
                    "at {began}, which certainly did not happen ({why} at {})",
                    Seconds(at.time_ns)
                )
            }
            _ => format!("at {began} and never learnt whether it happened"),
        };
        format!("{what} {end}")
    }

    fn node(self, operation: &Operation, preposition: &str) -> String {
        operation
            .node()
            .map_or(String::new(), |node| format!(" {preposition} {}", self.history[node]))
    }
}

/// The two values of a cas; the reader lets no other in.
fn pair(value: &Datum) -> [&Datum; 2] {
    [&value[0], &value[1]]
}

fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Mismatch => "mismatch",
        ErrorKind::Refused => "refused",
        ErrorKind::Timeout => "timed out",
        ErrorKind::Connection => "no connection",
        ErrorKind::Other => "failed",
    }
}
