//! What a person and a machine are told of a history. Everything here comes from that one file.

mod csv;
mod drawing;
mod graphviz;
mod html;
mod junit;
mod markdown;
mod profile;
mod text;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use serde_json::Value;
use splitbrain_checker::history::{Completion, Header, History, ReadError, ReadOptions};
use splitbrain_checker::{
    Expectation, FailedCas, Judgement, KeyOrders, ModelName, Options, VOCABULARIES, Verdict, judge,
};

use crate::cli::Exit;
pub(crate) use junit::write as write_junit;
pub(crate) use markdown::plain;

/// A judged history.
pub struct Judged {
    /// The answers.
    pub judgement: Judgement,
    header: Option<Header>,
    totals: Totals,
    /// Number of the last line, if it was cut off.
    truncated_line: Option<u64>,
    /// What else should be known of the run, each in a line.
    pub remarks: Vec<String>,
    /// Where the run is kept, if this is the end of one.
    pub kept_in: Option<String>,
    /// What the harness could not do.
    failure: Option<String>,
}

/// How many operations ended in which way.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    ok: usize,
    fail: usize,
    info: usize,
    seconds: f64,
}

/// How to read and judge a file.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The format, the pairing of keys and values.
    pub reading: ReadOptions,
    /// What the verdict answers; by default what the plan in the header expects.
    pub expect: Option<Expectation>,
    /// Value of every object before the first write; by default what the header says.
    pub initial: Option<Value>,
    /// A read of null says nothing, instead of that there was no value.
    pub nil_reads_any: bool,
    /// The accounts of a bank may hold less than nothing.
    pub negative_balances: bool,
    /// What a compare-and-set that failed with a mismatch says.
    pub failed_cas: FailedCas,
    /// What is taken for granted of each register that transactions work on.
    pub keys: KeyOrders,
    /// The objects that the operations are on; by default what the header says.
    pub model: Option<ModelName>,
    /// Whether to say how each key was decided.
    pub explain: bool,
    /// Whether to give an order that explains each key.
    pub order: bool,
}

impl Question {
    /// What the checker needs to know.
    pub fn options(&self) -> Options {
        Options {
            expect: self.expect.unwrap_or_default(),
            initial: self.initial.clone(),
            nil_reads_any: self.nil_reads_any,
            negative_balances: self.negative_balances,
            failed_cas: self.failed_cas,
            keys: self.keys,
            model: self.model,
            explain: self.explain,
            order: self.order,
            ..Options::default()
        }
    }
}

/// Reads a history, `-` from standard input; errors name the file.
pub fn open(path: &Path, reading: &ReadOptions) -> anyhow::Result<History> {
    if path == Path::new("-") {
        let history = History::read_with(io::stdin().lock(), reading);
        return history.map_err(|error| anyhow!(error).context("standard input"));
    }
    History::open_with(path, reading).map_err(|error| match error {
        ReadError::Malformed(_) => anyhow!(error).context(path.display().to_string()),
        other => other.into(),
    })
}

/// Reads a history and judges it.
///
/// # Errors
/// If it cannot be read, or its operations are not those of the objects that it is judged by.
pub fn judge_file(path: &Path, question: &Question) -> anyhow::Result<(History, Judged)> {
    let begun = Instant::now();
    let history = open(path, &question.reading)?;
    let judged = judge_history(&history, question, begun);
    fits(&judged, &path.display().to_string(), |index| {
        if !path.is_file() {
            // A pipe cannot be read again.
            return Ok(None);
        }
        History::line_of(BufReader::new(File::open(path)?), &question.reading, index)
    })?;
    Ok((history, judged))
}

/// Refuses operations that are not those of the objects that they were taken for; `line_of` finds
/// the line of an event.
pub fn fits(
    judged: &Judged,
    name: &str,
    line_of: impl FnOnce(u64) -> Result<Option<u64>, ReadError>,
) -> anyhow::Result<()> {
    let Some(misfit) = &judged.judgement.misfit else { return Ok(()) };
    let known = VOCABULARIES.join(", ");
    let line = misfit.event.map(line_of).transpose()?.flatten();
    Err(match line {
        Some(line) => {
            let wrong = misfit.at(line);
            let text = format!("{name}: {wrong}; --model takes {known}");
            anyhow!(wrong).context(text)
        }
        None => anyhow!("{name}: {misfit}; --model takes {known}"),
    })
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A page with charts, one file that fetches nothing.
    Html,
    /// The block that a run ends with.
    Text,
    /// The verdict, one object.
    Json,
    /// JUnit's XML, which CI systems read: one test case for what was expected.
    Junit,
    /// A summary for where Markdown is shown.
    Markdown,
    /// A table of the operations.
    Csv,
}

