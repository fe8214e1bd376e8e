//! Every workload against the bundled store: nothing is found where nothing is wrong, and the
//! mistake that it is there for is found by its own check.

use serde_json::Value;

use super::world::World;

fn verdict(world: &World, workload: &str, more: &[&str]) -> Value {
    let usual = ["--time-limit", "4s", "--faults", "none"];
    let usual = usual.chunks(2).filter(|pair| !more.contains(&pair[0]));
    let flags = [&["--workload", workload, "--json"][..], more].concat();
    world.run(&[flags, usual.flatten().copied().collect()].concat()).json()
}

fn violations(verdict: &Value) -> Vec<&str> {
    let violations = verdict["violations"].as_array().expect("violations");
    violations.iter().filter_map(|violation| violation["name"].as_str()).collect()
}

#[test]
fn a_correct_store_passes_every_workload() {
    let Some(world) = World::new() else { return };
    for workload in splitbrain_workloads::objects::ALL {
        let verdict = verdict(&world, workload.name, &["--nodes", "3"]);
        assert_eq!(verdict["verdict"], "valid", "{}: {verdict}", workload.name);
        assert!(verdict["operations"].as_u64() > Some(100), "{}: {verdict}", workload.name);
    }
    world.assert_clean();
}

#[test]
fn what_a_workload_is_there_for_is_found_by_its_own_check() {
    let Some(world) = World::new() else { return };
    let read_skew = verdict(&world, "bank", &["--bug", "read-committed"]);
    assert_eq!(read_skew["checks"]["bank"]["verdict"], "invalid", "{read_skew}");
    let long_fork = verdict(&world, "long-fork", &["--bug", "long-fork", "--time-limit", "6s"]);
    assert_eq!(long_fork["checks"]["long-fork"]["verdict"], "invalid", "{long_fork}");
    assert_eq!(violations(&long_fork), ["long-fork"]);

    let levels = |bug: &str| verdict(&world, "append", &["--bug", bug])["ladder"].clone();
    let snapshots = levels("snapshot-isolation");
    assert_eq!(snapshots["serializable"], "invalid", "{snapshots}");
    assert_eq!(snapshots["snapshot-isolation"], "valid", "{snapshots}");
    let committed = levels("read-committed");
    assert_eq!(committed["snapshot-isolation"], "invalid", "{committed}");
    assert_eq!(committed["read-committed"], "valid", "{committed}");
    let uncommitted = levels("read-uncommitted");
    assert_eq!(uncommitted["read-committed"], "invalid", "{uncommitted}");
    assert_eq!(uncommitted["read-uncommitted"], "valid", "{uncommitted}");
    world.assert_clean();
}

/// What is sent again when no answer came soon is counted twice, or taken out twice, or refused and
/// there all the same.
#[test]
fn what_is_applied_twice_is_noticed() {
    let Some(world) = World::new() else { return };
    let slow = |workload: &str, bug: &[&str]| {
        let faults = ["--mode", "single", "--faults", "delay:all@delay=110ms"];
        let time = ["--time-limit", "6s", "--seed", "1"];
        verdict(&world, workload, &[&faults[..], &time, bug].concat())
    };
    for workload in ["counter", "total-queue"] {
        let right = slow(workload, &[]);
        assert_ne!(right["checks"][workload]["verdict"], "invalid", "{right}");
        let twice = slow(workload, &["--bug", "double-apply-on-retry"]);
        assert_eq!(twice["checks"][workload]["verdict"], "invalid", "{twice}");
    }
    world.assert_clean();
}
