//! What a run leaves: the verdict, the report, and the exit code.

use std::io::Write as _;

use anyhow::Context as _;

use super::Recorded;
use super::folder::{HISTORY, RunFolder, VERDICT};
use super::prepare::Prepared;
use crate::cli::Exit;
use crate::interpreter::StopCause;
use crate::report::{self, Judged, Question};

/// A run that is over.
pub struct Ended {
    judged: Judged,
    stop: Option<StopCause>,
}

/// Judges the history of a run and writes the verdict and the report beside it.
pub fn judge(prepared: &Prepared, folder: &RunFolder, recorded: Recorded) -> anyhow::Result<Ended> {
    let question = Question { expect: Some(prepared.expect), ..Question::default() };
    let mut judged = report::judge_file(&folder.file(HISTORY), question)?;
    match &recorded.stop {
        Some(StopCause::Interrupted) => judged.cut_short("interrupted"),
        Some(StopCause::Failure(why)) => judged.cut_short(&format!("the harness failed: {why}")),
        None => {}
    }
    judged.remarks.extend(recorded.left);
    // A stamp that comes late widens an interval and can hide an anomaly.
    if recorded.lag_p99_us > 10_000 {
        judged.remarks.push(format!(
            "this machine was busy: completions were stamped up to {} ms late (p99), which can \
             hide anomalies",
            recorded.lag_p99_us / 1_000
        ));
    }
    let write = |name: &str, text: &str| {
        std::fs::write(folder.file(name), text).with_context(|| format!("{name} cannot be written"))
    };
    write(VERDICT, &judged.json())?;
    write("report.txt", &judged.text())?;
    Ok(Ended { judged, stop: recorded.stop })
}

impl Ended {
    /// Prints the report, or the verdict as JSON, on standard output.
    pub fn print(&self, json: bool) -> std::io::Result<()> {
        let text = if json { self.judged.json() } else { self.judged.text() };
        crate::cli::print(&text)?;
        std::io::stdout().flush()
    }

    /// A failure of the harness can never end as valid, and hides nothing that was found.
    pub fn exit(&self) -> Exit {
        match (&self.stop, self.judged.exit()) {
            (Some(StopCause::Failure(_)), Exit::Valid | Exit::Unknown) => Exit::Harness,
            (_, exit) => exit,
        }
    }
}
