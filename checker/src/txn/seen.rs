//! What a transaction knows of others at once: those that it read from, and those of its own session.
//!
//! As in AWDIT (PLDI 2025) the writes of the one and the reads of the other are compared by way of the fewer
//! of them, so that all of them take O(n^{3/2}) steps.

use super::material::NONE;
use super::register_reads::{Read, Registers};
use super::sessions::Sessions;

/// Which transactions one knows of when it reads.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Known {
    /// What it read from before that read.
    Earlier,
    /// What it read from in any of its reads, and its session.
    Any,
}

/// Calls for those that wrote the key of a read and that the reader knew of, without that this is where it
/// read from; those that follow from others are left out.
pub(crate) fn missed(
    reads: &[Read],
    registers: &Registers,
    sessions: &Sessions,
    known: Known,
    mut add: impl FnMut(u32, &Read),
) {
    let mut marks = Marks {
        first: vec![NONE; registers.happened.len()],
        head: vec![(NONE, 0); registers.writers.len()],
        next: Vec::new(),
    };
    for group in reads.chunk_by(|one, other| one.reader == other.reader) {
        marks.begin(group);
        if known == Known::Any {
            (0..group.len()).rev().for_each(|at| marks.put(group, at));
        }
        for at in (0..group.len()).rev() {
            if known == Known::Earlier {
                marks.missed(group, (at, at + 1), registers, &mut add);
                marks.put(group, at);
                continue;
            }
            marks.missed(group, (at, 0), registers, &mut add);
            let read = &group[at];
            let before = sessions.before(read.reader, read.key);
            before.filter(|one| *one != read.writer).into_iter().for_each(|one| add(one, read));
        }
    }
}

/// What is known of the reads of one transaction.
struct Marks {
    /// By writer: the place of the first read from it, of the last transaction that read from it.
    first: Vec<u32>,
    /// By key: the reader of whom the first place that was put is, and that place.
    head: Vec<(u32, u32)>,
    /// By place: that of the next read of the key; [`NONE`] at the last.
    next: Vec<u32>,
}

impl Marks {
    fn begin(&mut self, group: &[Read]) {
        self.next.clear();
        self.next.resize(group.len(), NONE);
        for (at, read) in group.iter().enumerate().rev().filter(|(_, read)| read.writer != NONE) {
            self.first[read.writer as usize] = at as u32;
        }
    }

    fn put(&mut self, group: &[Read], at: usize) {
        let Read { reader, key, .. } = group[at];
        let head = &mut self.head[key as usize];
        self.next[at] = if head.0 == reader { head.1 } else { NONE };
        *head = (reader, at as u32);
    }

    /// The reads of the group from a place on, all of which were put, that do not see what the source of
    /// the read at `at` wrote.
    fn missed(
        &self,
        group: &[Read],
        (at, from): (usize, usize),
        registers: &Registers,
        add: &mut impl FnMut(u32, &Read),
    ) {
        let Read { reader, writer, .. } = group[at];
        if writer == NONE || self.first[writer as usize] as usize != at {
            return;
        }
        let written = registers.written(writer);
        if written.len() > group.len() - from {
            let of_others = group[from..].iter().filter(|read| read.writer != writer);
            return of_others
                .filter(|read| written.binary_search(&read.key).is_ok())
                .for_each(|read| add(writer, read));
        }
        for key in written {
            let (holder, head) = self.head[*key as usize];
            if holder == reader {
                let of_key = self.chain(head).map(|place| &group[place as usize]);
                of_key.filter(|read| read.writer != writer).for_each(|read| add(writer, read));
            }
        }
    }

    fn chain(&self, head: u32) -> impl Iterator<Item = u32> {
        let next = |place: &u32| Some(self.next[*place as usize]).filter(|next| *next != NONE);
        std::iter::successors(Some(head), next)
    }
}
