//! Queues and stacks whose elements were each put in once: O(n log n).
//!
//! An element is certainly inside between the completion of its putting in and the invocation of
//! its taking out. What is asked of a moment is mostly who is certainly inside then.

mod moments;
mod places;
mod priority;
mod queue;
mod stack;

use rustc_hash::FxHashMap;

use super::Timed;
use super::elements::{Element, Op};
use moments::Moments;
use places::Places;

/// A position that is never reached.
const NEVER: u64 = u64::MAX;

/// Which element goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Any.
    None,
    /// The one that came in first.
    FirstInFirstOut,
    /// The one that came in last.
    LastInFirstOut,
    /// The least one.
    LeastFirst,
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
    element: Element,
    put: Interval,
    /// [`Interval::NONE`] if nobody said so.
    take: Interval,
}

impl Life {
    fn is_seen(&self) -> bool {
        self.take.invoked < NEVER
    }
}

/// When elements were inside.
pub(super) struct Lives {
    /// Those that an answer shows, and those that were certainly put in.
    lives: Vec<Life>,
    /// When there was nothing to take.
    empty: Vec<Interval>,
    /// When somebody may have begun to take an element that nobody saw go out, ascending.
    unknown_takes: Vec<u64>,
    /// Whether an element went out twice, or without having been put in, or before that.
    impossible: bool,
}

impl Lives {
    /// `None` if an element was put in twice.
    pub fn of(ops: &[Timed<Op>]) -> Option<Lives> {
        let mut takes: FxHashMap<Element, Interval> = FxHashMap::default();
        let (mut empty, mut unknown_takes) = (Vec::new(), Vec::new());
        let mut impossible = false;
        for op in ops {
            match op.op {
                Op::Put(_) => {}
                Op::Take(_) if op.returned.is_none() => return None,
                Op::Take(element) => {
                    impossible |= takes.insert(element, Interval::of(op)).is_some();
                }
                Op::Empty if op.returned.is_some() => empty.push(Interval::of(op)),
                Op::Empty => {}
                Op::TakeUnknown => unknown_takes.push(op.invoked),
            }
        }
        let mut puts: FxHashMap<Element, Life> = FxHashMap::default();
        for op in ops {
            let Op::Put(element) = op.op else { continue };
            let take = takes.get(&element).copied();
            if op.returned.is_none() && take.is_none() {
                continue;
            }
            let take = take.unwrap_or(Interval::NONE);
            if puts.insert(element, Life { element, put: Interval::of(op), take }).is_some() {
                return None;
            }
        }
        impossible |= takes.keys().any(|element| !puts.contains_key(element));
        impossible |= puts.values().any(|life| life.take.returned < life.put.invoked);
        unknown_takes.sort_unstable();
        Some(Lives { lives: puts.into_values().collect(), empty, unknown_takes, impossible })
    }

    /// Whether the history is linearizable; `None` if that hangs on who took which element.
    pub fn decide(mut self, order: Order) -> Option<bool> {
        if self.impossible {
            return Some(false);
        }
        let is_possible = match order {
            Order::None | Order::FirstInFirstOut => return Some(self.is_queue(order)),
            Order::LastInFirstOut => Lives::is_stack,
            Order::LeastFirst => Lives::is_priority_queue,
        };
        if is_possible(&self) {
            return Some(true);
        }
        if self.unknown_takes.is_empty() {
            return Some(false);
        }
        if self.each_taken_in_turn().is_some_and(|taken| is_possible(&taken)) {
            return Some(true);
        }
        // As if every element that nobody saw go out had never been there.
        self.lives.retain(Life::is_seen);
        (!is_possible(&self)).then_some(false)
    }

    /// One way for the elements that nobody saw go out to have gone out nevertheless.
    fn each_taken_in_turn(&self) -> Option<Lives> {
        let mut lives = self.lives.clone();
        lives.sort_unstable_by_key(|life| life.put.returned);
        let mut takes = self.unknown_takes.iter();
        for life in lives.iter_mut().filter(|life| !life.is_seen()) {
            life.take = Interval { invoked: *takes.next()?, returned: NEVER };
        }
        let empty = self.empty.clone();
        Some(Lives { lives, empty, unknown_takes: Vec::new(), impossible: false })
    }

    /// Whether everybody who found nothing can have done so, at a moment when nothing is certainly
    /// inside.
    fn was_empty_in_time(&self) -> bool {
        let ends = self.lives.iter().map(|life| life.take.invoked);
        let moments = Moments::new(ends.chain(self.empty.iter().map(|empty| empty.invoked)));
        let mut inside = Places::new(moments.count());
        for life in &self.lives {
            inside.add(moments.between(life.put.returned, life.take.invoked), 1);
        }
        self.empty.iter().all(|empty| {
            let moments = moments.within(empty.invoked, empty.returned);
            inside.first_at_most(moments.start, 0).is_some_and(|at| at < moments.end)
        })
    }
}
