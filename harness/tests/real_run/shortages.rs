//! Nodes that are short of time or memory, or leave the cluster.

use serde_json::Value;

use crate::world::World;

/// The faults of a run, and the lines of its history.
fn run(world: &World, faults: &str) -> (Vec<Value>, Vec<Value>) {
    run_of(world, &["--time-limit", "10s"], faults)
}

/// The same of another target or length.
fn run_of(world: &World, more: &[&str], faults: &str) -> (Vec<Value>, Vec<Value>) {
    let flags = ["--rate", "400", "--seed", "2", "--faults", faults, "--json"];
    let run = world.run(&[more, &flags].concat());
    let verdict = run.json();
    assert_eq!((run.exit, &verdict["class"]), (Some(0), &"linearizable".into()), "{}", run.said);
    let report = std::fs::read_to_string(world.latest().join("report.txt")).unwrap();
    let name = faults.split([':', '@']).next().unwrap();
    assert!(report.contains(name), "{report}");
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    let lines = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    world.assert_clean();
    (verdict["faults"].as_array().unwrap().clone(), lines)
}

/// How many operations that were sent to a node between two times ended well, and in all.
fn served(lines: &[Value], node: &str, from: u64, to: u64) -> (usize, usize) {
    let at = |line: &Value| line["time"].as_u64().unwrap_or(0);
    let mut invoked = std::collections::BTreeMap::new();
    let (mut good, mut all) = (0, 0);
    for line in lines {
        let process = line["process"].as_u64();
        match (process, line["type"].as_str()) {
            (Some(process), Some("invoke")) => _ = invoked.insert(process, line),
            (Some(process), Some(end)) => {
                let Some(invocation) = invoked.remove(&process) else { continue };
                if invocation["node"] == node && at(invocation) > from && at(line) < to {
                    all += 1;
                    let answered = end == "ok" || line["error"]["kind"] == "mismatch";
                    good += usize::from(answered);
                }
            }
            _ => {}
        }
    }
    (good, all)
}

/// When the first fault was in force and when its undoing began, in nanoseconds.
fn in_force(lines: &[Value]) -> (u64, u64) {
    let time = |f: &str, effect: Value| {
        let line = lines.iter().find(|line| line["f"] == f && line["effect"] == effect);
        line.and_then(|line| line["time"].as_u64()).expect("it is in the history")
    };
    (time("start", "installed".into()), time("stop", Value::Null))
}

/// When the phase after all faults began, in nanoseconds.
fn after(lines: &[Value]) -> u64 {
    let phase = lines.iter().find(|line| line["f"] == "phase" && line["value"] == "after");
    phase.and_then(|line| line["time"].as_u64()).expect("there is such a phase")
}

/// A run in which n2 leaves and comes back: it is away, and the others serve without it. Until so
/// many nanoseconds after it has left it may still know of a leader.
fn n2_leaves(target: &[&str], lease_ns: u64) {
    let Some(world) = World::new() else { return };
    let (faults, lines) = run_of(&world, target, "leave:n2");
    assert!(faults.iter().all(|fault| fault["effect"] == "installed"), "{faults:?}");
    let (from, to) = in_force(&lines);
    let (good, all) = served(&lines, "n2", from + lease_ns, to);
    assert!(good == 0 && all > 10, "{good} of {all} while it was away");
    let (good, all) = served(&lines, "n3", from + 1_000_000_000, to);
    assert!(good * 10 >= all * 9 && all > 10, "{good} of {all} at another one");
    let (good, all) = served(&lines, "n2", after(&lines), u64::MAX);
    assert!(good * 10 >= all * 9 && all > 10, "{good} of {all} after it came back");
}

#[test]
fn a_node_that_left_refuses_and_serves_when_it_is_back() {
    n2_leaves(&["--time-limit", "10s"], 1_000_000_000);
}

#[test]
fn etcd_gives_a_member_up_and_takes_it_back_as_another() {
    // It changes its members only once they have seen each other for 5 s.
    n2_leaves(&["--db", "etcd", "--nodes", "5", "--time-limit", "25s"], 0);
}

#[test]
fn modes_without_members_are_told_before_anything_starts() {
    let Some(world) = World::new() else { return };
    let run = world.run(&["--mode", "gossip", "--faults", "leave"]);
    assert_eq!(run.exit, Some(64), "{}", run.said);
    assert!(run.said.contains("store/gossip has no administration of members"), "{}", run.said);
}

/// Where there are no control groups the fault is skipped with the reason.
fn installed_or_skipped(faults: &[Value]) -> bool {
    let skipped = faults.iter().all(|fault| fault["effect"] == "skipped");
    if skipped {
        let reason = faults[0]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("no cgroups"), "{reason}");
        eprintln!("SKIPPED: {reason}");
    } else {
        assert!(faults.iter().all(|fault| fault["effect"] == "installed"), "{faults:?}");
    }
    !skipped
}

#[test]
fn a_node_short_of_time_is_seen_in_the_report() {
    let Some(world) = World::new() else { return };
    installed_or_skipped(&run(&world, "cpu:n1@quota=5%").0);
}

#[test]
fn a_node_short_of_memory_dies_and_comes_back() {
    let Some(world) = World::new() else { return };
    let (faults, lines) = run(&world, "memory:n1@limit=2mb");
    if installed_or_skipped(&faults) {
        let (from, to) = in_force(&lines);
        let (good, all) = served(&lines, "n1", from + 500_000_000, to);
        assert!(good == 0 && all > 10, "{good} of {all} in 2 MB");
        let (good, all) = served(&lines, "n1", after(&lines), u64::MAX);
        assert!(good * 10 >= all * 9 && all > 10, "{good} of {all} after it came back");
    }
}
