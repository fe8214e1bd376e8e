//! The levels of isolation, and what implies what.
//!
//! Adya's are on the dependencies alone (*Weak consistency*, 1999): read uncommitted (PL-1), read committed
//! (PL-2), repeatable read (PL-2.99), update serializable (PL-3U), serializable (PL-3); so is snapshot
//! isolation (Cerone, Bernardi and Gotsman, CONCUR 2015, without sessions). *Strong session* forms of them keep
//! the sessions' orders too, *strong* and *strict* ones the order of what did not overlap. Parallel
//! snapshot isolation is that of Cerone, Bernardi and Gotsman, and causal, read atomic and monotonic atomic
//! view are those of Biswas and Enea (*On the complexity of checking transactional consistency*, OOPSLA 2019,
//! where the last one is called read committed); these keep the sessions' orders by their definition.

use crate::ladder::Rung;

/// All of them, the strongest first.
pub(crate) const LEVELS: [Rung; 14] = [
    Rung::StrictSerializable,
    Rung::StrongSessionSerializable,
    Rung::Serializable,
    Rung::StrongSnapshotIsolation,
    Rung::StrongSessionSnapshotIsolation,
    Rung::SnapshotIsolation,
    Rung::ParallelSnapshotIsolation,
    Rung::RepeatableRead,
    Rung::UpdateSerializable,
    Rung::Causal,
    Rung::ReadAtomic,
    Rung::MonotonicAtomicView,
    Rung::ReadCommitted,
    Rung::ReadUncommitted,
];

/// All but these.
pub(crate) fn but(these: &[Rung]) -> Vec<Rung> {
    LEVELS.into_iter().filter(|level| !these.contains(level)).collect()
}

/// What a level implies by itself.
pub(crate) fn implied(level: Rung) -> &'static [Rung] {
    match level {
        Rung::StrictSerializable => {
            &[Rung::StrongSessionSerializable, Rung::StrongSnapshotIsolation]
        }
        Rung::StrongSessionSerializable => {
            &[Rung::Serializable, Rung::StrongSessionSnapshotIsolation]
        }
        Rung::Serializable => {
            &[Rung::SnapshotIsolation, Rung::RepeatableRead, Rung::UpdateSerializable]
        }
        Rung::StrongSnapshotIsolation => &[Rung::StrongSessionSnapshotIsolation],
        Rung::StrongSessionSnapshotIsolation => {
            &[Rung::SnapshotIsolation, Rung::ParallelSnapshotIsolation]
        }
        Rung::SnapshotIsolation | Rung::RepeatableRead | Rung::UpdateSerializable => {
            &[Rung::ReadCommitted]
        }
        Rung::ParallelSnapshotIsolation => &[Rung::Causal],
        Rung::Causal => &[Rung::ReadAtomic],
        Rung::ReadAtomic => &[Rung::MonotonicAtomicView],
        Rung::MonotonicAtomicView => &[Rung::ReadCommitted],
        Rung::ReadCommitted => &[Rung::ReadUncommitted],
        _ => &[],
    }
}

/// A level and all that implies it, the strongest first.
pub(crate) fn with_stronger(level: Rung) -> Vec<Rung> {
    LEVELS.into_iter().filter(|one| *one == level || implies(*one, level)).collect()
}

/// Whether a level implies another one, however many are between them.
pub(crate) fn implies(level: Rung, other: Rung) -> bool {
    implied(level).iter().any(|one| *one == other || implies(*one, other))
}
