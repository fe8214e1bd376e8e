//! The list of faults, and what each decides.

use std::fs;
use std::path::Path;

use super::*;
use crate::node::Link;

fn names(nodes: usize) -> Vec<String> {
    (1..=nodes).map(|number| format!("n{number}")).collect()
}

fn decide(choice: &str, nodes: usize, leaders: &[usize], seed: u64) -> Result<Decision, Skip> {
    let choice: Choice = choice.parse().unwrap();
    let nodes = names(nodes);
    let Choice { fault, targets, args } = &choice;
    (fault.decide)(&Scene { nodes: &nodes, leaders, targets, args, beat: 0, seed })
}

fn sides(choice: &str, nodes: usize, leaders: &[usize]) -> Vec<Vec<usize>> {
    match decide(choice, nodes, leaders, 1).unwrap().action {
        Action::Cut(grudge) => grudge.sides.unwrap(),
        action => panic!("not a cut: {action:?}"),
    }
}

#[test]
fn the_list_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/faults");
    let helpers = ["action", "all", "args", "choice", "mod", "targets", "tests"];
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().replace('_', "-"))
        .filter(|name| !helpers.contains(&name.as_str()))
        .collect();
    let mut listed: Vec<_> = ALL.iter().map(|fault| fault.name.to_owned()).collect();
    files.sort();
    listed.sort();
    assert_eq!(files, listed);
}

