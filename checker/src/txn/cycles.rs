//! Cycles of dependencies by their names (Adya 1999; Kingsbury and Alvaro 2020), and the levels that each
//! kind of them rules out.

use super::components::components;
use super::found::{Cycle, Found, Instance};
use super::graph::{Edge, Graph, INFORMATION, ITEMS, Kinds, REAL_TIME, SESSIONS, WRITES};
use super::levels::with_stronger;
use super::material::NONE;
use super::path::{Hop, Paths, length};
use super::snapshot::Halves;
use crate::ladder::Rung;

/// How many edges may be followed in one component for one kind of cycle.
const EDGES_MOST: u64 = 20_000_000;

/// A kind of cycle, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    G0,
    G1c,
    GSingle,
    GNonadjacent,
    G2Item,
}

/// The kinds without anti-dependencies.
const CYCLES_OF_INFORMATION: [(Shape, Kinds); 2] = [(Shape::G0, WRITES), (Shape::G1c, INFORMATION)];

/// Which orders belong to it besides the dependencies themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    Nothing,
    Sessions,
    RealTime,
}

impl With {
    fn kinds(self) -> Kinds {
        match self {
            With::Nothing => Kinds::of(&[]),
            With::Sessions => SESSIONS,
            With::RealTime => REAL_TIME,
        }
    }
}

/// What is known of one component.
pub(crate) struct Searched {
    pub cycles: Vec<Cycle>,
    /// Levels of which nothing is known, because the budget ended.
    pub undecided: Vec<Rung>,
}

/// Finds the gravest cycle of each sort in the nodes of a component.
pub(crate) fn search(graph: &Graph, nodes: &[u32], updates: &impl Fn(u32) -> bool) -> Searched {
    let sorts = [With::Nothing, With::Sessions, With::RealTime];
    search_in(graph, nodes, updates, &sorts, &CYCLES_OF_INFORMATION)
}

/// The same where all edges are of one sort: those that every explanation has which keeps these orders.
pub(crate) fn search_with(
    graph: &Graph,
    nodes: &[u32],
    updates: &impl Fn(u32) -> bool,
    kinds: Kinds,
) -> Searched {
    let all = [With::Nothing, With::Sessions, With::RealTime];
    let with = all.into_iter().find(|with| with.kinds() == kinds).unwrap_or(With::RealTime);
    // Nobody tells in which order versions were written, and without reads there is always one that has no
    // cycle.
    let mut searched = search_in(graph, nodes, updates, &[with], &CYCLES_OF_INFORMATION[1..]);
    // Which version came first is only certain if every read is of the last that was known.
    let weaker: &[Rung] = match with {
        With::Nothing => &[Rung::ReadUncommitted],
        _ => &[
            Rung::ReadUncommitted,
            Rung::ReadCommitted,
            Rung::MonotonicAtomicView,
            Rung::ReadAtomic,
        ],
    };
    for cycle in &mut searched.cycles {
        cycle.rules_out.retain(|level| !weaker.contains(level));
    }
    searched
}

fn search_in(
    graph: &Graph,
    nodes: &[u32],
    updates: &impl Fn(u32) -> bool,
    sorts: &[With],
    of_information: &[(Shape, Kinds)],
) -> Searched {
    let part = graph.part(nodes);
    let mut searched = Searched { cycles: Vec::new(), undecided: Vec::new() };
    let mut gravest = None;
    for with in sorts.iter().copied() {
        if gravest == Some(Shape::G0) {
            break;
        }
        let found = gravest_in(&part, with, of_information, &mut searched);
        if let Some((shape, hops)) = found.filter(|(shape, _)| gravest.is_none_or(|g| *shape < g)) {
            gravest = Some(shape);
            let steps = steps(&part, nodes, hops);
            let readers = steps.iter().filter(|(one, _)| !updates(*one)).count();
            let rules_out = rules_out(shape, with, readers < 2);
            searched.cycles.push(Cycle { name: name(shape, with), steps, rules_out });
        }
    }
    let is_ruled_out = |searched: &Searched, level| {
        searched.cycles.iter().any(|cycle| cycle.rules_out.contains(&level))
    };
    if is_ruled_out(&searched, Rung::Serializable)
        && !is_ruled_out(&searched, Rung::UpdateSerializable)
    {
        match update_cycle(&part, nodes, updates) {
            Ok(cycle) => searched.cycles.extend(cycle),
            Err(BudgetEnds) => searched.undecided.push(Rung::UpdateSerializable),
        }
    }
    searched
}

