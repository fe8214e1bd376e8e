//! Makes the history of a run that goes exactly as told: every node is asked to read and to write
//! in turn, every 50 ms, and answers as a function of the scenario says.

use serde_json::{Value, json};
use splitbrain_checker::history::{Event, Header, History};
use splitbrain_checker::{Judgement, Options, judge};

/// What comes of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `ok` after 1 ms.
    Served,
    /// `fail` after 1 ms, because nobody serves it.
    Refused,
    /// `fail` after 1 ms, a correct negative answer.
    Mismatch,
    /// `ok` after so many ms.
    Late(u64),
    /// Never asked.
    NotAsked,
}
use Answer::{Late, Mismatch, NotAsked, Refused, Served};

/// A request: which node, at what time, and whether it is a read.
pub struct Request {
    pub node: usize,
    pub at_ms: u64,
    pub read: bool,
}

/// A fault and when it was in force.
#[derive(Clone)]
pub struct Break {
    pub name: &'static str,
    pub sides: Vec<Vec<usize>>,
    /// Directed links that are left out of the cut between the sides.
    pub links_left: Vec<(usize, usize)>,
    pub targets: Vec<usize>,
    pub from_ms: u64,
    pub until_ms: u64,
    pub effect: &'static str,
}

/// A cut between sides.
pub fn cut(sides: &[&[usize]], from_ms: u64, until_ms: u64) -> Break {
    Break {
        name: "cut",
        sides: sides.iter().map(|side| side.to_vec()).collect(),
        links_left: Vec::new(),
        targets: Vec::new(),
        from_ms,
        until_ms,
        effect: "installed",
    }
}

/// A kill of one node.
pub fn kill(node: usize, from_ms: u64, until_ms: u64) -> Break {
    Break { name: "kill", targets: vec![node], ..cut(&[], from_ms, until_ms) }
}

pub struct Scenario {
    pub nodes: usize,
    pub length_ms: u64,
    pub breaks: Vec<Break>,
    /// When the nemesis saw which node lead.
    pub leaders: Vec<(u64, usize)>,
    pub answer: Box<dyn Fn(&Request) -> Answer>,
    /// While cut, each side keeps a copy of its own.
    pub copies: bool,
    /// Requests without a free client: at the end of which second, at which node, what, how many.
    pub shed: Vec<(u64, usize, &'static str, u64)>,
    /// Whether their events come late and say when that second began.
    pub shed_late: bool,
    pub plan: Value,
}

impl Default for Scenario {
    /// Five nodes that serve for 15 s.
    fn default() -> Scenario {
        Scenario {
            nodes: 5,
            length_ms: 15_000,
            breaks: Vec::new(),
            leaders: Vec::new(),
            answer: Box::new(|_| Served),
            copies: false,
            shed: Vec::new(),
            shed_late: false,
            plan: Value::Null,
        }
    }
}

fn name(node: usize) -> String {
    format!("n{node}")
}

impl Scenario {
    pub fn history(&self) -> History {
        let mut lines: Vec<(u64, Value)> = Vec::new();
        self.requests(&mut lines);
        self.faults(&mut lines);
        for (at_ms, leader) in &self.leaders {
            let value = json!({"leader": [name(*leader)], "down": []});
            lines.push((*at_ms * 1_000_000, note("nemesis", "roles", &json!({"value": value}))));
        }
        for (at_ms, node, f, count) in &self.shed {
            let value = json!({name(*node): {*f: count}});
            let (recorded_ms, more) = if self.shed_late {
                (at_ms + 400, json!({"value": value, "due": (at_ms - 1_000) * 1_000_000}))
            } else {
                (*at_ms, json!({"value": value}))
            };
            lines.push((recorded_ms * 1_000_000, note("harness", "shed", &more)));
        }
        lines.sort_by_key(|(time, _)| *time);
        let nodes: Vec<String> = (1..=self.nodes).map(name).collect();
        let header = json!({"splitbrain": 1, "run": "r", "nodes": nodes, "plan": self.plan});
        let header: Header = serde_json::from_value(header).expect("a header");
        let events = lines.into_iter().map(|(time, mut line)| {
            line["time"] = json!(time);
            serde_json::from_value::<Event>(line).expect("an event")
        });
        History::from_events(Some(header), events).expect("well-formed")
    }

