//! Who does what: workers and their processes, operations that wait for a free client, and the
//! recorder's ordered buffer.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use splitbrain_checker::history::{Event, Kind, Process, Symbol};
use splitbrain_workloads::{Completion, Context, Generator, Invocation, Next};

use crate::recorder::Recorder;

/// Operations that found no free client are reported together if they were due within this time.
const SHED_REPORT_NS: u64 = 1_000_000_000;

/// Totals for the progress line, readable from other threads.
#[derive(Debug, Default)]
pub struct Counts {
    /// Operations invoked.
    pub invoked: AtomicU64,
    /// Completed `ok`.
    pub ok: AtomicU64,
    /// Completed `fail`.
    pub fail: AtomicU64,
    /// Completed `info`.
    pub info: AtomicU64,
}

/// How much is done at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Operations of one node that may be open and not yet late.
    pub per_node: usize,
    /// An operation is late after that; one that could not even begin by then is shed.
    pub deadline_ns: u64,
    /// An operation ends after that.
    pub op_timeout_ns: u64,
    /// Whether one client of each node goes to another one after each operation.
    pub moving: bool,
}

impl Limits {
    /// How many workers that takes. A client whose operation is late no longer counts as busy, and
    /// a spare one takes its place: a system that lets a few requests hang is still asked by
    /// others. No operation is open for longer than its time limit, which bounds the spares.
    pub fn workers(self, nodes: usize) -> usize {
        let generations = 1 + self.op_timeout_ns.div_ceil(self.deadline_ns.max(1)) as usize;
        nodes * self.per_node * generations
    }
}

struct Worker {
    process: u64,
    /// Which node it asks now.
    node: usize,
    travels: bool,
    open: Option<Invocation>,
    /// When that was begun.
    since: u64,
}

/// The state of the loop that is not time.
pub struct Desk {
    recorder: Recorder,
    nodes: Vec<Arc<str>>,
    workers: Vec<Worker>,
    /// Drawn from the generator, not yet due or without a free client.
    drawn: Option<Invocation>,
    /// Due operations that wait for a client of their node, oldest first.
    waiting: Vec<VecDeque<Invocation>>,
    /// Most operations of one node that are open and not late.
    per_node: usize,
    deadline_ns: u64,
    shed: BTreeMap<String, BTreeMap<Symbol, u64>>,
    /// When the first of those was due.
    shed_since: u64,
    /// Keys in the order of their first use, except those of the phase `after`.
    keys: Vec<String>,
    known: std::collections::HashSet<String>,
    counts: Arc<Counts>,
}

impl Desk {
    /// A desk for `limits`. Worker `w` asks node `w % nodes`, at first or always: of each node the
    /// second one travels, so that the first, which has the most to do, shows what it is to stay.
    pub fn new(recorder: Recorder, nodes: &[String], limits: Limits) -> Desk {
        let workers = (0..limits.workers(nodes.len()))
            .map(|client| Worker {
                process: client as u64,
                node: client % nodes.len(),
                travels: limits.moving && client / nodes.len() == 1,
                open: None,
                since: 0,
            })
            .collect();
        Desk {
            recorder,
            nodes: nodes.iter().map(|name| Arc::from(name.as_str())).collect(),
            workers,
            drawn: None,
            waiting: nodes.iter().map(|_| VecDeque::new()).collect(),
            per_node: limits.per_node,
            deadline_ns: limits.deadline_ns,
            shed: BTreeMap::new(),
            shed_since: 0,
            keys: Vec::new(),
            known: std::collections::HashSet::new(),
            counts: Arc::default(),
        }
    }

    /// Totals, shared with whoever shows them.
    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    /// Every key used so far, in the order of first use.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The operation that a worker is busy with.
    pub fn open(&self, worker: usize) -> &Invocation {
        self.workers[worker].open.as_ref().expect("the worker was assigned an operation")
    }

