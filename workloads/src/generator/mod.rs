//! Generators: values that say which operation comes next.
//!
//! A generator answers *this invocation*, *nothing yet* or *finished*, and is told of each
//! completion. It never sleeps, locks or spawns; time and randomness come from the context. So
//! delays, mixes, phases and limits are small combinators, and a test runs them in virtual time
//! against an exact schedule (see [`simulate`]).

mod closed;
mod combine;
mod probes;
mod rounds;
pub mod simulate;
mod until_ok;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use splitbrain_checker::history::{Event, Symbol};

pub use closed::Closed;
pub use combine::{Each, Limit, Mix, Sequence, Stagger, TimeLimit, each};
pub use probes::{Alongside, Probes};
pub use rounds::Rounds;
pub use until_ok::UntilOk;

/// An operation that should be started.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// What to do.
    pub f: Symbol,
    /// On which object.
    pub key: Option<String>,
    /// The argument.
    pub value: Value,
    /// The node that should be asked; any free client's if absent.
    pub node: Option<usize>,
    /// Intended start in nanoseconds since the run's time zero. Absent: as soon as a client is
    /// free (a closed loop).
    pub due: Option<u64>,
    /// Whether it is one of the reads of one key at all nodes at once.
    pub probe: bool,
}

impl Invocation {
    /// An invocation on one object, at any node, as soon as a client is free.
    pub fn new(
        f: impl Into<Symbol>,
        key: impl Into<String>,
        value: impl Into<Value>,
    ) -> Invocation {
        Invocation {
            f: f.into(),
            key: Some(key.into()),
            value: value.into(),
            node: None,
            due: None,
            probe: false,
        }
    }

    /// The same where there is only one object, or the argument says which there are.
    pub fn keyless(f: impl Into<Symbol>, value: impl Into<Value>) -> Invocation {
        Invocation { key: None, ..Invocation::new(f, "", value) }
    }
}

/// A generator's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Start this operation when it is due and a client is free.
    Invoke(Invocation),
    /// Nothing before something completes, or before this time in nanoseconds.
    Pending(Option<u64>),
    /// Nothing any more.
    Done,
}

/// What a generator may know when it is asked.
pub struct Context {
    /// Nanoseconds since the run's time zero.
    pub now: u64,
    /// Number of nodes.
    pub nodes: usize,
    /// The seeded source of all randomness.
    pub rng: ChaCha8Rng,
}

impl Context {
    /// A context at time zero. Each `stream` of a seed is an independent source, so that what one
    /// phase draws does not depend on how much another has drawn.
    pub fn new(seed: u64, stream: u64, nodes: usize) -> Context {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Context { now: 0, nodes, rng }
    }
}

/// Says which operation comes next.
pub trait Generator: Send {
    /// The next operation. After [`Next::Done`] it stays done.
    fn next(&mut self, ctx: &mut Context) -> Next;

    /// Told of the completion of an operation that this generator (or a sibling) asked for.
    fn update(&mut self, _ctx: &mut Context, _invocation: &Invocation, _completion: &Event) {}
}

impl<G: Generator + ?Sized> Generator for Box<G> {
    fn next(&mut self, ctx: &mut Context) -> Next {
        (**self).next(ctx)
    }
    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        (**self).update(ctx, invocation, completion);
    }
}

impl<G: Generator + ?Sized> Generator for &mut G {
    fn next(&mut self, ctx: &mut Context) -> Next {
        (**self).next(ctx)
    }
    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        (**self).update(ctx, invocation, completion);
    }
}

/// A generator that never ends, made of a function of the context.
pub struct Repeat<F>(pub F);

impl<F: FnMut(&mut Context) -> Invocation + Send> Generator for Repeat<F> {
    fn next(&mut self, ctx: &mut Context) -> Next {
        Next::Invoke((self.0)(ctx))
    }
}
