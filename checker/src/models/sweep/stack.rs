//! Stacks, by taking away the element at the bottom again and again.

use super::{Life, Lives, Moments, Places};

impl Lives {
    /// Whether the elements can have gone in and out as they do on a stack.
    ///
    /// An element that can go out as soon as it is in hinders nobody. Of the others look at those
    /// whose certain times inside together leave no gap. The stack is not empty in between, so one
    /// of them is at the bottom all the time: it can go in before each of the others is in, and out
    /// after each of the others begins to go out. Where several can, each may: without it the
    /// others have an order still, around which it fits. Then the others are looked at in the same
    /// way, each part without a gap by itself.
    pub(super) fn is_stack(&self) -> bool {
        let stays = |life: &&Life| life.put.returned < life.take.invoked;
        let mut lives: Vec<Life> = self.lives.iter().filter(stays).copied().collect();
        lives.sort_unstable_by_key(|life| life.put.returned);
        Peeling::new(lives).succeeds() && self.was_empty_in_time()
    }
}

struct Peeling {
    /// By the completion of putting in.
    lives: Vec<Life>,
    moments: Moments,
    /// How many are certainly inside, at each moment (even) and after it (odd).
    inside: Places,
    /// By life: minus one more than the moment until which it can stay, once it can be the first.
    may_stay: Places,
    /// By life: 1 if it was taken away.
    gone: Places,
    /// By the invocation of putting in, the latest first: those that cannot be the first yet.
    later: Vec<usize>,
}

impl Peeling {
    fn new(lives: Vec<Life>) -> Peeling {
        let moments = Moments::new(lives.iter().flat_map(|life| {
            [life.put.invoked, life.put.returned, life.take.invoked, life.take.returned]
        }));
        let mut later: Vec<usize> = (0..lives.len()).collect();
        later.sort_unstable_by_key(|at| std::cmp::Reverse(lives[*at].put.invoked));
        let inside = Places::new(2 * moments.count());
        let (may_stay, gone) = (Places::new(lives.len()), Places::new(lives.len()));
        let mut peeling = Peeling { lives, moments, inside, may_stay, gone, later };
        (0..peeling.lives.len()).for_each(|at| peeling.count(at, 1));
        peeling
    }

    fn count(&mut self, at: usize, amount: i64) {
        let life = &self.lives[at];
        let (from, to) = (self.moments.at(life.put.returned), self.moments.at(life.take.invoked));
        self.inside.add(2 * from + 1..2 * to, amount);
    }

    fn succeeds(&mut self) -> bool {
        // Spans of lives, the first ones last: so the beginnings of the parts never go back.
        let mut spans = vec![(0, self.lives.len())];
        while let Some((start, end)) = spans.pop() {
            let Some(first) = self.gone.first_at_most(start, 0).filter(|first| *first < end) else {
                continue;
            };
            let begins = self.lives[first].put.returned;
            let begins_at = self.moments.at(begins);
            let gap = self.inside.first_at_most(2 * begins_at + 1, 0);
            let ends_at = gap.map_or(self.moments.count(), |gap| gap / 2);
            let part_end =
                self.lives.partition_point(|life| self.moments.at(life.put.returned) < ends_at);
            spans.push((part_end, end));
            while let Some(at) = self.later.pop_if(|at| self.lives[*at].put.invoked <= begins) {
                let until = self.moments.at(self.lives[at].take.returned);
                self.may_stay.add(at..at + 1, -1 - until as i64);
            }
            let bottom = self.may_stay.first_at_most(first, -1 - ends_at as i64);
            let Some(bottom) = bottom.filter(|bottom| *bottom < part_end) else {
                return false;
            };
            let until = self.moments.at(self.lives[bottom].take.returned);
            self.may_stay.add(bottom..bottom + 1, 1 + until as i64);
            self.gone.add(bottom..bottom + 1, 1);
            self.count(bottom, -1);
            spans.push((first, part_end));
        }
        true
    }
}
