//! Sentences about registers.

use super::found::Instance;
use super::graph::Edge;
use super::material::{Material, NONE};
use super::register_reads::{Read, Registers};
use super::tell::{Explain, name_of, short};
use crate::ladder::Rung;

/// What is known of registers.
pub(crate) struct Words<'w, 'h> {
    pub material: &'w Material<'h>,
    pub registers: &'w Registers,
}

impl Words<'_, '_> {
    fn reads_of(&self, reader: u32) -> impl Iterator<Item = &Read> {
        self.registers.reads.iter().filter(move |read| read.reader == reader)
    }
}

impl Explain for Words<'_, '_> {
    fn why(&self, edge: Edge, from: u32, to: u32) -> Option<(u32, String)> {
        let name = |one: u32| short(self.material, one);
        let (a, b) = (name(from), name(to));
        let key = |key: u32| name_of(self.material, key);
        match edge {
            Edge::Wr => self
                .reads_of(to)
                .find(|read| read.writer == from)
                .map(|read| (read.key, format!("{b} read what {a} wrote to {}", key(read.key)))),
            Edge::Ww => {
                let own = self
                    .reads_of(to)
                    .find(|read| read.writer == from && self.registers.wrote(to, read.key));
                if let Some(read) = own {
                    let why = format!("{b} replaced what {a} wrote to {}", key(read.key));
                    return Some((read.key, why));
                }
                let third = self.registers.reads.iter().find(|read| {
                    read.writer == to && read.reader != from && self.registers.wrote(from, read.key)
                });
                if let Some(read) = third {
                    let c = name(read.reader);
                    let of = key(read.key);
                    let why = format!("{c} came after {a}, which wrote {of}, and read it from {b}");
                    return Some((read.key, why));
                }
                let both = |of: &&u32| self.registers.wrote(to, **of);
                let of = self.registers.written(from).iter().find(both)?;
                Some((*of, format!("both wrote {}, and {b} came after {a}", key(*of))))
            }
            Edge::Rw => {
                let read = self
                    .reads_of(from)
                    .find(|read| read.writer != to && self.registers.wrote(to, read.key))?;
                let of = key(read.key);
                let source = match read.writer {
                    NONE => "as it was at first".to_owned(),
                    writer => format!("as {} had left it", name(writer)),
                };
                Some((read.key, format!("{a} read {of} {source}, and {b} wrote it after that")))
            }
            _ => None,
        }
    }

    fn because(&self, instance: &Instance) -> Vec<String> {
        let name = |one: &u32| short(self.material, *one);
        let key = |key: &u32| name_of(self.material, *key);
        vec![match instance {
            Instance::Phantom { key: of, reader } => {
                format!(
                    "{} read a value of {} that nobody ever tried to write",
                    name(reader),
                    key(of)
                )
            }
            Instance::G1a { key: of, writer, reader } => format!(
                "{} read in {} what {} wrote, and that certainly did not happen",
                name(reader),
                key(of),
                name(writer)
            ),
            Instance::G1b { key: of, writer, reader } => format!(
                "{} read {} as it was in the middle of {}, which wrote it once more",
                name(reader),
                key(of),
                name(writer)
            ),
            Instance::Internal { key: of, transaction, own: true } => {
                format!(
                    "{} did not read in {} what it had written itself",
                    name(transaction),
                    key(of)
                )
            }
            Instance::Internal { key: of, transaction, .. } => {
                format!(
                    "{} read two values of {} that it had not written",
                    name(transaction),
                    key(of)
                )
            }
            Instance::FutureRead { key: of, transaction } => {
                format!("{} read in {} what it wrote only later", name(transaction), key(of))
            }
            Instance::LostUpdate { key: of, updates: [one, other] } => format!(
                "{} and {} read the same version of {}, and then both wrote it",
                name(one),
                name(other),
                key(of)
            ),
            Instance::Missed { key: of, missed, reader, .. } => format!(
                "{} came after {}, which wrote {}, and read it as it was at first",
                name(reader),
                name(missed),
                key(of)
            ),
            Instance::CyclicVersions { key: of, writers, reader: Some(reader), .. } => format!(
                "{} wrote {} before {} read it as it was at first",
                name(&writers[0]),
                key(of),
                name(reader)
            ),
            Instance::CyclicVersions { writers, .. } => {
                let next = writers.iter().cycle().skip(1);
                let why = |(one, other): (&u32, &u32)| {
                    let why =
                        self.why(Edge::Ww, *one, *other).map_or_else(String::new, |(_, why)| why);
                    format!(
                        "what {} wrote comes before what {} wrote: {why}",
                        name(one),
                        name(other)
                    )
                };
                return writers.iter().zip(next).map(why).collect();
            }
            Instance::Unserializable { level, transactions } => format!(
                "no order of these {} transactions{} explains what they read, whatever order the versions \
                 have",
                transactions.len(),
                kept(*level)
            ),
            Instance::NoSnapshots { level, transactions } => format!(
                "no order of the beginnings and ends of these {} transactions{} explains what they read by what \
                 was there when they began, whatever order the versions have",
                transactions.len(),
                kept(*level)
            ),
            _ => return Vec::new(),
        }]
    }
}

/// What the orders that are meant keep.
fn kept(level: Rung) -> &'static str {
    match level {
        Rung::StrictSerializable | Rung::StrongSnapshotIsolation => {
            " that keeps what had ended before another began"
        }
        Rung::StrongSessionSerializable | Rung::StrongSessionSnapshotIsolation => {
            " that keeps those of each process"
        }
        _ => "",
    }
}
