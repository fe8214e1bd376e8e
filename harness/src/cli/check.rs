//! `splitbrain check`.

use std::path::PathBuf;

use super::{Exit, Failure, harness, usage};
use crate::{report, run};

/// Flags of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// A history, or the folder of a run.
    path: PathBuf,
    /// What the exit code answers: `linearizable`, `eventual` or `weak`, each meaning at least.
    #[arg(long)]
    expect: Option<String>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Judges a history and prints what a run would have printed.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let expect = args.expect.as_deref().map(report::expectation).transpose().map_err(usage)?;
    let path = run::folder::history_of(&args.path);
    let judged = report::judge_file(&path, expect).map_err(usage)?;
    let text = if args.json { judged.json() } else { judged.text() };
    crate::cli::print(&text).map_err(harness)?;
    Ok(judged.exit())
}