    /// Whether nothing is open and nothing waits.
    pub fn idle(&self) -> bool {
        self.drawn.is_none()
            && self.waiting.iter().all(VecDeque::is_empty)
            && self.workers.iter().all(|worker| worker.open.is_none())
    }

    /// Why the history can no longer be written, if so.
    pub fn failure(&self) -> Option<String> {
        self.recorder.failure()
    }

    /// Writes a phase's first line; the phase before it is now safe on disk.
    pub fn phase(&mut self, now: u64, name: &'static str) {
        self.report_shed(now);
        self.recorder.sync();
        let mut event = Event::new(0, now, Kind::Info, Process::Harness, "phase");
        event.value = name.into();
        self.recorder.write(event);
    }

    /// Asks the generator until it has nothing that is due, moving due operations to the queue of
    /// their node. Returns whether the generator is done, and lowers `wake` to when it should be
    /// asked again.
    pub fn draw(
        &mut self,
        now: u64,
        generator: &mut dyn Generator,
        ctx: &mut Context,
        wake: &mut u64,
    ) -> bool {
        loop {
            if self.drawn.is_none() {
                match generator.next(ctx) {
                    Next::Invoke(invocation) => self.drawn = Some(invocation),
                    Next::Pending(until) => {
                        *wake = until.map_or(*wake, |until| until.min(*wake));
                        return false;
                    }
                    Next::Done => return true,
                }
            }
            let Some(drawn) = &self.drawn else { continue };
            match (drawn.due, drawn.node) {
                (Some(due), _) if due > now => {
                    *wake = due.min(*wake);
                    return false;
                }
                (Some(_), Some(node)) => {
                    self.waiting[node].extend(self.drawn.take());
                }
                // Closed loop, or any node: it goes to a free client, and until there is one nothing
                // more is drawn.
                (_, node) => match self.free_node(now, node) {
                    Some(node) => self.waiting[node].extend(self.drawn.take()),
                    None => return false,
                },
            }
        }
    }

    /// A node that can take an operation now, and for which none waits yet.
    fn free_node(&self, now: u64, wanted: Option<usize>) -> Option<usize> {
        (0..self.nodes.len())
            .filter(|node| wanted.is_none_or(|wanted| wanted == *node))
            .find(|node| self.waiting[*node].is_empty() && self.free_worker(now, *node).is_some())
    }

    /// A worker that can take an operation of this node now.
    fn free_worker(&self, now: u64, node: usize) -> Option<usize> {
        let (nodes, count) = (self.nodes.len(), self.workers.len());
        // Nobody but the second worker of each node is ever away from it.
        let second = (nodes..count.min(2 * nodes)).filter(|at| self.workers[*at].node == node);
        let mine =
            std::iter::once(node).chain(second).chain((node + 2 * nodes..count).step_by(nodes));
        let mut in_time = 0;
        let mut free = None;
        for at in mine {
            let worker = &self.workers[at];
            match worker.open {
                None => free = free.or(Some(at)),
                Some(_) => in_time += usize::from(now < worker.since + self.deadline_ns),
            }
        }
        free.filter(|_| in_time < self.per_node)
    }

    /// Gives a waiting operation to a free worker of its node and records the invocation; the
    /// caller must hand it over next.
    pub fn assign(&mut self, now: u64) -> Option<usize> {
        let (node, worker) = (0..self.nodes.len())
            .filter(|node| !self.waiting[*node].is_empty())
            .find_map(|node| Some((node, self.free_worker(now, node)?)))?;
        let mut invocation = self.waiting[node].pop_front()?;
        invocation.node = Some(node);
        if let Some(key) = &invocation.key
            && !self.known.contains(key)
        {
            self.known.insert(key.clone());
            self.keys.push(key.clone());
        }
        let process = Process::Client(self.workers[worker].process);
        let mut event = Event::new(0, now, Kind::Invoke, process, invocation.f.clone());
        event.key = invocation.key.clone();
        event.value = invocation.value.clone();
        event.client = Some(worker as u32);
        event.node = Some(Cow::Owned(self.nodes[node].to_string()));
        event.due = invocation.due;
        event.probe = invocation.probe;
        self.recorder.write(event);
        self.counts.invoked.fetch_add(1, Ordering::Relaxed);
        self.workers[worker].open = Some(invocation);
        self.workers[worker].since = now;
        Some(worker)
    }

