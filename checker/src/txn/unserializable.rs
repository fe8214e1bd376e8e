//! Transactions that no serial order explains, or no snapshots, as few as can be found.
//!
//! What explains all explains each part: if some are left out, with what others read of them, the rest of
//! the order still holds. So a part that no order explains is a proof, and the smaller the better (delta
//! debugging, Zeller and Hildebrandt 2002).

use super::graph::{Graph, Kinds};
use super::register_graph::{Judge, base};
use super::serial::{Order, search};
use super::snapshot::Halves;
use crate::reduce::reduce;

/// So often somebody is asked whether it can come next at most, for one part and for all that are tried.
const ASKED_MOST: u64 = 100_000;
const ASKED_BY_ALL_MOST: u64 = 2_000_000;

/// Some of those that no order explains which keeps these, in the order of their invocation: all, if the
/// budget does not even last to see that of them, by what is known without inference.
pub(super) fn part(judge: &Judge<'_, '_>, with: Kinds, of_snapshots: bool) -> Vec<u32> {
    let happened = &judge.registers.happened;
    let all = (0..happened.len() as u32).filter(|one| happened[*one as usize]).collect();
    let mut left = ASKED_BY_ALL_MOST;
    reduce(all, |part| {
        let registers = judge.registers.only(part);
        let (edges, nodes) = base(judge.material, &registers, with);
        let graph = Graph::new(judge.material.len(), nodes, edges);
        let most = left.min(ASKED_MOST);
        let (found, asked) = match of_snapshots {
            true => {
                let moments = Halves { graph: &graph, with }.graph();
                search(&moments, Kinds::of(&[]), &registers.in_moments(), most)
            }
            false => search(&graph, with, &registers, most),
        };
        left = left.checked_sub(asked.max(happened.len() as u64))?;
        Some(found == Order::Impossible)
    })
}
