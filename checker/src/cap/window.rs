//! Cut windows: the times in which no message could cross from one side to another.

use serde::Serialize;

use crate::faults::Fault;
use crate::history::{History, NodeId};
use crate::profile::Service;
use crate::profile::scopes::{Scope, Scopes};
use crate::profile::tally::{Tally, deadline_ns, tallies};
use crate::roles::Roles;

/// A shorter window is not judged.
const JUDGED_NS: u64 = 4_000_000_000;
/// The least allowance for fail-over.
const ALLOWANCE_NS: u64 = 1_000_000_000;
/// With fewer operations on a side a window is not judged.
const JUDGED_DUE: u64 = 20;

/// What happened on the sides of one cut, in the second half of its time: the first half, at least
/// 1 s, is allowance for fail-over.
#[derive(Clone, Debug, Serialize)]
pub struct CapWindow {
    /// The number of the fault that cut.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// When it was verified in force, in seconds.
    pub from_s: f64,
    /// How long it lasted, up to the start of heal.
    pub seconds: f64,
    /// Why it says nothing; absent if it is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<String>,
    /// Who led just before the cut, as far as is known.
    pub leader: Vec<String>,
    /// The sides.
    pub sides: Vec<Side>,
}

/// One side of a cut.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Whether it holds more than half of all nodes.
    pub majority: bool,
    /// Whether the leader was here.
    pub leader: bool,
    /// Operations that were due.
    pub due: u64,
    /// Those that were answered in time.
    pub answered: u64,
    /// The part of the reads that was answered in time, from 0 to 1.
    pub read_success: Option<f64>,
    /// The same as a word.
    pub reads: Option<Service>,
    /// The part of the writes that was answered in time, from 0 to 1.
    pub write_success: Option<f64>,
    /// The same as a word.
    pub writes: Option<Service>,
}

impl Side {
    /// Whether it serves reads and writes.
    pub fn serves(&self) -> bool {
        [self.reads, self.writes] == [Some(Service::Serves); 2]
    }

    /// Whether it refuses reads and writes.
    pub fn refuses(&self) -> bool {
        [self.reads, self.writes] == [Some(Service::Refuses); 2]
    }
}

/// The second half of a cut that nothing crossed, which is the part of it that is judged.
pub(crate) struct Half {
    /// The position of the fault.
    pub fault: usize,
    /// Who was apart from whom.
    pub sides: Vec<Vec<NodeId>>,
    /// One for each side.
    pub scopes: Vec<Scope>,
}

/// The judged halves of all cuts that nothing crossed.
pub(crate) fn halves(history: &History, faults: &[Fault]) -> Vec<Half> {
    let deadline_ns = deadline_ns(history);
    let half = |(at, fault): (usize, &Fault)| {
        let sides = fault.islands(history.nodes().len());
        let (installed, heal) = fault.in_force(history).filter(|_| sides.len() >= 2)?;
        let length_ns = heal.time_ns.saturating_sub(installed.time_ns);
        let from_ns = installed.time_ns + (length_ns / 2).max(ALLOWANCE_NS);
        let scope = |nodes: &Vec<NodeId>| {
            Scope::with_deadline(Some(nodes.clone()), from_ns, heal.time_ns, deadline_ns)
        };
        Some(Half { fault: at, scopes: sides.iter().map(scope).collect(), sides })
    };
    faults.iter().enumerate().filter_map(half).collect()
}

/// The cut windows of a history, judged or not.
pub(crate) fn windows(history: &History, faults: &[Fault], roles: &Roles) -> Vec<CapWindow> {
    let halves = halves(history, faults);
    let scopes = halves.iter().flat_map(|half| half.scopes.iter().cloned()).collect();
    let mut tallies = tallies(history, faults, &Scopes::new(scopes)).into_iter();
    let windows = halves.iter().filter_map(|half| {
        let tallies: Vec<Tally> = tallies.by_ref().take(half.sides.len()).collect();
        window(history, &faults[half.fault], half, &tallies, roles)
    });
    windows.collect()
}

fn window(
    history: &History,
    fault: &Fault,
    half: &Half,
    tallies: &[Tally],
    roles: &Roles,
) -> Option<CapWindow> {
    let (installed, heal) = fault.in_force(history)?;
    let length_ns = heal.time_ns.saturating_sub(installed.time_ns);
    let leaders = roles.leaders_before(installed.index);
    let side = |(nodes, tally): (&Vec<NodeId>, &Tally)| Side {
        nodes: nodes.iter().map(|node| history[*node].clone()).collect(),
        majority: nodes.len() * 2 > history.nodes().len(),
        leader: leaders.iter().any(|leader| nodes.contains(leader)),
        due: tally.all().due,
        answered: tally.all().answered,
        read_success: tally.reads.success(),
        reads: tally.reads.service(),
        write_success: tally.writes.success(),
        writes: tally.writes.service(),
    };
    let sides: Vec<Side> = half.sides.iter().zip(tallies).map(side).collect();
    let too_few = sides.iter().find(|side| side.due < JUDGED_DUE).map(|side| {
        let nodes = side.nodes.join(" ");
        format!("{} operations were due on {nodes}, and {JUDGED_DUE} are needed", side.due)
    });
    let too_short = (length_ns < JUDGED_NS).then(|| "it lasted less than 4 s".to_owned());
    Some(CapWindow {
        id: fault.id,
        name: fault.name.clone(),
        from_s: installed.time_ns as f64 / 1e9,
        seconds: length_ns as f64 / 1e9,
        not_judged: too_short.or(too_few),
        leader: leaders.iter().map(|leader| history[*leader].clone()).collect(),
        sides,
    })
}
