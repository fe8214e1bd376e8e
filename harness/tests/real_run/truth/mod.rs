//! The figures of real runs against a truth that the store knows: each of its nodes writes down what
//! it shows and since when. What is reported never exceeds that, and reaches 80 % of it at 200
//! operations a second. All is compared within one run.

mod known;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::world::World;
use known::{Change, Commit, Known, Op, Version};

/// Runs a plan with the store's own logs; the verdict, and what is known.
fn run(world: &World, target: &str, plan: &str) -> (Value, Known) {
    let path = world.path("plan.toml");
    let plan = format!("target = \"store/{target}applied-log=applied.jsonl\"\nseed = 1\n{plan}");
    std::fs::write(&path, plan).unwrap();
    let run = world.run(&["--plan", path.to_str().unwrap(), "--expect", "weak", "--quiet"]);
    assert_eq!(run.exit, Some(0), "{}", run.said);
    let folder = world.latest();
    let verdict = std::fs::read(folder.join("verdict.json")).unwrap();
    world.assert_clean();
    (serde_json::from_slice(&verdict).unwrap(), Known::read(&folder))
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// `measured` is a lower bound of the truth, which is `most` at most and `least` at least, and no
/// bad one.
#[track_caller]
fn close(what: &str, measured: &Value, least: f64, most: f64) {
    let measured = measured.as_f64().unwrap_or_else(|| panic!("{what} is {measured}"));
    eprintln!("{what}: measured {measured}, and the store knows of {least} to {most}");
    assert!(measured <= most, "{what}: measured {measured}, and the store knows of {most}");
    assert!(measured >= 0.8 * least, "{what}: measured {measured} of {least}");
}

/// What all nodes show of a key differs in these times.
fn diverged(known: &Known, key: &str) -> Vec<(u64, u64)> {
    let mut steps: Vec<(u64, &str, &Value)> = Vec::new();
    for (node, changes) in &known.changes {
        steps.extend(changes.iter().filter_map(|(at, change)| match change {
            Change::Empty => Some((*at, node.as_str(), &Value::Null)),
            Change::Shows { key: shown, value, .. } if shown == key => {
                Some((*at, node.as_str(), value))
            }
            _ => None,
        }));
    }
    steps.sort_by_key(|(at, ..)| *at);
    let mut shown: BTreeMap<&str, &Value> =
        known.changes.keys().map(|node| (node.as_str(), &Value::Null)).collect();
    let (mut spans, mut since) = (Vec::new(), None);
    for (at, node, value) in steps {
        shown.insert(node, value);
        let mut values = shown.values();
        let first = values.next();
        match (values.any(|other| Some(other) != first), since) {
            (true, None) => since = Some(at),
            (false, Some(from)) => {
                spans.push((from, at));
                since = None;
            }
            _ => {}
        }
    }
    assert!(since.is_none(), "{key} differs for ever");
    spans
}

/// How many versions a read lacked that were there by a moment, and since when.
fn lacked(
    known: &Known,
    read: &Op,
    by: u64,
    since: impl Fn(&Commit) -> Option<u64>,
) -> Option<(usize, f64)> {
    let commits = known.commits.get(&read.key)?;
    let seen = commits.iter().find(|(_, commit)| commit.value == read.value);
    let newer = commits.iter().filter(|(version, _)| seen.is_none_or(|(seen, _)| *version > seen));
    let newer: Vec<u64> = newer.filter_map(|(_, it)| since(it)).filter(|at| *at <= by).collect();
    Some((newer.len(), ms(by - newer.iter().min()?)))
}

fn staleness(verdict: &Value, known: &Known) {
    let measured = &verdict["profile"]["staleness"];
    let reads = || known.ops.iter().filter_map(|op| Some((op, op.ok.filter(|_| op.is_read())?)));
    // When exactly a node looked is not known: at some moment from the beginning to the end.
    let at_least: Vec<(usize, f64)> = reads()
        .filter_map(|(read, _)| {
            lacked(known, read, read.invoked.saturating_sub(known.slack), |commit| commit.done)
        })
        .collect();
    let at_most: Vec<(usize, f64)> = reads()
        .filter_map(|(read, ended)| {
            lacked(known, read, ended + known.slack, |commit| Some(commit.shown))
        })
        .collect();
    let oldest = |all: &[(usize, f64)]| all.iter().map(|(_, age)| *age).fold(0.0, f64::max);
    let versions =
        |all: &[(usize, f64)]| all.iter().map(|(count, _)| *count).max().unwrap_or(0) as f64;
    assert!(at_least.len() > 100, "there is nothing to compare: {}", at_least.len());
    close("stale reads", &measured["stale"], at_least.len() as f64, at_most.len() as f64);
    close("age", &measured["oldest_ms"], oldest(&at_least), oldest(&at_most));
    // Of writes that overlap nobody can tell which was first, so of these there may be more.
    close("versions", &measured["versions"], 1.0, versions(&at_most));
}

fn divergence(verdict: &Value, known: &Known) {
    // No other key is compared while clients work; what comes then is convergence.
    let spans = diverged(known, "p");
    let longest = |spans: &[(u64, u64)]| {
        let spans = spans.iter();
        let spans = spans.map(|(from, until)| until.min(&known.load_end).saturating_sub(*from));
        ms(spans.max().unwrap_or(0))
    };
    let (least, most) = (longest(&spans), longest(&without_unseen_ends(known, "p", &spans)));
    assert!(least > 1_000.0, "there is nothing to compare: {least}");
    let measured = &verdict["profile"]["divergence"]["longest_ms"];
    close("divergence", measured, least, most);
}

/// The same spans to somebody who asks only now and then: where no round of reads lies between two of
/// them, they are one.
fn without_unseen_ends(known: &Known, key: &str, spans: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut rounds: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for read in known.ops.iter().filter(|op| op.is_read() && op.key == key) {
        let (begun, ended) = (read.invoked, read.ok.unwrap_or(u64::MAX));
        let round = rounds.entry(read.due).or_insert((begun, ended));
        *round = (round.0.min(begun), round.1.max(ended));
    }
    let is_seen = |from: u64, until: u64| {
        let inside = |round: &(u64, u64)| {
            round.0 >= from + known.slack && round.1.saturating_add(known.slack) <= until
        };
        rounds.values().any(inside)
    };
    let mut all: Vec<(u64, u64)> = Vec::new();
    for span in spans {
        match all.last_mut() {
            Some(last) if !is_seen(last.1, span.0) => last.1 = span.1,
            _ => all.push(*span),
        }
    }
    all
}

/// Clients wrote no more when the fault was undone.
fn convergence(verdict: &Value, known: &Known) {
    let measured = &verdict["profile"]["convergence"][0];
    let [_, _, healed] = known.faults[&measured["id"].as_u64().unwrap()];
    let spans = known.main_keys.iter().flat_map(|key| diverged(known, key));
    let last = spans.map(|(_, until)| until).max().unwrap_or(0);
    let truth = ms(last.saturating_sub(healed));
    let most = truth + ms(known.slack) + 0.001;
    let least = (truth - ms(known.slack) - ms(known.longest_between_finals())).max(0.0);
    close("convergence", &measured["at_least_ms"], least, most);
    assert!(measured["at_most_ms"].as_f64().unwrap() >= least, "{measured} of {truth}");
}

/// A partition until clients stop, of a mode in which each node answers by what it has.
fn own_copies(target: &str) {
    let Some(world) = World::new() else { return };
    let plan = r#"
        phases = { baseline = "1s", main = "12s", after = "500ms" }
        workload = { keys = 20 }
        faults = [{ name = "halves", at = "1s" }]
    "#;
    let (verdict, known) = run(&world, target, plan);
    staleness(&verdict, &known);
    divergence(&verdict, &known);
    convergence(&verdict, &known);
}

#[test]
fn what_gossip_shows_is_as_stale_and_diverged_as_it_says_itself() {
    own_copies("gossip@gossip-interval-ms=2000+");
}

#[test]
fn what_many_primaries_show_is_as_stale_and_diverged_as_they_say_themselves() {
    own_copies("multi-primary@gossip-interval-ms=3000+");
}

#[test]
fn what_read_replicas_show_is_as_stale_and_diverged_as_they_say_themselves() {
    own_copies("read-replicas@");
}

/// How long clients of some nodes, all for `None`, went without a write that the store took: for
/// certain from when the fault was in force, at most from the last one that was taken before.
fn outage(known: &Known, installed: u64, nodes: Option<&BTreeSet<&str>>) -> (f64, f64) {
    let asked = |op: &Op| nodes.is_none_or(|nodes| nodes.contains(op.node.as_str()));
    let writes: Vec<(&Op, u64)> = known
        .writes()
        .filter_map(|(op, committed)| Some((op, committed?.1.shown)))
        .filter(|(op, _)| asked(op))
        .collect();
    let before = writes.iter().map(|(_, at)| *at).filter(|at| *at <= installed).max().unwrap();
    let due = writes.iter().filter(|(op, _)| op.due >= installed && op.ok.is_some());
    let (first, committed) = due.min_by_key(|(_, at)| *at).expect("writes went on");
    let least = committed.saturating_sub(known.slack).saturating_sub(installed);
    (ms(least), ms(first.ok.unwrap() + known.slack - before))
}

fn recovery(verdict: &Value, known: &Known) {
    let faults = verdict["failover"]["faults"].as_array().unwrap();
    assert!(faults.len() >= 2, "{faults:?}");
    let mut longest: f64 = 0.0;
    for fault in faults {
        let [decided, installed, healed] = known.faults[&fault["id"].as_u64().unwrap()];
        let led = |(at, change): &(u64, Change)| {
            matches!(change, Change::Leads(true)) && (decided..healed).contains(at)
        };
        let replaced = known.changes.values().flatten().any(led);
        assert!(replaced, "nobody took the place of {}", fault["primary"]);
        let nodes_of = |side: &'_ Value| -> BTreeSet<String> {
            let nodes = side["nodes"].as_array().unwrap().iter();
            nodes.map(|node| node.as_str().unwrap().to_owned()).collect()
        };
        let sides = fault["sides"].as_array().unwrap().iter();
        let sides = sides.map(|side| (side, Some(nodes_of(side))));
        for (whose, nodes) in sides.chain([(fault, None)]) {
            let nodes = nodes.as_ref().map(|nodes| nodes.iter().map(String::as_str).collect());
            let (least, most) = outage(known, installed, nodes.as_ref());
            close("first write", &whose["first_ok_ms"], least, most);
            // If no write failed until then it cost nothing, however late they were answered.
            let rto_ms = whose["rto_ms"].as_f64().unwrap();
            assert!(rto_ms == 0.0 || whose["rto_ms"] == whose["first_ok_ms"], "{whose}");
            longest = longest.max(rto_ms);
        }
    }
    assert!(longest > 300.0, "there is nothing to compare: {longest}");
}

