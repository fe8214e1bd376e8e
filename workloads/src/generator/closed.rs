//! A closed loop: so many clients, each of which asks again as soon as it has been answered.

use splitbrain_checker::history::Event;

use super::{Context, Generator, Invocation, Next};

/// Keeps so many operations of `inner` open, for as many clients, which are spread over the nodes
/// evenly and stay where they are. Nothing is due at a time: a slow system is asked less, so this
/// measures what it can carry, and not how long users wait (that is what
/// [`Stagger`](super::Stagger) is for).
pub struct Closed<G> {
    inner: G,
    clients: usize,
    /// Open operations of each node; empty until first asked.
    open: Vec<usize>,
}

impl<G> Closed<G> {
    /// `inner` by so many clients.
    pub fn new(clients: usize, inner: G) -> Closed<G> {
        assert!(clients > 0, "somebody must ask");
        Closed { inner, clients, open: Vec::new() }
    }
}

impl<G: Generator> Generator for Closed<G> {
    fn next(&mut self, ctx: &mut Context) -> Next {
        self.open.resize(ctx.nodes, 0);
        let clients = |node| (self.clients + ctx.nodes - 1 - node) / ctx.nodes;
        let Some(node) = (0..ctx.nodes).find(|node| self.open[*node] < clients(*node)) else {
            return Next::Pending(None);
        };
        match self.inner.next(ctx) {
            Next::Invoke(mut invocation) => {
                self.open[node] += 1;
                (invocation.node, invocation.due) = (Some(node), None);
                Next::Invoke(invocation)
            }
            other => other,
        }
    }

    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        if let Some(open) = invocation.node.and_then(|node| self.open.get_mut(node)) {
            *open = open.saturating_sub(1);
        }
        self.inner.update(ctx, invocation, completion);
    }
}
