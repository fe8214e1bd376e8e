//! Which nodes a fault is to hit.

use std::fmt;

use rand::RngExt;
use rand::seq::SliceRandom;

use super::{Scene, Skip};
use crate::node::Link;

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
    /// These links, from the one to the other.
    Links(Vec<(String, String)>),
}

/// Nodes, and what a person should know of how they were chosen.
pub(super) type Chosen = (Vec<usize>, Option<String>);

impl Targets {
    /// Reads `one`, `minority`, `majority`, `all`, `primaries`, or names of nodes (`n1`) or links
    /// (`n1->n2`) joined by `+`.
    pub fn parse(text: &str) -> Targets {
        let link =
            |pair: &str| pair.split_once("->").map(|(from, to)| (from.to_owned(), to.to_owned()));
        if let Some(links) = text.split('+').map(link).collect() {
            return Targets::Links(links);
        }
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
        let named: Vec<&String> = match self {
            Targets::Named(names) => names.iter().collect(),
            Targets::Links(links) => links.iter().flat_map(|(from, to)| [from, to]).collect(),
            _ => Vec::new(),
        };
        named.into_iter().find(|name| !nodes.contains(name)).map(String::as_str)
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
            Targets::Links(_) => Err(Skip("links were named where nodes are hit".to_owned())),
            Targets::Named(names) => {
                let mut chosen =
                    names.iter().map(|name| scene.position(name)).collect::<Result<Vec<_>, _>>()?;
                chosen.sort_unstable();
                chosen.dedup();
                Ok((chosen, None))
            }
        }
    }
}

impl Targets {
    /// The links, in order and each once: those named, or all links to and from the nodes named or
    /// chosen; `None` if nothing was said.
    pub(super) fn links(&self, scene: &Scene) -> Result<Option<Vec<Link>>, Skip> {
        let mut links = match self {
            Targets::Usual => return Ok(None),
            Targets::Links(pairs) => pairs
                .iter()
                .map(|(from, to)| Ok(Link { from: scene.position(from)?, to: scene.position(to)? }))
                .collect::<Result<Vec<_>, _>>()?,
            nodes => {
                let (chosen, _) = nodes.choose(scene)?;
                let touches =
                    |link: &Link| chosen.contains(&link.from) || chosen.contains(&link.to);
                Link::all(scene.nodes.len()).filter(touches).collect()
            }
        };
        links.sort_unstable();
        links.dedup();
        Ok(Some(links))
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
            Targets::Links(links) => {
                let links: Vec<_> =
                    links.iter().map(|(from, to)| format!("{from}->{to}")).collect();
                return f.write_str(&links.join("+"));
            }
        })
    }
}
