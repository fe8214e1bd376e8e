//! Makes a history of operations, faults and phases at given times, in milliseconds.

use serde_json::{Value, json};
use splitbrain_checker::history::{Event, Header, History};
use splitbrain_checker::{Judgement, Options, judge};

/// A history in the making.
pub struct Script {
    nodes: Vec<String>,
    lines: Vec<(u64, Value)>,
    processes: u64,
    faults: u64,
}

impl Script {
    /// Of nodes `n1`, `n2`, ...
    pub fn new(nodes: usize) -> Script {
        let nodes = (1..=nodes).map(|node| format!("n{node}")).collect();
        Script { nodes, lines: Vec::new(), processes: 0, faults: 0 }
    }

    fn push(&mut self, at_ms: u64, line: Value) -> &mut Script {
        self.lines.push((at_ms, line));
        self
    }

    /// An operation of a process of its own: `what` is `read KEY`, `write KEY` or `probe KEY`, and
    /// the value is what is read or written, or the kind of error.
    pub fn op(
        &mut self,
        from_ms: u64,
        to_ms: u64,
        node: usize,
        what: &str,
        value: impl Into<Value>,
    ) -> &mut Script {
        let value: Value = value.into();
        let (f, key) = what.split_once(' ').expect("f and key");
        let is_probe = f == "probe";
        let f = if is_probe { "read" } else { f };
        let process = self.processes;
        self.processes += 1;
        let asked = if f == "read" { Value::Null } else { value.clone() };
        let mut invoke = json!({"type": "invoke", "process": process, "f": f, "key": key,
            "value": asked, "node": format!("n{node}"), "due": from_ms * 1_000_000});
        if is_probe {
            invoke["probe"] = json!(true);
        }
        self.push(from_ms, invoke);
        let done = json!({"type": "ok", "process": process, "f": f, "key": key, "value": value});
        self.push(to_ms, done)
    }

    /// A write that ends in an error: `fail` and `refused`, `info` and `timeout`, ...
    pub fn failing(
        &mut self,
        from_ms: u64,
        to_ms: u64,
        node: usize,
        key: &str,
        value: u64,
        (kind, error): (&str, &str),
    ) -> &mut Script {
        self.op(from_ms, to_ms, node, &format!("write {key}"), json!(value));
        let (_, done) = self.lines.last_mut().expect("the completion");
        (done["type"], done["error"]) = (json!(kind), json!({"kind": error}));
        self
    }

    /// A probe round, answered after 1 ms.
    pub fn probe(&mut self, at_ms: u64, key: &str, answers: &[Value]) -> &mut Script {
        for (node, answer) in (1..).zip(answers) {
            self.op(at_ms, at_ms + 1, node, &format!("probe {key}"), answer.clone());
        }
        self
    }

    /// Reads of a key at every node.
    pub fn read_at_all(&mut self, at_ms: u64, key: &str, answers: &[Value]) -> &mut Script {
        for (node, answer) in (1..).zip(answers) {
            self.op(at_ms, at_ms + 1, node, &format!("read {key}"), answer.clone());
        }
        self
    }

    pub fn phase(&mut self, at_ms: u64, name: &str) -> &mut Script {
        let line = json!({"type": "info", "process": "harness", "f": "phase", "value": name});
        self.push(at_ms, line)
    }

    pub fn leads(&mut self, at_ms: u64, node: usize) -> &mut Script {
        let value = json!({"leader": [format!("n{node}")], "down": []});
        let line = json!({"type": "info", "process": "nemesis", "f": "roles", "value": value});
        self.push(at_ms, line)
    }

    /// A fault that is in force from one time to another, and verified undone 10 ms later.
    pub fn fault(&mut self, name: &str, from_ms: u64, to_ms: u64, value: &Value) -> &mut Script {
        let id = self.faults;
        self.faults += 1;
        let line = |f: &str| json!({"type": "info", "process": "nemesis", "f": f, "fault": name, "id": id});
        let (mut start, mut in_force, mut healed) = (line("start"), line("start"), line("stop"));
        start["value"] = value.clone();
        in_force["effect"] = json!("installed");
        healed["effect"] = json!("healed");
        self.push(from_ms - 10, start).push(from_ms, in_force);
        self.push(to_ms, line("stop")).push(to_ms + 10, healed)
    }

    /// A cut between two sides, both ways.
    pub fn cut(&mut self, from_ms: u64, to_ms: u64, one: &[usize], other: &[usize]) -> &mut Script {
        let value = cut_between(one, other);
        self.fault("halves", from_ms, to_ms, &value)
    }

    pub fn history(&self) -> History {
        let mut lines = self.lines.clone();
        lines.sort_by_key(|(at_ms, _)| *at_ms);
        let header = json!({"splitbrain": 1, "run": "r", "nodes": self.nodes});
        let header: Header = serde_json::from_value(header).expect("a header");
        let events = lines.into_iter().map(|(at_ms, mut line)| {
            line["time"] = json!(at_ms * 1_000_000);
            serde_json::from_value::<Event>(line).expect("an event")
        });
        History::from_events(Some(header), events).expect("well-formed")
    }

    pub fn judgement(&self) -> Judgement {
        judge(&self.history(), &Options::default())
    }
}

fn names(nodes: &[usize]) -> Vec<String> {
    nodes.iter().map(|node| format!("n{node}")).collect()
}

/// What the nemesis notes of such a cut.
pub fn cut_between(one: &[usize], other: &[usize]) -> Value {
    let mut cut = Vec::new();
    for one in names(one) {
        for other in names(other) {
            cut.extend([json!([one, other]), json!([other, one])]);
        }
    }
    json!({"cut": cut, "sides": [names(one), names(other)], "targets": []})
}
