//! A run that is killed by SIGKILL at a random moment leaves nothing behind.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use splitbrain::environments::{LocalCluster, Sandbox};
use splitbrain_nemesis::faults::{ALL, Choice, Scene};
use splitbrain_nemesis::journal::ProcessId;
use splitbrain_nemesis::{Cluster, Nemesis};

use crate::witness::{run_name, script};

/// How many runs are killed; `SPLITBRAIN_KILLS` overrides it.
const KILLS: u32 = 8;
/// In this environment variable every process of a run can be recognised.
const MARK: &str = "SPLITBRAIN_TEST_RUN";
/// A run is killed at some moment of this time from its start: while it is set up, while it
/// runs, while a fault is installed, in force or undone.
const LONGEST_LIFE: Duration = Duration::from_millis(600);

pub fn killed_at_random_moments() {
    let kills = std::env::var("SPLITBRAIN_KILLS").ok().and_then(|text| text.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let mut slowest = Duration::ZERO;
    for turn in 0..kills {
        slowest = slowest.max(kill_one(turn, kills));
    }
    println!("{kills} runs killed; the slowest was gone without a trace after {slowest:?}");
}

/// Starts a run and kills it; how long it took until nothing was left.
fn kill_one(turn: u32, kills: u32) -> Duration {
    let run = run_name("victim");
    let mut victim = Command::new(std::env::current_exe().expect("own path"))
        .args(["victim", &run])
        .env(MARK, &run)
        .spawn()
        .expect("started");
    // Evenly spread, with a random part, so that few runs cover all moments.
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let random = f64::from(nanos.subsec_nanos() % 1000) / 1000.0;
    thread::sleep(LONGEST_LIFE.mul_f64((f64::from(turn) + random) / f64::from(kills)));
    let processes = marked_processes(&run);
    victim.kill().expect("killed");
    victim.wait().expect("waited for");
    let killed = Instant::now();
    loop {
        let mut left: Vec<String> = marked_processes(&run)
            .iter()
            .chain(processes.iter().filter(|process| process.is_alive()))
            .map(|process| format!("process {}", process.pid))
            .collect();
        // Namespaces have no name: they are there by processes, or else by mounts.
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("readable");
        left.extend(mounts.lines().filter(|line| line.contains(&run)).map(str::to_owned));
        left.extend(cgroups_of(&run));
        let files = fs::read_dir(".").expect("readable").flatten();
        left.extend(files.map(|file| file.path().display().to_string()));
        if left.is_empty() {
            break;
        }
        assert!(
            killed.elapsed() < Duration::from_secs(5),
            "5 s after kill {turn} there is still: {left:?}"
        );
        thread::sleep(Duration::from_millis(5));
    }
    killed.elapsed()
}

/// A harness that injects and undoes faults until it is killed.
pub fn victim(run: &str) -> ExitCode {
    let sandbox = Sandbox::enter(run).unwrap_or_else(|error| panic!("{error}"));
    let cluster = LocalCluster::provision(sandbox, 3).unwrap_or_else(|error| panic!("{error}"));
    let writer = "while :; do date > data/file-$(date +%N); done";
    let daemons: Vec<_> = (0..3).map(|node| script(&cluster, node, writer)).collect();
    let disks: Vec<_> = daemons.iter().map(|daemon| daemon.directory.join("data")).collect();
    disks.iter().for_each(|folder| fs::create_dir_all(folder).expect("made"));
    cluster.prepare_limits();
    cluster.install(daemons);
    cluster.attach_disks(&disks);
    cluster.attach_clocks();
    (0..3).for_each(|node| cluster.start(node).expect("started"));
    let cluster = std::sync::Arc::new(cluster);
    let mut nemesis = Nemesis::new(cluster.clone());
    for (id, fault) in (0..).zip(ALL.iter().cycle()) {
        let Choice { targets, args, .. } = &Choice::usual(fault);
        let nodes = Cluster::nodes(&*cluster);
        let scene = Scene { nodes, leaders: &[0], targets, args, beat: 0, seed: id };
        if let Ok(decision) = (fault.decide)(&scene) {
            nemesis.install(id, &decision.action);
            thread::sleep(Duration::from_millis(10));
            nemesis.undo(id);
        }
    }
    unreachable!("faults go on for ever")
}

/// The control groups of a run, wherever they are.
pub fn cgroups_of(run: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name().to_str().is_some_and(|name| name.contains(run)) {
                found.push(entry.path().display().to_string());
            }
            folders.push(entry.path());
        }
    }
    found
}

/// The processes that were started with the mark of a run, zombies excepted.
fn marked_processes(run: &str) -> Vec<ProcessId> {
    let mark = format!("{MARK}={run}");
    let processes = fs::read_dir("/proc").expect("/proc is there").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        })
        .filter_map(ProcessId::of)
        .collect()
}
