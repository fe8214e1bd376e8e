//! One operation that has to succeed.

use splitbrain_checker::history::{Event, Kind};

use super::{Context, Generator, Invocation, Next};

/// How long to wait after a failure.
const PAUSE_NS: u64 = 200_000_000;

/// An operation that is tried at one node after another until it has succeeded.
pub struct UntilOk {
    invocation: Invocation,
    enough: fn(&Event) -> bool,
    tries_left: u32,
    open: bool,
    not_before: u64,
}

impl UntilOk {
    /// Tries `invocation` so many times at most.
    pub fn new(invocation: Invocation, tries: u32) -> UntilOk {
        UntilOk::answering(|_| true, invocation, tries)
    }

    /// The same until it has been answered so: an answer that is not enough is no failure.
    pub fn answering(enough: fn(&Event) -> bool, invocation: Invocation, tries: u32) -> UntilOk {
        UntilOk { invocation, enough, tries_left: tries, open: false, not_before: 0 }
    }
}

impl Generator for UntilOk {
    fn next(&mut self, ctx: &mut Context) -> Next {
        if self.open {
            return Next::Pending(None);
        }
        if self.tries_left == 0 {
            return Next::Done;
        }
        if ctx.now < self.not_before {
            return Next::Pending(Some(self.not_before));
        }
        self.tries_left -= 1;
        self.open = true;
        let node = Some(self.tries_left as usize % ctx.nodes);
        Next::Invoke(Invocation { node, ..self.invocation.clone() })
    }

    fn update(&mut self, ctx: &mut Context, _invocation: &Invocation, completion: &Event) {
        self.open = false;
        if completion.kind != Kind::Ok {
            self.not_before = ctx.now + PAUSE_NS;
        } else if (self.enough)(completion) {
            self.tries_left = 0;
        }
    }
}
