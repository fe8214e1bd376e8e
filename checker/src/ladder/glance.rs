//! A cheap look at all sessions' views at once, which finds nearly all of them legal where they are.
//!
//! For each read of a session there is a set of writes that are put before it, at first only those that have to
//! be. A write's *rank* is the first of the session's reads that it is put before. If at each read of a key
//!
//! - what it read from is the last, in one order of all nodes that keeps the causal order, of the writes of its
//!   key that are put before the read, and
//! - each of these has at most the rank of what it read from,
//!
//! then the writes by rank and within a rank in that order, with each read after those of its rank, are a legal
//! serialization. A write of greater rank, which the session came to know of after what it read from, is put
//! before earlier reads together with all that comes before it, and these are looked at again. What that does
//! not settle, or what happened so long ago that it is forgotten, says nothing: [`View`](super::view::View) decides
//! then.

use super::clocks::{Clocks, Joins};
use super::kept::Kept;
use super::order::Order;
use super::sessions::{INITIAL, NONE, Sessions};
use super::slots::Stamp;

/// So many of its last reads are known of each session, if there is memory for them.
const READS: usize = 64;

/// Memory for what was put before them, in stamps.
const STAMPS: usize = 1 << 23;

/// How often reads are looked at again because of one.
const AGAIN: usize = 1 << 10;

/// By session whether its view is certainly legal. `order` keeps the causal order.
pub(crate) fn legal(sessions: &Sessions, kept: impl Kept, order: &Order) -> Vec<bool> {
    legal_with(sessions, kept, order, READS)
}

/// With so many reads that are known of each session at most.
pub(super) fn legal_with(
    sessions: &Sessions,
    kept: impl Kept,
    order: &Order,
    reads: usize,
) -> Vec<bool> {
    let unknown = vec![false; sessions.sessions()];
    let Some(joins) = kept.joins() else { return unknown };
    let Ok(clocks) = Clocks::new(sessions, order, joins) else { return unknown };
    let places = clocks.places();
    let reads = reads.min(STAMPS / (places * places).max(1)).min(sessions.len());
    if reads == 0 {
        return unknown;
    }
    let mut glance = Glance {
        sessions,
        reads,
        places,
        before: vec![0; places * reads * places],
        nodes: vec![0; places * reads],
        count: vec![0; places],
        legal: vec![true; sessions.sessions()],
        open: Vec::new(),
    };
    let walked = clocks.each_read(|clocks, read| {
        glance.add(clocks, read);
        Ok::<(), std::convert::Infallible>(())
    });
    match walked {
        Ok(()) => glance.legal,
    }
}

struct Glance<'a> {
    sessions: &'a Sessions,
    reads: usize,
    places: usize,
    /// By place of the session and number of the read modulo `reads`, what is put before the read.
    before: Vec<Stamp>,
    /// In the same way, the reads.
    nodes: Vec<u32>,
    /// By place, how many reads there were so far.
    count: Vec<usize>,
    legal: Vec<bool>,
    open: Vec<usize>,
}

impl Glance<'_> {
    fn add(&mut self, clocks: &Clocks<'_>, read: u32) {
        let (place, session) = (clocks.place(read), self.sessions[read].session as usize);
        if self.sessions[read].previous_read == NONE {
            self.count[place] = 0;
        }
        if !self.legal[session] {
            return;
        }
        let number = self.count[place];
        self.count[place] += 1;
        let at = self.at(place, number);
        self.nodes[at] = read;
        self.before[at * self.places..][..self.places].copy_from_slice(clocks.seen(read));
        self.legal[session] = self.settle(clocks, place, number).is_some();
    }

    fn at(&self, place: usize, number: usize) -> usize {
        place * self.reads + number % self.reads
    }

    fn before(&self, place: usize, number: usize) -> &[Stamp] {
        &self.before[self.at(place, number) * self.places..][..self.places]
    }

    /// Makes a read of a session legal again, and others that change by that; `None` if it cannot.
    fn settle(&mut self, clocks: &Clocks<'_>, place: usize, number: usize) -> Option<()> {
        let oldest = self.count[place].saturating_sub(self.reads);
        self.open.clear();
        self.open.push(number);
        for _ in 0..AGAIN {
            let Some(number) = self.open.pop() else { return Some(()) };
            let read = self.nodes[self.at(place, number)];
            let (key, source) = (self.sessions[read].key, self.sessions[read].source);
            let known = self.before(place, number);
            let mut last = 0;
            for writer in clocks.writers(key) {
                let held = known[writer.slot as usize];
                if held >= writer.until {
                    return None;
                }
                last = writer.latest(held).max(last);
            }
            if last != if source == INITIAL { 0 } else { clocks.stamp(source) } {
                return None;
            }
            if source == INITIAL {
                continue;
            }
            let (at, stamp) = (clocks.place(source), last);
            let holds = |number: usize| self.before(place, number)[at] >= stamp;
            let mut rank = number;
            while rank > oldest && holds(rank - 1) {
                rank -= 1;
            }
            if rank == oldest && oldest > 0 {
                return None;
            }
            if rank < number {
                self.advance(clocks, place, rank, number)?;
            }
        }
        None
    }

    /// Puts the writes of a read's key that are put before the read before another one already, too.
    fn advance(
        &mut self,
        clocks: &Clocks<'_>,
        place: usize,
        to: usize,
        number: usize,
    ) -> Option<()> {
        let key = self.sessions[self.nodes[self.at(place, number)]].key;
        for writer in clocks.writers(key) {
            let slot = writer.slot as usize;
            let latest = writer.latest(self.before(place, number)[slot]);
            for earlier in to..number {
                let at = self.at(place, earlier);
                let known = &mut self.before[at * self.places..][..self.places];
                if known[slot] >= latest {
                    break;
                }
                match clocks.joins() {
                    Joins::Past => {
                        let before = clocks.before(clocks.node(latest))?;
                        for (held, other) in known.iter_mut().zip(before) {
                            *held = (*held).max(*other);
                        }
                    }
                    Joins::Writes { .. } => known[slot] = latest,
                }
                // What the session wrote after a read cannot come before it.
                let own = clocks.joins() != Joins::Writes { own: false };
                if own && known[place] > clocks.stamp(self.nodes[at]) {
                    return None;
                }
                self.open.push(earlier);
            }
        }
        Some(())
    }
}
