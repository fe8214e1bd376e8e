//! Limits and members.

use super::*;
use crate::node::{Limits, Members, Resource};

#[test]
fn a_limit_that_does_nothing_or_vanishes_or_stays_is_not_believed() {
    let (cluster, mut nemesis) = nemesis(3);
    let cpu = Action::nodes(Break::Cpu { percent: 10.0 }, vec![0]);
    cluster.sabotage(Some(Sabotage::LimitsDoNothing));
    assert_indeterminate(&nemesis.install(A, &cpu), "in spite of 10%");
    cluster.sabotage(None);
    assert_eq!(nemesis.undo(A).name(), "healed");
    cluster.sabotage(Some(Sabotage::LimitsVanish));
    assert_indeterminate(&nemesis.install(A, &cpu), "the limit is None");
    cluster.sabotage(None);
    nemesis.heal_all();
    let memory = Action::nodes(Break::Memory { bytes: 1 << 20 }, vec![0, 1]);
    assert_eq!(nemesis.install(A, &memory).proof().map(|proof| proof.processes), Some(2));
    let again = nemesis.install(B, &Action::nodes(Break::Memory { bytes: 1 << 22 }, vec![1, 2]));
    assert_eq!(again, Effect::Skipped("n2 is hit so already".into()));
    assert_eq!(nemesis.still_in_force(A), Ok(()));
    Limits::lift(&*cluster, 1, Resource::Memory).unwrap();
    assert!(nemesis.still_in_force(A).unwrap_err().contains("n2: the limit is None"));
    cluster.sabotage(Some(Sabotage::LimitsStay));
    assert_indeterminate(&nemesis.undo(A), "n1 still has");
    cluster.sabotage(None);
    assert_eq!(nemesis.undo(A).name(), "healed");
}

#[test]
fn who_dies_of_a_limit_comes_back_unless_it_is_to_be_down() {
    let (cluster, mut nemesis) = nemesis(3);
    nemesis.install(A, &Action::nodes(Break::Kill, vec![1]));
    nemesis.install(B, &Action::nodes(Break::Memory { bytes: 1 << 20 }, vec![0, 1]));
    cluster.take(0, 1 << 21);
    assert!(!cluster.runs(0));
    assert_eq!(nemesis.undo(B).name(), "healed");
    assert!(cluster.runs(0) && !cluster.runs(1), "the other fault still keeps n2 down");
    assert_eq!(nemesis.undo(A).name(), "healed");
    assert!(cluster.runs(1));
}

#[test]
fn members_are_who_the_members_say() {
    let (cluster, mut nemesis) = nemesis(5);
    let leave = |nodes: &[usize]| Action::nodes(Break::Leave, nodes.to_vec());
    // Those who do not answer are no majority of those who stay.
    nemesis.install(1, &Action::nodes(Break::Kill, vec![4]));
    let effect = nemesis.install(2, &leave(&[0]));
    assert_eq!(effect.proof().map(|proof| proof.agreed), Some(3));
    assert_eq!(nemesis.install(3, &leave(&[1])).proof().map(|proof| proof.agreed), Some(2));
    assert_eq!(nemesis.install(4, &leave(&[1])).name(), "skipped");
    assert_eq!(nemesis.still_in_force(3), Ok(()));
    Members::join(&*cluster, 1).unwrap();
    assert!(nemesis.still_in_force(3).unwrap_err().contains("only 0 of 3"));
    Members::leave(&*cluster, 1).unwrap();
    nemesis.install(5, &Action::nodes(Break::Pause, vec![3]));
    assert_indeterminate(&nemesis.undo(3), "only 2 of 4 nodes");
    nemesis.undo(5);
    assert_eq!(nemesis.undo(3).proof().map(|proof| proof.agreed), Some(3));
    cluster.sabotage(Some(Sabotage::MembersStay));
    assert_indeterminate(&nemesis.undo(2), "only 0 of 5 nodes");
    cluster.sabotage(None);
    assert_eq!(nemesis.undo(2).name(), "healed");
}
