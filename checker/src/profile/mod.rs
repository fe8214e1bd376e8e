//! The profile: what a run's clients saw, for each phase, each fault and each side of it, and what
//! of that names the system CP, AP or CA.
//!
//! Everything comes from the history alone. What cannot be told is `None`, with the reason beside
//! it. *Stale reads*: Bailis et al. 2012; *convergence*: Vogels 2009; *availability*: Gilbert and
//! Lynch 2002.

mod cell;
mod columns;
mod down;
mod healing;
pub(crate) mod measured;
mod rounds;
pub(crate) mod scopes;
pub(crate) mod seen;
mod sentence;
mod stretches;
mod table;
pub(crate) mod tally;

use serde::Serialize;

pub use cell::Cell;
pub use columns::Column;
pub use healing::Healing;
pub use measured::{Divergence, Latency, Staleness, Traffic};
pub use stretches::{SideProfile, Stretch};
pub use table::Row;
pub use tally::Service;

use crate::cap::CapVerdict;
use crate::faults::Fault;
use crate::history::History;
use crate::roles::Roles;
use crate::verdict::Verdict;
use scopes::{Scope, Scopes};
use seen::{Seen, Stale};
use stretches::Plan;
use tally::{Tally, tallies};

/// What a run's clients saw.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// What the system is, in one sentence, with the figures for it.
    pub sentence: String,
    /// Without a partition, on both sides of one, and healed.
    pub columns: Vec<Column>,
    /// What the columns say, in words: one row for each dimension.
    pub table: Vec<Row>,
    /// Each phase, and the time of each fault.
    pub stretches: Vec<Stretch>,
    /// Faults that have no stretch, because there are too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub stretches_left_out: usize,
    /// Over the whole run. Of registers only.
    pub staleness: Option<Staleness>,
    /// Over the whole run. Of registers only.
    pub divergence: Option<Divergence>,
    /// After each fault of the network.
    pub convergence: Vec<Healing>,
    /// Why staleness, divergence and convergence are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Measures it. `seen` is what registers show, or why there is nothing of that.
pub(crate) fn profile(
    history: &History,
    faults: &[Fault],
    roles: &Roles,
    cap: &CapVerdict,
    linearizable: &Verdict,
    seen: Result<&Seen, &str>,
) -> Profile {
    let (plans, stretches_left_out) = stretches::plans(history, faults);
    let column_plans = columns::plans(history, faults);
    let whole = Scope { nodes: None, from_ns: 0, until_ns: u64::MAX };
    let of_plans = plans.iter().flat_map(|plan| plan.scopes.iter().cloned());
    let of_columns = column_plans.iter().flat_map(|plan| plan.scopes.iter().cloned());
    let scopes = Scopes::new(of_plans.chain(of_columns).chain([whole.clone()]).collect());
    let tallies = tallies(history, faults, &scopes);
    let measures = Measures { tallies, stale: stale(&scopes, seen), seen };
    let mut next = 0;
    let mut take = |count: usize| {
        next += count;
        next - count..next
    };
    let stretch = |plan: &Plan| {
        let sides = take(plan.scopes.len()).map(|at| {
            let scope = &scopes.all()[at];
            let traffic = Traffic::of(&measures.tallies[at], scope.seconds());
            (traffic, measures.staleness(&[at]), measures.divergence(&[scope]))
        });
        let sides = sides.collect();
        let whole = Scope { nodes: None, from_ns: plan.from_ns, until_ns: plan.end_ns };
        plan.stretch(history, faults, roles, sides, measures.divergence(&[&whole]))
    };
    let stretches = plans.iter().map(stretch).collect();
    let columns: Vec<Column> = column_plans
        .into_iter()
        .map(|plan| plan.column(history, &measures, &take(plan.scopes.len()).collect::<Vec<_>>()))
        .collect();
    let all = scopes.all().len() - 1;
    let (staleness, divergence) = (measures.staleness(&[all]), measures.divergence(&[&whole]));
    let convergence =
        seen.map_or(Vec::new(), |seen| healing::healings(history, faults, &seen.rounds));
    Profile {
        sentence: sentence::sentence(
            cap,
            linearizable,
            staleness.as_ref(),
            divergence.as_ref(),
            &convergence,
        ),
        table: table::rows(&columns),
        columns,
        stretches,
        stretches_left_out,
        staleness,
        divergence,
        convergence,
        reason: seen.err().map(str::to_owned),
    }
}

/// All that was counted, by the positions of scopes.
pub(crate) struct Measures<'a> {
    tallies: Vec<Tally>,
    /// The stale reads of each scope.
    stale: Vec<Vec<&'a Stale>>,
    seen: Result<&'a Seen, &'a str>,
}

impl Measures<'_> {
    /// Several scopes together.
    fn tally(&self, at: &[usize]) -> Tally {
        let mut tally = Tally::default();
        at.iter().for_each(|at| tally.add(&self.tallies[*at]));
        tally
    }

    /// Several scopes together, if anything is known.
    fn staleness(&self, at: &[usize]) -> Option<Staleness> {
        self.seen.ok()?;
        let reads = at.iter().map(|at| self.tallies[*at].read_answers).sum();
        let stale: Vec<&Stale> = at.iter().flat_map(|at| self.stale[*at].iter().copied()).collect();
        Some(Staleness::of(reads, &stale))
    }

    /// Several scopes together, if any round could be compared.
    fn divergence(&self, scopes: &[&Scope]) -> Option<Divergence> {
        let divergence = Divergence::of(&self.seen.ok()?.rounds, scopes);
        (divergence.rounds > 0).then_some(divergence)
    }
}

fn stale<'a>(scopes: &Scopes, seen: Result<&'a Seen, &str>) -> Vec<Vec<&'a Stale>> {
    let mut by_scope = vec![Vec::new(); scopes.all().len()];
    for stale in seen.into_iter().flat_map(|seen| &seen.stale) {
        for at in scopes.of(stale.due_ns, stale.node) {
            by_scope[at].push(stale);
        }
    }
    by_scope
}
