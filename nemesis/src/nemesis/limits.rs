//! Limiting what nodes may use, and seeing that the limit holds and bites.

use std::thread;
use std::time::{Duration, Instant};

use super::{Nemesis, Proof, Trouble};
use crate::node::{Capability, Held, Limit, Limits, NodeError, Resource};

/// How long a process computes to see how much time it is given: two periods of the usual length.
const SPIN: Duration = Duration::from_millis(200);
/// What it may get beyond its share: what is left of the period before, and a slice that was
/// handed out already.
const SPIN_SLACK: Duration = Duration::from_millis(20);
const SPIN_TOLERANCE: f64 = 1.5;
/// Limits of memory are counted in pages, which have up to 64 KiB.
const PAGE_MOST: u64 = 64 * 1024;
/// How long to wait before looking again.
const LOOK_AFTER: Duration = Duration::from_millis(5);

impl Nemesis {
    /// Limits the nodes, all at once, and verifies it: the limit is read back as wanted and holds
    /// for every process of the node; a limit of time has made a process wait, and one that
    /// computes without a pause gets no more than its share; memory in use is below its limit.
    pub(super) fn limit(
        &self,
        limit: Limit,
        nodes: &[usize],
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let control = self.limit_control()?;
        let limit_one = |node: usize| -> Result<usize, Trouble> {
            control.set(node, limit)?;
            loop {
                match self.proof_of(control, limit, node)? {
                    Ok(processes) => return Ok(processes),
                    Err(missing) if Instant::now() > deadline + SPIN => {
                        return Err(Trouble::Unknown(format!("{}: {missing}", self.name(node))));
                    }
                    Err(_) => thread::sleep(LOOK_AFTER),
                }
            }
        };
        let results: Vec<_> = thread::scope(|scope| {
            let limit_one = &limit_one;
            let limiting: Vec<_> =
                nodes.iter().map(|node| scope.spawn(move || limit_one(*node))).collect();
            limiting.into_iter().map(|one| one.join().expect("it does not panic")).collect()
        });
        let processes = results.into_iter().sum::<Result<usize, Trouble>>()?;
        Ok(Proof { processes, ..Proof::default() })
    }

    /// Looks whether a limit still stands and holds for all processes of the nodes.
    pub(super) fn still_limited(&self, limit: Limit, nodes: &[usize]) -> Result<(), Trouble> {
        let control = self.limit_control()?;
        for node in nodes {
            let held = control.held(*node, limit.resource())?;
            if let Err(missing) = self.stands(&held, limit, *node)? {
                return Err(Trouble::Unknown(format!("{}: {missing}", self.name(*node))));
            }
        }
        Ok(())
    }

    /// Takes a limit of the nodes away and verifies that there is none.
    pub(super) fn lift(
        &self,
        resource: Resource,
        nodes: &[usize],
        deadline: Instant,
    ) -> Result<Proof, Trouble> {
        let control = self.limit_control()?;
        for node in nodes {
            control.lift(*node, resource)?;
        }
        let mut processes = 0;
        for node in nodes {
            processes += loop {
                let held = control.held(*node, resource)?;
                match held.limit {
                    None => break held.processes.len(),
                    Some(limit) if Instant::now() > deadline => {
                        let left = format!("{} still has {limit:?}", self.name(*node));
                        return Err(Trouble::Unknown(left));
                    }
                    Some(_) => thread::sleep(LOOK_AFTER),
                }
            };
        }
        Ok(Proof { processes, ..Proof::default() })
    }

    /// How many processes of the node a limit holds for; if it is not proven yet, what is missing.
    fn proof_of(
        &self,
        control: &dyn Limits,
        limit: Limit,
        node: usize,
    ) -> Result<Result<usize, String>, NodeError> {
        let before = control.held(node, limit.resource())?;
        let spun = match limit {
            Limit::Cpu { .. } => control.spin(node, SPIN)?,
            Limit::Memory { .. } => Duration::ZERO,
        };
        let after = control.held(node, limit.resource())?;
        let stands = self.stands(&after, limit, node)?;
        let proven = stands.and_then(|()| bites(limit, &before, &after, spun));
        Ok(proven.map(|()| after.processes.len()))
    }

    /// Whether what was read back is the limit that was set, and holds for all that live.
    fn stands(
        &self,
        held: &Held,
        limit: Limit,
        node: usize,
    ) -> Result<Result<(), String>, NodeError> {
        if !held.limit.is_some_and(|found| is_as_wanted(found, limit)) {
            return Ok(Err(format!("the limit is {:?}, not {limit:?}", held.limit)));
        }
        let living = match self.cluster.processes() {
            Some(processes) => processes.states(node)?,
            None => Vec::new(),
        };
        let free = living.iter().find(|one| !held.processes.contains(&one.pid));
        Ok(free.map_or(Ok(()), |free| {
            Err(format!("the limit does not hold for process {}", free.pid))
        }))
    }

    fn limit_control(&self) -> Result<&dyn Limits, Trouble> {
        let lacks = || Trouble::Skip(self.cluster.lacks(Capability::Limits));
        self.cluster.limits().ok_or_else(lacks)
    }
}

/// Whether a limit that was read back is the one that was set, as far as it can be counted.
fn is_as_wanted(found: Limit, wanted: Limit) -> bool {
    match (found, wanted) {
        (Limit::Cpu { percent: found }, Limit::Cpu { percent: wanted }) => {
            (found - wanted).abs() <= wanted / 100.0
        }
        (Limit::Memory { bytes: found }, Limit::Memory { bytes: wanted }) => {
            found <= wanted && wanted - found < PAGE_MOST
        }
        _ => false,
    }
}

/// Whether what was observed shows that the limit does anything.
fn bites(limit: Limit, before: &Held, after: &Held, spun: Duration) -> Result<(), String> {
    match limit {
        Limit::Cpu { percent } => {
            let share = SPIN.mul_f64(percent / 100.0 * SPIN_TOLERANCE) + SPIN_SLACK;
            if spun > share {
                return Err(format!("a process got {spun:?} of {SPIN:?} in spite of {percent}%"));
            }
            if after.enforced <= before.enforced {
                return Err("no process had to wait for time".to_owned());
            }
        }
        Limit::Memory { bytes } => {
            if after.used_bytes > bytes {
                return Err(format!("{} bytes are in use in spite of {bytes}", after.used_bytes));
            }
        }
    }
    Ok(())
}
