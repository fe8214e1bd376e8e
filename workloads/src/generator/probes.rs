//! Probe rounds: one key read at all nodes at once, beside everything else that clients do.
//!
//! Ordinary reads ask one node at a time, so what they find may differ because the key was written
//! in between. The reads of a round begin together, so that two answers which were both written
//! before it show that two nodes differ.

use std::time::Duration;

use serde_json::Value;
use splitbrain_checker::history::{Event, Symbol};

use super::{Context, Generator, Invocation, Next};

/// Rounds without end: `f` on `key` at every node, all due at the same time.
pub struct Probes {
    f: Symbol,
    key: String,
    period_ns: u64,
    /// When the round is due, and which node of it comes next.
    next: Option<(u64, usize)>,
}

impl Probes {
    /// A round every `period`, the first one when first asked.
    pub fn new(f: impl Into<Symbol>, key: impl Into<String>, period: Duration) -> Probes {
        assert!(!period.is_zero(), "rounds must be apart");
        Probes { f: f.into(), key: key.into(), period_ns: period.as_nanos() as u64, next: None }
    }
}

impl Generator for Probes {
    fn next(&mut self, ctx: &mut Context) -> Next {
        let (due, node) = self.next.unwrap_or((ctx.now, 0));
        self.next = Some(match node + 1 {
            next if next < ctx.nodes => (due, next),
            _ => (due + self.period_ns, 0),
        });
        let mut invocation = Invocation::new(self.f.clone(), self.key.clone(), Value::Null);
        (invocation.node, invocation.due, invocation.probe) = (Some(node), Some(due), true);
        Next::Invoke(invocation)
    }
}

/// Two paced generators, each by its own clock: whichever is due first comes first. It ends with
/// the first of the two.
pub struct Alongside<A, B> {
    main: A,
    beside: B,
    drawn: (Option<Invocation>, Option<Invocation>),
}

impl<A: Generator, B: Generator> Alongside<A, B> {
    /// `main`, and `beside` for as long as `main` lasts.
    pub fn new(main: A, beside: B) -> Alongside<A, B> {
        Alongside { main, beside, drawn: (None, None) }
    }
}

impl<A: Generator, B: Generator> Generator for Alongside<A, B> {
    fn next(&mut self, ctx: &mut Context) -> Next {
        // Both are drawn before one is chosen, so that the choice, and with it what either draws
        // from the source of chance, depends on their times only.
        if self.drawn.0.is_none() {
            match self.main.next(ctx) {
                Next::Invoke(invocation) => self.drawn.0 = Some(invocation),
                other => return other,
            }
        }
        if self.drawn.1.is_none()
            && let Next::Invoke(invocation) = self.beside.next(ctx)
        {
            self.drawn.1 = Some(invocation);
        }
        let due = |drawn: &Option<Invocation>| drawn.as_ref().and_then(|one| one.due);
        let beside_first = match (due(&self.drawn.0), due(&self.drawn.1)) {
            (Some(main), Some(beside)) => beside <= main,
            _ => false,
        };
        let drawn = if beside_first { &mut self.drawn.1 } else { &mut self.drawn.0 };
        drawn.take().map_or(Next::Done, Next::Invoke)
    }

    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        if invocation.probe {
            self.beside.update(ctx, invocation, completion);
        } else {
            self.main.update(ctx, invocation, completion);
        }
    }
}
