//! Every workload against the bundled store: nothing is found where nothing is wrong, and the
//! mistake that it is there for is found by its own check.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::Value;
use splitbrain_workloads::objects::{ALL, Settings, VALUE_BYTES};

use super::world::World;

/// So many runs at once: for most of its time a run waits.
const AT_ONCE: usize = 2;

/// Where a lock guards what is worked on, all want the same one: whoever holds it is surely waited for.
const GUARDED: [&str; 2] = ["fenced-set", "lock-set"];

/// Values as large as many are.
const SIZED: &[&str] = &["--value-bytes", "64..2048"];

fn verdict(world: &World, workload: &str, more: &[&str]) -> Value {
    let one_key = world.path(&format!("{workload}.toml"));
    let mut length = vec!["--time-limit", "3s"];
    if GUARDED.contains(&workload) {
        std::fs::write(&one_key, "workload = { keys = 1 }\n").unwrap();
        length = vec!["--plan", one_key.to_str().unwrap(), "--time-limit", "6s"];
    }
    let usual = [&length[..], &["--faults", "none", "--nodes", "3"]].concat();
    let usual = usual.chunks(2).filter(|pair| !more.contains(&pair[0]));
    let flags = [&["--workload", workload, "--json"][..], more].concat();
    world.run(&[flags, usual.flatten().copied().collect()].concat()).json()
}

/// Does something with each, some at a time.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let left = Mutex::new(all.iter());
    let next = || left.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| std::iter::from_fn(next).for_each(&work));
        }
    });
}

#[test]
fn a_correct_store_passes_every_workload() {
    let Some(world) = World::new() else { return };
    let served: Vec<_> = ALL.iter().filter(|workload| workload.name != "echo").collect();
    each(&served, |workload| {
        // Values of a size stay what they are.
        let heeded = (workload.load)(&Settings::default()).heeds();
        let sized = if heeded.contains(&VALUE_BYTES) { SIZED } else { &[] };
        let verdict = verdict(&world, workload.name, &[&["--time-limit", "2s"], sized].concat());
        assert_eq!(verdict["verdict"], "valid", "{}: {verdict}", workload.name);
        assert!(verdict["operations"].as_u64() > Some(20), "{}: {verdict}", workload.name);
        for (name, check) in verdict["checks"].as_object().into_iter().flatten() {
            assert_eq!(check["verdict"], "valid", "{}: {name}: {check}", workload.name);
        }
    });
    world.assert_clean();
}

/// A workload, the mistake that it is there for, and where the verdict says that it was found: a
/// check or a rung of the ladder.
struct Canary {
    workload: &'static str,
    bug: &'static str,
    found: &'static str,
}

const fn canary(workload: &'static str, bug: &'static str, found: &'static str) -> Canary {
    Canary { workload, bug, found }
}

const CANARIES: &[Canary] = &[
    canary("append", "snapshot-isolation", "/ladder/serializable"),
    canary("bank", "read-committed", "/checks/bank/verdict"),
    canary("causal", "long-fork", "/checks/causal/verdict"),
    canary("causal-reverse", "long-fork", "/checks/causal-reverse/verdict"),
    canary("counter", "lost-update", "/checks/counter/verdict"),
    canary("g2", "snapshot-isolation", "/checks/g2/verdict"),
    canary("lock", "lock-lease", "/ladder/linearizable"),
    canary("lock-set", "lock-lease", "/checks/set-full/verdict"),
    canary("log", "lost-update", "/checks/log/verdict"),
    canary("long-fork", "long-fork", "/checks/long-fork/verdict"),
    canary("monotonic", "snapshot-isolation", "/checks/monotonic/verdict"),
    canary("pn-counter", "lost-update", "/checks/pn-counter/verdict"),
    canary("queue", "lost-update", "/ladder/linearizable"),
    canary("sequential", "long-fork", "/checks/sequential/verdict"),
    canary("set", "lost-update", "/checks/set/verdict"),
    canary("set-full", "lost-update", "/checks/set-full/verdict"),
    canary("total-queue", "lost-update", "/checks/total-queue/verdict"),
    canary("unique-ids", "lost-update", "/checks/unique-ids/verdict"),
    canary("watch", "lost-update", "/checks/watch/verdict"),
    canary("wr", "snapshot-isolation", "/ladder/strict-serializable"),
];

/// Those whose canaries are registers' and are rows of the report card, one that has to withstand a
/// mistake, and one that only nodes of the Maelstrom protocol serve.
const ELSEWHERE: [&str; 5] = ["echo", "fenced-set", "register", "session", "set-remove"];

