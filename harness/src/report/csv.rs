//! The operations as a table, a line each, for other tools.

use anyhow::Context as _;
use splitbrain_checker::history::{Completion, History};

/// Times are nanoseconds since the start of the run; values are JSON. What is not known is empty.
const COLUMNS: [&str; 12] = [
    "index",
    "process",
    "client",
    "node",
    "f",
    "key",
    "argument",
    "result",
    "type",
    "due_ns",
    "invoked_ns",
    "completed_ns",
];

/// All operations in the order of their invocations.
pub fn render(history: &History) -> anyhow::Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for one in history.operations() {
        let kind = match one.completion() {
            Completion::Ok => "ok",
            Completion::Fail => "fail",
            Completion::Info => "info",
        };
        table.write_record([
            one.invoked.index.to_string(),
            one.process.to_string(),
            one.client().map(|client| client.to_string()).unwrap_or_default(),
            one.node().map(|node| history[node].clone()).unwrap_or_default(),
            one.f().to_string(),
            history[one.key].clone().unwrap_or_default(),
            one.argument().to_string(),
            one.result().to_string(),
            kind.to_owned(),
            one.due_ns.to_string(),
            one.invoked.time_ns.to_string(),
            one.completed().map(|moment| moment.time_ns.to_string()).unwrap_or_default(),
        ])?;
    }
    String::from_utf8(table.into_inner()?).context("the table is text")
}
