//! Which nodes a fault is to hit.

use std::fmt;

use rand::RngExt;
use rand::seq::SliceRandom;

use super::{Scene, Skip};

/// Which nodes a fault is to hit; those not named are drawn by lot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// As many as the fault usually hits.
    #[default]
    Usual,
    /// One.
    One,
    /// The most that are fewer than half.
    Minority,
    /// The fewest that are more than half.
    Majority,
    /// All.
    All,
    /// The current leaders, or one by lot if none is known.
    Primaries,
    /// These.
    Named(Vec<String>),
}

/// Nodes, and what a person should know of how they were chosen.
pub(super) type Chosen = (Vec<usize>, Option<String>);

impl Targets {
    /// Reads `one`, `minority`, `majority`, `all`, `primaries`, or names of nodes joined by `+`.
    pub fn parse(text: &str) -> Targets {
        match text {
            "" => Targets::Usual,
            "one" => Targets::One,
            "minority" => Targets::Minority,
            "majority" => Targets::Majority,
            "all" => Targets::All,
            "primaries" => Targets::Primaries,
            names => Targets::Named(names.split('+').map(str::to_owned).collect()),
        }
    }

    /// The first named node that is not there.
    pub fn unknown(&self, nodes: &[String]) -> Option<&str> {
        let Targets::Named(names) = self else { return None };
        names.iter().find(|name| !nodes.contains(name)).map(String::as_str)
    }

    /// The nodes, in order and each once; [`Targets::Usual`] is one.
    pub(super) fn choose(&self, scene: &Scene) -> Result<Chosen, Skip> {
        let nodes = scene.at_least(1)?;
        let by_lot = |count: usize| {
            let mut order: Vec<_> = (0..nodes).collect();
            order.shuffle(&mut scene.rng());
            order.truncate(count);
            order.sort_unstable();
            order
        };
        match self {
            Targets::Usual | Targets::One => Ok((by_lot(1), None)),
            Targets::Minority => match (nodes - 1) / 2 {
                0 => Err(Skip(format!("there is no minority of {nodes} nodes"))),
                count => Ok((by_lot(count), None)),
            },
            Targets::Majority => Ok((by_lot(nodes / 2 + 1), None)),
            Targets::All => Ok((by_lot(nodes), None)),
            Targets::Primaries => Ok(leaders_or_one(scene)),
            Targets::Named(names) => {
                let position = |name: &String| {
                    let found = scene.nodes.iter().position(|node| node == name);
                    found.ok_or_else(|| Skip(format!("there is no node {name:?}")))
                };
                let mut chosen = names.iter().map(position).collect::<Result<Vec<_>, _>>()?;
                chosen.sort_unstable();
                chosen.dedup();
                Ok((chosen, None))
            }
        }
    }
}

/// The leaders, or a node by lot, with a note that says so.
pub(super) fn leaders_or_one(scene: &Scene) -> Chosen {
    let mut leaders = scene.leaders.to_vec();
    leaders.sort_unstable();
    leaders.dedup();
    if !leaders.is_empty() {
        return (leaders, None);
    }
    let node = scene.rng().random_range(0..scene.nodes.len());
    let note = format!("no leader is known, so {} was drawn by lot", scene.nodes[node]);
    (vec![node], Some(note))
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Targets::Usual => "",
            Targets::One => "one",
            Targets::Minority => "minority",
            Targets::Majority => "majority",
            Targets::All => "all",
            Targets::Primaries => "primaries",
            Targets::Named(names) => return f.write_str(&names.join("+")),
        })
    }
}
