//! What the store wrote of itself, and what its clients saw, on one clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// A version of a key: the greater is the newer.
pub type Version = (u64, String);

/// One operation as the history has it. Times are those of the history, in nanoseconds.
pub struct Op {
    pub f: String,
    pub key: String,
    /// What it wrote or, if it read, what it found.
    pub value: Value,
    pub node: String,
    pub due: u64,
    pub invoked: u64,
    /// When it was answered with `ok`.
    pub ok: Option<u64>,
}

impl Op {
    pub fn is_read(&self) -> bool {
        self.f == "read"
    }
}

/// Something that changed at a node.
pub enum Change {
    /// It shows nothing at all any more.
    Empty,
    /// It calls this write done.
    Done { key: String, value: Value },
    /// It shows this.
    Shows { key: String, value: Value, version: Version },
    /// It leads, or not.
    Leads(bool),
}

/// What became of a value.
pub struct Commit {
    pub value: Value,
    /// When the first node showed it.
    pub shown: u64,
    /// When a node said that it was done, if one did.
    pub done: Option<u64>,
}

type Commits = BTreeMap<String, BTreeMap<Version, Commit>>;

/// What is known of a run: from the store's logs and from the history.
pub struct Known {
    pub ops: Vec<Op>,
    /// By node: when what changed, on the clock of the history.
    pub changes: BTreeMap<String, Vec<(u64, Change)>>,
    /// By key.
    pub commits: Commits,
    /// How far both clocks may be apart from what is said here.
    pub slack: u64,
    /// By number of fault: when it was decided, in force and undone.
    pub faults: BTreeMap<u64, [u64; 3]>,
    /// When clients stopped to work as they do during the faults.
    pub load_end: u64,
    /// From when until when all keys were read at all nodes, again and again.
    pub finals: (u64, u64),
    /// Keys that they worked on until then.
    pub main_keys: BTreeSet<String>,
}

