//! A queue whose values come out in the order in which they went in.

use serde_json::Value;

use super::Workload;
use super::total_queue::Messages;
use crate::generator::{Invocation, UntilOk};

/// The workload `queue`.
pub const WORKLOAD: Workload = Workload {
    name: "queue",
    about: "Values that are put into one queue and come out in the order in which they went in.",
    load: |_| Box::new(Messages::new("fifo-queue", empty)),
};

/// More values than this are never left.
const MOST_LEFT: u32 = 10_000;

/// Takes out one after another until nothing is there.
fn empty() -> UntilOk {
    let dequeue = Invocation::keyless("dequeue", Value::Null);
    UntilOk::answering(|answer| answer.value.is_null(), dequeue, MOST_LEFT)
}
