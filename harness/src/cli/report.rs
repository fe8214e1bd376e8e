//! `splitbrain report`.

use std::path::PathBuf;

use anyhow::Context as _;

use super::{Exit, Failure, harness, usage};
use crate::report::{self, Format, Question};
use crate::run::folder;

/// Flags of `report`.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of a run, or a history in any format that `check` takes.
    path: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// What is expected: `linearizable`, `eventual` or `weak`; by default what the run expected.
    #[arg(long)]
    expect: Option<String>,
    /// Where to; by default to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Judges a stored history and writes a report; whatever the verdict is, that is a success.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let expect = args.expect.as_deref().map(str::parse).transpose().map_err(usage)?;
    let path = folder::history_of(&args.path);
    let question = Question { expect, ..Question::default() };
    let (history, mut judged) = report::judge_file(&path, &question).map_err(usage)?;
    if args.path.join(folder::PLAN).is_file() {
        judged.kept_in = Some(args.path.display().to_string());
    }
    let text = args.format.render(&judged, &history).map_err(harness)?;
    match &args.output {
        None => super::print(&text).map_err(harness)?,
        Some(output) => std::fs::write(output, text)
            .with_context(|| format!("{} cannot be written", output.display()))
            .map_err(usage)?,
    }
    Ok(Exit::Valid)
}
