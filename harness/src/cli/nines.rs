//! `splitbrain nines`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use splitbrain_checker::Judgement;

use super::{Exit, Failure, harness, usage};
use crate::nines::{Availability, Measured, PERIODS, length};
use crate::report::{Question, judge_file};
use crate::run::folder;

/// Flags of `nines`.
#[derive(clap::Args)]
#[command(after_help = "Components in sequence are all needed, of components in parallel one is \
    enough. Given both, the parallel ones together are one more component of the sequence.\n\
    A year has 365.2425 days, a month is a twelfth of it.\n\
    Of runs: requests are those that were due before healing began, and count as answered within the \
    deadline; MTBF and MTTR are of writes, between and after faults that took a primary away.")]
pub struct Args {
    /// Availabilities in per cent, such as 99.9, each with a line of its own; or runs, over all of
    /// which it is measured.
    #[arg(required_unless_present_any = ["seq", "par"], value_name = "PERCENT|RUN")]
    of: Vec<What>,
    /// A component that is needed; give it once for each.
    #[arg(long, value_name = "PERCENT")]
    seq: Vec<Availability>,
    /// A component that others can stand in for; give it once for each.
    #[arg(long, value_name = "PERCENT")]
    par: Vec<Availability>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug)]
enum What {
    Said(Availability),
    Run(PathBuf),
}

impl std::str::FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<What, String> {
        match text.parse() {
            Ok(said) => Ok(What::Said(said)),
            Err(_) if Path::new(text).exists() => Ok(What::Run(text.into())),
            Err(wrong) => Err(format!("{wrong}; nor is there a run or a file of that name")),
        }
    }
}

/// Prints nines and the downtime that they allow.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let mut rows: Vec<(String, Availability)> = Vec::new();
    let mut runs: Vec<&Path> = Vec::new();
    for what in &args.of {
        match what {
            What::Said(said) => rows.push((said.to_string(), *said)),
            What::Run(path) => runs.push(path),
        }
    }
    let parallel = (!args.par.is_empty()).then(|| Availability::in_parallel(args.par.clone()));
    if parallel.is_some() || !args.seq.is_empty() {
        let all = Availability::in_sequence(args.seq.iter().copied().chain(parallel));
        rows.push((all.to_string(), all));
    }
    let measured = if runs.is_empty() { None } else { Some(measure(&runs).map_err(usage)?) };
    if let Some(measured) = &measured {
        let named = |what: &str, of: Option<Availability>| {
            of.map(|availability| (format!("{availability} {what}"), availability))
        };
        rows.extend(named("of requests", measured.of_requests()));
        rows.extend(named("of time", measured.of_time()));
    }
    let text = if args.json {
        as_json(&rows, measured.as_ref())
    } else {
        as_table(&rows, measured.as_ref())
    };
    super::print(&text).map_err(harness)?;
    Ok(Exit::Valid)
}

fn measure(runs: &[&Path]) -> anyhow::Result<Measured> {
    let judge = |path: &&Path| {
        let (_, judged) = judge_file(&folder::history_of(path), &Question::default())?;
        Ok(judged.judgement)
    };
    let judgements = runs.iter().map(judge).collect::<anyhow::Result<Vec<Judgement>>>()?;
    Ok(Measured::of(&judgements))
}

fn as_table(rows: &[(String, Availability)], measured: Option<&Measured>) -> String {
    let mut text = measured.map_or(String::new(), in_words);
    let width = rows.iter().map(|(name, _)| name.len()).chain([18]).max().unwrap_or(18);
    text += &format!("{:<width$} {:>6}", "availability", "nines");
    for (period, _) in PERIODS {
        text += &format!("  {:>16}", format!("down per {period}"));
    }
    text += "\n";
    for (name, row) in rows {
        let nines = row.nines().map_or("always".to_owned(), |nines| format!("{nines:.1}"));
        text += &format!("{name:<width$} {nines:>6}");
        for (_, period_s) in PERIODS {
            text += &format!("  {:>16}", length(row.downtime_s(period_s)));
        }
        text += "\n";
    }
    text
}

fn in_words(measured: &Measured) -> String {
    let Measured { runs, seconds, requests, answered, outages, unrepaired, .. } = *measured;
    let mut text = format!(
        "{runs} {}, {} under load: {answered} of {requests} requests answered in time\n",
        if runs == 1 { "run" } else { "runs" },
        length(seconds)
    );
    let time = |s: Option<f64>| s.map_or("not known".to_owned(), length);
    if outages > 0 {
        text += &format!(
            "{outages} outages of writes by fail-over, MTBF {}, MTTR {}",
            time(measured.between_failures_s()),
            time(measured.to_repair_s())
        );
        if unrepaired > 0 {
            text += &format!(" ({unrepaired} lasted to the end)");
        }
        text += "\n";
    }
    text + "under these faults, which come more often than those of real life:\n"
}

fn as_json(rows: &[(String, Availability)], measured: Option<&Measured>) -> String {
    let row = |(_, row): &(String, Availability)| {
        let downtime = PERIODS.map(|(period, s)| (period.to_owned(), json!(row.downtime_s(s))));
        json!({
            "availability_percent": row,
            "nines": row.nines(),
            "downtime_s": serde_json::Map::from_iter(downtime),
        })
    };
    let mut object = json!({"format": 1, "rows": rows.iter().map(row).collect::<Vec<_>>()});
    if let Some(measured) = measured {
        let mut told = json!(measured);
        told["mtbf_s"] = json!(measured.between_failures_s());
        told["mttr_s"] = json!(measured.to_repair_s());
        told["of_requests_percent"] = measured.of_requests().map_or(Value::Null, |one| json!(one));
        told["of_time_percent"] = measured.of_time().map_or(Value::Null, |one| json!(one));
        object["measured"] = told;
    }
    format!("{object}\n")
}
