//! What became of all runs, a line for each kind of trouble.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::leftovers;
use crate::run::Ran;
use crate::trouble;

/// The table.
pub fn of(runs: &[Ran]) -> String {
    let mut rows = vec![
        ["trouble", "runs", "hit", "faults in force", "not healed"]
            .into_iter()
            .chain(leftovers::KINDS)
            .chain(["clean after", "exit codes"])
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    ];
    for kind in trouble::KINDS {
        let of_kind: Vec<&Ran> = runs.iter().filter(|ran| ran.kind == kind).collect();
        rows.push(row(kind.name(), &of_kind));
    }
    rows.push(row("all", &runs.iter().collect::<Vec<_>>()));
    let columns = 0..rows[0].len();
    let widths: Vec<usize> = columns
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default())
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // Words to the left, figures to the right.
            let left = column == 0 || column + 1 == row.len();
            if left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(|row| line(row) + "\n").collect()
}

fn row(name: &str, runs: &[&Ran]) -> Vec<String> {
    let mut row = vec![
        name.to_owned(),
        runs.len().to_string(),
        runs.iter().filter(|ran| ran.hit).count().to_string(),
        runs.iter().map(|ran| ran.told.installed).sum::<usize>().to_string(),
        // Except where there was nobody to heal them, or nothing.
        runs.iter().filter(|ran| !ran.hit).map(|ran| ran.told.unhealed).sum::<usize>().to_string(),
    ];
    for kind in leftovers::KINDS {
        let left = runs.iter().flat_map(|ran| &ran.left).filter(|left| left.kind == kind);
        row.push(left.count().to_string());
    }
    let slowest = runs.iter().map(|ran| ran.clean_after).max().unwrap_or(Duration::ZERO);
    row.push(format!("{} ms", slowest.as_millis()));
    let mut exits = BTreeMap::<String, usize>::new();
    runs.iter().for_each(|ran| *exits.entry(ran.exit()).or_default() += 1);
    row.push(
        exits.iter().map(|(exit, times)| format!("{exit} x{times}")).collect::<Vec<_>>().join(", "),
    );
    row
}
