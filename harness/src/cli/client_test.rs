//! `splitbrain client-test`: whether a client in another language keeps the rules.

use anyhow::{Context as _, anyhow};
use serde_json::json;
use splitbrain_workloads::objects;
use tokio::runtime::Runtime;

use super::{Exit, Failure, harness, usage};
use crate::databases::command::rules::{self, Finding, Outcome};
use crate::environments::proxy;

/// Flags of `client-test`.
#[derive(clap::Args)]
pub struct Args {
    /// The client: a command in which `{address}` stands for HOST:PORT of a node, and `{url}` for its URL.
    #[arg(long, value_name = "COMMAND")]
    client: String,
    /// A node that is running. Only keys that begin with `splitbrain-client-test-` are written there.
    #[arg(long, value_name = "URL")]
    node: String,
    /// What it has to carry out.
    #[arg(long, default_value = "register")]
    workload: String,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Tries the rules and says of each what became of it.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let workload = objects::find(&args.workload)
        .with_context(|| format!("no workload is named {:?}", args.workload))
        .map_err(usage)?;
    if !args.node.contains("://") {
        return Err(usage(anyhow!("--node takes a URL such as http://10.0.0.1:2379")));
    }
    // Whatever happens, the client's processes end with this one.
    let stand = proxy::stand(&format!("client-test-{}", std::process::id())).map_err(harness)?;
    let runtime = Runtime::new().map_err(harness)?;
    let url = args.node.trim_end_matches('/');
    let found = runtime
        .block_on(rules::try_all(&args.client, url, workload))
        .map_err(|error| usage(anyhow!(error)))?;
    drop(runtime);
    drop(stand);
    let text = if args.json { in_json(&found) } else { in_words(&found) };
    super::print(&text).map_err(harness)?;
    let any = |broken: fn(&Outcome) -> bool| found.iter().any(|(_, outcome)| broken(outcome));
    Ok(match () {
        () if any(|outcome| matches!(outcome, Outcome::Broken(_))) => Exit::Invalid,
        () if any(|outcome| matches!(outcome, Outcome::Open(_))) => Exit::Unknown,
        () => Exit::Valid,
    })
}

fn parts(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Kept => ("pass", ""),
        Outcome::Broken(why) => ("fail", why),
        Outcome::Open(why) => ("unknown", why),
    }
}

fn in_words(found: &[Finding]) -> String {
    let line = |(rule, outcome): &Finding| match parts(outcome) {
        (word, "") => format!("{word:<8} {rule}\n"),
        (word, why) => format!("{word:<8} {rule}\n         {why}\n"),
    };
    found.iter().map(line).collect()
}

fn in_json(found: &[Finding]) -> String {
    let rule = |(rule, outcome): &Finding| {
        let (word, why) = parts(outcome);
        json!({ "rule": rule, "result": word, "why": why })
    };
    let rules: Vec<_> = found.iter().map(rule).collect();
    format!("{}\n", json!({ "format": 1, "rules": rules }))
}
