//! Priority queues.

use super::{Lives, Moments, NEVER, Places};

impl Lives {
    /// Whether each element can have gone out at a moment when no lesser one is certainly inside.
    ///
    /// That is enough. Without the greatest element let there be an order, and a moment at which
    /// nothing is certainly inside. Every operation on the elements that were inside before that
    /// moment was invoked by then, and every one on the others completes then or later; so the
    /// order can be had in which all of the former come first, and between them the greatest goes
    /// out. And so on for the others.
    pub(super) fn is_priority_queue(&self) -> bool {
        let mut lives = self.lives.clone();
        lives.sort_unstable_by_key(|life| life.element);
        let from = |life: &super::Life| life.put.invoked.max(life.take.invoked);
        let ends = lives.iter().flat_map(|life| [life.take.invoked, from(life)]);
        let moments = Moments::new(ends);
        let mut inside = Places::new(moments.count());
        lives.iter().all(|life| {
            let window = moments.within(from(life), life.take.returned);
            let goes_out = life.take.invoked == NEVER
                || inside.first_at_most(window.start, 0).is_some_and(|at| at < window.end);
            inside.add(moments.between(life.put.returned, life.take.invoked), 1);
            goes_out
        }) && self.was_empty_in_time()
    }
}
