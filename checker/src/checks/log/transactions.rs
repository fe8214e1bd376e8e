//! What transactions may not be given: messages that they send themselves, and each other's in a circle. A
//! message is there for others when its transaction is over, and not before.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::anomalies::Anomalies;
use super::told::{Step, steps};
use crate::history::{Completion, Operation};
use crate::txn::components::components;

/// A message of a log.
type Placed = (String, String);

/// Finds both in all operations: Jepsen's `precommitted-read`, and Adya's `G1c` of the edges from who sent a
/// message to who was given it. Whose messages could also be of another send lead nowhere.
///
/// # Errors
/// An operation that is not one of a log.
pub fn judge<'h>(
    operations: &[&'h Operation],
    found: &mut Anomalies<'h>,
) -> Result<(), &'h Operation> {
    let mut senders: HashMap<Placed, Vec<u32>> = HashMap::new();
    let mut given: Vec<Vec<Placed>> = Vec::new();
    for (at, op) in operations.iter().enumerate() {
        let mut of_it = Vec::new();
        for step in steps(op)? {
            match step {
                Step::Send { log, message, .. } if op.completion() != Completion::Fail => {
                    senders.entry((log, message)).or_default().push(at as u32);
                }
                Step::Poll(logs) => {
                    let all = logs.into_iter().flat_map(|(log, messages)| {
                        messages.into_iter().map(move |(_, message)| (log.clone(), message))
                    });
                    of_it.extend(all);
                }
                Step::Send { .. } | Step::Silent => {}
            }
        }
        given.push(of_it);
    }
    let mut next: Vec<Vec<u32>> = vec![Vec::new(); operations.len()];
    for (reader, placed) in given.iter().enumerate() {
        for (log, message) in placed {
            let Some([sender]) = senders.get(&(log.clone(), message.clone())).map(Vec::as_slice)
            else {
                continue;
            };
            if *sender as usize != reader {
                next[*sender as usize].push(reader as u32);
                continue;
            }
            let why = format!(
                "a transaction was given message {message} of log {log}, which it sent itself: \
                 nobody may be given it before that transaction is over"
            );
            found.wrong("precommitted-read", vec![operations[reader]], why);
        }
    }
    for component in components(next.len() as u32, |node| next[node as usize].iter().copied()) {
        let witness = circle(component[0], &next);
        let count = witness.len();
        let why = format!(
            "{count} transactions were each given a message that the one before sent, in a circle: \
             none of them can have been over before the next"
        );
        found.wrong("G1c", witness.iter().map(|at| operations[*at as usize]).collect(), why);
    }
    Ok(())
}

/// A shortest way from a node back to it.
fn circle(from: u32, next: &[Vec<u32>]) -> Vec<u32> {
    let mut before: BTreeMap<u32, u32> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(node) = open.pop_front() {
        for to in &next[node as usize] {
            if *to == from {
                let mut way = vec![node];
                while let Some(earlier) = way.last().filter(|last| **last != from) {
                    way.push(before[earlier]);
                }
                way.reverse();
                return way;
            }
            before.entry(*to).or_insert_with(|| {
                open.push_back(*to);
                node
            });
        }
    }
    vec![from]
}