    pub fn judgement(&self) -> Judgement {
        judge(&self.history(), &Options::default())
    }

    fn requests(&self, lines: &mut Vec<(u64, Value)>) {
        let mut process = 0;
        // The value of each copy; requests of different nodes never overlap, so this order is real.
        let mut copies = vec![Value::Null; self.nodes + 1];
        for tick in 1..self.length_ms / 50 {
            for node in 1..=self.nodes {
                let at_ms = tick * 50 + 2 * node as u64;
                let read = tick % 2 == 0;
                let answer = (self.answer)(&Request { node, at_ms, read });
                if answer == NotAsked {
                    continue;
                }
                process += 1;
                let f = if read { "read" } else { "write" };
                let written = if read { Value::Null } else { json!(process) };
                let due = json!(at_ms * 1_000_000);
                let invoke = json!({"type": "invoke", "process": process, "f": f, "value": written,
                    "node": name(node), "due": due});
                lines.push((at_ms * 1_000_000, invoke));
                let (after_ms, kind, error) = match answer {
                    Served => (1, "ok", Value::Null),
                    Late(after_ms) => (after_ms, "ok", Value::Null),
                    Mismatch => (1, "fail", json!({"kind": "mismatch"})),
                    Refused | NotAsked => (1, "fail", json!({"kind": "refused"})),
                };
                if kind == "ok" && !read {
                    for other in (1..=self.nodes).filter(|other| self.joined(node, *other, at_ms)) {
                        copies[other] = written.clone();
                    }
                }
                let value = if read { &copies[node] } else { &written };
                let mut done = json!({"type": kind, "process": process, "f": f, "value": value});
                if !error.is_null() {
                    done["error"] = error;
                }
                lines.push(((at_ms + after_ms) * 1_000_000, done));
            }
        }
    }

    fn joined(&self, one: usize, other: usize, at_ms: u64) -> bool {
        let parts = |cut: &Break| {
            let side = |node| cut.sides.iter().position(|side| side.contains(&node));
            (cut.from_ms..cut.until_ms).contains(&at_ms) && side(one) != side(other)
        };
        !self.copies || !self.breaks.iter().any(parts)
    }

    fn faults(&self, lines: &mut Vec<(u64, Value)>) {
        for (id, fault) in self.breaks.iter().enumerate() {
            let of = |more: Value| {
                let mut all = json!({"fault": fault.name, "id": id});
                for (field, value) in more.as_object().expect("an object") {
                    all[field] = value.clone();
                }
                all
            };
            let names = |nodes: &Vec<usize>| -> Vec<String> {
                nodes.iter().map(|node| name(*node)).collect()
            };
            let sides: Vec<Vec<String>> = fault.sides.iter().map(names).collect();
            let value =
                json!({"cut": pairs(fault), "sides": sides, "targets": names(&fault.targets)});
            let mut at = |ms: u64, f: &str, more: Value| {
                lines.push((ms * 1_000_000, note("nemesis", f, &of(more))));
            };
            at(fault.from_ms - 20, "start", json!({"value": value}));
            at(fault.from_ms, "start", json!({"effect": fault.effect}));
            at(fault.until_ms, "stop", json!({}));
            at(fault.until_ms + 30, "stop", json!({"effect": "healed"}));
        }
    }
}

fn note(process: &str, f: &str, more: &Value) -> Value {
    let mut line = json!({"type": "info", "process": process, "f": f});
    for (field, value) in more.as_object().expect("an object") {
        line[field] = value.clone();
    }
    line
}

fn pairs(fault: &Break) -> Vec<[String; 2]> {
    let mut pairs = Vec::new();
    for (at, one) in fault.sides.iter().enumerate() {
        for (_, other) in fault.sides.iter().enumerate().filter(|(other, _)| *other != at) {
            for from in one {
                let to = other.iter().filter(|to| !fault.links_left.contains(&(*from, **to)));
                pairs.extend(to.map(|to| [name(*from), name(*to)]));
            }
        }
    }
    pairs
}
