//! Links of bad quality between nodes behind proxies: slow and narrow ones, and ones that reset
//! connections. Streams go over them in segments, each with a delay of its own, in their order.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use splitbrain_nemesis::Link;
use splitbrain_nemesis::node::NodeError;
use splitbrain_nemesis::shaping::{Arrival, Probe, Quality, ShapedLink, Shaping};

use super::ProxyCluster;
use super::carry::Traveller;

impl Shaping for ProxyCluster {
    fn shape(&self, wanted: &[(Link, Quality)], seed: u64) -> Result<(), NodeError> {
        let wanted: BTreeMap<Link, Quality> = wanted.iter().copied().collect();
        for (link, way) in self.wiring.shared.ways.all() {
            let seed = seed ^ (link.from as u64) << 32 ^ link.to as u64;
            way.shape(link, wanted.get(&link).copied(), seed);
        }
        Ok(())
    }

    fn shaped(&self) -> Result<Vec<ShapedLink>, NodeError> {
        Ok(self.wiring.shared.ways.all().filter_map(|(_, way)| way.shaped()).collect())
    }

    fn send(&self, nonce: u64, probes: &[Probe]) -> Result<(), NodeError> {
        self.send_probes(nonce, probes.iter().copied());
        Ok(())
    }

    fn received(&self, nonce: u64, wait: Duration) -> Result<Vec<Arrival>, NodeError> {
        let arrived = self.wiring.shared.arrivals.take(nonce, wait);
        self.probes.let_go(&self.wiring.shared, &arrived);
        Ok(arrived)
    }

    fn knock(&self, knocks: &[(Link, u32)]) -> Result<(), NodeError> {
        let knocks = knocks.iter().flat_map(|(link, times)| {
            (0..*times).map(|number| Probe { link: *link, number, bytes: 0 })
        });
        // No nonce of the nemesis is as high.
        let nonce = u64::MAX - self.knocked.fetch_add(1, Ordering::Relaxed);
        self.knocks.send(
            &self.handle,
            &self.wiring.shared,
            nonce,
            Traveller::Connection,
            knocks.map(|probe| self.at_its_door(probe)),
        );
        Ok(())
    }

    /// None is ever lost, so it does no harm to wait for those that are late.
    fn grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn carries_packets(&self) -> bool {
        false
    }
}

impl ProxyCluster {
    /// Sends each as a datagram.
    pub(super) fn send_probes(&self, nonce: u64, probes: impl Iterator<Item = Probe>) {
        let probes = probes.map(|probe| self.at_its_door(probe));
        self.probes.send(&self.handle, &self.wiring.shared, nonce, Traveller::Datagram, probes);
    }

    /// A probe with the door that the nodes or clients at its link use.
    fn at_its_door(&self, probe: Probe) -> (Probe, u16) {
        (probe, self.wiring.reaches(probe.link.from, probe.link.to)[0])
    }
}
