//! Final reads: every object at every node, again and again, until all agree or time is up.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use splitbrain_checker::history::{ErrorKind, Event, Kind, Symbol};

use super::{Context, Generator, Invocation, Next};

/// Reads each key at each node in rounds. Ends when two successive rounds gave the same answers
/// and within each all nodes agreed, or when the time limit has passed at the end of a round.
///
/// A node that lets a read time out is not asked again in that round: a round must not last as
/// long as there are keys.
pub struct Rounds {
    f: Symbol,
    keys: Vec<Option<String>>,
    pause_ns: u64,
    limit_ns: u64,
    begun: Option<u64>,
    round: Round,
    /// What every node agreed on in the round before, if they did.
    agreed: Option<HashMap<Option<String>, Value>>,
    done: bool,
}

#[derive(Default)]
struct Round {
    begun: u64,
    asked: usize,
    open: usize,
    silent: Vec<usize>,
    answers: HashMap<Option<String>, Value>,
    all_agree: bool,
}

impl Rounds {
    /// Rounds of `f` on `keys`, begun `pause` apart at the least, for `limit` at the most.
    pub fn new(
        f: impl Into<Symbol>,
        keys: Vec<Option<String>>,
        pause: Duration,
        limit: Duration,
    ) -> Rounds {
        Rounds {
            f: f.into(),
            done: keys.is_empty(),
            keys,
            pause_ns: pause.as_nanos() as u64,
            limit_ns: limit.as_nanos() as u64,
            begun: None,
            round: Round { all_agree: true, ..Round::default() },
            agreed: None,
        }
    }

    /// The round is over: decides whether there is another, and when.
    fn turn(&mut self, now: u64) {
        let round = std::mem::take(&mut self.round);
        let same = round.all_agree && self.agreed.as_ref() == Some(&round.answers);
        let late = now >= self.begun.unwrap_or(now) + self.limit_ns;
        self.done = same || late;
        self.agreed = round.all_agree.then_some(round.answers);
        self.round =
            Round { begun: round.begun + self.pause_ns, all_agree: true, ..Round::default() };
    }
}

impl Generator for Rounds {
    fn next(&mut self, ctx: &mut Context) -> Next {
        if self.begun.is_none() {
            self.begun = Some(ctx.now);
            self.round.begun = ctx.now;
        }
        loop {
            if self.done {
                return Next::Done;
            }
            if ctx.now < self.round.begun {
                return Next::Pending(Some(self.round.begun));
            }
            if self.round.asked == 0 {
                self.round.begun = ctx.now;
            }
            if self.round.asked == self.keys.len() * ctx.nodes {
                if self.round.open > 0 {
                    return Next::Pending(None);
                }
                self.turn(ctx.now);
                continue;
            }
            // Nodes vary fastest, so that the clients of all nodes work at once.
            let (key, node) = (self.round.asked / ctx.nodes, self.round.asked % ctx.nodes);
            self.round.asked += 1;
            if self.round.silent.contains(&node) {
                continue;
            }
            self.round.open += 1;
            let (key, node) = (self.keys[key].clone(), Some(node));
            let read = Invocation::keyless(self.f.clone(), Value::Null);
            return Next::Invoke(Invocation { key, node, ..read });
        }
    }

    fn update(&mut self, _ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        if invocation.f != self.f {
            return;
        }
        self.round.open = self.round.open.saturating_sub(1);
        if completion.kind == Kind::Ok {
            let answer = self
                .round
                .answers
                .entry(invocation.key.clone())
                .or_insert_with(|| completion.value.clone());
            self.round.all_agree &= *answer == completion.value;
        } else {
            self.round.all_agree = false;
            let timed_out =
                completion.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Timeout);
            if let (true, Some(node)) = (timed_out, invocation.node) {
                self.round.silent.push(node);
            }
        }
    }
}
