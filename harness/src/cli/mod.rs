//! The command line: a contract, with one exit code for each kind of ending.

mod agent;
mod check;
mod child;
mod claim;
mod client_test;
mod convert;
mod demo;
mod doctor;
mod explain;
mod follow;
mod init;
mod list;
mod nines;
mod report;
mod report_card;
mod run;
mod scale;
mod serve;
mod shell;
mod shrink;
mod suite;
mod track;
mod trend;
mod workload;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::json;
use splitbrain_checker::history::{Malformed, ReadError};

use crate::databases::maelstrom;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was expected holds: no anomaly was found.
    Valid = 0,
    /// What was expected does not hold.
    Invalid = 1,
    /// It cannot be told.
    Unknown = 2,
    /// The command was wrong.
    Usage = 64,
    /// The harness could not do its work.
    Harness = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do its work, and whose fault that is.
#[derive(Debug)]
pub enum Failure {
    /// The user asked for something that cannot be.
    Usage(anyhow::Error),
    /// The harness or the machine failed.
    Harness(anyhow::Error),
}

/// Marks an error as the user's.
pub fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Usage(error.into())
}

/// Marks an error as the harness's.
pub fn harness(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Harness(error.into())
}

/// Breaks a replicated system's network and processes while clients use it, and says from the
/// recorded history what consistency and availability it really gave.
#[derive(Parser)]
#[command(name = "splitbrain", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 as expected (no anomaly found), 1 not as expected, \
    2 unknown, 64 wrong usage, 70 the harness failed.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start or join a cluster, break it under load, and judge what it did.
    Run(Box<run::Args>),
    /// Run the bundled store in its three modes, one after another, and compare them.
    Demo(demo::Args),
    /// Say whether it scales: what it carries and how long users wait, under more and more load.
    Scale(scale::Args),
    /// Have the bundled store make known mistakes, and show how fast each is found.
    ReportCard(report_card::Args),
    /// Make the runs of a suite: targets x workloads x faults x seeds, every night.
    Suite(suite::Args),
    /// Find again what is known of real databases, each with its plan and its literature.
    Track(track::Args),
    /// Show what a store's runs measured, night by night, and fail where it got worse.
    Trend(trend::Args),
    /// Find a smaller plan that still fails, of a run that failed.
    Shrink(shrink::Args),
    /// Browse the store: a list, reports, two runs side by side, a run while it goes.
    Serve(serve::Args),
    /// Judge a stored history again.
    Check(check::Args),
    /// Write what a stored history says: as a page with charts, for a CI system, as a table.
    Report(report::Args),
    /// Confirm or refute a claim: `--expect` linearizable, causal, cp, ap, ...
    Claim(Box<claim::Args>),
    /// Try the rules for a client in another language on a program (see `run --db command`).
    ClientTest(client_test::Args),
    /// Write a history in another notation, such as Jepsen's.
    Convert(convert::Args),
    /// Say what an anomaly or a consistency model is, with an example.
    Explain(explain::Args),
    /// Write a commented plan and a client to begin with for a system of your own.
    Init(init::Args),
    /// Show the modes, workloads, faults, databases and environments there are.
    List(list::Args),
    /// Say what an availability allows: its nines and downtime, in sequence and in parallel.
    Nines(nines::Args),
    /// Say what this machine can do, what is missing and the command that gets it.
    Doctor,
    /// Undo whatever an earlier run left behind.
    Heal,
    /// Print what a shell needs to complete these commands and their flags.
    Completions(shell::Completions),
    /// Print a manual page: `splitbrain man run | man -l -`.
    Man(shell::Man),
    /// What stands beside a node of the Maelstrom protocol.
    #[command(name = maelstrom::bridge::ROLE, hide = true)]
    Maelstrom(maelstrom::bridge::Args),
    /// What runs on the hosts of the environment `ssh`.
    #[command(name = "__agent", hide = true, subcommand)]
    Agent(agent::Agent),
}

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(exit) = crate::environments::play_helper(&args) {
        return exit;
    }
    let json = args.iter().any(|arg| arg == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to complain.
            let _ = error.print();
            if !error.use_stderr() {
                return Exit::Valid.into();
            }
            if json {
                print_error(error.to_string().trim(), None);
            }
            return Exit::Usage.into();
        }
    };
    let ended = match cli.command {
        Command::Run(args) => run::main(*args),
        Command::Demo(args) => demo::main(&args),
        Command::Scale(args) => scale::main(&args),
        Command::ReportCard(args) => report_card::main(&args),
        Command::Suite(args) => suite::main(&args),
        Command::Track(args) => track::main(&args),
        Command::Trend(args) => trend::main(&args),
        Command::Shrink(args) => shrink::main(&args),
        Command::Serve(args) => serve::main(&args),
        Command::Check(args) => check::main(&args),
        Command::Report(args) => report::main(&args),
        Command::Claim(args) => claim::main(*args),
        Command::ClientTest(args) => client_test::main(&args),
        Command::Convert(args) => convert::main(&args),
        Command::Explain(args) => explain::main(&args),
        Command::Init(args) => init::main(&args),
        Command::List(args) => list::main(&args),
        Command::Nines(args) => nines::main(&args),
        Command::Doctor => doctor::doctor(),
        Command::Heal => doctor::heal(),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
        Command::Maelstrom(args) => return maelstrom::bridge::main(&args),
        Command::Agent(agent) => return agent::main(&agent),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(Failure::Usage(error)) => complain(&error, Exit::Usage, json),
        Err(Failure::Harness(error)) => complain(&error, Exit::Harness, json),
    }
}

fn complain(error: &anyhow::Error, exit: Exit, json: bool) -> ExitCode {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors say their cause themselves.
        if !text.contains(&cause) {
            text += &format!(": {cause}");
        }
    }
    tell(&format!("splitbrain: {text}"));
    if json {
        let line = error.chain().find_map(|cause| match cause.downcast_ref() {
            Some(ReadError::Malformed(malformed)) => Some(malformed.line),
            _ => cause.downcast_ref().map(|malformed: &Malformed| malformed.line),
        });
        print_error(&text, line);
    }
    exit.into()
}

/// What `--json` prints where there is nothing else to say.
fn print_error(error: &str, line: Option<u64>) {
    let object = match line {
        Some(line) => json!({ "error": error, "line": line }),
        None => json!({ "error": error }),
    };
    // Whoever does not read it has the exit code.
    let _ = print(&format!("{object}\n"));
}

/// Writes to standard output; a reader that has gone away is no error.
pub fn print(text: &str) -> std::io::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A text without what a terminal would obey: what servers say may be anything.
fn harmless(text: &str) -> String {
    let shown = |c: char| match c.is_control() && !matches!(c, '\n' | '\t') {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Writes a line to standard error, where there may be nobody to read it any more.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(line));
}

/// What a person types to start this program again.
pub fn this_program() -> String {
    let program = std::env::args().next().unwrap_or_else(|| "splitbrain".to_owned());
    match (std::env::var_os("CARGO"), cfg!(debug_assertions)) {
        (None, _) => program,
        (Some(_), false) => "cargo run --release --".to_owned(),
        (Some(_), true) => "cargo run --".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_to_obey() {
        assert_eq!(harmless("a\tb\n\u{1b}[2Jé\u{7}"), "a\tb\n\\u{1b}[2Jé\\u{7}");
    }
}
