//! In which order runs are made: what is most likely to be news first, since time may run out.

use std::collections::{BTreeMap, HashMap};

use super::{Cell, Outcome, Row};

/// Sorts cells so that those come first of which least is known: never run, then those that did
/// not show the same each time, then those that were not valid the last time, then the others, the
/// longest ago first. Of equals each family of cells has its turn before one has its second.
///
/// `before` are the rows of earlier nights, the oldest first.
pub fn news_first(cells: Vec<Cell>, before: &[Vec<Row>]) -> Vec<Cell> {
    // What each family showed, by night: cells with drawn seeds are others every night.
    let mut shown: HashMap<String, BTreeMap<usize, Vec<Outcome>>> = HashMap::new();
    let family: HashMap<String, String> =
        cells.iter().map(|cell| (cell.name(), cell.family())).collect();
    for (night, rows) in before.iter().enumerate() {
        for row in rows {
            if let Some(family) = family.get(&row.cell) {
                let nights = shown.entry(family.clone()).or_default();
                nights.entry(night).or_default().push(row.outcome);
            }
        }
    }
    let rank = |cell: &Cell| match shown.get(&cell.family()) {
        None => (0, 0),
        Some(nights) => {
            let (last, outcomes) = nights.last_key_value().expect("none is without a row");
            let changed = nights.values().flatten().any(|outcome| *outcome != outcomes[0]);
            let plain = outcomes.iter().all(|outcome| *outcome == Outcome::Valid);
            (
                if changed {
                    1
                } else if plain {
                    3
                } else {
                    2
                },
                *last,
            )
        }
    };
    let mut turns: HashMap<String, usize> = HashMap::new();
    let mut ranked: Vec<_> = cells
        .into_iter()
        .map(|cell| {
            let turn = turns.entry(cell.family()).or_default();
            *turn += 1;
            let (rank, last) = rank(&cell);
            ((rank, *turn, last), cell)
        })
        .collect();
    ranked.sort_by_key(|(key, _)| *key);
    ranked.into_iter().map(|(_, cell)| cell).collect()
}
