//! What comes before each read, as vector clocks (Fidge 1988; Mattern 1989): for each session the last of its
//! writes that does.
//!
//! All sessions are gone through at once, in one order of all nodes that keeps the causal order; so what is asked
//! for at a time was written not long before. A clock has one place for each session that may still be asked for
//! ([`Slots`]), and n nodes take O(n k) for k places, a few at a time.

use std::collections::VecDeque;

use super::order::Order;
use super::sessions::{INITIAL, NONE, Sessions, WRITE};
use super::slots::{Slots, Stamp};
use super::view::Exhausted;

/// Places times nodes: a second or two.
const STEPS: usize = 1 << 32;

/// The memory for clocks of writes that nobody reads any more, in places.
const RECENT: usize = 1 << 22;

/// What comes before a read besides what came before the session's reads so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joins {
    /// What its session wrote, and all that was before what it read.
    Past,
    /// Of the session that wrote what it read the writes up to that.
    Writes {
        /// And what its own session wrote.
        own: bool,
    },
}

/// What a session wrote to one key.
pub(crate) struct Writer {
    pub slot: u32,
    /// The first stamp of the session that has the place next.
    pub until: Stamp,
    last: Stamp,
    earlier: Vec<Stamp>,
}

impl Writer {
    /// The stamp of the last of its writes that a clock with this in its place holds; 0 if it holds none.
    pub fn latest(&self, held: Stamp) -> Stamp {
        if self.last <= held {
            return self.last;
        }
        let count = self.earlier.partition_point(|stamp| *stamp <= held);
        self.earlier[..count].last().copied().unwrap_or(0)
    }
}

/// The clocks at one place of the order.
pub(crate) struct Clocks<'a> {
    sessions: &'a Sessions,
    order: &'a Order,
    slots: Slots,
    joins: Joins,
    /// By place, one clock for what the session there has seen.
    now: Vec<Stamp>,
    /// By key, those who wrote it so far.
    writers: Vec<Vec<Writer>>,
    written: Written,
}

impl<'a> Clocks<'a> {
    pub fn new(
        sessions: &'a Sessions,
        order: &'a Order,
        joins: Joins,
    ) -> Result<Clocks<'a>, Exhausted> {
        let slots = Slots::new(sessions, order);
        let places = slots.count;
        if places.saturating_mul(sessions.len()) > STEPS || places * places > 4 * RECENT {
            return Err(Exhausted);
        }
        let written = match joins {
            Joins::Past => Written::new(sessions, places),
            Joins::Writes { .. } => Written::default(),
        };
        let writers = (0..sessions.keys).map(|_| Vec::new()).collect();
        let now = vec![0; places * places];
        Ok(Clocks { sessions, order, slots, joins, now, writers, written })
    }

    /// Asks at each read, when it is among what its session has seen.
    pub fn each_read<E>(
        mut self,
        mut ask: impl FnMut(&Clocks<'a>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let (sessions, places) = (self.sessions, self.slots.count);
        for node in self.order.nodes.iter().copied() {
            let what = &sessions[node];
            let place = self.place(node);
            let now = &mut self.now[place * places..][..places];
            if what.previous == NONE {
                now.fill(0);
            }
            match (what.source, self.joins) {
                (WRITE, joins) => {
                    if joins != (Joins::Writes { own: false }) {
                        now[place] = stamp(self.order, node);
                    }
                    if joins == Joins::Past {
                        self.written.add(self.order, node, now);
                    }
                    self.add_write(node);
                }
                (INITIAL, _) => {}
                (source, Joins::Past) => {
                    for (held, other) in now.iter_mut().zip(self.written.clock(source)) {
                        *held = (*held).max(*other);
                    }
                    self.written.was_read(self.order, source);
                }
                (source, Joins::Writes { .. }) => {
                    let held = &mut now[self.slots.of[sessions[source].session as usize] as usize];
                    *held = stamp(self.order, source).max(*held);
                }
            }
            if what.source != WRITE {
                ask(&self, node)?;
            }
        }
        Ok(())
    }

    fn add_write(&mut self, node: u32) {
        let session = self.sessions[node].session as usize;
        let (slot, until) = (self.slots.of[session], self.slots.until[session]);
        let writers = &mut self.writers[self.sessions[node].key as usize];
        let last = stamp(self.order, node);
        let known = match self.sessions[node].previous_on_key {
            NONE => None,
            _ => writers.iter_mut().rev().find(|writer| writer.slot == slot),
        };
        match known {
            None => writers.push(Writer { slot, until, last, earlier: Vec::new() }),
            Some(writer) => writer.earlier.push(std::mem::replace(&mut writer.last, last)),
        }
    }

    pub fn joins(&self) -> Joins {
        self.joins
    }

    pub fn places(&self) -> usize {
        self.slots.count
    }

    pub fn place(&self, node: u32) -> usize {
        self.slots.of[self.sessions[node].session as usize] as usize
    }

    pub fn stamp(&self, node: u32) -> Stamp {
        stamp(self.order, node)
    }

    pub fn node(&self, stamp: Stamp) -> u32 {
        self.order.nodes[stamp as usize - 1]
    }

    /// What the session of a read has seen, the read included.
    pub fn seen(&self, read: u32) -> &[Stamp] {
        let places = self.places();
        &self.now[self.place(read) * places..][..places]
    }

    /// Whether the session of a read has seen a write, to which nobody else has the place yet.
    pub fn has_seen(&self, read: u32, write: u32) -> bool {
        self.seen(read)[self.place(write)] >= self.stamp(write)
    }

    pub fn writers(&self, key: u32) -> &[Writer] {
        &self.writers[key as usize]
    }

    /// The stamps of the last writes of its key that the session of a read has seen, one for each that wrote
    /// it; 0 if it has seen none.
    pub fn latest(&self, read: u32) -> impl Iterator<Item = Stamp> {
        let seen = self.seen(read);
        let writers = self.writers(self.sessions[read].key).iter();
        writers.map(|writer| writer.latest(seen[writer.slot as usize]))
    }

    /// What comes before a write and the write, if that is kept still.
    pub fn before(&self, write: u32) -> Option<&[Stamp]> {
        (self.written.at[write as usize] != NONE).then(|| self.written.clock(write))
    }
}

