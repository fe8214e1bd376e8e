//! Fail-over: what it costs when a primary is taken away.
//!
//! *RTO* (recovery time objective) is how long nobody, or one side's clients, could write; *RPO*
//! (recovery point objective) is which acknowledged writes were lost. Both words are those of
//! disaster recovery (NIST SP 800-34); here they are measured for each fault, from the history
//! alone. A *split brain* are two sides that took writes while no message crossed between them
//! (Davidson, Garcia-Molina and Skeen 1985).

mod loss;
mod recovery;
mod split;

use serde::Serialize;

pub use loss::Loss;
pub use recovery::{Recovery, SideRecovery};
pub use split::SplitBrain;

use crate::faults::Fault;
use crate::history::{History, NodeId};
use crate::profile::measured::rounded;
use crate::profile::seen::Seen;
use crate::roles::Roles;
use recovery::Writes;

/// What fail-over cost.
#[derive(Clone, Debug, Serialize)]
pub struct Failover {
    /// One for each fault that took a primary away, in order.
    pub faults: Vec<Recovery>,
    /// Over those: how long it took until some client could write again, in milliseconds.
    pub rto_ms: Option<Spread>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Acknowledged writes that were lost in the whole run.
    pub loss: Loss,
    /// Each partition of which two sides took writes.
    pub split_brain: Vec<SplitBrain>,
}

impl Failover {
    /// Nothing is known, for this reason.
    pub(crate) fn unknown(reason: &str) -> Failover {
        let reason = Some(reason.to_owned());
        let loss = Loss { reason: reason.clone(), ..Loss::default() };
        Failover { faults: Vec::new(), rto_ms: None, reason, loss, split_brain: Vec::new() }
    }
}

/// How a figure is spread over many faults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Of how many.
    pub count: usize,
    /// The least.
    pub min: f64,
    /// The median.
    pub p50: f64,
    /// 95 % are no more than that.
    pub p95: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// `None` of nothing. A percentile is the nearest figure at or above it.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let count = figures.len();
        let at = |hundredths: usize| {
            figures.get((count * hundredths).div_ceil(100).saturating_sub(1)).copied().map(rounded)
        };
        Some(Spread { count, min: at(0)?, p50: at(50)?, p95: at(95)?, max: at(100)? })
    }
}

/// Measures it. Without registers, or without final reads for the given reason, nothing is known of
/// loss.
pub(crate) fn failover(
    history: &History,
    faults: &[Fault],
    roles: &Roles,
    seen: Result<&Seen, &str>,
) -> Failover {
    let nodes = history.nodes().len();
    let takers: Vec<(&Fault, Vec<NodeId>)> = faults
        .iter()
        .filter(|fault| fault.installed.is_some())
        .map(|fault| {
            (fault, fault.primaries_taken(roles.leaders_before(fault.decided.index), nodes))
        })
        .filter(|(_, primaries)| !primaries.is_empty())
        .collect();
    let reason = if !takers.is_empty() {
        None
    } else if !roles.has_leader() {
        Some("no node was seen to lead, so none can have been taken away")
    } else {
        Some("no fault took a primary away")
    };
    let lost = seen.map_or(&[][..], |seen| &seen.lost);
    let attributed = loss::attributed(lost, &takers);
    let writes = Writes::of(history);
    let recovery = |((fault, primaries), lost): (&(&Fault, Vec<NodeId>), &Vec<_>)| {
        recovery::recovery(history, &writes, fault, primaries, Loss::of(history, lost, seen))
    };
    let recoveries: Vec<Recovery> = takers.iter().zip(&attributed).filter_map(recovery).collect();
    Failover {
        rto_ms: Spread::of(recoveries.iter().filter_map(|recovery| recovery.rto_ms)),
        faults: recoveries,
        reason: reason.map(str::to_owned),
        loss: Loss::of(history, lost, seen),
        split_brain: split::split_brain(history, faults),
    }
}

impl Fault {
    /// Of those who led, whom it took away: killed or paused, or left with no more than half of the
    /// nodes.
    fn primaries_taken(&self, leaders: &[NodeId], nodes: usize) -> Vec<NodeId> {
        let is_taken = |leader: &&NodeId| {
            let is_down = self.takes_down() && self.targets.contains(leader);
            is_down || 2 * self.within_reach(**leader, nodes) <= nodes
        };
        leaders.iter().filter(is_taken).copied().collect()
    }
}
