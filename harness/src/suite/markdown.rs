//! A summary in Markdown, as CI systems show it under a build.

use super::{Results, Standing};
use crate::report::plain;

/// What went wrong first, then everything.
pub fn render(results: &Results) -> String {
    let tally = results.tally;
    let mut text = format!("### {}\n\n{}\n", plain(&results.suite.name), plain(&tally.sentence()));
    for known in tally.known.iter().filter(|known| known.stopped()) {
        text += &format!(
            "\n**{} stopped failing**; it was said to fail because: {}\n",
            plain(&known.of),
            plain(&known.reason)
        );
    }
    text += "\n| | run | outcome | seed | what it showed | kept in |\n|---|---|---|---|---|---|\n";
    let mut lines: Vec<_> = results.lines().zip(&tally.standings).collect();
    lines.sort_by_key(|(_, standing)| match standing {
        Standing::Bad => 0,
        Standing::Open => 1,
        Standing::KnownFailure => 2,
        Standing::Good | Standing::KnownButGood => 3,
        Standing::NotRun => 4,
    });
    for ((cell, row), standing) in lines {
        let (outcome, shown, run) = row.map_or(("", String::new(), ""), |row| {
            (row.outcome.words(), row.shown(), row.run.as_deref().unwrap_or("-"))
        });
        text += &format!(
            "| {} | {} | {outcome} | {} | {} | {} |\n",
            standing.words(),
            plain(&cell.name()),
            cell.seed,
            plain(&shown),
            plain(run)
        );
    }
    for known in tally.known.iter().filter(|known| !known.stopped()) {
        text += &format!("\nKnown to fail: {}: {}\n", plain(&known.of), plain(&known.reason));
    }
    text
}
