//! Many runs as one question: targets x workloads x faults x seeds, every night.
//!
//! A suite that is red for reasons of infrastructure is soon switched off. So what a run showed
//! ([`Outcome`]) is kept apart from whether that was to be expected ([`Standing`]), a run that
//! failed to start says nothing of the system under test, and a failure that is known is written
//! down with its reason and turns red when it stops failing.

mod cell;
mod file;
mod junit;
mod known;
mod markdown;
mod order;
mod outcome;
mod state;
mod text;

pub use cell::Cell;
pub use file::{Known, Suite};
pub use known::{Standing, Tally};
pub use order::news_first;
pub use outcome::{Outcome, Row};
pub use state::{Begun, State, before};

/// What came of a suite: the cells in the order in which they run, and a row for each that ran.
pub struct Results<'a> {
    /// What was asked for.
    pub suite: &'a Suite,
    /// Every cell.
    pub cells: &'a [Cell],
    /// What those showed that have run.
    pub rows: &'a [Row],
    /// How the rows stand to what was expected.
    pub tally: &'a Tally,
}

impl Results<'_> {
    /// The cells, each with its row if it has run.
    fn lines(&self) -> impl Iterator<Item = (&Cell, Option<&Row>)> {
        let row = |cell: &Cell| self.rows.iter().find(|row| row.cell == cell.name());
        self.cells.iter().map(move |cell| (cell, row(cell)))
    }

    /// A table for a terminal.
    pub fn text(&self) -> String {
        text::render(self)
    }

    /// JUnit's XML, one case for each cell and each known failure.
    pub fn junit(&self) -> anyhow::Result<String> {
        junit::render(self)
    }

    /// A summary for where Markdown is shown.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }
}

#[cfg(test)]
mod tests;
