//! Rules that somebody removes behind the nemesis' back.

use crate::world::{Ran, World};

/// A run in which each node's program is the bundled store and, beside it, a script.
fn run_beside(world: &World, script: &str) -> Ran {
    let store = World::store();
    let program = format!(
        "#!/bin/sh\nexport XTABLES_LOCKFILE=$PWD/lock PATH=$PATH:/usr/sbin:/sbin\n\
         ({script}) >/dev/null 2>&1 &\nexec {} \"$@\"\n",
        store.display()
    );
    let flags = ["--time-limit", "8s", "--seed", "4", "--faults", "isolate-one", "--json"];
    world.run_with_store(&program, &flags)
}

#[track_caller]
fn assert_not_believed(world: &World, script: &str) {
    let run = run_beside(world, script);
    let verdict = run.json();
    assert_eq!((run.exit, &verdict["verdict"]), (Some(2), &"unknown".into()), "{verdict}");
    let reason = verdict["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("fault not in force"), "{verdict}");
    let faults = verdict["faults"].as_array().expect("a list");
    assert!(faults.iter().all(|fault| fault["effect"] == "indeterminate"), "{faults:?}");
    world.assert_clean();
}

#[test]
fn rules_that_are_flushed_at_once_make_no_valid_run() {
    let Some(world) = World::new() else { return };
    assert_not_believed(&world, "while :; do iptables -F SPLITBRAIN; sleep 0.01; done");
}

#[test]
fn rules_that_are_flushed_later_make_no_valid_run() {
    let Some(world) = World::new() else { return };
    let script = "while sleep 0.1; do \
                  iptables -S SPLITBRAIN | grep -q DROP && sleep 0.5 && iptables -F SPLITBRAIN; done";
    assert_not_believed(&world, script);
}

/// The same in everything, except that the rules are only looked at.
#[test]
fn rules_that_are_left_alone_do() {
    let Some(world) = World::new() else { return };
    let run = run_beside(&world, "while :; do iptables -S SPLITBRAIN; sleep 0.1; done");
    let verdict = run.json();
    assert_eq!((run.exit, &verdict["verdict"]), (Some(0), &"valid".into()), "{verdict}");
    let faults = verdict["faults"].as_array().expect("a list");
    assert!(!faults.is_empty(), "{verdict}");
    assert!(faults.iter().all(|fault| fault["effect"] == "installed"), "{faults:?}");
}
