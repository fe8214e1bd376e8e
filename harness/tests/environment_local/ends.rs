//! How a run ends, in every way that it can, and that nothing is left of it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use splitbrain::environments::{HealOutcome, LocalCluster, Sandbox, heal};
use splitbrain_nemesis::node::{Processes, Signal as NodeSignal};

use crate::looks::{eventually, journaled_keeper};
use crate::witness::{provisioned, run_name, script};

pub fn tear_down_leaves_nothing() {
    let cluster = provisioned(3);
    let data = std::env::current_dir().expect("a folder").join("more-data");
    cluster.remove_at_end(&data).expect("journaled");
    fs::create_dir(&data).expect("made");
    cluster
        .install((0..3).map(|node| script(&cluster, node, "trap '' TERM; sleep 1000")).collect());
    (0..3).for_each(|node| cluster.start(node).expect("started"));
    Processes::signal(&cluster, 1, NodeSignal::Stop).expect("stopped");
    let directory = cluster.directory().to_owned();
    assert!(directory.exists());
    assert!(heal().expect("readable").len() == 1, "a live run is left alone");
    assert_eq!(cluster.tear_down().0, [""; 0]);
    assert!(!directory.exists() && !data.exists());
    assert!(!cluster.keeper_is_alive());
    assert!(cluster.start(0).is_err(), "it is over");
    assert_eq!(cluster.tear_down().0, [""; 0], "again");
    assert!(heal().expect("readable").is_empty());
}

/// Without its keeper all nodes die, the harness can see it, and files are removed all the same.
pub fn keeper_killed() {
    let cluster = provisioned(2);
    cluster.install((0..2).map(|node| script(&cluster, node, "sleep 1000")).collect());
    (0..2).for_each(|node| cluster.start(node).expect("started"));
    assert!(cluster.keeper_is_alive() && cluster.exited().is_empty());
    kill(journaled_keeper(), Signal::SIGKILL).expect("killed");
    eventually("all nodes are dead", || cluster.exited().len() == 2);
    assert!(!cluster.keeper_is_alive());
    assert!(cluster.start(0).expect_err("no keeper").to_string().contains("keeper"));
    assert_eq!(cluster.tear_down().0, [""; 0]);
}

/// A harness that gives up while it sets a run up undoes it, also without its keeper.
pub fn keeper_killed_while_setting_up() {
    let sandbox = Sandbox::enter(&run_name("start")).unwrap_or_else(|error| panic!("{error}"));
    let left = || fs::read_dir(".").expect("readable").count();
    assert_eq!(left(), 2, "a journal and a folder");
    kill(journaled_keeper(), Signal::SIGKILL).expect("killed");
    eventually("the keeper is dead", || !sandbox.keeper_is_alive());
    let failed = LocalCluster::provision(sandbox, 2).err();
    assert!(failed.is_some(), "without a keeper there are no nodes");
    assert_eq!(left(), 0);
}

/// What is left when harness and keeper are both killed is found and undone by `heal`.
pub fn heal_undoes_what_the_keeper_could_not() {
    let mut holder = held(&run_name("holder"));
    let keeper = journaled_keeper();
    kill(keeper, Signal::SIGKILL).expect("killed");
    holder.0.kill().expect("killed");
    holder.0.wait().expect("waited for");
    let left = || fs::read_dir(".").expect("readable").count();
    assert_eq!(left(), 2, "a journal and a folder");
    let lines = heal().expect("readable");
    let undone = lines.iter().filter(|line| line.outcome == HealOutcome::Undone).count();
    assert!(undone >= 2, "{lines:?}");
    assert_eq!(left(), 0, "{lines:?}");
    assert!(heal().expect("readable").is_empty());
}

/// Whoever reads a run's output through a pipe sees its end when the harness ends, even by
/// SIGKILL; neither the keeper nor a node holds it open.
pub fn output_ends_with_the_harness() {
    let (mut holder, mut output) = held(&run_name("holder"));
    holder.kill().expect("killed");
    let begun = Instant::now();
    output.read_to_string(&mut String::new()).expect("readable");
    // Whoever else held it open would do so for as long as it lives: a node's program for 1000 s.
    assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
    holder.wait().expect("waited for");
    eventually("nothing is left", || fs::read_dir(".").expect("readable").next().is_none());
}

/// A harness in a process of its own that is up, and its output.
fn held(run: &str) -> (Child, BufReader<ChildStdout>) {
    let mut holder = Command::new(std::env::current_exe().expect("own path"))
        .args(["holder", run])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut output = BufReader::new(holder.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("readable");
    assert_eq!(line, "up\n");
    (holder, output)
}

/// A harness that does nothing until its input ends.
pub fn hold_until_end(run: &str) -> ExitCode {
    let sandbox = Sandbox::enter(run).unwrap_or_else(|error| panic!("{error}"));
    let cluster = LocalCluster::provision(sandbox, 1).unwrap_or_else(|error| panic!("{error}"));
    cluster.install(vec![script(&cluster, 0, "sleep 1000")]);
    cluster.start(0).expect("started");
    println!("up");
    let _ = std::io::read_to_string(std::io::stdin());
    ExitCode::SUCCESS
}
