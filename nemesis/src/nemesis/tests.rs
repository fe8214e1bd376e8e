//! The nemesis on the in-memory twin: what it proves, and what it does not believe.

use super::*;
use crate::faults::Break;
use crate::grudge::Grudge;
use crate::memory::{MemoryCluster, Sabotage};
use crate::node::{Links, Processes};

mod shortages;

const A: FaultId = 1;
const B: FaultId = 2;

fn nemesis(nodes: usize) -> (Arc<MemoryCluster>, Nemesis) {
    let cluster = Arc::new(MemoryCluster::new(nodes));
    let nemesis = Nemesis::new(cluster.clone()).with_verify_limit(Duration::from_millis(20));
    (cluster, nemesis)
}

fn halves(nodes: usize) -> Action {
    Action::Cut(Grudge::halves(nodes))
}

fn open_links(cluster: &MemoryCluster) -> usize {
    Link::all(cluster.nodes().len()).filter(|link| cluster.passes(*link)).count()
}

#[track_caller]
fn assert_indeterminate(effect: &Effect, word: &str) {
    match effect {
        Effect::Indeterminate(reason) => assert!(reason.contains(word), "{reason}"),
        other => panic!("believed: {other:?}"),
    }
}

#[test]
fn a_cut_is_installed_with_its_proof_and_healed() {
    let (cluster, mut nemesis) = nemesis(5);
    let effect = nemesis.install(A, &halves(5));
    assert!(
        matches!(effect, Effect::Installed(Proof { blocked: 12, passed: 13, .. })),
        "{effect:?}"
    );
    assert_eq!(open_links(&cluster), 8);
    let effect = nemesis.undo(A);
    assert!(matches!(effect, Effect::Healed(Proof { blocked: 0, passed: 25, .. })), "{effect:?}");
    assert_eq!(open_links(&cluster), 20);
}

#[test]
fn cuts_add_up_and_end_one_by_one() {
    let (cluster, mut nemesis) = nemesis(5);
    nemesis.install(A, &halves(5));
    let effect = nemesis.install(B, &Action::Cut(Grudge::isolate(5, &[4])));
    assert_eq!(effect.proof().unwrap().blocked, 16);
    assert_eq!(nemesis.undo(A).name(), "healed");
    assert_eq!(open_links(&cluster), 12, "n5 is still alone");
    assert_eq!(nemesis.undo(B).name(), "healed");
    assert_eq!(open_links(&cluster), 20);
}

#[test]
fn rules_that_do_nothing_or_vanish_are_not_in_force() {
    for (sabotage, word) in [
        (Sabotage::RulesDoNothing, "came through the cut"),
        (Sabotage::RulesVanish, "came through the cut"),
        (Sabotage::FirewallLocked, "locked"),
        (Sabotage::DeadLink(Link { from: 0, to: 1 }), "no probe arrived over n1->n2"),
    ] {
        let (cluster, mut nemesis) = nemesis(5);
        cluster.sabotage(Some(sabotage));
        assert_indeterminate(&nemesis.install(A, &halves(5)), word);
    }
}

#[test]
fn a_link_that_stays_dead_is_not_healed_and_can_be_healed_later() {
    let (cluster, mut nemesis) = nemesis(3);
    nemesis.install(A, &halves(3));
    cluster.sabotage(Some(Sabotage::DeadLink(Link { from: 2, to: 0 })));
    assert_indeterminate(&nemesis.undo(A), "n3->n1");
    cluster.sabotage(None);
    assert!(matches!(nemesis.heal_all()[..], [(A, Effect::Healed(_))]));
    assert!(nemesis.heal_all().is_empty(), "healing again finds nothing");
}

#[test]
fn killed_nodes_are_gone_and_come_back_as_others() {
    let (cluster, mut nemesis) = nemesis(3);
    let before = cluster.states(1).unwrap();
    let effect = nemesis.install(A, &Action::nodes(Break::Kill, vec![1, 2]));
    assert!(matches!(effect, Effect::Installed(Proof { processes: 2, .. })), "{effect:?}");
    assert!(cluster.runs(0) && !cluster.runs(1) && !cluster.runs(2));
    assert_eq!(nemesis.undo(A).name(), "healed");
    assert!(cluster.runs(1) && cluster.runs(2));
    assert_ne!(cluster.states(1).unwrap(), before);
}

#[test]
fn a_program_that_ends_at_once_is_explained_by_what_was_done_to_its_disk_and_by_nothing_else() {
    let (cluster, mut nemesis) = nemesis(3);
    cluster.sabotage(Some(Sabotage::EndsAtOnce));
    nemesis.install(A, &Action::nodes(Break::Kill, vec![0]));
    assert_indeterminate(&nemesis.undo(A), "n1 has ended again");
    nemesis.install(B, &Action::nodes(Break::PowerCut { keep_percent: Some(30) }, vec![0, 1]));
    let effect = nemesis.undo(B);
    assert!(matches!(effect, Effect::Healed(Proof { ended: 1, .. })), "{effect:?}");
    // That lasts: a kill later finds the same disk.
    assert!(matches!(nemesis.undo(A), Effect::Healed(Proof { ended: 1, .. })));
}

