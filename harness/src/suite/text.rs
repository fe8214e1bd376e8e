//! The table for a terminal.

use super::{Results, Standing};

/// A line for each run, one for each known failure, and a sentence.
pub fn render(results: &Results) -> String {
    let wide = results.cells.iter().map(|cell| cell.name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for ((cell, row), standing) in results.lines().zip(&results.tally.standings) {
        let name = cell.name();
        let Some(row) = row else {
            text += &format!("{:<8} {name}\n", Standing::NotRun.words());
            continue;
        };
        let (word, outcome) = (standing.words(), row.outcome.words());
        text += &format!(
            "{word:<8} {name:<wide$}  {outcome:<19} {:>4.0} s  {}\n",
            row.seconds,
            row.shown()
        );
        if !matches!(standing, Standing::Good | Standing::KnownButGood) {
            text +=
                &row.run.as_ref().map_or(String::new(), |run| format!("         kept in {run}\n"));
        }
    }
    for known in &results.tally.known {
        let (failing, ran) = (known.failing, known.failing + known.passing);
        text += &match known.stopped() {
            true => format!(
                "\nSTOPPED FAILING: {}, which was said to fail because: {}\n  \
                 all {ran} runs were as expected: take it out of `known`\n",
                known.of, known.reason
            ),
            false => {
                format!("\nknown to fail: {} ({failing} of {ran}): {}\n", known.of, known.reason)
            }
        };
    }
    text + &format!("\n{}: {}\n", results.suite.name, results.tally.sentence())
}
