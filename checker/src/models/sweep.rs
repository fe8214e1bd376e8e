//! Queues whose elements were each put in once: O(n log n), by the conditions of Henzinger, Sezgin
//! and Vafeiadis (2013).

use rustc_hash::FxHashMap;

use super::Timed;
use super::elements::Op;
use crate::linearizable::ValueId;

/// A position that is never reached.
const NEVER: u64 = u64::MAX;

/// Which element goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Any.
    None,
    /// The one that came in first.
    FirstInFirstOut,
}

/// An interval of positions.
#[derive(Clone, Copy)]
struct Interval {
    invoked: u64,
    returned: u64,
}

impl Interval {
    const NONE: Interval = Interval { invoked: NEVER, returned: NEVER };

    fn of(op: &Timed<Op>) -> Interval {
        Interval { invoked: op.invoked, returned: op.deadline() }
    }
}

/// When an element was put in and taken out.
#[derive(Clone, Copy)]
struct Life {
    put: Interval,
    /// [`Interval::NONE`] if nobody said so.
    take: Interval,
}

/// When elements were in a queue.
pub(super) struct Lives {
    /// Those that an answer shows, and those that were certainly put in.
    lives: Vec<Life>,
    empty: Vec<Interval>,
    /// Whether an element that nobody saw go out may have gone out.
    unknown_takes: bool,
    /// Whether an element went out twice, or without having been put in, or before that.
    impossible: bool,
}

impl Lives {
    /// `None` if an element was put in twice.
    pub fn of(ops: &[Timed<Op>]) -> Option<Lives> {
        let mut takes: FxHashMap<ValueId, Interval> = FxHashMap::default();
        let mut empty = Vec::new();
        let (mut unknown_takes, mut impossible) = (false, false);
        for op in ops {
            match op.op {
                Op::Put(_) => {}
                Op::Take(value) => {
                    impossible |= takes.insert(value, Interval::of(op)).is_some();
                }
                Op::Empty if op.returned.is_some() => empty.push(Interval::of(op)),
                Op::Empty => {}
                Op::TakeUnknown => unknown_takes = true,
            }
        }
        let mut puts: FxHashMap<ValueId, Life> = FxHashMap::default();
        for op in ops {
            let Op::Put(value) = op.op else { continue };
            let take = takes.get(&value).copied();
            if op.returned.is_none() && take.is_none() {
                continue;
            }
            let life = Life { put: Interval::of(op), take: take.unwrap_or(Interval::NONE) };
            if puts.insert(value, life).is_some() {
                return None;
            }
        }
        impossible |= takes.keys().any(|value| !puts.contains_key(value));
        impossible |= puts.values().any(|life| life.take.returned < life.put.invoked);
        Some(Lives { lives: puts.into_values().collect(), empty, unknown_takes, impossible })
    }

    /// Whether the history is linearizable; `None` if that hangs on who took which element.
    pub fn decide(mut self, order: Order) -> Option<bool> {
        if self.impossible {
            return Some(false);
        }
        if self.is_possible(order) {
            return Some(true);
        }
        if !self.unknown_takes {
            return Some(false);
        }
        // As if every element that nobody saw go out had never been there.
        self.lives.retain(|life| life.take.invoked < NEVER);
        (!self.is_possible(order)).then_some(false)
    }

    fn is_possible(&mut self, order: Order) -> bool {
        (order == Order::None || !self.has_overtaken()) && !self.was_never_empty()
    }

    /// Whether an element that was put in later, for certain, went out earlier, for certain.
    fn has_overtaken(&mut self) -> bool {
        let mut by_return = self.lives.clone();
        by_return.sort_unstable_by_key(|life| life.put.returned);
        self.lives.sort_unstable_by_key(|life| life.put.invoked);
        let mut earlier = by_return.iter().peekable();
        let mut last_out = 0;
        self.lives.iter().any(|life| {
            while let Some(before) = earlier.next_if(|b| b.put.returned < life.put.invoked) {
                last_out = last_out.max(before.take.invoked);
            }
            last_out > life.take.returned
        })
    }

    /// Whether somebody found the queue empty who, all the time, can not have.
    fn was_never_empty(&self) -> bool {
        let certain = self.lives.iter().map(|life| (life.put.returned, life.take.invoked));
        let mut certain: Vec<(u64, u64)> = certain.filter(|(from, to)| from < to).collect();
        certain.sort_unstable();
        let mut filled: Vec<(u64, u64)> = Vec::new();
        for (from, to) in certain {
            match filled.last_mut() {
                Some((_, until)) if from <= *until => *until = to.max(*until),
                _ => filled.push((from, to)),
            }
        }
        self.empty.iter().any(|empty| {
            let after = filled.partition_point(|(from, _)| *from < empty.invoked);
            after > 0 && filled[after - 1].1 > empty.returned
        })
    }
}
