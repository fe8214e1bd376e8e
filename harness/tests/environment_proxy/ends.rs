//! How a run ends, in every way that it can, and that nothing is left of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use splitbrain::environments::proxy::{Ports, stand};
use splitbrain::environments::{HealOutcome, Hosts, ProxyCluster, heal};
use splitbrain_nemesis::faults::{ALL, Choice, Scene};
use splitbrain_nemesis::journal::Mark;
use splitbrain_nemesis::node::{Processes, Signal as NodeSignal};
use splitbrain_nemesis::{Cluster, Nemesis};

use crate::looks::{eventually, journaled_keeper};
use crate::witness::{provisioned, run_name, script};

/// How many runs are killed if nothing else is asked for.
const KILLS: u32 = 6;

pub fn tear_down_leaves_nothing() {
    let cluster = provisioned(3, false);
    let data = std::env::current_dir().expect("a folder").join("more-data");
    cluster.remove_at_end(&data).expect("journaled");
    fs::create_dir(&data).expect("made");
    let stubborn = "trap '' TERM; (setsid sleep 1000 &); sleep 1000";
    cluster.install((0..3).map(|node| script(&cluster, node, stubborn)).collect());
    (0..3).for_each(|node| cluster.launch(node).expect("started"));
    Processes::signal(&cluster, 1, NodeSignal::Stop).expect("stopped");
    let directory = cluster.directory().to_owned();
    assert!(directory.exists());
    assert!(heal().expect("readable").len() == 1, "a live run is left alone");
    assert_eq!(cluster.tear_down().0, [""; 0]);
    assert!(!directory.exists() && !data.exists());
    assert!((0..3).all(|node| cluster.states(node).expect("readable").is_empty()));
    assert!(!cluster.is_guarded());
    assert!(cluster.launch(0).is_err(), "it is over");
    assert_eq!(cluster.tear_down().0, [""; 0], "again");
    assert!(heal().expect("readable").is_empty());
}

/// Without its keeper a run goes no further, and is cleaned up all the same.
pub fn keeper_killed() {
    let cluster = provisioned(2, false);
    cluster.install((0..2).map(|node| script(&cluster, node, "sleep 1000")).collect());
    cluster.launch(0).expect("started");
    assert!(cluster.is_guarded());
    kill(journaled_keeper(), Signal::SIGKILL).expect("killed");
    eventually("the keeper is gone", || !cluster.is_guarded());
    assert!(cluster.launch(1).expect_err("no keeper").to_string().contains("keeper"));
    assert_eq!(cluster.tear_down().0, [""; 0]);
    assert!(cluster.states(0).expect("readable").is_empty());
}

/// What is left when harness and keeper are both killed is found and undone by `heal`.
pub fn heal_undoes_what_the_keeper_could_not() {
    let run = run_name("holder");
    let mark = Mark { run: run.clone(), node: None };
    let mut holder = started("holder", &run);
    kill(journaled_keeper(), Signal::SIGKILL).expect("killed");
    holder.kill().expect("killed");
    holder.wait().expect("waited for");
    let left = || fs::read_dir(".").expect("readable").count();
    assert_eq!(left(), 2, "a journal and a folder");
    assert!(!mark.processes().expect("readable").is_empty(), "its nodes live on");
    let lines = heal().expect("readable");
    let undone = lines.iter().filter(|line| line.outcome == HealOutcome::Undone).count();
    assert!(undone >= 3, "{lines:?}");
    assert_eq!(left(), 0, "{lines:?}");
    assert_eq!(mark.processes().expect("readable"), [0; 0]);
    assert!(heal().expect("readable").is_empty());
}

/// A harness that is killed while it starts, breaks and heals leaves nothing after 5 s.
pub fn killed_at_random_moments() {
    let kills = std::env::var("SPLITBRAIN_KILLS").ok().and_then(|text| text.parse().ok());
    let mut slowest = Duration::ZERO;
    for turn in 0..kills.unwrap_or(KILLS) {
        let run = run_name(&format!("victim{turn}"));
        let mut victim = role("victim", &run).spawn().expect("started");
        thread::sleep(Duration::from_millis(u64::from(turn * 7_919 + 137) % 900));
        victim.kill().expect("killed");
        victim.wait().expect("waited for");
        let killed = Instant::now();
        let mark = Mark { run, node: None };
        eventually(&format!("nothing is left after kill {turn}"), || {
            let files = fs::read_dir(".").expect("readable").count();
            files == 0 && mark.processes().expect("readable").is_empty()
        });
        slowest = slowest.max(killed.elapsed());
    }
    println!("nothing was left after at most {slowest:?}");
}

/// This program in another role, in which it is up.
fn started(name: &str, run: &str) -> Child {
    let mut child = role(name, run).spawn().expect("started");
    let mut line = String::new();
    let output = child.stdout.as_mut().expect("piped");
    BufReader::new(output).read_line(&mut line).expect("readable");
    assert_eq!(line, "up\n");
    child
}

fn role(name: &str, run: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("own path"));
    command.args([name, run]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn cluster(run: &str, nodes: usize) -> ProxyCluster {
    let stand = stand(run).unwrap_or_else(|error| panic!("{error}"));
    let ports = Ports { each: 1, one_address: false };
    ProxyCluster::provision(stand, nodes, ports).unwrap_or_else(|error| panic!("{error}"))
}

/// A harness that does nothing until its input ends.
pub fn hold_until_end(run: &str) -> ExitCode {
    let cluster = cluster(run, 1);
    cluster.install(vec![script(&cluster, 0, "(setsid sleep 1000 &) ; sleep 1000")]);
    cluster.launch(0).expect("started");
    println!("up");
    let _ = std::io::read_to_string(std::io::stdin());
    ExitCode::SUCCESS
}

/// A harness that injects and undoes faults until it is killed.
pub fn victim(run: &str) -> ExitCode {
    let cluster = Arc::new(cluster(run, 3));
    let writer = "while :; do date > file-$(date +%N); done";
    cluster.install((0..3).map(|node| script(&cluster, node, writer)).collect());
    (0..3).for_each(|node| cluster.launch(node).expect("started"));
    let mut nemesis = Nemesis::new(cluster.clone());
    for (id, fault) in (0..).zip(ALL.iter().cycle()) {
        let Choice { targets, args, .. } = &Choice::usual(fault);
        let scene =
            Scene { nodes: cluster.nodes(), leaders: &[0], targets, args, beat: 0, seed: id };
        if let Ok(decision) = (fault.decide)(&scene) {
            nemesis.install(id, &decision.action);
            thread::sleep(Duration::from_millis(10));
            nemesis.undo(id);
        }
    }
    unreachable!("faults go on for ever")
}
