//! Queues, by the conditions of Henzinger, Sezgin and Vafeiadis (2013); and who, of those that
//! took an element without learning which, took which.

use super::{Life, Lives, Moments, NEVER, Order, Places};

/// An element that nobody saw go out.
struct Unseen {
    /// From then on it is certainly inside.
    inside_after: u64,
    /// If others that went out came in later: when the first of them has gone out, this one must
    /// have.
    due: u64,
}

impl Lives {
    /// Whether the elements can have gone in and out as they do in a queue.
    ///
    /// An unseen element that is in the way of something at a moment must have gone out by then, by
    /// one of the unknown takes, each of which takes one at most. There are enough of them if at
    /// each moment as many have begun as elements have to be out by then (Hall).
    pub(super) fn is_queue(&self, order: Order) -> bool {
        let (mut seen, unseen): (Vec<Life>, Vec<Life>) =
            self.lives.iter().copied().partition(Life::is_seen);
        seen.sort_unstable_by_key(|life| life.put.invoked);
        let in_order = order == Order::FirstInFirstOut;
        if in_order && has_overtaken(&seen) {
            return false;
        }
        let mut unseen: Vec<Unseen> = unseen
            .iter()
            .map(|life| Unseen { inside_after: life.put.returned, due: NEVER })
            .collect();
        unseen.sort_unstable_by_key(|unseen| unseen.inside_after);
        if in_order {
            find_due(&mut unseen, &seen);
        }
        let mut due: Vec<u64> = unseen.iter().map(|unseen| unseen.due).collect();
        due.sort_unstable();
        let takes = self.unknown_takes.iter().copied().chain(std::iter::repeat(NEVER));
        due.iter().zip(takes).all(|(due, take)| take <= *due)
            && self.was_empty_without(&seen, &unseen)
    }

    /// Whether everybody who found the queue empty can have done so. A moment will do if nothing
    /// that was seen is certainly inside, and if all that was not seen and would be inside can have
    /// been taken, together with all that is due then or later.
    fn was_empty_without(&self, seen: &[Life], unseen: &[Unseen]) -> bool {
        if self.empty.is_empty() {
            return true;
        }
        let ends = seen.iter().map(|life| life.take.invoked);
        let begins = self.empty.iter().map(|empty| empty.invoked);
        let dues = unseen.iter().map(|unseen| unseen.due);
        let moments =
            Moments::new(ends.chain(begins).chain(dues).chain(self.unknown_takes.iter().copied()));
        let count = moments.count();
        // How many takes there are more than are needed, by moment.
        let mut spare = Places::new(count);
        self.unknown_takes.iter().for_each(|take| spare.add(moments.at(*take)..count, 1));
        unseen.iter().for_each(|unseen| spare.add(moments.at(unseen.due)..count, -1));
        // Where an element is not needed any more nobody minds.
        let never = moments.at(NEVER);
        spare.add(never..count, unseen.len() as i64);
        let mut change = vec![0; count + 1];
        for life in seen {
            let inside = moments.between(life.put.returned, life.take.invoked);
            change[inside.start] += 1;
            change[inside.end] -= 1;
        }
        let (mut inside, mut out) = (0, unseen.iter().peekable());
        let mut fitting = vec![0; count + 1];
        for (at, moment) in moments.iter().enumerate() {
            inside += change[at];
            while let Some(unseen) = out.next_if(|unseen| unseen.inside_after < moment) {
                spare.add(0..moments.at(unseen.due), -1);
            }
            let fits = inside == 0 && spare.first_at_most(at, -1).is_none();
            fitting[at + 1] = fitting[at] + usize::from(fits);
        }
        self.empty.iter().all(|empty| {
            let moments = moments.within(empty.invoked, empty.returned);
            fitting[moments.end] > fitting[moments.start]
        })
    }
}

/// Whether an element that was put in later, for certain, went out earlier, for certain.
fn has_overtaken(by_invocation: &[Life]) -> bool {
    let mut by_return = by_invocation.to_vec();
    by_return.sort_unstable_by_key(|life| life.put.returned);
    let mut earlier = by_return.iter().peekable();
    let mut last_out = 0;
    by_invocation.iter().any(|life| {
        while let Some(before) = earlier.next_if(|b| b.put.returned < life.put.invoked) {
            last_out = last_out.max(before.take.invoked);
        }
        last_out > life.take.returned
    })
}

/// When each unseen element must be out, at the latest.
fn find_due(unseen: &mut [Unseen], by_invocation: &[Life]) {
    let mut later = by_invocation.iter().rev().peekable();
    let mut due = NEVER;
    for unseen in unseen.iter_mut().rev() {
        while let Some(life) = later.next_if(|life| life.put.invoked > unseen.inside_after) {
            due = due.min(life.take.returned);
        }
        unseen.due = due;
    }
}
