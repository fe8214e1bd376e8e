//! Links that somebody opens behind the nemesis' back are not believed to be cut.

use std::sync::Arc;
use std::time::Duration;

use splitbrain_nemesis::faults::Action;
use splitbrain_nemesis::grudge::Grudge;
use splitbrain_nemesis::node::{DropRule, Links, NodeError, Processes};
use splitbrain_nemesis::{Cluster, Effect, Link, Nemesis};

/// Opens the links to one node right after some were cut.
struct Opening<C>(Arc<C>);

impl<C: Cluster + Links> Cluster for Opening<C> {
    fn nodes(&self) -> &[String] {
        Cluster::nodes(&*self.0)
    }
    fn links(&self) -> Option<&dyn Links> {
        Some(self)
    }
    fn processes(&self) -> Option<&dyn Processes> {
        None
    }
}

impl<C: Cluster + Links> Links for Opening<C> {
    fn block(&self, senders_at: &[(usize, Vec<usize>)]) -> Result<(), NodeError> {
        self.0.block(senders_at)?;
        self.0.block(&[(senders_at[0].0, Vec::new())])
    }
    fn rules(&self, nodes: &[usize]) -> Result<Vec<DropRule>, NodeError> {
        self.0.rules(nodes)
    }
    fn probe(&self, nonce: u64, links: &[Link]) -> Result<(), NodeError> {
        self.0.probe(nonce, links)
    }
    fn arrived(&self, nonce: u64, wait: Duration) -> Result<Vec<Link>, NodeError> {
        self.0.arrived(nonce, wait)
    }
}

/// Cuts a cluster of five nodes with such a helper, and then without.
pub fn opened_links_are_noticed<C: Cluster + Links + 'static>(cluster: Arc<C>) {
    let action = Action::Cut(Grudge::halves(5));
    // What never comes need not be waited for long.
    let deceived = Nemesis::new(Arc::new(Opening(cluster.clone())));
    let mut deceived = deceived.with_verify_limit(Duration::from_secs(1));
    let effect = deceived.install(1, &action);
    assert!(matches!(effect, Effect::Indeterminate(_)), "believed: {effect:?}");
    println!("noticed: {}", effect.reason().expect("a reason"));
    cluster.block(&(0..5).map(|node| (node, Vec::new())).collect::<Vec<_>>()).expect("opened");
    let mut honest = Nemesis::new(cluster);
    let effect = honest.install(1, &action);
    assert!(matches!(effect, Effect::Installed(_)), "not believed: {effect:?}");
}
