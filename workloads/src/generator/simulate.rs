//! Generators in virtual time: the kit that tests of generators and workloads use.
//!
//! Operations take no real time: an imaginary system answers each after a latency that the caller
//! decides. What comes out is the exact schedule.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde_json::Value;
use splitbrain_checker::history::{Event, Kind, Process};

use super::{Context, Generator, Invocation, Next};

/// One operation of a simulated schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// When it began, in nanoseconds.
    pub began: u64,
    /// When it completed.
    pub ended: u64,
    /// Which of the imaginary clients ran it.
    pub client: usize,
    /// What was asked.
    pub invocation: Invocation,
}

impl std::fmt::Display for Simulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Invocation { f: name, key, value, .. } = &self.invocation;
        let key = key.as_deref().unwrap_or("-");
        write!(f, "{}..{} c{} {name} {key} {value}", self.began, self.ended, self.client)
    }
}

/// Runs `generator` with `clients` imaginary clients (client `i` belongs to node `i % nodes`)
/// until it is done or has started `most` operations. `answer` gives each operation's latency in
/// nanoseconds, its kind of completion and its result.
pub fn simulate(
    generator: &mut dyn Generator,
    ctx: &mut Context,
    clients: usize,
    most: usize,
    mut answer: impl FnMut(&Invocation) -> (u64, Kind, Value),
) -> Vec<Simulated> {
    let mut schedule: Vec<Simulated> = Vec::new();
    let mut open: BinaryHeap<Reverse<(u64, usize, usize)>> = BinaryHeap::new();
    let mut outcomes: Vec<(Kind, Value)> = Vec::new();
    let mut free: Vec<bool> = vec![true; clients];
    let mut held: Option<Invocation> = None;
    loop {
        let mut wake = None;
        if held.is_none() && free.contains(&true) {
            match generator.next(ctx) {
                Next::Invoke(invocation) => held = Some(invocation),
                Next::Pending(until) => wake = until,
                Next::Done => break,
            }
        }
        if let Some(invocation) = &held {
            let due = invocation.due.unwrap_or(ctx.now);
            let client = (0..clients).find(|&client| {
                free[client] && invocation.node.is_none_or(|node| client % ctx.nodes == node)
            });
            match client {
                Some(client) if due <= ctx.now => {
                    let invocation = held.take().expect("an operation is held");
                    let (latency, kind, value) = answer(&invocation);
                    let ended = ctx.now + latency;
                    free[client] = false;
                    open.push(Reverse((ended, schedule.len(), client)));
                    outcomes.push((kind, value));
                    schedule.push(Simulated { began: ctx.now, ended, client, invocation });
                    if schedule.len() == most {
                        break;
                    }
                    continue;
                }
                Some(_) => wake = Some(due),
                None => {}
            }
        }
        let completes = open.peek().map(|Reverse((ended, ..))| *ended);
        let Some(now) = [wake, completes].into_iter().flatten().min() else { break };
        ctx.now = ctx.now.max(now);
        while open.peek().is_some_and(|Reverse((ended, ..))| *ended <= ctx.now) {
            let Reverse((ended, index, client)) = open.pop().expect("an operation is open");
            free[client] = true;
            let (kind, value) = outcomes[index].clone();
            let process = Process::Client(client as u64);
            let f = schedule[index].invocation.f.clone();
            let mut event = Event::new(0, ended, kind, process, f);
            event.value = value;
            generator.update(ctx, &schedule[index].invocation, &event);
        }
    }
    schedule
}
