//! What sessions did to registers: which write each read read from, and in which order each session
//! went on. Rungs other than linearizability ask for nothing more.
//!
//! A *node* is a read or a write; a compare-and-set is a read and right after it a write. The nodes of
//! a session follow each other, so that going back in a session is going back by one. All of it takes
//! a few dozen bytes a node.

/// In place of a node: the value before the first write of a key.
pub(crate) const INITIAL: u32 = u32::MAX;

/// In place of a node: there is none.
pub(crate) const NONE: u32 = u32::MAX - 1;

/// In place of what was read: the node is a write.
pub(crate) const WRITE: u32 = u32::MAX - 2;

/// A read or a write as it is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub session: u32,
    pub key: u32,
    /// The operation, numbered in the order of invocation.
    pub operation: u32,
    pub kind: Kind,
}

/// What an access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whether it is only known to have happened because something read it.
    Write { tentative: bool },
    /// The operation that wrote what was read, or [`INITIAL`].
    Read { from: u32 },
}

/// A read or a write, and what is before it in its session. All of it is asked for at once, so it fills half a
/// cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct Node {
    pub session: u32,
    pub key: u32,
    /// For a read the write that it read from or [`INITIAL`], else [`WRITE`].
    pub source: u32,
    pub operation: u32,
    /// The session's node before this one, or [`NONE`].
    pub previous: u32,
    /// The session's read, write, and write of this key before the node, or [`NONE`].
    pub previous_read: u32,
    pub previous_write: u32,
    pub previous_on_key: u32,
}

/// The accesses of a history in which every value that was read has one source.
pub(crate) struct Sessions {
    /// In the order of invocation.
    pub accesses: Vec<Access>,
    /// The first node of each session, and the number of nodes.
    pub starts: Vec<u32>,
    /// How many keys there are.
    pub keys: usize,
    nodes: Vec<Node>,
    /// The nodes in the order of invocation.
    pub by_time: Vec<u32>,
}

impl Node {
    const UNKNOWN: Node = Node {
        session: NONE,
        key: NONE,
        source: NONE,
        operation: NONE,
        previous: NONE,
        previous_read: NONE,
        previous_write: NONE,
        previous_on_key: NONE,
    };
}

impl std::ops::Index<u32> for Sessions {
    type Output = Node;

    fn index(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }
}

impl Sessions {
    /// Accesses come in the order of their operations, the reading half of a compare-and-set first.
    /// What is read from is among them.
    pub fn new(accesses: Vec<Access>) -> Sessions {
        let count = |of: fn(&Access) -> u32| {
            accesses.iter().map(of).max().map_or(0, |greatest| greatest as usize + 1)
        };
        let (sessions, keys) = (count(|access| access.session), count(|access| access.key));
        let operations = count(|access| access.operation);
        let mut starts = vec![0; sessions + 1];
        for access in &accesses {
            starts[access.session as usize + 1] += 1;
        }
        for session in 0..sessions {
            starts[session + 1] += starts[session];
        }
        let mut next = starts.clone();
        let mut by_time = Vec::with_capacity(accesses.len());
        let mut write_of = vec![NONE; operations];
        for access in &accesses {
            let node = next[access.session as usize];
            next[access.session as usize] += 1;
            by_time.push(node);
            if matches!(access.kind, Kind::Write { .. }) {
                write_of[access.operation as usize] = node;
            }
        }
        let mut nodes = vec![Node::UNKNOWN; accesses.len()];
        for (access, node) in accesses.iter().zip(&by_time) {
            nodes[*node as usize] = Node {
                session: access.session,
                key: access.key,
                source: match access.kind {
                    Kind::Write { .. } => WRITE,
                    Kind::Read { from: INITIAL } => INITIAL,
                    Kind::Read { from } => write_of[from as usize],
                },
                operation: access.operation,
                ..Node::UNKNOWN
            };
        }
        let mut made = Sessions { starts, keys, nodes, by_time, accesses };
        made.link();
        made
    }

