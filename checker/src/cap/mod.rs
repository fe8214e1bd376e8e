//! The CAP profile: what a system gives up when its nodes cannot talk to each other.
//!
//! The words are Brewer's (2000), their meaning that of Gilbert and Lynch (2002): consistent is
//! linearizable, available is that every node that has not failed answers.

mod window;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(crate) use window::halves;
pub use window::{CapWindow, Side};

use crate::faults::{Effect, Fault};
use crate::history::{History, Moment, NodeId};
use crate::profile::Service;
use crate::profile::scopes::{Scope, Scopes};
use crate::profile::tally::{deadline_ns, tallies};
use crate::roles::Roles;
use crate::verdict::Verdict;

/// What a system gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cap {
    /// Stays linearizable: the majority serves and a minority refuses.
    #[serde(rename = "CP")]
    Cp,
    /// Every side serves reads and writes, and it is not linearizable.
    #[serde(rename = "AP")]
    Ap,
    /// Both, but only until partitioned.
    #[serde(rename = "CA")]
    Ca,
    /// None of these.
    #[serde(rename = "neither")]
    Neither,
}

/// What a system gives up, and what that rests on.
#[derive(Clone, Debug)]
pub(crate) struct CapVerdict {
    pub cap: Option<Cap>,
    /// Why there is none.
    pub reason: Option<String>,
    pub windows: Vec<CapWindow>,
}

impl CapVerdict {
    /// Nothing is known, for this reason.
    pub fn unknown(reason: &str) -> CapVerdict {
        CapVerdict { cap: None, reason: Some(reason.to_owned()), windows: Vec::new() }
    }

    /// Whether it is the expected one.
    pub fn meets(&self, expected: Cap) -> Verdict {
        match (self.cap, &self.reason) {
            (Some(cap), _) if cap == expected => Verdict::Valid,
            (Some(_), _) => Verdict::Invalid,
            (None, reason) => Verdict::unknown(reason.as_deref().unwrap_or("it is not decided")),
        }
    }
}

/// Names it. `linearizable_before` judges what happened before the event of an index; it
/// is asked only where the whole history does not decide.
pub(crate) fn cap(
    history: &History,
    faults: &[Fault],
    roles: &Roles,
    linearizable: &Verdict,
    linearizable_before: impl FnOnce(u64) -> Verdict,
) -> CapVerdict {
    let windows = window::windows(history, faults, roles);
    let judged: Vec<&CapWindow> =
        windows.iter().filter(|window| window.not_judged.is_none()).collect();
    let serving_before = |first: Moment| {
        let nodes = (0..history.nodes().len()).map(|node| NodeId(node as u32));
        let scope =
            |node| Scope::with_deadline(Some(vec![node]), 0, first.time_ns, deadline_ns(history));
        let scopes = Scopes::new(nodes.map(scope).collect());
        tallies(history, faults, &scopes).iter().all(|tally| {
            [tally.reads.service(), tally.writes.service()] == [Some(Service::Serves); 2]
        })
    };
    let during = if judged.is_empty() {
        Err(why_none_is_judged(&windows))
    } else {
        during_cuts(&judged, linearizable, roles.has_leader())
    };
    let decided = match during {
        Err(reason) => Err(reason),
        Ok(Some(cap)) => Ok(cap),
        Ok(None) => match first_fault(faults) {
            Some(first) if serving_before(first) => match linearizable_before(first.index) {
                Verdict::Valid => Ok(Cap::Ca),
                Verdict::Invalid => Ok(Cap::Neither),
                Verdict::Unknown { reason } => Err(reason),
            },
            _ => Ok(Cap::Neither),
        },
    };
    CapVerdict { cap: decided.as_ref().ok().copied(), reason: decided.err(), windows }
}

fn why_none_is_judged(windows: &[CapWindow]) -> String {
    let reasons: BTreeSet<&str> =
        windows.iter().filter_map(|window| window.not_judged.as_deref()).collect();
    let reasons: Vec<&str> = reasons.into_iter().collect();
    let colon = if reasons.is_empty() { "" } else { ": " };
    format!("no cut between sides could be judged{colon}{}", reasons.join("; "))
}

/// CP or AP, or neither of these two; an error says why it cannot be told.
fn during_cuts(
    judged: &[&CapWindow],
    linearizable: &Verdict,
    has_leader: bool,
) -> Result<Option<Cap>, String> {
    let all_serve = |window: &&CapWindow| window.sides.iter().all(Side::serves);
    // Without a majority side (two halves of four nodes) only the refusal can be asked for.
    let refused = |window: &&CapWindow| {
        window.sides.iter().filter(|side| side.majority).all(Side::serves)
            && window.sides.iter().any(Side::refuses)
    };
    let leader_in_minority =
        |window: &&CapWindow| window.sides.iter().any(|side| side.leader && !side.majority);
    match linearizable {
        Verdict::Unknown { reason } => Err(format!("linearizable is unknown: {reason}")),
        Verdict::Invalid => Ok(judged.iter().all(all_serve).then_some(Cap::Ap)),
        Verdict::Valid if judged.iter().any(all_serve) => {
            Err("linearizable was not seen to break although every side served".to_owned())
        }
        Verdict::Valid if !judged.iter().all(refused) => Ok(None),
        Verdict::Valid if has_leader && !judged.iter().any(leader_in_minority) => {
            Err("the leader was never cut off from the majority".to_owned())
        }
        Verdict::Valid => Ok(Some(Cap::Cp)),
    }
}

fn first_fault(faults: &[Fault]) -> Option<Moment> {
    faults.iter().filter(|fault| fault.effect != Effect::Skipped).map(|fault| fault.decided).min()
}
