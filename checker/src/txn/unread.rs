//! Snapshot isolation where nobody read which of several appends to a key came first.
//!
//! Serial orders do not mind, as each of them orders the appends too. Of snapshots two that both wrote a
//! key have to be one after the other, and that may be impossible. An order of the commits that keeps
//! all that is known is tried; if that fails nothing is known.

use super::append_edges::Unread;
use super::graph::{Graph, Kinds, REAL_TIME, SESSIONS};
use super::judge::Decided;
use super::snapshot::Halves;
use crate::ladder::Rung;

/// Looks at the levels for which it matters and which were not ruled out.
pub(crate) fn settle(graph: &Graph, unread: &Unread, decided: &mut Decided) {
    let is_several = unread.appends.windows(2).any(|pair| pair[0].0 == pair[1].0);
    // What is serializable has an order of all appends.
    if !is_several || decided.may_hold(Rung::StrictSerializable) {
        return;
    }
    for (level, serial, with) in [
        (Rung::SnapshotIsolation, Rung::Serializable, Kinds::of(&[])),
        (Rung::StrongSessionSnapshotIsolation, Rung::StrongSessionSerializable, SESSIONS),
        (Rung::StrongSnapshotIsolation, Rung::StrictSerializable, REAL_TIME),
    ] {
        if decided.may_hold(level) && !decided.may_hold(serial) {
            let halves = Halves { graph, with };
            if !halves.can_order(&unread.appends) {
                decided.open.push((level, "it hangs on the order of appends that nobody read"));
            }
        }
    }
    let session = Rung::StrongSessionSnapshotIsolation;
    let is_open = decided.open.iter().any(|(level, _)| *level == session);
    let psi = Rung::ParallelSnapshotIsolation;
    if decided.may_hold(psi) && (is_open || !decided.may_hold(session)) {
        decided.open.push((psi, "it hangs on the order of appends that nobody read"));
    }
}