const PRIMARY_LOST: &str = r#"
    phases = { baseline = "2s", main = "13s", after = "500ms" }
    workload = { keys = 10000 }
    faults = [
        { name = "primaries", at = "1s", for = "3s" },
        { name = "kill", targets = "primaries", at = "5s", for = "3s" },
        { name = "primaries", at = "9s", for = "3s" },
    ]
"#;

/// Acknowledged writes that the last primary does not have: when each was acknowledged.
fn lost(known: &Known) -> Vec<u64> {
    let leads = |changes: &Vec<(u64, Change)>| {
        let leads = |(at, change): &(u64, Change)| match change {
            Change::Leads(leads) => Some((*at, *leads)),
            _ => None,
        };
        changes.iter().filter_map(leads).next_back().filter(|(_, leads)| *leads)
    };
    let leaders = known.changes.iter().filter_map(|(node, changes)| Some((leads(changes)?, node)));
    let (_, last) = leaders.max().expect("somebody leads");
    let has: BTreeSet<(&str, &Version)> = known.changes[last]
        .iter()
        .rev()
        .take_while(|(_, change)| !matches!(change, Change::Empty))
        .filter_map(|(_, change)| match change {
            Change::Shows { key, version, .. } => Some((key.as_str(), version)),
            _ => None,
        })
        .collect();
    let is_lost = |(op, committed): (&Op, Option<(&Version, &Commit)>)| {
        let (ok, (version, _)) = (op.ok?, committed?);
        (!has.contains(&(op.key.as_str(), version))).then_some(ok)
    };
    known.writes().filter_map(is_lost).collect()
}