#[test]
fn paused_nodes_stand_still_and_go_on_as_the_same() {
    let (cluster, mut nemesis) = nemesis(3);
    let before = cluster.states(0).unwrap();
    assert_eq!(nemesis.install(A, &Action::nodes(Break::Pause, vec![0])).name(), "installed");
    assert!(!cluster.runs(0) && cluster.runs(1));
    assert_eq!(nemesis.undo(A).name(), "healed");
    assert_eq!(cluster.states(0).unwrap(), before);
}

#[test]
fn signals_that_are_lost_and_programs_that_do_not_start_are_noticed() {
    let (cluster, mut nemesis) = nemesis(3);
    cluster.sabotage(Some(Sabotage::SignalsLost));
    assert_indeterminate(
        &nemesis.install(A, &Action::nodes(Break::Kill, vec![0])),
        "n1 still runs",
    );
    assert_indeterminate(
        &nemesis.install(B, &Action::nodes(Break::Pause, vec![1])),
        "n2 is not stopped",
    );
    cluster.sabotage(None);
    nemesis.heal_all();
    nemesis.install(A, &Action::nodes(Break::Kill, vec![0]));
    cluster.sabotage(Some(Sabotage::WillNotStart));
    assert_indeterminate(&nemesis.undo(A), "will not start");
    cluster.sabotage(None);
    assert_eq!(nemesis.undo(A).name(), "healed");
    assert!((0..3).all(|node| cluster.runs(node)));
}

#[test]
fn a_node_that_two_faults_hit_is_let_go_by_the_last() {
    let (cluster, mut nemesis) = nemesis(3);
    nemesis.install(A, &Action::nodes(Break::Pause, vec![0, 1]));
    nemesis.install(B, &Action::nodes(Break::Pause, vec![1, 2]));
    nemesis.undo(A);
    assert!(cluster.runs(0) && !cluster.runs(1) && !cluster.runs(2));
    nemesis.undo(B);
    assert!((0..3).all(|node| cluster.runs(node)));
}

#[test]
fn what_cannot_be_done_is_skipped_and_leaves_nothing_to_undo() {
    struct Addresses(Vec<String>);
    impl Cluster for Addresses {
        fn nodes(&self) -> &[String] {
            &self.0
        }
        fn links(&self) -> Option<&dyn Links> {
            None
        }
        fn processes(&self) -> Option<&dyn Processes> {
            None
        }
    }
    let mut outside = Nemesis::new(Arc::new(Addresses(vec!["a".into(), "b".into()])));
    assert_eq!(outside.install(A, &halves(2)), Effect::Skipped("no links".into()));
    assert_eq!(
        outside.install(A, &Action::nodes(Break::Kill, vec![0])),
        Effect::Skipped("no processes".into())
    );
    assert_eq!(outside.active().count(), 0);

    let (_, mut nemesis) = nemesis(3);
    nemesis.install(A, &Action::nodes(Break::Kill, vec![0]));
    let effect = nemesis.install(B, &Action::nodes(Break::Pause, vec![0]));
    assert_eq!(effect, Effect::Skipped("no process runs on n1".into()));
    assert_eq!(nemesis.undo(B).name(), "skipped");
}

#[test]
fn heal_all_undoes_everything_at_once() {
    let (cluster, mut nemesis) = nemesis(5);
    nemesis.install(1, &halves(5));
    nemesis.install(2, &Action::nodes(Break::Kill, vec![0]));
    nemesis.install(3, &Action::nodes(Break::Pause, vec![1]));
    nemesis.install(4, &Action::Cut(Grudge::isolate(5, &[4])));
    let effects = nemesis.heal_all();
    assert!(effects.iter().map(|(id, _)| *id).eq(1..=4));
    assert!(effects.iter().all(|(_, effect)| effect.name() == "healed"), "{effects:?}");
    assert_eq!(open_links(&cluster), 20);
    assert!((0..5).all(|node| cluster.runs(node)));
}

#[test]
fn what_somebody_else_undid_is_no_longer_in_force() {
    let (cluster, mut nemesis) = nemesis(5);
    nemesis.install(A, &halves(5));
    nemesis.install(B, &Action::nodes(Break::Pause, vec![0]));
    nemesis.install(3, &Action::nodes(Break::Kill, vec![1]));
    for id in [A, B, 3] {
        assert_eq!(nemesis.still_in_force(id), Ok(()));
    }
    let why = |nemesis: &mut Nemesis, id| nemesis.still_in_force(id).unwrap_err();
    cluster.sabotage(Some(Sabotage::RulesDoNothing));
    assert!(why(&mut nemesis, A).contains("came through the cut"));
    cluster.sabotage(None);
    cluster.flush();
    assert!(why(&mut nemesis, A).contains("is gone"));
    cluster.signal(0, crate::node::Signal::Continue).unwrap();
    assert_eq!(why(&mut nemesis, B), "n1 is no longer stopped");
    cluster.start(1).unwrap();
    assert_eq!(why(&mut nemesis, 3), "n2 runs again");
    assert_eq!(why(&mut nemesis, 9), "fault 9 is not active");
    assert!(nemesis.heal_all().iter().all(|(_, effect)| effect.name() == "healed"));
}
