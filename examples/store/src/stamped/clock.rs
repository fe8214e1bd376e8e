//! A hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", OPODIS 2014).
//!
//! The physical part counts nanoseconds, so the logical part can be folded into it: a tick is the
//! wall clock or one more than the last stamp, whichever is later. Two writes that do not overlap are
//! thus ordered rightly if the nodes' wall clocks agree (as on one machine), or if the later writer
//! has heard of the earlier write. Otherwise a node whose clock is behind loses: that is what last
//! writer wins means.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::mistakes::Mistake;

/// When a value was written, and where; the greater stamp wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// Nanoseconds since 1970, or later if the clock had to be pushed.
    pub time_ns: u64,
    /// Who wrote. It decides between equal times.
    pub node: NodeId,
}

/// One node's clock.
pub struct Clock {
    node: NodeId,
    last_ns: u64,
    mistake: Option<Mistake>,
}

impl Clock {
    /// The clock of `node`, which has issued and heard of nothing yet.
    pub fn new(node: NodeId, mistake: Option<Mistake>) -> Self {
        Self { node, last_ns: 0, mistake }
    }

    /// A stamp later than every stamp issued or heard of.
    pub fn tick(&mut self) -> Stamp {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        self.tick_at(u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX))
    }

    fn tick_at(&mut self, wall_ns: u64) -> Stamp {
        self.last_ns = wall_ns.max(self.last_ns.saturating_add(1));
        Stamp { time_ns: self.last_ns, node: self.node }
    }

    /// Hears of a stamp from elsewhere, or from this node's earlier life.
    pub fn hear(&mut self, stamp: Stamp) {
        if self.mistake == Some(Mistake::ClockOverwritesNewer) {
            return;
        }
        self.last_ns = self.last_ns.max(stamp.time_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_even_if_the_wall_clock_stands_or_goes_back() {
        let mut clock = Clock::new("n1".parse().unwrap(), None);
        let stamps = [100, 100, 50, 200].map(|wall_ns| clock.tick_at(wall_ns).time_ns);
        assert_eq!(stamps, [100, 101, 102, 200]);
    }

    #[test]
    fn a_write_is_later_than_what_its_node_has_heard_of() {
        let (mut ahead, mut behind) =
            (Clock::new("n1".parse().unwrap(), None), Clock::new("n2".parse().unwrap(), None));
        let first = ahead.tick_at(1_000);
        assert!(behind.tick_at(10) < first, "unheard of, the slow clock loses");
        behind.hear(first);
        assert!(behind.tick_at(20) > first);
    }
}
