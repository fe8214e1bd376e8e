//! What a run leaves: the verdict, the report, and the exit code.

use std::collections::BTreeMap;

use splitbrain_checker::history::{History, Operation};

use super::Recorded;
use super::folder::{HISTORY, RunFolder, VERDICT};
use super::prepare::Prepared;
use super::watch;
use crate::cli::Exit;
use crate::interpreter::StopCause;
use crate::report::{self, Format, Judged};

/// A run that is over.
pub struct Ended {
    judged: Judged,
}

/// What is written beside the history.
const REPORTS: [(&str, Format); 3] =
    [(VERDICT, Format::Json), ("report.txt", Format::Text), ("report.html", Format::Html)];

/// Stamps later than this are worth a word.
const LATE_US: u64 = 10_000;

/// Judges the history of a run and writes the verdict and the report beside it.
pub fn judge(prepared: &Prepared, folder: &RunFolder, recorded: Recorded) -> anyhow::Result<Ended> {
    let (history, mut judged) = report::judge_file(&folder.file(HISTORY), &prepared.question())?;
    judged.kept_in = Some(folder.name());
    judged.remarks.extend(recorded.remarks);
    judged.remarks.extend(why_nothing_succeeded(&history));
    if recorded.lag_p99_us > LATE_US {
        judged.remarks.push(format!(
            "this machine was busy: completions were stamped up to {} ms late (p99), which can \
             hide anomalies",
            recorded.lag_p99_us / 1_000
        ));
    }
    if let Some(StopCause::Failure(why)) = recorded.stop {
        judged.fail(&why);
    }
    if let Some(live) = &recorded.live {
        watch::compare(live, &mut judged);
    }
    for (name, format) in REPORTS {
        let text = format.render(&judged, &history);
        let written = text.and_then(|text| Ok(std::fs::write(folder.file(name), text)?));
        if let Err(error) = written {
            judged.fail(&format!("{name} cannot be written: {error}"));
        }
    }
    Ok(Ended { judged })
}

/// Where no operation succeeded a person asks why, and the errors say it.
fn why_nothing_succeeded(history: &History) -> Option<String> {
    if history.operations().iter().any(Operation::is_ok) {
        return None;
    }
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for error in history.operations().iter().filter_map(Operation::error) {
        *times.entry(&error.text).or_default() += 1;
    }
    let (text, times) = times.into_iter().max_by_key(|(_, times)| *times)?;
    Some(format!("no operation succeeded; {times} times: {text}"))
}

impl Ended {
    /// Prints the report, or the verdict as JSON, on standard output.
    pub fn print(&self, json: bool) -> std::io::Result<()> {
        crate::cli::print(&if json { self.judged.json() } else { self.judged.text() })
    }

    /// What was found.
    pub fn judged(self) -> Judged {
        self.judged
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        self.judged.exit()
    }
}