    fn link(&mut self) {
        let mut last_on_key = vec![NONE; self.keys];
        for session in 0..self.sessions() {
            let of_session = self.starts[session]..self.starts[session + 1];
            let (mut previous, mut read, mut write) = (NONE, NONE, NONE);
            for number in of_session.clone() {
                let node = &mut self.nodes[number as usize];
                let on_key = &mut last_on_key[node.key as usize];
                (node.previous, node.previous_read) = (previous, read);
                (node.previous_write, node.previous_on_key) = (write, *on_key);
                if node.source == WRITE {
                    (write, *on_key) = (number, number);
                } else {
                    read = number;
                }
                previous = number;
            }
            for node in of_session {
                last_on_key[self[node].key as usize] = NONE;
            }
        }
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn sessions(&self) -> usize {
        self.starts.len() - 1
    }

    /// The nodes of a session, in order.
    pub fn nodes_of(&self, session: u32) -> std::ops::Range<u32> {
        self.starts[session as usize]..self.starts[session as usize + 1]
    }

    pub fn is_write(&self, node: u32) -> bool {
        self[node].source == WRITE
    }

    /// Whether there is such a node, and it is the writing half of a compare-and-set.
    pub fn is_second_half(&self, node: u32) -> bool {
        let operation = |node: u32| self.nodes.get(node as usize).map(|node| node.operation);
        node > 0 && operation(node).is_some_and(|found| operation(node - 1) == Some(found))
    }

    /// What is left if only some operations, ascending, were there. They lose those that cannot have
    /// happened then: what read from one that is gone, and what was only known to have happened
    /// because it was read.
    pub fn only(&self, operations: &[u32]) -> Kept {
        let mut operations = operations.to_vec();
        loop {
            let position = |operation: u32| operations.binary_search(&operation).ok();
            let accesses = self.accesses_of(&operations);
            let mut read = vec![false; operations.len()];
            let mut stays = vec![true; operations.len()];
            for (access, at) in &accesses {
                if let Kind::Read { from } = access.kind
                    && from != INITIAL
                {
                    match position(from) {
                        Some(source) => read[source] |= source != *at,
                        None => stays[*at] = false,
                    }
                }
            }
            for (access, at) in &accesses {
                stays[*at] &= access.kind != Kind::Write { tentative: true } || read[*at];
            }
            if stays.iter().all(|stays| *stays) {
                let renumbered = |(access, at): &(Access, usize)| {
                    let kind = match access.kind {
                        Kind::Read { from } if from != INITIAL => {
                            Kind::Read { from: position(from).map_or(NONE, |at| at as u32) }
                        }
                        kind => kind,
                    };
                    Access { operation: *at as u32, kind, ..*access }
                };
                let accesses = dense(accesses.iter().map(renumbered).collect());
                return Kept { sessions: Sessions::new(accesses), operations };
            }
            let mut stays = stays.into_iter();
            operations.retain(|_| stays.next() == Some(true));
        }
    }

    /// Each with the position of its operation.
    fn accesses_of(&self, operations: &[u32]) -> Vec<(Access, usize)> {
        let mut found = Vec::with_capacity(2 * operations.len());
        for (at, operation) in operations.iter().enumerate() {
            let first = self.accesses.partition_point(|access| access.operation < *operation);
            let of_it = self.accesses[first..].iter();
            let of_it = of_it.take_while(|access| access.operation == *operation);
            found.extend(of_it.map(|access| (*access, at)));
        }
        found
    }
}

/// A part of a history.
pub(crate) struct Kept {
    pub sessions: Sessions,
    /// What its operations are in the whole.
    pub operations: Vec<u32>,
}

/// Numbers the sessions and keys that are left from 0, in the order in which they were.
pub(super) fn dense(mut accesses: Vec<Access>) -> Vec<Access> {
    fn ascending(mut numbers: Vec<u32>) -> Vec<u32> {
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
    let sessions = ascending(accesses.iter().map(|access| access.session).collect());
    let keys = ascending(accesses.iter().map(|access| access.key).collect());
    for access in &mut accesses {
        access.session = sessions.partition_point(|one| *one < access.session) as u32;
        access.key = keys.partition_point(|one| *one < access.key) as u32;
    }
    accesses
}
