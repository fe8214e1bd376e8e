//! `splitbrain convert`.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use splitbrain_checker::history::{Format, Notation, ReadOptions};

use super::{Exit, Failure, harness, usage};
use crate::{report, run};

/// Flags of `convert`.
#[derive(clap::Args)]
pub struct Args {
    /// A history in any format that `check` takes, or the folder of a run; `-` for standard input.
    path: PathBuf,
    /// Format of the file; by default its beginning tells.
    #[arg(long)]
    from: Option<Format>,
    /// Each value is a pair of key and value, as Jepsen writes independent keys in EDN.
    #[arg(long)]
    independent: bool,
    /// What to write: `edn` as Jepsen and Knossos read it, our own `jsonl`, or of transactions on registers
    /// `plume` (which PolySI and AWDIT read too) or `dbcop`, which keep no times.
    #[arg(long)]
    to: Notation,
    /// Where to; by default to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Reads a history and writes it in another notation.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let path = run::folder::history_of(&args.path);
    let reading = ReadOptions { format: args.from, independent: args.independent };
    let history = report::open(&path, &reading).map_err(usage)?;
    if let Some(line) = history.truncated_line() {
        super::tell(&format!("line {line} breaks off in the middle and is left out"));
    }
    if !history.has_real_time() {
        super::tell("the file keeps no times: only the order within a process means anything");
    }
    if let Err(malformed) = history.fits(args.to) {
        return Err(usage(anyhow!(
            "{} has a place for {}: {}",
            args.to.name(),
            malformed.expected,
            malformed.found
        )));
    }
    if history.has_real_time() && !args.to.has_real_time() {
        super::tell("the notation keeps no times: only the order within a process is written");
    }
    match &args.output {
        Some(output) if is_same(output, &path) => {
            Err(usage(anyhow!("{} would be overwritten by itself", path.display())))
        }
        Some(output) => {
            let named = || output.display().to_string();
            let file = File::create(output).with_context(named).map_err(usage)?;
            let written = history.write(args.to, BufWriter::new(file)).with_context(named);
            written.map(|()| Exit::Valid).map_err(harness)
        }
        None => match history.write(args.to, BufWriter::new(io::stdout().lock())) {
            // Who reads only the beginning has what they want.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Valid),
            written => written.map(|()| Exit::Valid).map_err(harness),
        },
    }
}

/// Whether two paths lead to the same file.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
