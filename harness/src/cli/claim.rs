//! `splitbrain claim`.

use std::path::PathBuf;

use anyhow::anyhow;
use splitbrain_checker::{Expectation, Verdict, Violation};

use super::{Exit, Failure, check, harness, run, usage};
use crate::report::{Judged, judge_file};
use crate::run::folder::history_of;

/// Every flag of `run`, which make no sense with a file.
const OF_RUN: [&str; 21] = [
    "mode",
    "bug",
    "db",
    "nodes",
    "env",
    "workload",
    "faults",
    "rate",
    "concurrency",
    "time_limit",
    "seed",
    "op_timeout",
    "deadline",
    "plan",
    "ssh_key",
    "ssh_config",
    "sudo",
    "lease",
    "i_own_these_hosts",
    "live",
    "until",
];

/// Flags of `claim`.
#[derive(clap::Args)]
#[group(skip)]
#[command(after_help = "Claims: linearizable, eventual and weak, each meaning at least; the \
    consistency models, such as sequential, causal or read-your-writes; converged; cp, ap and ca.\n\
    Exit codes: 0 confirmed, 1 refuted, 2 unknown.")]
pub struct Args {
    /// A history, or the folder of a run, instead of a run to be made now.
    #[arg(conflicts_with_all = OF_RUN)]
    path: Option<PathBuf>,
    #[command(flatten)]
    run: run::Args,
    #[command(flatten)]
    reading: check::ReadingArgs,
}

/// Says in a word whether a claim holds, and on what evidence.
pub fn main(args: Args) -> Result<Exit, Failure> {
    let Some(claim) = args.run.expect().map(str::to_owned) else {
        return Err(usage(anyhow!("what is claimed? --expect linearizable, cp, eventual, ...")));
    };
    let expect = claim.parse().map_err(usage)?;
    if args.path.is_none() && args.reading.is_given() {
        return Err(usage(anyhow!("how a history is read matters for a file only")));
    }
    let (quiet, json) = (args.run.is_quiet(), args.run.is_json());
    let judged = match &args.path {
        Some(path) => {
            let question = args.reading.question(Some(expect));
            judge_file(&history_of(path), &question).map_err(usage)?.1
        }
        None => args.run.run(true)?.judged(),
    };
    let judged = of_its_own_check_only(judged);
    let word = match judged.judgement.verdict {
        Verdict::Valid => "confirmed",
        Verdict::Invalid => "refuted",
        Verdict::Unknown { .. } => "unknown",
    };
    let text = match (json, quiet) {
        (true, _) => judged.json_with("claim", word),
        (false, true) => format!("{word}\n"),
        (false, false) => format!("{word}\n{}", evidence(&judged, &claim)),
    };
    super::print(&text).map_err(harness)?;
    Ok(judged.exit())
}

/// A check that found nothing it looks for does not confirm a class.
fn of_its_own_check_only(mut judged: Judged) -> Judged {
    let judgement = &mut judged.judgement;
    let classless = judgement.class_at_least.is_none() && !judgement.checks.is_empty();
    if classless
        && judgement.verdict.is_valid()
        && matches!(judgement.expect, Expectation::Class(_))
    {
        judgement.verdict = Verdict::unknown(format!(
            "the history is judged by its own check, which says nothing of {}",
            judgement.expect
        ));
    }
    judged
}

/// What the answer stands on, a few lines.
fn evidence(judged: &Judged, claim: &str) -> String {
    let judgement = &judged.judgement;
    let mut lines =
        vec![format!("{claim} was claimed; the history shows {}", judgement.headline())];
    lines.push(judgement.profile.sentence.clone());
    match &judgement.verdict {
        Verdict::Unknown { reason } => lines.push(reason.clone()),
        Verdict::Valid => {}
        Verdict::Invalid => {
            let refutes = |violation: &&Violation| match judgement.expect {
                Expectation::Rung(rung) => violation.rules_out.contains(&rung),
                _ => true,
            };
            if let Some(violation) = judgement.violations.iter().find(refutes) {
                let key =
                    violation.key.as_ref().map_or(String::new(), |key| format!(", key {key}"));
                lines.push(format!("{} x{}{key}:", violation.name, violation.count));
                lines.extend(violation.because.iter().map(|because| format!("  {because}")));
            }
        }
    }
    lines.push(format!("{} operations{}", judgement.operations, judged.kept()));
    lines.join("\n") + "\n"
}
