//! Writes a simulated history the way that recorders do.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Call, RegisterOp};

/// Which fields the lines have.
#[derive(Clone, Copy, Debug)]
pub enum Schema {
    /// Jepsen's, and no header.
    Plain,
    /// Our own.
    Own,
}

impl Schema {
    pub const ALL: [Schema; 2] = [Schema::Plain, Schema::Own];
}

enum What {
    Invoke(usize),
    Ok(usize),
}

/// Writes the file. Operations whose outcome is unknown get their `info` when about as many events
/// have passed as a time-out of twice the usual duration would let pass, and the client goes on as
/// a new process.
pub fn write(path: &Path, schema: Schema, ops: &[RegisterOp], clients: usize) -> io::Result<()> {
    let mut out = Lines { out: BufWriter::new(File::create(path)?), schema, index: 0 };
    out.header()?;
    let mut events: Vec<(u64, What)> = Vec::with_capacity(2 * ops.len());
    for (at, op) in ops.iter().enumerate() {
        events.push((op.invoked, What::Invoke(at)));
        events.extend(op.returned.map(|returned| (returned, What::Ok(at))));
    }
    events.sort_unstable_by_key(|(position, _)| *position);
    let mut free: Vec<u64> = (0..clients as u64).rev().collect();
    let mut next_process = clients as u64;
    let mut process_of = vec![0; ops.len()];
    let mut timing_out: VecDeque<(u64, usize)> = VecDeque::new();
    for (position, what) in events {
        while timing_out.front().is_some_and(|(until, _)| *until <= position) {
            if let Some((_, at)) = timing_out.pop_front() {
                out.line("info", process_of[at], clients, ops[at].call)?;
                free.push(next_process);
                next_process += 1;
            }
        }
        match what {
            What::Invoke(at) => {
                process_of[at] = free.pop().unwrap_or_else(|| {
                    next_process += 1;
                    next_process - 1
                });
                if ops[at].returned.is_none() {
                    timing_out.push_back((position + 4 * clients as u64, at));
                }
                out.line("invoke", process_of[at], clients, ops[at].call)?;
            }
            What::Ok(at) => {
                out.line("ok", process_of[at], clients, ops[at].call)?;
                free.push(process_of[at]);
            }
        }
    }
    out.out.flush()
}

struct Lines {
    out: BufWriter<File>,
    schema: Schema,
    index: u64,
}

impl Lines {
    fn header(&mut self) -> io::Result<()> {
        match self.schema {
            Schema::Plain => Ok(()),
            Schema::Own => writeln!(
                self.out,
                "{{\"splitbrain\":1,\"run\":\"bench\",\"vocabulary\":\"register\",\
                 \"initial\":null,\"unique_writes\":true,\
                 \"nodes\":[\"n1\",\"n2\",\"n3\",\"n4\",\"n5\"]}}"
            ),
        }
    }

    fn line(&mut self, kind: &str, process: u64, clients: usize, call: Call) -> io::Result<()> {
        let (f, value) = match call {
            Call::Read(value) => ("read", (kind == "ok" && value.0 > 0).then_some(value.0)),
            Call::Write(value) | Call::Cas(_, value) => ("write", Some(value.0)),
        };
        let value = value.map_or("null".to_owned(), |value| value.to_string());
        let index = self.index;
        self.index += 1;
        let time = 1_000_000 + index * 12_345;
        match self.schema {
            Schema::Plain => writeln!(
                self.out,
                "{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value},\
                 \"time\":{time}}}"
            ),
            Schema::Own => {
                write!(
                    self.out,
                    "{{\"index\":{index},\"time\":{time},\"type\":\"{kind}\",\"process\":{process},\
                     \"f\":\"{f}\",\"key\":\"k1\",\"value\":{value}"
                )?;
                match kind {
                    "invoke" => {
                        let client = process % clients as u64;
                        let (node, due) = (1 + client % 5, time - 4321);
                        write!(
                            self.out,
                            ",\"client\":{client},\"node\":\"n{node}\",\"due\":{due}"
                        )?;
                    }
                    "info" => write!(
                        self.out,
                        ",\"error\":{{\"kind\":\"timeout\",\"text\":\"no answer in 10 s\"}}"
                    )?,
                    _ => {}
                }
                writeln!(self.out, "}}")
            }
        }
    }
}
