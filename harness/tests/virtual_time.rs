//! The whole of a run in virtual time: a seed fixes every byte of the history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use splitbrain::interpreter::virtual_time::{Registers, VirtualTime};
use splitbrain::interpreter::{Command, Desk, Interpreter, Wake};
use splitbrain::plan::{Plan, Span};
use splitbrain::recorder::Recorder;
use splitbrain::run::{Breaker, Script};
use splitbrain_checker::history::{History, NodeId};
use splitbrain_checker::{Class, Options, Verdict, judge};
use splitbrain_nemesis::memory::{MemoryCluster, Sabotage};
use splitbrain_workloads::objects::{self, Settings};

const NODES: usize = 5;

/// The history of a default run of 30 s against registers in memory, with the faults in force on
/// an imaginary cluster. `latencies` seeds how long answers take.
fn record(seed: u64, latencies: u64) -> String {
    record_sabotaged(seed, latencies, None)
}

/// The same with a cluster that breaks its promises when everything is to be healed.
fn record_sabotaged(seed: u64, latencies: u64, sabotage: Option<Sabotage>) -> String {
    let plan = Plan { deadline: Span::from_ms(1_000), ..Plan::default() };
    record_plan(&plan, seed, latencies, sabotage)
}

fn record_plan(plan: &Plan, seed: u64, latencies: u64, sabotage: Option<Sabotage>) -> String {
    let nodes: Vec<String> = (1..=NODES).map(|number| format!("n{number}")).collect();
    let timeline = plan.timeline(&nodes, seed).unwrap();
    let (recorder, bytes) = Recorder::memory();
    let limits = plan.limits();
    let desk = Desk::new(recorder, &nodes, limits);
    let cluster = Arc::new(MemoryCluster::new(NODES));
    let mut breaker = Breaker::new(cluster.clone(), Default::default());
    let obey = Box::new(move |command| {
        if matches!(command, Command::HealAll) {
            cluster.sabotage(sabotage);
        }
        let mut arriving: Vec<(u64, Wake)> = Vec::new();
        breaker.obey(command, &mut |wake| {
            arriving.push((1_000_000 * (1 + arriving.len() as u64), wake));
        });
        arriving
    });
    let port = VirtualTime::new(latencies, Registers::default(), obey);
    let mut interpreter = Interpreter::new(port, desk);
    let settings = Settings::default();
    let load = (objects::find("register").unwrap().load)(&settings);
    Script { plan, timeline: &timeline, nodes: NODES, seed }.play(&mut interpreter, load);
    interpreter.finish();
    let bytes = bytes.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// What was asked for and broken, in order, without when it really began and what came of it.
fn schedule(history: &str) -> Vec<String> {
    let mut operations = Vec::new();
    let mut faults = Vec::new();
    for line in history.lines() {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        for field in ["index", "time", "process", "client"] {
            event.as_object_mut().unwrap().remove(field);
        }
        let due = event["due"].as_u64();
        if event["type"] == "invoke"
            && let Some(due) = due
        {
            operations.push((due, event.to_string()));
        }
        if event["f"] == "start" {
            faults.push(event.to_string());
        }
    }
    // Two operations of different nodes may begin in another order than they were due.
    operations.sort();
    operations.into_iter().map(|(_, line)| line).chain(faults).collect()
}

#[test]
fn the_same_seed_gives_the_same_history_byte_for_byte() {
    let history = record(42, 1);
    assert!(history.lines().count() > 9_000, "{} lines", history.lines().count());
    assert!(history == record(42, 1), "a second run differs");
    assert!(history != record(43, 1), "another seed gives another history");
}

#[test]
fn the_schedule_does_not_depend_on_how_long_answers_take() {
    let until_final = |history: &str| {
        let lines = history.lines().take_while(|line| !line.contains(r#""value":"final""#));
        schedule(&lines.collect::<Vec<_>>().join("\n"))
    };
    let (one, other) = (record(42, 1), record(42, 2));
    assert!(one != other, "the latencies do differ");
    assert_eq!(until_final(&one), until_final(&other));
}

#[test]
fn registers_in_memory_are_linearizable_through_every_fault() {
    let history = History::read(record(7, 7).as_bytes()).unwrap();
    let judgement = judge(&history, &Options::default());
    assert_eq!(judgement.verdict, Verdict::Valid, "{judgement:?}");
    assert_eq!(judgement.class, Some(Class::Linearizable));
    let names: Vec<&str> = judgement.faults.iter().map(|fault| fault.name.as_str()).collect();
    assert!(names.contains(&"primaries") && names.contains(&"kill") && names.contains(&"pause"));
    assert!(judgement.faults.iter().all(|fault| fault.heal_decided_to_verified_ms.is_some()));
    // Such a system scores 0 in all that is measured of staleness, divergence and loss.
    let staleness = judgement.profile.staleness.expect("registers");
    assert_eq!((staleness.stale, staleness.reads > 2_000), (0, true), "{staleness:?}");
    let divergence = judgement.profile.divergence.expect("probed");
    assert_eq!((divergence.diverged, divergence.rounds > 40), (0, true), "{divergence:?}");
    let loss = &judgement.failover.loss;
    assert_eq!((loss.lost(), loss.undecided), (Some(0), Some(0)), "{loss:?}");
    assert!(loss.written_once > Some(100), "{loss:?}");
}

#[test]
fn a_run_that_could_not_be_healed_is_not_valid() {
    let text = record_sabotaged(7, 7, Some(Sabotage::FirewallLocked));
    let history = History::read(text.as_bytes()).unwrap();
    let judgement = judge(&history, &Options::default());
    let reason = judgement.reason.expect("it is unknown");
    let named = "could not be verified healed: the firewall is locked";
    assert!(reason.contains(named) && reason.contains("fault "), "{reason}");
    assert!(!text.contains(r#""value":"final""#), "a system that is broken is not asked");
}

/// Sessions that move are where session guarantees break, and sessions that stay are what they are
/// compared with.
#[test]
fn some_sessions_move_between_nodes_unless_the_plan_says_that_all_stay() {
    let nodes_of_sessions = |moving: bool| {
        let mut plan = Plan { deadline: Span::from_ms(1_000), ..Plan::default() };
        plan.workload.moving = moving;
        let history = History::read(record_plan(&plan, 42, 1, None).as_bytes()).unwrap();
        let mut nodes: BTreeMap<u64, BTreeSet<NodeId>> = BTreeMap::new();
        for operation in history.operations() {
            nodes.entry(operation.process).or_default().extend(operation.node());
        }
        nodes.into_values().map(|nodes| nodes.len()).collect::<Vec<_>>()
    };
    let moving = nodes_of_sessions(true);
    assert!(moving.iter().filter(|nodes| **nodes == NODES).count() >= NODES, "{moving:?}");
    assert!(moving.iter().filter(|nodes| **nodes == 1).count() >= NODES, "{moving:?}");
    assert!(nodes_of_sessions(false).iter().all(|nodes| *nodes == 1));
}