#[test]
fn what_a_fail_over_costs_is_what_the_store_says_itself() {
    let Some(world) = World::new() else { return };
    let (verdict, known) = run(&world, "primary-backup@", PRIMARY_LOST);
    recovery(&verdict, &known);
    let lost = lost(&known);
    assert!(lost.len() >= 5, "there is nothing to compare: {}", lost.len());
    let loss = &verdict["failover"]["loss"];
    let measured = loss["lost_once"].as_u64().unwrap() + loss["lost_at_least"].as_u64().unwrap();
    close("lost writes", &measured.into(), lost.len() as f64, lost.len() as f64);
    let span = ms(lost.iter().max().unwrap() - lost.iter().min().unwrap()) + 0.001;
    close("their span", &loss["span_ms"], span, span);
}

#[test]
fn what_raft_costs_when_its_leader_is_lost_is_what_it_says_itself() {
    let Some(world) = World::new() else { return };
    let (verdict, known) = run(&world, "raft@", PRIMARY_LOST);
    recovery(&verdict, &known);
    assert_eq!(lost(&known), [0; 0]);
    let loss = &verdict["failover"]["loss"];
    assert_eq!((&loss["lost_once"], &loss["lost_at_least"]), (&0.into(), &0.into()), "{loss}");
    assert_eq!(verdict["profile"]["staleness"]["stale"], 0);
}
