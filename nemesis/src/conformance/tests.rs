//! The suite itself: the twin passes it, and one that breaks its promises does not.

use super::*;
use crate::memory::{MemoryCluster, Sabotage};
use crate::node::Processes;

impl Witness for MemoryCluster {
    fn heard(&self) -> BTreeSet<Link> {
        Link::all(self.nodes().len()).filter(|link| self.passes(*link)).collect()
    }

    fn life(&self, node: usize) -> Option<u64> {
        let process = self.states(node).unwrap().into_iter().next()?;
        let hears = self.passes(Link { from: self.nodes().len(), to: node });
        (hears && self.runs(node)).then_some(process.pid.unsigned_abs().into())
    }

    fn stream(&self, link: Link, packets: u32, bytes: usize, gap: Duration) -> Vec<Arrival> {
        self.transit(link, packets, bytes, gap)
    }

    fn connect(&self, link: Link) -> Connection {
        if self.resets(link) { Connection::Reset } else { Connection::Open }
    }

    fn share(&self, node: usize) -> f64 {
        MemoryCluster::share(self, node)
    }

    fn take(&self, node: usize, bytes: u64) {
        MemoryCluster::take(self, node, bytes);
    }

    fn append(&self, node: usize, file: &str, text: &str, sync: bool) -> Result<Duration, i32> {
        self.append(node, file, text, sync)
    }

    fn read(&self, node: usize, file: &str) -> Result<Option<String>, i32> {
        Ok(self.read(node, file))
    }

    fn clock(&self, node: usize) -> Option<Reading> {
        Some(self.tell(node))
    }
}

fn conforms(sabotage: Option<Sabotage>, case: Case) -> bool {
    let cluster = Arc::new(MemoryCluster::new(5));
    cluster.sabotage(sabotage);
    let erased: Arc<dyn Cluster> = cluster.clone();
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&erased, &*cluster))).is_ok()
}

#[test]
fn the_in_memory_twin_conforms() {
    for (name, case) in cases() {
        assert!(conforms(None, *case), "{name}");
    }
}

#[test]
fn one_that_breaks_its_promises_does_not() {
    for (sabotage, broken) in [
        (Sabotage::DeadLink(Link { from: 1, to: 2 }), "nothing is broken before"),
        (Sabotage::RulesDoNothing, "every fault of links cuts exactly its links"),
        (Sabotage::RulesVanish, "cuts add up and end one by one"),
        (Sabotage::WillNotStart, "killed nodes are dead and start again"),
        (Sabotage::SignalsLost, "paused nodes stand still and go on"),
        (Sabotage::LimitsDoNothing, "a node short of time gets only that much"),
        (Sabotage::LimitsVanish, "a node short of time gets only that much"),
        (Sabotage::LimitsDoNothing, "a node short of memory dies of more and starts again"),
        (Sabotage::LimitsStay, "a node short of memory dies of more and starts again"),
        (Sabotage::MembersStay, "a node that left is no member, and joins again"),
        (Sabotage::WillNotStart, "healing ends everything and may be repeated"),
        (Sabotage::ShapesDoNothing, "slow links are as slow as asked, each direction by itself"),
        (Sabotage::ShaperDead, "lossy links lose as many as asked, also in bursts"),
        (Sabotage::ShapesEverything, "delays spread as asked and let packets overtake"),
        (Sabotage::ShapesDoNothing, "a TCP client sees a reset"),
        (Sabotage::NeverResets, "only as many connections are reset as asked"),
        (Sabotage::DisksDoNothing, "a full disk takes nothing more"),
        (Sabotage::DisksDoNothing, "a read-only disk cannot be changed"),
        (Sabotage::DisksDoNothing, "a slow disk is as slow as asked"),
        (Sabotage::DisksDoNothing, "a bad disk gives as many errors as asked"),
        (Sabotage::PowerStays, "what was fsynced survives a loss of power and the rest does not"),
        (Sabotage::PowerStays, "a torn write leaves its beginning"),
        (Sabotage::DamageDoesNothing, "damaged files differ and are mended"),
        (Sabotage::WillNotStart, "who dies of its disk starts again once that is well"),
        (Sabotage::ClocksDoNothing, "a skewed clock is wrong by as much as asked"),
        (Sabotage::ClocksDoNothing, "a drifting clock is ever more wrong"),
        (Sabotage::ClocksDoNothing, "a jumping clock jumps again and again"),
        (Sabotage::ClocksDoNothing, "a strobing clock goes to and fro"),
        (Sabotage::ClockIsOwn, "deviations add up and end one by one"),
    ] {
        let (name, case) = cases().find(|(name, _)| *name == broken).unwrap();
        assert!(!conforms(Some(sabotage), *case), "{name}: passed in spite of {sabotage:?}");
    }
}
