//! Histories in which the answers fix the order of the operations but for some that are alike.

/// An operation's level, invocation and deadline.
pub(super) type Levelled = (usize, u64, u64);

/// Whether every operation can come after all of lower levels; those of one level come in any
/// order. In O(n log n).
pub(super) fn can_follow(mut levels: Vec<Levelled>) -> bool {
    levels.sort_unstable();
    let mut below = 0;
    levels.chunk_by(|one, other| one.0 == other.0).all(|level| {
        let in_time = level.iter().all(|(_, _, deadline)| *deadline >= below);
        below = level.iter().map(|(_, invoked, _)| *invoked).fold(below, u64::max);
        in_time
    })
}
