//! `splitbrain list`.

use splitbrain_nemesis::faults;
use splitbrain_workloads::objects;

use super::{Exit, Failure, harness};
use crate::databases::{self, BUGS, Entry, MODES, Opt};
use crate::environments;

/// Flags of `list`.
#[derive(clap::Args)]
pub struct Args {
    /// What to show; everything if left out.
    #[arg(value_enum)]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Modes,
    Bugs,
    Workloads,
    Faults,
    Databases,
    Environments,
}

/// Prints each kind with its names and sentences.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let kinds = [
        (Kind::Modes, "modes of the bundled store (--mode)", modes()),
        (
            Kind::Bugs,
            "mistakes that the bundled store can make (--bug), and in which modes",
            bugs(),
        ),
        (Kind::Workloads, "workloads (--workload)", workloads()),
        (Kind::Faults, "faults (--faults)", faults()),
        (Kind::Databases, "databases (--db)", databases()),
        (Kind::Environments, "environments (--env)", pairs(environments::ALL)),
    ];
    let mut text = String::new();
    for (kind, title, lines) in kinds {
        if args.kind.is_none_or(|wanted| wanted == kind) {
            text += &format!("{title}\n");
            for (name, about) in lines {
                text += &format!("  {name:<26} {about}\n");
            }
        }
    }
    super::print(&text).map_err(harness)?;
    Ok(Exit::Valid)
}

type Lines = Vec<(String, String)>;

fn modes() -> Lines {
    let mode = |mode: &databases::Mode| (mode.name.to_owned(), told(mode.about, mode.options));
    MODES.iter().map(mode).collect()
}

/// A sentence, and below it what can be told.
fn told(about: &str, options: &[Opt]) -> String {
    let option = |option: &Opt| {
        let words = option.words.iter().filter(|word| **word != option.usual);
        let words: String = words.map(|word| format!("|{word}")).collect();
        format!("@{}={}{words} ({})", option.name, option.usual, option.about)
    };
    lines([about.to_owned()].into_iter().chain(options.iter().map(option)))
}

fn bugs() -> Lines {
    let bug = |bug: &databases::Bug| {
        (bug.name.to_owned(), lines([bug.about.to_owned(), bug.modes.join(" ")].into_iter()))
    };
    BUGS.iter().map(bug).collect()
}

/// Lines below each other, behind the names.
fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join(&format!("\n{:29}", ""))
}

/// Each with what can be set of it, in a plan or by a flag.
fn workloads() -> Lines {
    let workload = |workload: &&objects::Workload| {
        let heeded = (workload.load)(&objects::Settings::default()).heeds().join(" ");
        let settings = (!heeded.is_empty()).then(|| format!("settings: {heeded}"));
        let about = lines([workload.about.to_owned()].into_iter().chain(settings));
        (workload.name.to_owned(), about)
    };
    objects::ALL.iter().map(workload).collect()
}

fn faults() -> Lines {
    faults::ALL
        .iter()
        .map(|fault| {
            let names = [&[fault.name], fault.aliases].concat().join(" = ");
            let args =
                fault.args.iter().map(|arg| format!("@{}={} ({})", arg.name, arg.usual, arg.about));
            (names, lines([fault.about.to_owned()].into_iter().chain(args)))
        })
        .collect()
}

fn databases() -> Lines {
    let entry = |entry: &&Entry| (entry.name.to_owned(), told(entry.about, entry.options));
    let guest = databases::guest().map(|name| (name, "This program's own.".to_owned()));
    guest.into_iter().chain(databases::ALL.iter().map(entry)).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Lines {
    pairs.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned())).collect()
}