fn stamp(order: &Order, node: u32) -> Stamp {
    order.position[node as usize] as Stamp + 1
}

/// The clocks of writes that may be read still, and of the last ones.
#[derive(Default)]
struct Written {
    places: usize,
    /// By node, where its clock is, or [`NONE`].
    at: Vec<u32>,
    /// By node, how many reads of it are to come.
    reads: Vec<u32>,
    clocks: Vec<Stamp>,
    free: Vec<u32>,
    recent: VecDeque<u32>,
    recent_at_most: usize,
}

impl Written {
    fn new(sessions: &Sessions, places: usize) -> Written {
        let mut reads = vec![0; sessions.len()];
        for node in 0..sessions.len() as u32 {
            if let source @ 0..WRITE = sessions[node].source {
                reads[source as usize] += 1;
            }
        }
        let recent_at_most = RECENT / places.max(1);
        Written {
            places,
            at: vec![NONE; sessions.len()],
            reads,
            recent_at_most,
            ..Written::default()
        }
    }

    fn clock(&self, write: u32) -> &[Stamp] {
        &self.clocks[self.at[write as usize] as usize * self.places..][..self.places]
    }

    fn add(&mut self, order: &Order, write: u32, clock: &[Stamp]) {
        let at = self.free.pop().unwrap_or_else(|| {
            self.clocks.resize(self.clocks.len() + self.places, 0);
            (self.clocks.len() / self.places) as u32 - 1
        });
        self.at[write as usize] = at;
        self.clocks[at as usize * self.places..][..self.places].copy_from_slice(clock);
        self.recent.push_back(write);
        if self.recent.len() > self.recent_at_most
            && let Some(oldest) = self.recent.pop_front()
        {
            self.forget(order, oldest);
        }
    }

    fn was_read(&mut self, order: &Order, write: u32) {
        self.reads[write as usize] -= 1;
        self.forget(order, write);
    }

    /// Unless it is needed.
    fn forget(&mut self, order: &Order, write: u32) {
        let position = |node: u32| order.position[node as usize];
        let is_recent =
            self.recent.front().is_some_and(|oldest| position(*oldest) <= position(write));
        if self.reads[write as usize] == 0 && !is_recent {
            self.free.push(std::mem::replace(&mut self.at[write as usize], NONE));
        }
    }
}