fn time(event: &Value) -> u64 {
    event["time"].as_u64().expect("every event has one")
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Wide enough that text compares as the number does; the name of a node stays as it is.
fn version(at: &Value) -> Version {
    let second = at[1].as_u64().map_or_else(
        || at[1].as_str().expect("a number or a node").to_owned(),
        |number| format!("{number:020}"),
    );
    (at[0].as_u64().expect("a number"), second)
}

/// The log of one node, on its own clock.
fn changes(path: &Path, prefix: &str) -> Vec<(u64, Change)> {
    let change = |line: &Value| {
        if line["empty"] == true {
            return Change::Empty;
        }
        let key = |field: &str| {
            let key = line[field].as_str()?;
            Some(key.strip_prefix(prefix).expect("a key of this run").to_owned())
        };
        let value = line["value"].clone();
        match (key("key"), key("done")) {
            (Some(key), _) => Change::Shows { key, value, version: version(&line["at"]) },
            (_, Some(key)) => Change::Done { key, value },
            _ => Change::Leads(!line["leads"].is_null()),
        }
    };
    lines(path).iter().map(|line| (line["ns"].as_u64().unwrap(), change(line))).collect()
}

impl Known {
    pub fn read(run: &Path) -> Known {
        let history = lines(&run.join("history.jsonl"));
        let header = &history[0];
        let prefix = header["key_prefix"].as_str().unwrap();
        let ops = operations(&history);
        let nodes = header["nodes"].as_array().unwrap().iter().map(|node| node.as_str().unwrap());
        let log = |node: &str| changes(&run.join(node).join("applied.jsonl"), prefix);
        let mut changes: BTreeMap<_, _> = nodes.map(|node| (node.to_owned(), log(node))).collect();
        let (offset, slack) = between_clocks(&ops, &commits(&changes));
        for (at, _) in changes.values_mut().flatten() {
            *at = u64::try_from(i128::from(*at) - offset).unwrap_or(0);
        }
        let times = |f: &str, effect: Option<&str>| -> BTreeMap<u64, u64> {
            let found = history.iter().filter(|event| {
                event["process"] == "nemesis"
                    && event["f"] == f
                    && event["effect"].as_str() == effect
            });
            found.map(|event| (event["id"].as_u64().unwrap(), time(event))).collect()
        };
        let (decided, healed) = (times("start", None), times("stop", Some("healed")));
        let installed = times("start", Some("installed")).into_iter();
        let phase = |name: &str| {
            let is_it = |event: &&Value| event["f"] == "phase" && event["value"] == name;
            time(history.iter().find(is_it).unwrap())
        };
        let load_end = phase("heal");
        let main = ops.iter().filter(|op| op.invoked < load_end);
        Known {
            main_keys: main.map(|op| op.key.clone()).collect(),
            load_end,
            finals: (phase("final"), phase("after")),
            faults: installed.map(|(id, at)| (id, [decided[&id], at, healed[&id]])).collect(),
            commits: commits(&changes),
            slack,
            ops,
            changes,
        }
    }

    /// Final reads come no less often than this, and what is over sooner may not be seen: the longest
    /// time from the beginning of one round of them to the end of the next, over all keys and nodes.
    pub fn longest_between_finals(&self) -> u64 {
        let (from, until) = self.finals;
        let mut reads: BTreeMap<(&str, &str), Vec<(u64, u64)>> = BTreeMap::new();
        let finals = self.ops.iter().filter(|op| (from..until).contains(&op.invoked));
        for read in finals {
            let ended = read.ok.unwrap_or(read.invoked);
            reads.entry((&read.key, &read.node)).or_default().push((read.invoked, ended));
        }
        let pairs = reads.values().flat_map(|reads| reads.windows(2));
        pairs.map(|pair| pair[1].1 - pair[0].0).max().unwrap_or(0)
    }

    /// What clients wrote, with the version that it became and what became of that, if the store ever
    /// showed it.
    pub fn writes(&self) -> impl Iterator<Item = (&Op, Option<(&Version, &Commit)>)> {
        let committed = |op: &Op| {
            let mut commits = self.commits.get(&op.key)?.iter();
            commits.find(|(_, commit)| commit.value == op.value)
        };
        self.ops.iter().filter(|op| !op.is_read()).map(move |op| (op, committed(op)))
    }
}

fn operations(history: &[Value]) -> Vec<Op> {
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let mut ops: Vec<Op> = Vec::new();
    let mut open = BTreeMap::new();
    for event in &history[1..] {
        let Some(process) = event["process"].as_u64() else { continue };
        let time = time(event);
        let (f, value) = (text(event, "f"), &event["value"]);
        let wrote = if f == "cas" { value[1].clone() } else { value.clone() };
        if event["type"] == "invoke" {
            open.insert(process, ops.len());
            let (key, node) = (text(event, "key"), text(event, "node"));
            let due = event["due"].as_u64().unwrap_or(time);
            ops.push(Op { f, key, value: wrote, node, due, invoked: time, ok: None });
        } else if event["type"] == "ok" {
            let op = &mut ops[open[&process]];
            op.ok = Some(time);
            op.value = wrote;
        }
    }
    ops
}

fn commits(changes: &BTreeMap<String, Vec<(u64, Change)>>) -> Commits {
    let mut commits = Commits::new();
    let mut all_done = BTreeMap::new();
    for (at, change) in changes.values().flatten() {
        match change {
            Change::Shows { key, value, version } => {
                let of_key = commits.entry(key.clone()).or_default();
                let fresh = Commit { value: value.clone(), shown: *at, done: None };
                let commit = of_key.entry(version.clone()).or_insert(fresh);
                commit.shown = commit.shown.min(*at);
            }
            Change::Done { key, value } => _ = all_done.insert((key, value.to_string()), *at),
            Change::Empty | Change::Leads(_) => {}
        }
    }
    for (key, commits) in &mut commits {
        for commit in commits.values_mut() {
            commit.done = all_done.get(&(key, commit.value.to_string())).copied();
        }
    }
    commits
}

/// What the store's clock is ahead of the history's, and how exactly that is known: no write is
/// shown before it is asked for, nor acknowledged before it is shown.
fn between_clocks(ops: &[Op], commits: &Commits) -> (i128, u64) {
    let (mut least, mut most) = (i128::MIN, i128::MAX);
    for op in ops.iter().filter(|op| !op.is_read()) {
        let mut commits = commits.get(&op.key).into_iter().flat_map(BTreeMap::values);
        let Some(commit) = commits.find(|commit| commit.value == op.value) else { continue };
        most = most.min(i128::from(commit.shown) - i128::from(op.invoked));
        if let (Some(done), Some(ok)) = (commit.done, op.ok) {
            least = least.max(i128::from(done) - i128::from(ok));
        }
    }
    assert!(least <= most, "a write was acknowledged before the store had it: {least} > {most}");
    ((least + most) / 2, u64::try_from(most - least).unwrap())
}
