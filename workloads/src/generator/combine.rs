//! The combinators: each wraps generators and is one.

use std::time::Duration;

use rand::RngExt;
use splitbrain_checker::history::Event;

use super::{Context, Generator, Invocation, Next};

/// Gives each operation an intended time: open loop at a mean rate, gaps uniform in `[0, 2 dt]`.
///
/// The schedule is absolute: if the system is slow, operations stay due when they were due, which
/// keeps latency figures free of coordinated omission.
pub struct Stagger<G> {
    inner: G,
    mean_gap_ns: u64,
    next_due: Option<u64>,
}

impl<G> Stagger<G> {
    /// Operations of `inner` at `per_second` on average, counted over all nodes.
    pub fn new(per_second: f64, inner: G) -> Stagger<G> {
        assert!(per_second > 0.0, "a rate must be positive");
        Stagger { inner, mean_gap_ns: (1e9 / per_second) as u64, next_due: None }
    }
}

impl<G: Generator> Generator for Stagger<G> {
    fn next(&mut self, ctx: &mut Context) -> Next {
        match self.inner.next(ctx) {
            Next::Invoke(mut invocation) => {
                let due = self.next_due.unwrap_or(ctx.now);
                invocation.due = Some(due);
                self.next_due = Some(due + ctx.rng.random_range(0..=2 * self.mean_gap_ns));
                Next::Invoke(invocation)
            }
            other => other,
        }
    }
    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        self.inner.update(ctx, invocation, completion);
    }
}

/// Ends a generator some time after it was first asked. Operations due later are not started.
pub struct TimeLimit<G> {
    inner: G,
    length_ns: u64,
    end: Option<u64>,
}

impl<G> TimeLimit<G> {
    /// `inner` for `length` from the first question.
    pub fn new(length: Duration, inner: G) -> TimeLimit<G> {
        TimeLimit { inner, length_ns: length.as_nanos() as u64, end: None }
    }
}

impl<G: Generator> Generator for TimeLimit<G> {
    fn next(&mut self, ctx: &mut Context) -> Next {
        let end = *self.end.get_or_insert(ctx.now + self.length_ns);
        if ctx.now >= end {
            return Next::Done;
        }
        match self.inner.next(ctx) {
            Next::Invoke(invocation) if invocation.due.is_some_and(|due| due >= end) => Next::Done,
            Next::Pending(until) => Next::Pending(Some(until.map_or(end, |until| until.min(end)))),
            other => other,
        }
    }
    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        self.inner.update(ctx, invocation, completion);
    }
}

/// At most so many operations.
pub struct Limit<G> {
    inner: G,
    left: u64,
}

impl<G> Limit<G> {
    /// The first `most` operations of `inner`.
    pub fn new(most: u64, inner: G) -> Limit<G> {
        Limit { inner, left: most }
    }
}

impl<G: Generator> Generator for Limit<G> {
    fn next(&mut self, ctx: &mut Context) -> Next {
        if self.left == 0 {
            return Next::Done;
        }
        let next = self.inner.next(ctx);
        self.left -= u64::from(matches!(next, Next::Invoke(_)));
        next
    }
    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        self.inner.update(ctx, invocation, completion);
    }
}

/// A weighted random choice between generators for each operation; ends when all have ended.
pub struct Mix {
    choices: Vec<(u32, Box<dyn Generator>)>,
}

impl Mix {
    /// Each generator with its weight.
    pub fn new(choices: Vec<(u32, Box<dyn Generator>)>) -> Mix {
        Mix { choices: choices.into_iter().filter(|(weight, _)| *weight > 0).collect() }
    }
}

impl Generator for Mix {
    fn next(&mut self, ctx: &mut Context) -> Next {
        while !self.choices.is_empty() {
            let total: u32 = self.choices.iter().map(|(weight, _)| weight).sum();
            let mut ticket = ctx.rng.random_range(0..total);
            let chosen = self
                .choices
                .iter()
                .position(|(weight, _)| match ticket.checked_sub(*weight) {
                    Some(rest) => {
                        ticket = rest;
                        false
                    }
                    None => true,
                })
                .expect("a ticket below the total belongs to one of the choices");
            match self.choices[chosen].1.next(ctx) {
                Next::Done => drop(self.choices.remove(chosen)),
                next => return next,
            }
        }
        Next::Done
    }
    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        for (_, choice) in &mut self.choices {
            choice.update(ctx, invocation, completion);
        }
    }
}

/// One generator after the other.
pub struct Sequence {
    rest: std::collections::VecDeque<Box<dyn Generator>>,
}

impl Sequence {
    /// The generators in their order.
    pub fn new(generators: Vec<Box<dyn Generator>>) -> Sequence {
        Sequence { rest: generators.into() }
    }
}

impl Generator for Sequence {
    fn next(&mut self, ctx: &mut Context) -> Next {
        while let Some(first) = self.rest.front_mut() {
            match first.next(ctx) {
                Next::Done => drop(self.rest.pop_front()),
                next => return next,
            }
        }
        Next::Done
    }
    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        if let Some(first) = self.rest.front_mut() {
            first.update(ctx, invocation, completion);
        }
    }
}

/// A fixed list of operations, each once, in order.
pub struct Each(std::vec::IntoIter<Invocation>);

/// Each of these operations once, in order.
pub fn each(invocations: Vec<Invocation>) -> Each {
    Each(invocations.into_iter())
}

impl Generator for Each {
    fn next(&mut self, _ctx: &mut Context) -> Next {
        self.0.next().map_or(Next::Done, Next::Invoke)
    }
}
