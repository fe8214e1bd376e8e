//! `splitbrain check`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use splitbrain_checker::history::{Format, ReadOptions, parse_value};
use splitbrain_checker::{Expectation, KeyOrders, ModelName, UnknownModel};

use super::follow::follow;
use super::{Exit, Failure, harness, usage};
use crate::report::{self, Question};
use crate::run;

/// Flags of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// A history, or the folder of a run; `-` for standard input.
    path: PathBuf,
    /// Judge a history while it is being written (JSON lines): the first violation ends the command
    /// as soon as nothing to come can repair it, and Ctrl-C with the verdict so far.
    #[arg(long)]
    follow: bool,
    /// What the exit code answers: `linearizable`, `eventual` or `weak`, each meaning at least; a
    /// consistency model such as `causal`; or `cp`, `ap` or `ca`.
    #[arg(long)]
    expect: Option<String>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Say which procedure decided each key, and why that one.
    #[arg(long)]
    explain_plan: bool,
    /// Give an order of operations, by the indices of their invocations, that explains each object that
    /// is linearizable (with `--json`).
    #[arg(long, requires = "json")]
    order: bool,
    /// Print the whole profile as well: the table of what was measured with and without a
    /// partition, and the figures of every phase, every fault and each side.
    #[arg(long)]
    profile: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// How a history is to be read.
#[derive(clap::Args)]
pub struct ReadingArgs {
    /// Format of the file; by default its beginning tells.
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// Each value is a pair of key and value, as Jepsen writes independent keys in EDN.
    #[arg(long)]
    independent: bool,
    /// Value of every object before the first write, as JSON; by default unset.
    #[arg(long, value_name = "VALUE", value_parser = json)]
    initial: Option<Value>,
    /// What a read of null means: that it says nothing, or that there was no value.
    #[arg(long, value_enum, default_value = "unset")]
    nil_read: NilRead,
    /// What a compare-and-set says that failed with a mismatch: nothing, or that the register did
    /// not hold its old value.
    #[arg(long, value_enum, default_value = "ignored")]
    failed_cas: FailedCas,
    /// Whether accounts of a bank may hold less than nothing though none of its transfers says so.
    #[arg(long, value_enum, default_value = "forbidden")]
    overdrafts: Overdrafts,
    /// Take for granted that each register which transactions work on is linearizable by itself: from that
    /// follows in which order its versions came.
    #[arg(long)]
    linearizable_keys: bool,
    /// The same for sequential consistency: each process sees no key go back.
    #[arg(long)]
    sequential_keys: bool,
    /// Take for granted that what a transaction writes to a key comes after what it read of it. From read
    /// committed on that holds anyway; so it can rule out read uncommitted too.
    #[arg(long)]
    wfr_keys: bool,
    /// Which objects the operations are on; by default what the header says, else registers.
    #[arg(long, value_parser = model)]
    model: Option<ModelName>,
}

impl ReadingArgs {
    /// Whether anything was said of it.
    pub fn is_given(&self) -> bool {
        self.format.is_some()
            || self.independent
            || self.initial.is_some()
            || self.nil_read != NilRead::Unset
            || matches!(self.overdrafts, Overdrafts::Allowed)
            || matches!(self.failed_cas, FailedCas::Observed)
            || self.keys() != KeyOrders::default()
            || self.model.is_some()
    }

    fn keys(&self) -> KeyOrders {
        KeyOrders {
            linearizable: self.linearizable_keys,
            sequential: self.sequential_keys,
            writes_follow_reads: self.wfr_keys,
        }
    }

    /// What to ask of a history that is read so.
    pub fn question(&self, expect: Option<Expectation>) -> Question {
        Question {
            reading: ReadOptions { format: self.format, independent: self.independent },
            expect,
            initial: self.initial.clone(),
            nil_reads_any: self.nil_read == NilRead::Any,
            negative_balances: matches!(self.overdrafts, Overdrafts::Allowed),
            failed_cas: match self.failed_cas {
                FailedCas::Ignored => splitbrain_checker::FailedCas::Ignored,
                FailedCas::Observed => splitbrain_checker::FailedCas::Observed,
            },
            keys: self.keys(),
            model: self.model,
            ..Question::default()
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum NilRead {
    Any,
    Unset,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Overdrafts {
    Forbidden,
    Allowed,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum FailedCas {
    Ignored,
    Observed,
}

fn format(name: &str) -> Result<Format, String> {
    Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
        format!("there are: {}", names.join(", "))
    })
}

fn model(name: &str) -> Result<ModelName, String> {
    name.parse().map_err(|error: UnknownModel| error.to_string())
}

fn json(text: &str) -> Result<Value, String> {
    parse_value(text).map_err(|error| format!("expected {}", error.expected))
}

/// Judges a history and prints what a run would have printed.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let expect = args.expect.as_deref().map(str::parse).transpose().map_err(usage)?;
    let path = run::folder::history_of(&args.path);
    let question =
        Question { explain: args.explain_plan, order: args.order, ..args.reading.question(expect) };
    let judged = if args.follow || path == Path::new("-") {
        follow(&path, &question)
    } else {
        report::judge_file(&path, &question).map(|(_, judged)| judged)
    };
    let judged = judged.map_err(usage)?;
    let text = match (args.json, args.profile) {
        (true, _) => judged.json(),
        (false, true) => judged.profile() + &judged.text(),
        (false, false) => judged.text(),
    };
    crate::cli::print(&text).map_err(harness)?;
    Ok(judged.exit())
}
