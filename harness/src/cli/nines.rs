//! `splitbrain nines`.

use clap::Args as ClapArgs;
use serde_json::json;

use super::{Exit, Failure, harness};
use crate::nines::{Availability, PERIODS, length};

/// Flags of `nines`.
#[derive(ClapArgs)]
#[command(after_help = "Components in sequence are all needed, of components in parallel one is \
    enough. Given both, the parallel ones together are one more component of the sequence.\n\
    A year has 365.2425 days, a month is a twelfth of it.")]
pub struct Args {
    /// Availabilities in per cent, such as 99.9; each gets a line of its own.
    #[arg(required_unless_present_any = ["seq", "par"])]
    availabilities: Vec<Availability>,
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

/// Prints nines and the downtime that they allow.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let mut rows = args.availabilities.clone();
    let parallel = (!args.par.is_empty()).then(|| Availability::in_parallel(args.par.clone()));
    if parallel.is_some() || !args.seq.is_empty() {
        rows.push(Availability::in_sequence(args.seq.iter().copied().chain(parallel)));
    }
    let text = if args.json { as_json(&rows) } else { as_table(&rows) };
    super::print(&text).map_err(harness)?;
    Ok(Exit::Valid)
}

fn as_table(rows: &[Availability]) -> String {
    let mut text = format!("{:<18} {:>6}", "availability", "nines");
    for (period, _) in PERIODS {
        text += &format!("  {:>16}", format!("down per {period}"));
    }
    text += "\n";
    for row in rows {
        let nines = row.nines().map_or("always".to_owned(), |nines| format!("{nines:.1}"));
        text += &format!("{:<18} {nines:>6}", row.to_string());
        for (_, period_s) in PERIODS {
            text += &format!("  {:>16}", length(row.downtime_s(period_s)));
        }
        text += "\n";
    }
    text
}

fn as_json(rows: &[Availability]) -> String {
    let row = |row: &Availability| {
        let downtime = PERIODS.map(|(period, s)| (period.to_owned(), json!(row.downtime_s(s))));
        json!({
            "availability_percent": row,
            "nines": row.nines(),
            "downtime_s": serde_json::Map::from_iter(downtime),
        })
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    format!("{}\n", json!({"format": 1, "rows": rows}))
}
