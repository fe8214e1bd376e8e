//! When nodes were down.

use crate::faults::Fault;
use crate::history::{History, NodeId};

/// When each node was, or may have been, killed or paused.
pub(crate) struct Down {
    /// By node: from when to when in nanoseconds, in order and apart.
    spans: Vec<Vec<(u64, u64)>>,
}

impl Down {
    /// What the faults did to the nodes.
    pub fn of(history: &History, faults: &[Fault]) -> Down {
        let mut spans = vec![Vec::new(); history.nodes().len()];
        for fault in faults.iter().filter(|fault| fault.takes_down()) {
            let Some((from, until)) = fault.felt(history) else { continue };
            for node in &fault.targets {
                spans[node.0 as usize].push((from.time_ns, until.time_ns));
            }
        }
        for spans in &mut spans {
            spans.sort_unstable();
            spans.dedup_by(|next, last| {
                let overlap = next.0 <= last.1;
                if overlap {
                    last.1 = last.1.max(next.1);
                }
                overlap
            });
        }
        Down { spans }
    }

    /// Whether a node was down at any moment of a time.
    pub fn overlaps(&self, node: Option<NodeId>, from_ns: u64, until_ns: u64) -> bool {
        let Some(node) = node else { return false };
        let spans = &self.spans[node.0 as usize];
        let begun = spans.partition_point(|(from, _)| *from <= until_ns);
        begun.checked_sub(1).is_some_and(|last| from_ns < spans[last].1)
    }
}