impl Format {
    /// The report of a judged history.
    pub fn render(self, judged: &Judged, history: &History) -> anyhow::Result<String> {
        Ok(match self {
            Format::Html => html::render(judged, history),
            Format::Text => judged.text(),
            Format::Json => judged.json(),
            Format::Junit => junit::render(judged)?,
            Format::Markdown => markdown::render(judged),
            Format::Csv => csv::render(history)?,
        })
    }
}

/// Judges a history whose reading began at `begun`.
pub fn judge_history(history: &History, question: &Question, begun: Instant) -> Judged {
    let header = history.header().cloned();
    let planned = header.as_ref().and_then(|header| header.plan["expect"].as_str());
    let mut options = question.options();
    if let (None, Some(planned)) = (question.expect, planned) {
        options.expect = planned.parse().unwrap_or_default();
    }
    // A history of our own was recorded to be judged with its faults.
    options.faults_required = header.is_some();
    let mut judgement = judge(history, &options);
    judgement.check_ms = Some((begun.elapsed().as_secs_f64() * 1e5).round() / 1e2);
    let mut totals = Totals { seconds: history.end().time_ns as f64 / 1e9, ..Totals::default() };
    for operation in history.operations() {
        match operation.completion() {
            Completion::Ok => totals.ok += 1,
            Completion::Fail => totals.fail += 1,
            Completion::Info => totals.info += 1,
        }
    }
    let truncated_line = history.truncated_line();
    let remarks =
        history.clock_went_back().map(|back| format!("{back}; the order of the lines counts"));
    Judged {
        judgement,
        header,
        totals,
        truncated_line,
        remarks: remarks.into_iter().collect(),
        kept_in: None,
        failure: None,
    }
}

impl Judged {
    /// The verdict as an exit code. A failure of the harness can never end as valid, and hides
    /// nothing that was found.
    pub fn exit(&self) -> Exit {
        match (&self.judgement.verdict, &self.failure) {
            (Verdict::Invalid, _) => Exit::Invalid,
            (_, Some(_)) => Exit::Harness,
            (Verdict::Valid, None) => Exit::Valid,
            (Verdict::Unknown { .. }, None) => Exit::Unknown,
        }
    }

    /// The harness failed: what was found stands, what was not found says nothing.
    pub fn fail(&mut self, why: &str) {
        if self.judgement.verdict != Verdict::Invalid {
            let reason = format!("the harness failed: {why}");
            self.judgement.verdict = Verdict::unknown(reason.clone());
            self.judgement.reason = Some(reason);
        }
        self.failure = Some(why.to_owned());
    }

    /// One JSON object on one line. Remarks and a failure of the harness stand in it if there are
    /// any.
    pub fn json(&self) -> String {
        self.value().to_string() + "\n"
    }

    /// The same with one more word.
    pub fn json_with(&self, name: &str, word: &str) -> String {
        let mut value = self.value();
        value[name] = word.into();
        value.to_string() + "\n"
    }

    fn value(&self) -> Value {
        let mut value = serde_json::to_value(&self.judgement).expect("a judgement is JSON");
        if !self.remarks.is_empty() {
            value["remarks"] = self.remarks.clone().into();
        }
        if let Some(failure) = &self.failure {
            value["failure"] = failure.clone().into();
        }
        value
    }

    /// Where the run is kept, in a clause.
    pub fn kept(&self) -> String {
        self.kept_in.as_ref().map_or(String::new(), |run| format!(", kept in {run}"))
    }

    /// The whole profile for a person: every phase, every fault, each side.
    pub fn profile(&self) -> String {
        profile::render(&self.judgement.profile, &self.judgement.failover)
    }

    /// What a person types to judge it again or to repeat it, with what each does; nothing if it was
    /// not kept.
    fn commands(&self) -> Vec<(&'static str, String)> {
        let program = crate::cli::this_program();
        let Some(run) = &self.kept_in else { return Vec::new() };
        let again = |what| format!("{program} {what}");
        vec![
            ("check again", again(format!("check {run}"))),
            ("run again", again(format!("run --plan {run}/plan.json"))),
        ]
    }

    /// At most 25 lines for a person, after a line for each key and each consistency model if that was
    /// asked for.
    pub fn text(&self) -> String {
        let explained = self.judgement.explain.iter().map(|plan| {
            format!("{}: {}\n", plan.key.as_deref().unwrap_or("the object"), plan.procedure)
        });
        let ladder = self.judgement.explain_ladder.iter();
        let ladder = ladder.map(|plan| format!("{}: {}\n", plan.rung.name(), plan.procedure));
        explained.chain(ladder).collect::<String>() + &text::render(self)
    }
}
