//! The order of the phases, the same for a real run and for one in virtual time.

use std::time::Duration;

use splitbrain_nemesis::schedule::Step;
use splitbrain_workloads::generator::{Alongside, Closed, Probes, Stagger, TimeLimit};
use splitbrain_workloads::{Context, Generator, Load};

use crate::interpreter::{Interpreter, Phase, Port};
use crate::plan::Plan;

/// Longest time that healing may take before the run goes on without it.
const HEAL_WITHIN_NS: u64 = 30_000_000_000;

/// What happens from the first operation to the last.
pub struct Script<'a> {
    /// The plan, complete.
    pub plan: &'a Plan,
    /// Its faults.
    pub timeline: &'a [Step],
    /// Number of nodes.
    pub nodes: usize,
    /// Seed of the schedule.
    pub seed: u64,
}

impl Script<'_> {
    /// Plays all phases. Whatever happens, everything is healed at the end.
    pub fn play<P: Port>(&self, interpreter: &mut Interpreter<P>, mut load: Box<dyn Load>) {
        let phases = &self.plan.phases;
        // Each generator has a stream of its own: how much one phase draws, which depends on the
        // system's answers in the final reads, changes nothing for the next.
        let context = |stream| Context::new(self.seed, stream, self.nodes);

        let whole = phases.baseline.0 + phases.main.0;
        let mut main = TimeLimit::new(whole, self.paced(load.main(), load.probes(false)));
        let mut ctx = context(1);
        interpreter.run(
            Phase {
                generator: Some(&mut main),
                length_ns: Some(phases.baseline.ns()),
                stoppable: true,
                ..Phase::quiet("baseline")
            },
            &mut ctx,
        );
        interpreter.run(
            Phase {
                generator: Some(&mut main),
                length_ns: Some(phases.main.ns()),
                timeline: self.timeline,
                stoppable: true,
                continues: true,
                ..Phase::quiet("main")
            },
            &mut ctx,
        );
        interpreter.run(
            Phase { heals: true, length_ns: Some(HEAL_WITHIN_NS), ..Phase::quiet("heal") },
            &mut ctx,
        );
        // Each open operation completes or times out.
        let patience = self.plan.op_timeout.0 + Duration::from_secs(1);
        interpreter.run(
            Phase { length_ns: Some(patience.as_nanos() as u64), ..Phase::quiet("quiesce") },
            &mut ctx,
        );
        if interpreter.stopped().is_some() {
            return;
        }
        let keys = interpreter.desk().keys().to_vec();
        let mut finals = load.finals(keys, phases.converge_within.0);
        interpreter.run(
            Phase { generator: Some(&mut finals), stoppable: true, ..Phase::quiet("final") },
            &mut context(2),
        );
        if interpreter.stopped().is_some() {
            return;
        }
        let paced = self.paced(load.after(), load.probes(true));
        let mut after = TimeLimit::new(phases.after.0, paced);
        interpreter.run(
            Phase { generator: Some(&mut after), stoppable: true, ..Phase::quiet("after") },
            &mut context(3),
        );
    }

    /// Operations at the plan's rate, with probe rounds; or in a closed loop, whose throughput
    /// probes by the clock would only blur.
    fn paced(&self, operations: Box<dyn Generator>, probes: Option<Probes>) -> Box<dyn Generator> {
        let workload = &self.plan.workload;
        match workload.clients {
            None => {
                let operations = Stagger::new(workload.rate, operations);
                match probes {
                    Some(probes) => Box::new(Alongside::new(operations, probes)),
                    None => Box::new(operations),
                }
            }
            Some(clients) => Box::new(Closed::new(clients, operations)),
        }
    }
}
