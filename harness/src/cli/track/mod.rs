//! `splitbrain track`: finds again what is known of real databases.

mod case;
mod row;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::child::Runs;
use super::{Exit, Failure, harness, usage};
use crate::databases;
use crate::plan::Plan;
use case::Case;
use row::{Row, Standing, shown, standing};

/// Flags of `track`.
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 everything is as it is known; 1 something is not; 2 \
    something cannot be told, or is not installed.")]
pub struct Args {
    /// A folder of cases: what is known of a system, and the plan that shows it.
    #[arg(default_value = "examples/track")]
    folder: PathBuf,
    /// Only these cases: names of files, without `.toml`.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Only say which cases there are.
    #[arg(long)]
    list: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Makes the runs and prints the record.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let mut cases = case::read(&args.folder).map_err(usage)?;
    if let Some(unknown) =
        args.only.iter().find(|only| cases.iter().all(|case| case.name != **only))
    {
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        let names = names.join(", ");
        return Err(usage(anyhow::anyhow!("there is no case {unknown:?}; there are: {names}")));
    }
    cases.retain(|case| args.only.is_empty() || args.only.contains(&case.name));
    if args.list {
        let lines: String =
            cases.iter().map(|case| format!("{:<28} {}\n", case.name, case.title)).collect();
        super::print(&lines).map_err(harness)?;
        return Ok(Exit::Valid);
    }
    let runs = Runs::new().map_err(harness)?;
    let mut rows = Vec::new();
    for case in &cases {
        if runs.interrupted() {
            break;
        }
        let row = make(case, &runs).map_err(usage)?;
        super::tell(line(&row).trim_end());
        rows.push(row);
    }
    let text = if args.json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        json!({ "format": 1, "rows": rows }).to_string() + "\n"
    } else {
        table(&rows)
    };
    super::print(&text).map_err(harness)?;
    Ok(if rows.iter().any(|row| row.standing.met() == Some(false)) {
        Exit::Invalid
    } else if runs.interrupted() || rows.iter().any(|row| row.standing.met().is_none()) {
        Exit::Unknown
    } else {
        Exit::Valid
    })
}

/// Makes runs of a case until it is clear how it stands.
fn make<'a>(case: &'a Case, runs: &Runs) -> anyhow::Result<Row<'a>> {
    let started = Instant::now();
    let database =
        databases::open(&case.plan.target, &case.plan.given).map_err(anyhow::Error::msg)?;
    let mut row = Row {
        case,
        version: String::new(),
        standing: Standing::Unknown("interrupted".to_owned()),
        runs: 0,
        seconds: 0.0,
        verdict: Value::Null,
    };
    match database.find() {
        Ok(program) => row.version = program.version,
        Err(missing) => {
            row.standing = Standing::Skipped(missing.to_string());
            return Ok(row);
        }
    }
    let mut all = Vec::new();
    for seed in 1.. {
        let plan = Plan { seed: Some(seed), ..case.plan.clone() };
        let verdict = runs.run_plan(&plan, &[]);
        if runs.interrupted() {
            break;
        }
        row.verdict = verdict.unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        all.push(shown(case, &row.verdict));
        if let Some(standing) = standing(case, &all) {
            row.standing = standing;
            break;
        }
    }
    row.runs = all.len();
    row.seconds = started.elapsed().as_secs_f64();
    Ok(row)
}

fn line(row: &Row) -> String {
    let (name, target) = (&row.case.name, &row.case.plan.target);
    let told = match &row.standing {
        Standing::Unknown(why) | Standing::Skipped(why) => why.replace('\n', ";"),
        _ => row.measured(),
    };
    let standing = row.standing.words();
    format!("{standing:<10}{name:<28} {:>2} {:>5.0} s  {target}: {told}\n", row.runs, row.seconds)
}

fn table(rows: &[Row]) -> String {
    let lines: String = rows
        .iter()
        .map(|row| {
            format!(
                "{}          {}\n          {}\n",
                line(row),
                row.case.title,
                row.case.literature
            )
        })
        .collect();
    let met = rows.iter().filter(|row| row.standing.met() == Some(true)).count();
    let seconds: f64 = rows.iter().map(|row| row.seconds).sum();
    format!("{lines}\n{met} of {} as they are known, {seconds:.0} s\n", rows.len())
}
