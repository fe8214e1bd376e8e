//! The tool's own report card, and that harness and store name the same modes and mistakes.

use std::collections::BTreeMap;
use std::process::Command;

use super::world::World;

/// A mistake is found, and the same mode under the same plan and seed without it raises no alarm.
#[test]
fn a_known_mistake_is_found_and_its_twin_without_it_is_clean() {
    let Some(world) = World::new() else { return };
    let run = world.command(&["report-card", "--only", "raft/stale-leader-read", "--json"]);
    let card = run.json();
    assert_eq!(run.exit, Some(0), "{}", run.said);
    assert_eq!(card["false_alarms"], 0, "{card}");
    let row = &card["rows"][0];
    assert_eq!((&row["mode"], &row["bug"]), (&"raft".into(), &"stale-leader-read".into()));
    assert_eq!(row["found"], true, "{card}");
    assert!(row["rung"].as_str().unwrap().starts_with("linearizable"), "{card}");
    assert!(row["runs"].as_u64() >= Some(1) && row["seconds"].as_f64() > Some(5.0), "{card}");
    assert_eq!(card["rows"].as_array().unwrap().len(), 1);
    let family = world.path("store/store-raft-register");
    assert_eq!(std::fs::read_dir(family).unwrap().count(), 0, "nobody will look at this run");
    world.assert_clean();
}

#[test]
fn a_row_that_there_is_not_is_refused_with_those_there_are() {
    let Some(world) = World::new() else { return };
    let run = world.command(&["report-card", "--only", "cache/lost-fsync"]);
    assert_eq!(run.exit, Some(64), "{}", run.said);
    assert!(run.said.contains("raft/lost-fsync"), "{}", run.said);
}

/// The lines of a section with what stands below each: those that are indented by two.
fn entries<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, String> {
    let mut entries = BTreeMap::new();
    let mut last = "";
    for line in lines.skip(1).take_while(|line| line.starts_with("  ")) {
        let (name, rest) = line[2..].split_once(' ').unwrap_or((&line[2..], ""));
        if !name.is_empty() {
            last = name;
        }
        let entry: &mut String = entries.entry(last).or_default();
        *entry = format!("{entry} {}", rest.trim()).trim().to_owned();
    }
    entries
}

#[test]
fn harness_and_store_know_the_same_modes_and_mistakes() {
    let Some(world) = World::new() else { return };
    let help = Command::new(World::store()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let section =
        |title: &'static str| help.lines().skip_while(move |line| !line.starts_with(title));

    let listed = world.command(&["list", "modes"]).said;
    let mut modes = entries(listed.lines());
    modes.retain(|_, about| !about.is_empty());
    assert!(modes.len() >= 8, "{listed}");
    assert_eq!(
        entries(section("Modes:")).into_keys().collect::<Vec<_>>(),
        modes.into_keys().collect::<Vec<_>>()
    );

    let listed = world.command(&["list", "bugs"]).said;
    let words = |entries: BTreeMap<&str, String>| -> BTreeMap<String, Vec<String>> {
        let sorted = |text: String| {
            let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            words.sort();
            words
        };
        entries.into_iter().map(|(name, text)| (name.to_owned(), sorted(text))).collect()
    };
    let bugs = words(entries(listed.lines()));
    assert!(bugs.len() >= 14, "{listed}");
    assert_eq!(words(entries(section("Bugs"))), bugs);
}