fn gravest_in(
    part: &Graph,
    with: With,
    of_information: &[(Shape, Kinds)],
    searched: &mut Searched,
) -> Option<(Shape, Vec<Hop>)> {
    for (shape, kinds) in of_information {
        if let Some(hops) = any(part, kinds.and(with.kinds())) {
            return Some((*shape, hops));
        }
    }
    let halves = Halves { graph: part, with: with.kinds() };
    if let Some(hops) = halves.cycle(EDGES_MOST) {
        match single(part, with, EDGES_MOST) {
            Ok(Some(hops)) => return Some((Shape::GSingle, hops)),
            Ok(None) => {}
            Err(BudgetEnds) if with == With::Sessions => {
                searched.undecided.push(Rung::ParallelSnapshotIsolation);
            }
            Err(BudgetEnds) => {}
        }
        return Some((Shape::GNonadjacent, hops));
    }
    any(part, ITEMS.and(with.kinds())).map(|hops| (Shape::G2Item, hops))
}

/// The shortest cycle of these kinds that is found with the budget.
fn any(part: &Graph, kinds: Kinds) -> Option<Vec<Hop>> {
    let components = part.cycles(kinds);
    let is_free = |node: u32| node >= part.transactions;
    let through = components.iter().flatten().copied().filter(|node| !is_free(*node));
    let successors = |one| part.by(one, kinds).map(|(kind, to)| (Some(kind), to));
    Paths::new(part.len(), EDGES_MOST).shortest_cycle(through, is_free, successors)
}

/// The search ended before it found anything.
pub(crate) struct BudgetEnds;

/// The shortest cycle with exactly one anti-dependency.
fn single(part: &Graph, with: With, budget: u64) -> Result<Option<Vec<Hop>>, BudgetEnds> {
    let kinds = INFORMATION.and(with.kinds());
    let mut paths = Paths::new(part.len(), budget);
    let mut best: Option<Vec<Hop>> = None;
    for reader in 0..part.transactions {
        for (kind, next) in part.by(reader, Kinds::of(&[Edge::Rw])) {
            // A node that stands for several transactions leads to them by the same edge.
            let successors = |one: u32| {
                let kinds = if one < part.transactions { kinds } else { ITEMS.and(with.kinds()) };
                part.by(one, kinds).map(|(kind, to)| (Some(kind), to))
            };
            let is_free = |one| one >= part.transactions;
            let rest = paths.shortest(next, reader, is_free, successors);
            if let Some(rest) = rest
                && best
                    .as_ref()
                    .is_none_or(|best| length(&rest, is_free) + 1 < length(best, is_free))
            {
                best = Some([vec![(reader, Some(kind))], rest].concat());
            }
            if paths.budget == 0 {
                return if best.is_some() { Ok(best) } else { Err(BudgetEnds) };
            }
        }
    }
    Ok(best)
}

/// The hops of a cycle from transaction to transaction.
fn steps(part: &Graph, nodes: &[u32], hops: Vec<Hop>) -> Vec<(u32, Edge)> {
    let transaction =
        |(from, kind): Hop| (from < part.transactions).then_some((nodes[from as usize], kind?));
    let mut steps: Vec<_> = hops.into_iter().filter_map(transaction).collect();
    // It begins with the transaction that was invoked first.
    let first = (0..steps.len()).min_by_key(|at| steps[*at].0).unwrap_or_default();
    steps.rotate_left(first);
    steps
}