#[test]
fn what_a_workload_is_there_for_is_found_by_its_own_check() {
    let Some(world) = World::new() else { return };
    let canaries: BTreeSet<&str> = CANARIES.iter().map(|canary| canary.workload).collect();
    let all: BTreeSet<&str> = ALL.iter().map(|workload| workload.name).collect();
    assert_eq!(canaries.into_iter().chain(ELSEWHERE).collect::<BTreeSet<_>>(), all);
    each(CANARIES, |Canary { workload, bug, found }| {
        let verdict = verdict(&world, workload, &["--bug", bug]);
        assert_eq!(verdict.pointer(found), Some(&"invalid".into()), "{workload}: {verdict}");
    });
    world.assert_clean();
}

/// Consumers that share logs, and such that crash, and transactions of sends and polls are judged as rightly
/// as those of one send or poll.
#[test]
fn logs_are_judged_with_all_that_can_be_set_of_them() {
    let Some(world) = World::new() else { return };
    let set = ["--sub-via", "both", "--txn", "--crash-clients"];
    each(&[("", "valid"), ("lost-update", "invalid")], |(bug, expected)| {
        let bug = if bug.is_empty() { &[][..] } else { &["--bug", *bug] };
        let verdict = verdict(&world, "log", &[&set[..], bug].concat());
        assert_eq!(verdict["checks"]["log"]["verdict"], *expected, "{verdict}");
    });
    world.assert_clean();
}

/// A level of isolation is what it says, and no less.
#[test]
fn what_a_level_of_isolation_promises_is_kept() {
    let Some(world) = World::new() else { return };
    let levels = [
        ("snapshot-isolation", "serializable"),
        ("read-committed", "snapshot-isolation"),
        ("read-uncommitted", "read-committed"),
    ];
    each(&levels, |(bug, broken)| {
        let ladder = verdict(&world, "append", &["--bug", bug])["ladder"].clone();
        assert_eq!(ladder[bug], "valid", "{bug}: {ladder}");
        assert_eq!(ladder[broken], "invalid", "{bug}: {ladder}");
    });
    world.assert_clean();
}

/// A lock that is taken from its holder guards nothing, but with fencing tokens it does.
#[test]
fn fencing_tokens_save_what_a_lease_does_not() {
    let Some(world) = World::new() else { return };
    let twins = [("fenced-set", &["--bug", "lock-lease"][..]), ("lock-set", &[])];
    each(&twins, |(workload, bug)| {
        let kept = verdict(&world, workload, bug);
        assert_eq!(kept["checks"]["set-full"]["verdict"], "valid", "{workload}: {kept}");
    });
    world.assert_clean();
}

/// Sessions that move from one copy to another lose what those that stay are promised.
#[test]
fn sessions_that_move_go_back_in_time() {
    let Some(world) = World::new() else { return };
    // Who has written at the primary and goes to a copy within this time does not find it there.
    let slow = ["--mode", "read-replicas", "--faults", "delay:all@delay=150ms"];
    let found = ["1", "2", "3"].iter().any(|seed| {
        let flags = [&slow[..], &["--time-limit", "5s", "--seed", seed]].concat();
        let moved = verdict(&world, "session", &flags);
        moved["ladder"]["read-your-writes"] == "invalid"
    });
    assert!(found, "no seed shows it");
    world.assert_clean();
}

/// What is sent again when no answer came soon is counted twice, or taken out twice, or refused and
/// there all the same.
#[test]
fn what_is_applied_twice_is_noticed() {
    let Some(world) = World::new() else { return };
    let slow = |workload: &str, bug: &[&str]| {
        let faults = ["--mode", "single", "--faults", "delay:all@delay=110ms"];
        let more = ["--time-limit", "6s", "--seed", "1", "--nodes", "5"];
        verdict(&world, workload, &[&faults[..], &more, bug].concat())
    };
    each(&["counter", "total-queue"], |workload| {
        let right = slow(workload, &[]);
        assert_ne!(right["checks"][workload]["verdict"], "invalid", "{right}");
        let twice = slow(workload, &["--bug", "double-apply-on-retry"]);
        assert_eq!(twice["checks"][workload]["verdict"], "invalid", "{twice}");
    });
    world.assert_clean();
}

#[test]
fn a_workload_that_is_not_served_is_refused_before_anything_is_started() {
    let Some(world) = World::new() else { return };
    let run = world.run(&["--mode", "gossip", "--workload", "bank"]);
    assert_eq!(run.exit, Some(64), "{}", run.said);
    let told = "store/gossip does not serve bank; it serves: register, session, set-remove";
    assert!(run.said.contains(told), "{}", run.said);
    assert!(!world.path("store").exists(), "nothing was begun");
}