    /// Records a completion and frees the worker.
    pub fn complete(
        &mut self,
        now: u64,
        worker: usize,
        completion: Completion,
    ) -> (Invocation, Event) {
        let concurrency = self.workers.len() as u64;
        self.travel(worker);
        let worker = &mut self.workers[worker];
        let invocation = worker.open.take().expect("only a busy worker completes");
        let process = Process::Client(worker.process);
        let mut event = Event::new(0, now, completion.kind, process, invocation.f.clone());
        event.key = invocation.key.clone();
        event.value = completion.value;
        event.version = completion.version;
        event.error = completion.error;
        let count = match completion.kind {
            Kind::Fail => &self.counts.fail,
            Kind::Info => {
                // The operation may still happen: its process is never heard of again.
                worker.process += concurrency;
                &self.counts.info
            }
            _ => &self.counts.ok,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let event = self.recorder.write(event);
        (invocation, event)
    }

    /// Has a traveller change places with the next one that is free, so that every node keeps as
    /// many clients as it had.
    fn travel(&mut self, worker: usize) {
        let (nodes, home) = (self.nodes.len(), self.workers[worker].node);
        if !self.workers[worker].travels {
            return;
        }
        let others = (1..nodes).map(|step| nodes + (worker - nodes + step) % nodes);
        let free = |other: &usize| self.workers[*other].open.is_none();
        if let Some(other) = { others }.find(free) {
            self.workers[worker].node = std::mem::replace(&mut self.workers[other].node, home);
        }
    }

    /// Records a line of the nemesis or an observer.
    pub fn note(&mut self, now: u64, mut note: Event) {
        note.time = now;
        self.recorder.write(note);
    }

    /// Sheds what has waited for too long, reports it, and hands the buffer on.
    pub fn tick(&mut self, now: u64) {
        for node in 0..self.waiting.len() {
            while let Some(due) = self.waiting[node].front().and_then(|first| first.due)
                && due + self.deadline_ns < now
                && let Some(invocation) = self.waiting[node].pop_front()
            {
                if self.shed.is_empty() {
                    self.shed_since = due;
                } else if due.abs_diff(self.shed_since) >= SHED_REPORT_NS {
                    self.report_shed(now);
                    self.shed_since = due;
                }
                self.shed_since = self.shed_since.min(due);
                let by_f = self.shed.entry(self.nodes[node].to_string()).or_default();
                *by_f.entry(invocation.f).or_default() += 1;
            }
        }
        if now >= self.shed_since + self.deadline_ns + SHED_REPORT_NS {
            self.report_shed(now);
        }
        self.recorder.flush(now);
    }

    /// One line for all operations that were shed since the last: `due` is when the first of them
    /// was, and the others were within a second of it.
    fn report_shed(&mut self, now: u64) {
        if !self.shed.is_empty() {
            let mut event = Event::new(0, now, Kind::Info, Process::Harness, "shed");
            event.value = json!(std::mem::take(&mut self.shed));
            event.due = Some(self.shed_since);
            self.recorder.write(event);
        }
    }

    /// The phase is over: what was due but not yet late is forgotten, as if it had not been drawn.
    pub fn abandon(&mut self, now: u64) {
        self.tick(now);
        self.drawn = None;
        self.waiting.iter_mut().for_each(VecDeque::clear);
    }

    /// Puts everything on disk.
    pub fn close(&mut self) {
        self.recorder.close();
    }
}
