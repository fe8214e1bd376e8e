//! Bad disks and wrong clocks, as a run against the bundled store shows them.

use super::world::World;

/// What a plan's run says.
fn verdict(world: &World, plan: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, plan).unwrap();
    world.run(&["--plan", path.to_str().unwrap(), "--json"]).json()
}

fn names_of_violations(verdict: &serde_json::Value) -> Vec<&str> {
    let violations = verdict["violations"].as_array().unwrap();
    violations.iter().filter_map(|violation| violation["name"].as_str()).collect()
}

/// A node that is cut off decides by its own clock which write is the last one.
#[test]
fn a_skewed_node_loses_writes_where_the_last_writer_wins() {
    let Some(world) = World::new() else { return };
    let cut = r#"
        target = "store/gossip"
        expect = "eventual"
        seed = 3
        phases = { baseline = "1s", main = "8s", after = "1s" }
        [[faults]]
        name = "isolate-one"
        targets = ["n1"]
        at = "1s"
    "#;
    let skew = r#"
        [[faults]]
        name = "skew"
        targets = ["n1"]
        at = "500ms"
        args = { by = "-60s" }
    "#;
    let right = verdict(&world, cut);
    assert!(!names_of_violations(&right).contains(&"lost-write"), "{right}");
    let skewed = verdict(&world, &format!("{cut}{skew}"));
    assert_eq!(skewed["class"], "weak", "{skewed}");
    assert!(names_of_violations(&skewed).contains(&"lost-write"), "{skewed}");
    world.assert_clean();
}

/// All nodes lose their power at once: what was acknowledged is there, or was never fsynced.
#[test]
fn a_loss_of_power_shows_who_does_not_fsync() {
    let Some(world) = World::with_disks() else { return };
    let flags =
        ["--mode", "raft", "--time-limit", "8s", "--seed", "1", "--faults", "lost-fsync:all"];
    let sound = world.run(&[&flags[..], &["--json"]].concat());
    assert_eq!(sound.exit, Some(0), "{}", sound.said);
    assert_eq!(sound.json()["faults"][0]["effect"], "installed");
    let buggy = world.run(&[&flags[..], &["--bug", "lost-fsync", "--json"]].concat());
    assert_eq!(buggy.exit, Some(1), "{}", buggy.said);
    world.assert_clean();
}

#[test]
fn every_fault_of_disks_and_clocks_is_in_force_in_a_run() {
    let Some(world) = World::with_disks() else { return };
    let names = [
        "slow",
        "skew",
        "drift",
        "jump",
        "strobe",
        "bit-flip",
        "truncate",
        "lost-fsync",
        "torn-write",
        "eio",
        "full",
        "read-only",
    ];
    let faults = names.map(|name| format!("{name}:n1")).join(",");
    let run = world.run(&["--time-limit", "30s", "--seed", "1", "--faults", &faults, "--json"]);
    let verdict = run.json();
    let seen = verdict["faults"].as_array().unwrap();
    for name in names {
        let fault = seen.iter().find(|fault| fault["name"] == name);
        assert_eq!(fault.map(|fault| &fault["effect"]), Some(&"installed".into()), "{name}");
    }
    assert_eq!(verdict["class"], "linearizable", "one node of five is not missed: {verdict}");
    world.assert_clean();
}

/// A system that refuses what a loss of power left of its data says something about itself.
#[test]
fn a_node_that_does_not_start_on_a_torn_disk_is_judged() {
    let Some(world) = World::with_disks() else { return };
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *'--id n1 '*) [ -e begun ] && echo damaged >&2 && exit 70; touch begun;; \
         esac\nexec {} \"$@\"\n",
        World::store().display()
    );
    let flags = ["--time-limit", "8s", "--seed", "1", "--faults", "torn-write:n1"];
    let torn = world.run_with_store(&script, &flags);
    assert_eq!(torn.exit, Some(0), "{}", torn.said);
    let report = std::fs::read_to_string(world.latest().join("report.txt")).unwrap();
    // Whether the fault's own remark has it too hangs on whether it ended before that was looked at.
    assert!(report.contains("n1 ended by itself") && report.contains("damaged"), "{report}");
    world.assert_clean();
}
