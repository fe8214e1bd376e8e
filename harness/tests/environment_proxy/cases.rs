//! One function for each thing that is to be true of the proxy environment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use splitbrain::environments::Hosts;
use splitbrain_nemesis::conformance::{cases, shaping_cases};
use splitbrain_nemesis::faults::{Action, Break};
use splitbrain_nemesis::grudge::Grudge;
use splitbrain_nemesis::node::Processes;
use splitbrain_nemesis::{Cluster, Effect, Nemesis};

use crate::looks::eventually;
use crate::sabotage;
use crate::witness::{Talkers, provisioned, script};

/// Every case of the conformance suite, on one cluster.
pub fn conforms() {
    conform(false, |_| true);
}

/// The same where the port does not tell who comes through it. There connections are made more
/// slowly than streams of messages would have to be to show how bad a link is.
pub fn conforms_with_one_address() {
    conform(true, |name| !shaping_cases().any(|(other, _)| *other == name));
}

fn conform(one_address: bool, such: fn(&str) -> bool) {
    let talkers = Talkers::start(5, one_address);
    for (name, case) in cases().filter(|(name, _)| such(name)) {
        println!("{name}");
        case(&talkers.erased(), &talkers);
        assert!(talkers.cluster.exited().is_empty(), "after {name:?}");
    }
    assert_eq!(talkers.cluster.tear_down().0, [""; 0]);
}

/// As many nodes as anybody asks for come up, and can be cut and healed.
pub fn fifty_nodes() {
    let begun = Instant::now();
    let cluster = Arc::new(provisioned(50, false));
    println!("ports of 50 nodes open in {:?}", begun.elapsed());
    let erased: Arc<dyn Cluster> = cluster.clone();
    let mut nemesis = Nemesis::new(erased).with_verify_limit(Duration::from_secs(10));
    let begun = Instant::now();
    let effect = nemesis.install(1, &Action::Cut(Grudge::halves(50)));
    println!("cut in halves within {:?}", begun.elapsed());
    assert_eq!(effect.proof().map(|proof| (proof.blocked, proof.passed)), Some((1250, 1250)));
    assert!(matches!(nemesis.undo(1), Effect::Healed(_)));
}

/// Links opened behind the nemesis's back are not believed to be cut.
pub fn opened_links_are_noticed() {
    sabotage::opened_links_are_noticed(Arc::new(provisioned(5, false)));
}

/// What a node's program has started is stopped and killed with it.
pub fn children_are_hit_too() {
    let cluster = Arc::new(provisioned(2, false));
    let family = "sleep 1000 & setsid sleep 1000 & env -i sleep 1000 & wait";
    cluster.install(vec![script(&cluster, 0, family), script(&cluster, 1, "sleep 1000 & wait")]);
    (0..2).for_each(|node| cluster.launch(node).expect("started"));
    let states = |node| cluster.states(node).expect("readable");
    eventually("six processes", || states(0).len() == 4 && states(1).len() == 2);
    let mut nemesis = Nemesis::new(cluster.clone());
    let effect = nemesis.install(1, &Action::nodes(Break::Pause, vec![0]));
    assert_eq!(effect.proof().map(|proof| proof.processes), Some(4), "{effect:?}");
    assert!(states(0).iter().all(|process| process.stopped));
    assert!(states(1).iter().all(|process| !process.stopped), "another node is not hit");
    assert!(matches!(nemesis.undo(1), Effect::Healed(_)));
    assert!(states(0).iter().all(|process| !process.stopped));
    let effect = nemesis.install(2, &Action::nodes(Break::Kill, vec![0]));
    assert_eq!(effect.proof().map(|proof| proof.processes), Some(4), "{effect:?}");
    assert!(states(0).is_empty() && states(1).len() == 2);
    assert!(cluster.exited().is_empty(), "it did not end by itself");
}

/// A program that ends by itself is told with how and its last words; a killed one is not.
pub fn ends_are_told() {
    let cluster = provisioned(2, false);
    cluster.install(vec![
        script(&cluster, 0, "echo out of luck >&2; exit 3"),
        script(&cluster, 1, "exec sleep 1000"),
    ]);
    (0..2).for_each(|node| cluster.launch(node).expect("started"));
    eventually("one has ended", || cluster.exited().len() == 1);
    assert_eq!(cluster.exited(), [(0, "exited with code 3: out of luck".to_owned())]);
    assert!(cluster.launch(1).expect_err("it runs").to_string().contains("runs already"));
    cluster.launch(0).expect("one that has ended can be started again");
}
