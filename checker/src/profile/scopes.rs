//! Scopes: nodes and a time, whose operations are looked at together.

use crate::history::{NodeId, Operation};

/// Nodes and a time.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// `None` for all of them, and operations that name none.
    pub nodes: Option<Vec<NodeId>>,
    /// An operation belongs to it that was due then or later,
    pub from_ns: u64,
    /// and before that.
    pub until_ns: u64,
}

impl Scope {
    /// From `from_ns` on, for operations whose deadline ends by `end_ns`.
    pub fn with_deadline(
        nodes: Option<Vec<NodeId>>,
        from_ns: u64,
        end_ns: u64,
        deadline_ns: u64,
    ) -> Scope {
        let until_ns = end_ns.saturating_add(1).saturating_sub(deadline_ns).max(from_ns);
        Scope { nodes, from_ns, until_ns }
    }

    /// Whether it has the node of an operation.
    pub fn has(&self, node: Option<NodeId>) -> bool {
        match (&self.nodes, node) {
            (None, _) => true,
            (Some(nodes), Some(node)) => nodes.contains(&node),
            (Some(_), None) => false,
        }
    }

    /// How long it lasts, in seconds.
    pub fn seconds(&self) -> f64 {
        self.until_ns.saturating_sub(self.from_ns) as f64 / 1e9
    }
}

/// Many scopes, in which the few that an operation belongs to are found fast.
pub(crate) struct Scopes {
    all: Vec<Scope>,
    /// Where some scope begins or ends, in order.
    bounds: Vec<u64>,
    /// The scopes between one bound and the next, by position.
    between: Vec<Vec<u32>>,
}

impl Scopes {
    /// Keeps their order.
    pub fn new(all: Vec<Scope>) -> Scopes {
        let mut bounds: Vec<u64> = all.iter().flat_map(|one| [one.from_ns, one.until_ns]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let mut between = vec![Vec::new(); bounds.len()];
        for (scope, at) in all.iter().zip(0_u32..) {
            let first = bounds.partition_point(|bound| *bound < scope.from_ns);
            let end = bounds.partition_point(|bound| *bound < scope.until_ns);
            between[first..end].iter_mut().for_each(|scopes| scopes.push(at));
        }
        Scopes { all, bounds, between }
    }

    /// The scopes.
    pub fn all(&self) -> &[Scope] {
        &self.all
    }

    /// The positions of those that something belongs to which was due then and at that node.
    pub fn of(&self, due_ns: u64, node: Option<NodeId>) -> impl Iterator<Item = usize> + '_ {
        let after = self.bounds.partition_point(|bound| *bound <= due_ns);
        let scopes: &[u32] = after.checked_sub(1).map_or(&[], |at| &self.between[at]);
        scopes.iter().map(|at| *at as usize).filter(move |at| self.all[*at].has(node))
    }

    /// The positions of those that an operation belongs to.
    pub fn of_operation(&self, operation: &Operation) -> impl Iterator<Item = usize> + '_ {
        self.of(operation.due_ns, operation.node())
    }
}