#[test]
fn names_are_unique_and_speak_in_one_sentence() {
    let mut names: Vec<_> =
        ALL.iter().flat_map(|fault| [&[fault.name], fault.aliases].concat()).collect();
    for fault in ALL {
        let about = fault.about;
        assert!(about.ends_with('.') && about.matches(". ").count() == 0, "{about}");
    }
    for name in &names {
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        assert!(find(name).is_some());
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_fault_decides_or_skips_for_any_number_of_nodes() {
    for fault in ALL {
        for nodes in 0..=50 {
            for leaders in [&[][..], &[0], &[0, 1, 2]] {
                let leaders: Vec<_> = leaders.iter().copied().filter(|l| *l < nodes).collect();
                let first = decide(fault.name, nodes, &leaders, 7);
                assert_eq!(first, decide(fault.name, nodes, &leaders, 7), "{}", fault.name);
                match first {
                    Err(Skip(why)) => assert!(nodes < 4 && why.contains("at least"), "{why}"),
                    Ok(decision) => match decision.action {
                        Action::Cut(grudge) => {
                            assert!(!grudge.cuts.is_empty(), "{} of {nodes}", fault.name);
                            assert!(grudge.cuts.iter().all(|c| c.from <= nodes && c.to < nodes));
                        }
                        Action::Shape { links, .. } => {
                            assert_eq!(links.len(), nodes * (nodes - 1), "{}", fault.name);
                        }
                        Action::Nodes { nodes: hit, .. } => assert_eq!(hit.len(), 1),
                    },
                }
            }
        }
    }
}

#[test]
fn primaries_puts_each_leader_alone() {
    assert_eq!(sides("primaries", 5, &[3]), [vec![3], vec![0, 1, 2, 4]]);
    assert_eq!(sides("isolate-leader", 5, &[3, 1, 3]), [vec![1], vec![3], vec![0, 2, 4]]);
    assert_eq!(sides("primaries", 3, &[0, 1, 2]), [[0], [1], [2]]);
}

#[test]
fn primaries_without_a_leader_takes_one_by_lot_and_says_so() {
    let decision = decide("primaries", 5, &[], 3).unwrap();
    let note = decision.note.expect("it says so");
    let Action::Cut(grudge) = decision.action else { panic!("not a cut") };
    let alone = grudge.sides.unwrap()[0].clone();
    assert!(alone.len() == 1 && note.contains(&format!("n{}", alone[0] + 1)), "{note}");
    assert!(decide("primaries", 5, &[2], 3).unwrap().note.is_none());
    let drawn: std::collections::BTreeSet<_> = (0..100)
        .map(|seed| match decide("primaries", 5, &[], seed).unwrap().action {
            Action::Cut(grudge) => grudge.sides.unwrap()[0][0],
            action => panic!("not a cut: {action:?}"),
        })
        .collect();
    assert_eq!(drawn.len(), 5, "every node is drawn now and then");
}

#[test]
fn targets_are_as_many_as_asked() {
    let hit = |choice: &str| decide(choice, 5, &[4], 1).unwrap().action.targets().to_vec();
    assert_eq!(hit("kill").len(), 1);
    assert_eq!(hit("kill:one").len(), 1);
    assert_eq!(hit("kill:minority").len(), 2);
    assert_eq!(hit("pause:majority").len(), 3);
    assert_eq!(hit("pause:all"), [0, 1, 2, 3, 4]);
    assert_eq!(hit("kill:primaries"), [4]);
    assert_eq!(hit("kill:n5+n2+n5"), [1, 4]);
    assert_eq!(sides("isolate-one:n2", 3, &[]), [vec![1], vec![0, 2]]);
    assert!(decide("kill:minority", 2, &[], 1).is_err(), "no minority of two");
    assert!(decide("kill:n9", 3, &[], 1).is_err());
}

#[test]
fn a_choice_is_read_and_written_alike_and_refused_with_a_reason() {
    for text in [
        "halves",
        "kill:minority",
        "pause:n1+n3",
        "isolate-one:primaries",
        "partial:n1->n2+n3->n1",
        "crash-loop:n1@down=100ms+up=1s",
        "flapping@on=1s",
    ] {
        assert_eq!(text.parse::<Choice>().unwrap().to_string(), text);
    }
    assert_eq!("isolate-leader".parse::<Choice>().unwrap().to_string(), "primaries");
    let error = |text: &str| text.parse::<Choice>().unwrap_err().to_string();
    assert!(error("halfs").contains("random-halves"), "{}", error("halfs"));
    assert!(error("halves:n1").contains("no targets"));
    assert!(error("kill:n1->n2").contains("no links"));
    assert!(error("halves@1s").contains("no arguments"));
    assert!(error("flapping@1").contains("on is \"1\"; it must be a duration with its unit"));
    assert_eq!("flapping@2s".parse::<Choice>().unwrap().to_string(), "flapping@on=2s");
    let choice: Choice = "kill:n1+n7".parse().unwrap();
    assert!(choice.check(&names(7)).is_ok());
    assert!(choice.check(&names(5)).unwrap_err().to_string().contains("n7"));
}

#[test]
fn one_way_cuts_no_link_both_ways() {
    let Action::Cut(grudge) = decide("one-way", 5, &[], 1).unwrap().action else { panic!() };
    let back = |link: &Link| Link { from: link.to, to: link.from };
    assert!(grudge.cuts.iter().all(|link| !grudge.cuts.contains(&back(link))));
}

#[test]
fn links_are_those_named_or_all_of_the_nodes_named() {
    let cuts = |choice: &str| match decide(choice, 3, &[], 1).unwrap().action {
        Action::Cut(grudge) => grudge.cuts,
        action => panic!("not a cut: {action:?}"),
    };
    let link = |from, to| Link { from, to };
    assert_eq!(cuts("partial:n3->n1+n1->n2"), [link(0, 1), link(2, 0)]);
    assert_eq!(cuts("partial:n2"), [link(0, 1), link(1, 0), link(1, 2), link(2, 1)]);
    let drawn = cuts("partial");
    assert_eq!(drawn, [drawn[0], link(drawn[0].to, drawn[0].from)]);
}

#[test]
fn a_rolling_restart_goes_round() {
    let choice: Choice = "rolling-restart".parse().unwrap();
    let nodes = names(3);
    let hit = |beat| {
        let Choice { targets, args, .. } = &choice;
        let scene = Scene { nodes: &nodes, leaders: &[], targets, args, beat, seed: 1 };
        (choice.fault.decide)(&scene).unwrap().action.targets().to_vec()
    };
    assert_eq!((0..4).flat_map(hit).collect::<Vec<_>>(), [0, 1, 2, 0]);
}

#[test]
fn usual_arguments_are_right() {
    for fault in ALL {
        for arg in fault.args {
            let mut args = Args::usual(fault.args);
            args.give(arg.name, arg.usual).unwrap_or_else(|error| panic!("{error}"));
        }
        if let Some(beat) = fault.beat {
            assert!(beat(&Args::usual(fault.args)).on >= Duration::from_millis(100));
        }
    }
}

#[test]
fn amounts_reach_what_is_broken() {
    let what = |choice: &str| match decide(choice, 5, &[], 1).unwrap().action {
        Action::Nodes { what, nodes } => (what, nodes.len()),
        action => panic!("{action:?}"),
    };
    assert_eq!(what("cpu"), (Break::Cpu { percent: 10.0 }, 1));
    assert_eq!(what("cpu:all@2.5%"), (Break::Cpu { percent: 2.5 }, 5));
    assert_eq!(what("memory:n1+n3@limit=64mb"), (Break::Memory { bytes: 64 << 20 }, 2));
    assert_eq!(what("shrink:minority"), (Break::Leave, 2));
    assert!(decide("cpu@0%", 5, &[], 1).unwrap_err().0.contains("0.1%"));
    assert!(decide("leave:all", 5, &[], 1).unwrap_err().0.contains("at least one"));
}
