//! Heterogeneity: one node is slowed down; does the whole slow down in proportion, or collapse?

use serde::Serialize;
use splitbrain_checker::history::{History, Phase};

use super::Part;

/// The others keep at least that part of their throughput where a slow node only slows itself.
const KEPT: f64 = 0.9;
/// Below this part of what is proportional it is a collapse.
const COLLAPSED: f64 = 0.5;

/// Throughput while one node was slow, as parts of what it was before.
#[derive(Clone, Debug, Serialize)]
pub struct Slowed {
    /// The fault, as it is written on the command line.
    pub fault: String,
    /// The node that it slowed.
    pub node: String,
    /// What was left of this node's own throughput.
    pub own: f64,
    /// Of that of the others.
    pub others: f64,
    /// Of the whole.
    pub whole: f64,
    /// What would be left of the whole if the others had not noticed.
    pub in_proportion: f64,
    /// What that means: `in proportion`, `more than in proportion` or `collapse`.
    pub answer: &'static str,
}

impl Slowed {
    /// From a run whose baseline was whole and in whose main phase, from `since_ns` on, `node` was
    /// slow; nothing if either is too short to tell, or the node did nothing before.
    pub fn of(history: &History, fault: String, node: String, since_ns: u64) -> Option<Slowed> {
        let before = Part::phase(history, Phase::Baseline)?;
        let during = Part::phase(history, Phase::Main)?.after(since_ns)?;
        let rates = |part: &Part<'_>| {
            (part.throughput(|name| name == node), part.throughput(|name| name != node))
        };
        let ((own, others), (own_now, others_now)) = (rates(&before), rates(&during));
        if own == 0.0 || others == 0.0 {
            return None;
        }
        let whole = (own_now + others_now) / (own + others);
        let in_proportion = (own_now.min(own) + others) / (own + others);
        let kept = others_now / others;
        let answer = match () {
            () if kept >= KEPT => "in proportion",
            () if whole < COLLAPSED * in_proportion => "collapse",
            () => "more than in proportion",
        };
        Some(Slowed { fault, node, own: own_now / own, others: kept, whole, in_proportion, answer })
    }
}
