//! `splitbrain explain`.

use anyhow::anyhow;

use super::{Exit, Failure, harness, usage};
use crate::explain::{explain, words};

/// Flags of `explain`.
#[derive(clap::Args)]
pub struct Args {
    /// An anomaly such as `stale-read`, or a consistency model; without one, all words that are known.
    word: Option<String>,
}

/// Says what a word means.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let text = match &args.word {
        None => words().join("\n") + "\n",
        Some(word) => explain(word).ok_or_else(|| {
            usage(anyhow!("{word:?} is not known; there are: {}", words().join(", ")))
        })?,
    };
    super::print(&text).map_err(harness)?;
    Ok(Exit::Valid)
}