/// A cycle of transactions that write and one that does not at most (Adya's G-update), so that the history
/// is not update serializable.
fn update_cycle(
    part: &Graph,
    nodes: &[u32],
    updates: &impl Fn(u32) -> bool,
) -> Result<Option<Cycle>, BudgetEnds> {
    let writes = |one: u32| one >= part.transactions || updates(nodes[one as usize]);
    let is_free = |one: u32| one >= part.transactions;
    let successors = |reader: u32| {
        move |one: u32| {
            let may_be = move |one: u32| one == reader || writes(one);
            let kinds = if may_be(one) { ITEMS } else { Kinds::of(&[]) };
            let on = part.by(one, kinds).filter(move |(_, to)| may_be(*to));
            on.map(|(kind, to)| (Some(kind), to))
        }
    };
    let mut paths = Paths::new(part.len(), EDGES_MOST);
    let among = components(part.len(), |one| successors(NONE)(one).map(|(_, to)| to));
    let through = among.iter().flatten().copied().filter(|one| !is_free(*one));
    let mut cycle = paths.shortest_cycle(through, is_free, successors(NONE));
    for reader in (0..part.transactions).filter(|one| !writes(*one)) {
        if cycle.is_some() {
            break;
        }
        cycle = paths.shortest(reader, reader, is_free, successors(reader));
        if cycle.is_none() && paths.budget == 0 {
            return Err(BudgetEnds);
        }
    }
    Ok(cycle.map(|hops| Cycle {
        name: "G-update",
        steps: steps(part, nodes, hops),
        rules_out: with_stronger(Rung::UpdateSerializable),
    }))
}

/// The name of a kind of cycle.
fn name(shape: Shape, with: With) -> &'static str {
    match (shape, with) {
        (Shape::G0, With::Nothing) => "G0",
        (Shape::G0, With::Sessions) => "G0-process",
        (Shape::G0, With::RealTime) => "G0-realtime",
        (Shape::G1c, With::Nothing) => "G1c",
        (Shape::G1c, With::Sessions) => "G1c-process",
        (Shape::G1c, With::RealTime) => "G1c-realtime",
        (Shape::GSingle, With::Nothing) => "G-single",
        (Shape::GSingle, With::Sessions) => "G-single-process",
        (Shape::GSingle, With::RealTime) => "G-single-realtime",
        (Shape::GNonadjacent, With::Nothing) => "G-nonadjacent",
        (Shape::GNonadjacent, With::Sessions) => "G-nonadjacent-process",
        (Shape::GNonadjacent, With::RealTime) => "G-nonadjacent-realtime",
        (Shape::G2Item, With::Nothing) => "G2-item",
        (Shape::G2Item, With::Sessions) => "G2-item-process",
        (Shape::G2Item, With::RealTime) => "G2-item-realtime",
    }
}

/// The weakest levels that a cycle rules out; what implies these is ruled out too. Where at most one of its
/// transactions did not write, update serializability is.
fn rules_out(shape: Shape, with: With, few_readers: bool) -> Vec<Rung> {
    let weakest: &[Rung] = match (with, shape) {
        (With::Nothing, Shape::G0) => &[Rung::ReadUncommitted],
        (With::Nothing, Shape::G1c) => &[Rung::ReadCommitted],
        (With::Nothing, Shape::GSingle) => &[
            Rung::SnapshotIsolation,
            Rung::ParallelSnapshotIsolation,
            Rung::RepeatableRead,
            Rung::UpdateSerializable,
        ],
        (With::Nothing, Shape::GNonadjacent) => &[Rung::SnapshotIsolation, Rung::RepeatableRead],
        (With::Nothing, Shape::G2Item) => &[Rung::RepeatableRead],
        (With::Sessions, Shape::G0 | Shape::G1c) => &[Rung::MonotonicAtomicView],
        (With::Sessions, Shape::GSingle) => &[Rung::ParallelSnapshotIsolation],
        (With::Sessions, Shape::GNonadjacent) => &[Rung::StrongSessionSnapshotIsolation],
        (With::Sessions, Shape::G2Item) => &[Rung::StrongSessionSerializable],
        (With::RealTime, Shape::G2Item) => &[Rung::StrictSerializable],
        (With::RealTime, _) => &[Rung::StrongSnapshotIsolation],
    };
    let updates = (with == With::Nothing && few_readers).then_some(&Rung::UpdateSerializable);
    let all: Vec<Rung> =
        weakest.iter().chain(updates).flat_map(|level| with_stronger(*level)).collect();
    super::levels::LEVELS.into_iter().filter(|level| all.contains(level)).collect()
}

impl Searched {
    /// Adds what was found.
    pub fn tell(self, found: &mut Found) {
        self.cycles.into_iter().for_each(|cycle| found.add(Instance::Cycle(cycle)));
    }
}
