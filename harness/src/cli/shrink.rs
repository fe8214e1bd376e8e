//! `splitbrain shrink`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use serde_json::Value;

use super::child::Runs;
use super::{Exit, Failure, harness, usage};
use crate::plan::{Plan, Span};
use crate::run::folder;
use crate::shrink::{shrink, size};

/// Flags of `shrink`.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 a plan is printed that still fails; 2 it did not fail again."
)]
pub struct Args {
    /// The folder of a run that was invalid.
    run: PathBuf,
    /// After this long the smallest plan so far is printed.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    budget: Span,
    /// A plan that is run so often without failing does not fail.
    #[arg(long, default_value_t = 2)]
    tries: u32,
    /// Where to write the plan; by default to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs smaller and smaller plans, and prints the smallest that failed.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let plan = Plan::read(&args.run.join(folder::PLAN)).map_err(usage)?;
    let verdict = std::fs::read(args.run.join(folder::VERDICT))
        .map_err(anyhow::Error::from)
        .and_then(|text| Ok(serde_json::from_slice::<Value>(&text)?))
        .with_context(|| format!("{} has no verdict", args.run.display()))
        .map_err(usage)?;
    if verdict["verdict"] != "invalid" {
        let word = verdict["verdict"].as_str().unwrap_or("no verdict");
        return Err(usage(anyhow!("{} is {word}, and not invalid", args.run.display())));
    }
    let names = names(&verdict);
    let runs = Runs::new().map_err(harness)?;
    let started = Instant::now();
    super::tell(&format!("{}: {}, {}", args.run.display(), names.join(", "), size(&plan)));
    let shrunk = shrink(&plan, |plan| {
        for _ in 0..args.tries.max(1) {
            if runs.interrupted() || started.elapsed() > args.budget.0 {
                return None;
            }
            // A plan that cannot be run, and one that fails in another way, do not fail as this one did.
            if runs.run_plan(plan, &[]).is_ok_and(|verdict| fails_alike(&verdict, &names)) {
                super::tell(&format!("  fails: {}", size(plan)));
                return Some(true);
            }
        }
        Some(false)
    });
    let Some(shrunk) = shrunk else {
        super::tell(&format!("it did not fail again in {} runs", args.tries.max(1)));
        return Ok(Exit::Unknown);
    };
    let how = if shrunk.is_minimal { "nothing smaller failed" } else { "the time was over" };
    let text = format!(
        "# Made of {} by `splitbrain shrink`, which tried {} plans; {how}.\n# It was: {}\n# It is:  {}\n{}",
        args.run.display(),
        shrunk.tried,
        size(&plan),
        size(&shrunk.plan),
        toml::to_string(&shrunk.plan).map_err(harness)?
    );
    match &args.output {
        None => super::print(&text).map_err(harness)?,
        Some(output) => std::fs::write(output, text)
            .with_context(|| format!("{} cannot be written", output.display()))
            .map_err(usage)?,
    }
    Ok(Exit::Valid)
}

fn names(verdict: &Value) -> Vec<String> {
    let all = verdict["violations"].as_array().into_iter().flatten();
    all.filter_map(|one| one["name"].as_str()).map(str::to_owned).collect()
}

/// Whether it is not what was expected either, and for a reason that the first one had too.
fn fails_alike(verdict: &Value, expected: &[String]) -> bool {
    let found = names(verdict);
    verdict["verdict"] == "invalid"
        && (expected.is_empty() || found.iter().any(|name| expected.contains(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_failure_is_not_this_one() {
        let verdict =
            |word: &str, name: &str| json!({ "verdict": word, "violations": [{ "name": name }] });
        let expected = ["stale-read".to_owned(), "lost-write".to_owned()];
        assert!(fails_alike(&verdict("invalid", "lost-write"), &expected));
        assert!(!fails_alike(&verdict("invalid", "aborted-read"), &expected));
        assert!(!fails_alike(&verdict("valid", "stale-read"), &expected));
        assert!(!fails_alike(&json!({ "error": "no such program" }), &expected));
    }
}
