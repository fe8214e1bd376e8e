//! Giving nodes wrong clocks, and seeing that their programs are told the wrong time.

use std::time::{Duration, Instant};

use super::{Nemesis, Proof, Trouble};
use crate::clock::{Clocks, Deviation};
use crate::faults::{Action, Break};
use crate::node::NodeError;

/// How long a program is asked for the time at each look: enough for both halves of a usual strobe.
const LOOK: Duration = Duration::from_millis(30);

impl Nemesis {
    /// Gives the nodes the clocks that the active faults make.
    pub(super) fn set_clocks(&self, nodes: &[usize], deadline: Instant) -> Result<Proof, Trouble> {
        let mut set = Vec::new();
        for node in nodes {
            set.push((*node, self.clock_control()?.set(*node, &self.deviation(*node))?));
        }
        for (node, deviation) in set {
            while let Err(why) = self.clock_is(node, &deviation, true)? {
                if Instant::now() > deadline {
                    return Err(self.unknown(node, &why));
                }
            }
        }
        Ok(Proof { nodes: nodes.len(), ..Proof::default() })
    }

    /// Looks whether the clocks of the nodes are still wrong.
    pub(super) fn clocks_deviate(&self, nodes: &[usize]) -> Result<(), Trouble> {
        for node in nodes {
            let deviation = self.clock_control()?.get(*node)?;
            let wanted = Deviation { since_ns: deviation.since_ns, ..self.deviation(*node) };
            if deviation != wanted {
                return Err(self.unknown(*node, "has a clock that somebody else has set"));
            }
            self.clock_is(*node, &deviation, false)?.map_err(|why| self.unknown(*node, &why))?;
        }
        Ok(())
    }

    /// Whether the programs of a node are told what this deviation makes of the time; else what
    /// they are told. With `shown` it has to be a wrong time at least once, if the deviation is one.
    fn clock_is(
        &self,
        node: usize,
        deviation: &Deviation,
        shown: bool,
    ) -> Result<Result<(), String>, Trouble> {
        let control = self.clock_control()?;
        if let Some(pid) = control.unreached(node)?.first() {
            return Ok(Err(format!("has a process, {pid}, that asks another clock")));
        }
        let readings = control.readings(node, LOOK)?;
        if readings.is_empty() {
            return Ok(Err("tells no time".to_owned()));
        }
        if let Some(reading) = readings.iter().find(|reading| !reading.fits(deviation)) {
            let ahead_ms = (reading.told_ns - reading.before_ns) as f64 / 1e6;
            return Ok(Err(format!("has a clock that is {ahead_ms} ms ahead")));
        }
        let right = readings.iter().all(|reading| reading.fits(&Deviation::default()));
        if shown && right && !deviation.is_none() {
            return Ok(Err("has a clock that is right".to_owned()));
        }
        Ok(Ok(()))
    }

    /// All that active faults make of a node's clock.
    fn deviation(&self, node: usize) -> Deviation {
        let hits = self.active.values().filter_map(|action| match action {
            Action::Nodes { what: Break::Clock(deviation), nodes } => {
                nodes.contains(&node).then_some(*deviation)
            }
            _ => None,
        });
        hits.fold(Deviation::default(), Deviation::and)
    }

    fn clock_control(&self) -> Result<&dyn Clocks, NodeError> {
        self.cluster.clocks().ok_or_else(|| NodeError("no clocks".to_owned()))
    }
}
