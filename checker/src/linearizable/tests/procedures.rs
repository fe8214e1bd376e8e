//! Every procedure that applies to a history, asked about it and compared.

use super::search::decide_by_walks;
use super::simulated::Simulation;
use super::*;

/// The verdict on which all procedures agree; panics with the history if they do not.
pub fn agreed(ops: &[RegisterOp]) -> bool {
    let initial = ValueId(0);
    let budget = Budget::default();
    let survey = Survey::new(initial, ops);
    let is_yes = |decision: Decision| match decision {
        Decision::Yes => true,
        Decision::No(_) => false,
        Decision::Unknown { .. } => panic!("{ops:?}: the budget ended"),
    };
    let searched = is_yes(search::decide(initial, ops, &survey, &budget).0);
    for walked in decide_by_walks(initial, ops, &survey, &budget).into_iter().flatten() {
        assert_eq!(is_yes(walked), searched, "{ops:?}: walks and search");
    }
    if !matches!(survey.procedure(), Procedure::Search(_)) {
        let zones = is_yes(zones::decide(initial, ops, &survey));
        assert_eq!(zones, searched, "{ops:?}: zones and search");
    }
    searched
}

#[test]
fn are_chosen_by_what_can_be_observed() {
    let op = |call, invoked, returned| RegisterOp { call, invoked, returned };
    let read = |value| Call::Read(ValueId(value));
    let write = |value| Call::Write(ValueId(value));
    let cas = |from, to| Call::Cas(ValueId(from), ValueId(to));
    let chosen = |ops: &[RegisterOp]| procedure(ValueId(0), ops);
    let twice = Procedure::Search(Ambiguity::InstalledTwice(ValueId(1)));
    let initial = Procedure::Search(Ambiguity::InitialInstalled(ValueId(0)));

    let mut ops = vec![op(write(1), 0, Some(1)), op(read(1), 6, Some(7))];
    assert_eq!(chosen(&ops), Procedure::Zones);
    ops.push(op(write(1), 2, None));
    assert_eq!(chosen(&ops), twice);
    ops[2].invoked = 8;
    assert_eq!(chosen(&ops), Procedure::Zones, "nobody reads 1 after the second write");
    ops[2] = op(cas(1, 2), 2, Some(3));
    assert_eq!(chosen(&ops), Procedure::ChainedZones);
    ops[2] = op(cas(1, 1), 2, Some(3));
    assert_eq!(chosen(&ops), Procedure::Zones, "a compare-and-set of a value by itself reads");
    ops[2] = op(cas(1, 2), 2, None);
    assert_eq!(chosen(&ops), Procedure::Zones, "nobody reads 2");
    ops.push(op(read(2), 8, Some(9)));
    assert_eq!(chosen(&ops), Procedure::ChainedZones);
    ops.push(op(write(0), 4, Some(5)));
    assert_eq!(chosen(&ops), Procedure::ChainedZones, "nobody reads 0");
    ops.push(op(read(0), 10, Some(11)));
    assert_eq!(chosen(&ops), initial);
}

#[test]
fn do_not_depend_on_how_values_are_numbered() {
    let op = |call, invoked, returned| RegisterOp { call, invoked, returned: Some(returned) };
    let sparse = ValueId(u32::MAX);
    let mut ops = vec![op(Call::Write(sparse), 0, 1), op(Call::Read(sparse), 2, 3)];
    assert_eq!(check_register(ValueId(7), &ops, &Budget::default()), Outcome::Linearizable);
    ops[1].call = Call::Read(ValueId(7));
    let witness = vec![0, 1];
    let expected = Outcome::NotLinearizable { witness };
    assert_eq!(check_register(ValueId(7), &ops, &Budget::default()), expected);
}

/// The shapes of the rows of the bench: none may be answered by another procedure than it is meant
/// for.
#[test]
fn are_the_ones_meant_for_each_row_of_the_bench() {
    for (values, clients, crashes, stale) in [
        (None, 50, 0.0, false),
        (None, 100, 0.01, false),
        (None, 100, 0.01, true),
        (Some(5), 10, 0.0, false),
        (Some(5), 20, 0.0, true),
        (Some(5), 50, 0.0, false),
        (Some(5), 20, 0.01, false),
    ] {
        let simulation = Simulation { operations: 2_000, clients, values, crashes, seed: 1 };
        let mut history = simulation.run();
        if stale {
            history = history.with_stale_read(0.9);
        }
        let found = procedure(ValueId(0), &history.operations);
        let is_meant = match values {
            None => found == Procedure::Zones,
            Some(_) => matches!(found, Procedure::Search(Ambiguity::InstalledTwice(_))),
        };
        assert!(is_meant, "{values:?} values, {clients} clients: {found}");
    }
}
