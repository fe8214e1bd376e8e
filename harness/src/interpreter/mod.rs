//! One loop owns index and time: it drains completions, then asks the generator for more.
//!
//! A late stamp widens an interval, invents concurrency and hides bugs; so completions always come
//! first. The loop reaches the world through a [`Port`] only: clients and clock of a real run
//! ([`live`]), or imaginary ones in virtual time ([`virtual_time`]), where a seed fixes every byte
//! of the history.

mod desk;
mod healing;
pub mod live;
pub mod virtual_time;

use splitbrain_checker::history::{Event, Kind, Process};
use splitbrain_nemesis::schedule::Step;
use splitbrain_workloads::{Completion, Context, Generator, Invocation};

pub use desk::{Counts, Desk, Limits};
use healing::Healing;

/// The world as the loop sees it.
pub trait Port {
    /// Nanoseconds since the run's time zero; never goes back.
    fn now(&mut self) -> u64;
    /// Hands an operation to a worker, which is free.
    fn start(&mut self, worker: usize, invocation: &Invocation);
    /// Asks the nemesis to do something; what came of it arrives as notes.
    fn command(&mut self, command: Command);
    /// Waits until something arrives or until the given time, and appends what has arrived.
    fn wait(&mut self, until: u64, arrived: &mut Vec<Wake>);
}

/// What the nemesis is asked for.
#[derive(Clone, Debug)]
pub enum Command {
    /// Put this fault in force.
    Start(Step),
    /// Undo the fault of that number.
    Stop(u64),
    /// Undo all that is still in force, and say [`Wake::Healed`].
    HealAll,
}

/// All that can wake the loop.
#[derive(Debug)]
pub enum Wake {
    /// A worker's operation has completed.
    Completed {
        /// Which worker.
        worker: usize,
        /// With what.
        completion: Completion,
    },
    /// A line for the history from the nemesis or an observer; index and time are set here.
    Note(Box<Event>),
    /// Nothing more will be done to heal; what was not healed, the notes have said.
    Healed,
    /// The run must end early.
    Stop(StopCause),
}

/// Why a run ended before its plan did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// The user asked for it.
    Interrupted,
    /// The checker that follows it has found what was looked for.
    Refuted,
    /// The harness could not do its work.
    Failure(String),
}

impl std::fmt::Display for StopCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StopCause::Interrupted => f.write_str("interrupted"),
            StopCause::Refuted => f.write_str("ended at the first violation"),
            StopCause::Failure(why) => write!(f, "the harness failed: {why}"),
        }
    }
}

/// One phase of a run.
pub struct Phase<'a> {
    /// Its name in the history.
    pub name: &'static str,
    /// What clients do in it.
    pub generator: Option<&'a mut dyn Generator>,
    /// How long it lasts at most. It ends before that when the generator is done and every
    /// operation has completed, or, if it heals, when that is done.
    pub length_ns: Option<u64>,
    /// Faults, with times relative to the beginning of the phase.
    pub timeline: &'a [Step],
    /// Whether the phase begins by healing everything and ends when that is done.
    pub heals: bool,
    /// Whether the phase is cut short when the run must end early.
    pub stoppable: bool,
    /// Whether what waits for a free client is taken over from the phase before.
    pub continues: bool,
}

impl<'a> Phase<'a> {
    /// A phase in which clients do nothing.
    pub fn quiet(name: &'static str) -> Phase<'a> {
        Phase {
            name,
            generator: None,
            length_ns: None,
            timeline: &[],
            heals: false,
            stoppable: false,
            continues: false,
        }
    }
}

/// The loop.
pub struct Interpreter<P> {
    port: P,
    desk: Desk,
    stop: Option<StopCause>,
    healing: Healing,
    arrived: Vec<Wake>,
}

/// How often the loop looks around when nothing happens.
const IDLE_NS: u64 = 20_000_000;

impl<P: Port> Interpreter<P> {
    /// A loop over a world and a desk.
    pub fn new(port: P, desk: Desk) -> Interpreter<P> {
        Interpreter { port, desk, stop: None, healing: Healing::default(), arrived: Vec::new() }
    }

    /// Runs one phase. Time limits hold to the next event of the loop.
    pub fn run(&mut self, mut phase: Phase<'_>, ctx: &mut Context) {
        let began = self.port.now();
        if !phase.continues {
            self.desk.abandon(began);
        }
        self.desk.phase(began, phase.name);
        let mut actions = Actions::new(phase.timeline, began);
        if phase.heals {
            self.healing.ended = false;
            self.port.command(Command::HealAll);
        }
        let end = phase.length_ns.map(|length| began + length);
        let mut generator_done = phase.generator.is_none();
        loop {
            self.receive(&mut phase, ctx);
            let now = self.port.now();
            ctx.now = now;
            let stopping = self.stop.is_some() && phase.stoppable;
            if stopping {
                break;
            }
            while let Some(command) = actions.due(now) {
                self.port.command(command);
            }
            let mut wake = now + IDLE_NS;
            loop {
                if let Some(generator) = phase.generator.as_deref_mut().filter(|_| !generator_done)
                {
                    generator_done = self.desk.draw(now, generator, ctx, &mut wake);
                }
                let mut started = false;
                while let Some(worker) = self.desk.assign(now) {
                    self.port.start(worker, self.desk.open(worker));
                    started = true;
                }
                if !started {
                    break;
                }
            }
            self.desk.tick(now);
            if let Some(failure) = self.desk.failure() {
                self.stop(StopCause::Failure(failure));
            }
            // Asked last, so that all that was due before the end has been drawn.
            if end.is_some_and(|end| now >= end) {
                break;
            }
            let finished = if phase.heals { self.healing.ended } else { self.desk.idle() };
            if generator_done && finished {
                break;
            }
            let until = [Some(wake), actions.next(), end].into_iter().flatten().min();
            self.port.wait(until.unwrap_or(wake), &mut self.arrived);
        }
        if phase.heals {
            // A system that may still be broken cannot be asked whether it has converged.
            if let Some(why) = self.healing.failure() {
                self.stop(StopCause::Failure(why));
            }
        }
    }

    /// Stamps and records everything that has arrived.
    fn receive(&mut self, phase: &mut Phase<'_>, ctx: &mut Context) {
        let mut stops = Vec::new();
        for wake in self.arrived.drain(..) {
            let now = self.port.now();
            ctx.now = now;
            match wake {
                Wake::Completed { worker, completion } => {
                    let (invocation, event) = self.desk.complete(now, worker, completion);
                    if let Some(generator) = phase.generator.as_deref_mut() {
                        generator.update(ctx, &invocation, &event);
                    }
                }
                Wake::Note(note) => {
                    self.healing.hear(&note);
                    self.desk.note(now, *note);
                }
                Wake::Healed => self.healing.ended = true,
                Wake::Stop(cause) => stops.push(cause),
            }
        }
        stops.into_iter().for_each(|cause| self.stop(cause));
    }

    /// The run must end early. That stands in the history, which would otherwise be judged as if
    /// it were whole.
    fn stop(&mut self, cause: StopCause) {
        if self.stop.is_none() {
            let mut stopped = note(Process::Harness, "stopped");
            stopped.value = cause.to_string().into();
            let now = self.port.now();
            self.desk.note(now, stopped);
            self.stop = Some(cause);
        }
    }

    /// Why the run must end early, if it must.
    pub fn stopped(&self) -> Option<&StopCause> {
        self.stop.as_ref()
    }

    /// What is worth a word though it did not hinder the run.
    pub fn remarks(&self) -> &[String] {
        &self.healing.remarks
    }

    /// The desk, for its counts and the keys in use.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Writes the end of the history, puts it on disk and gives back the world, and why the file
    /// is not whole, if it is not.
    pub fn finish(mut self) -> (P, Option<String>) {
        for phase in ["collect", "teardown"] {
            let now = self.port.now();
            self.desk.phase(now, phase);
        }
        self.desk.close();
        (self.port, self.desk.failure())
    }
}

/// The starts and stops of a timeline, in the order of their times.
struct Actions {
    pending: std::collections::VecDeque<(u64, Command)>,
}

impl Actions {
    fn new(timeline: &[Step], began: u64) -> Actions {
        let at = |ms: u64| began + ms * 1_000_000;
        let mut pending: Vec<(u64, Command)> = Vec::new();
        for step in timeline {
            pending.push((at(step.at_ms), Command::Start(step.clone())));
            if let Some(for_ms) = step.for_ms {
                pending.push((at(step.at_ms + for_ms), Command::Stop(step.id)));
            }
        }
        pending.sort_by_key(|(at, _)| *at);
        Actions { pending: pending.into() }
    }

    fn due(&mut self, now: u64) -> Option<Command> {
        self.next().filter(|at| *at <= now)?;
        self.pending.pop_front().map(|(_, command)| command)
    }

    fn next(&self) -> Option<u64> {
        self.pending.front().map(|(at, _)| *at)
    }
}

/// A line of the nemesis or an observer, still without index and time.
pub fn note(process: Process, f: &'static str) -> Event {
    Event::new(0, 0, Kind::Info, process, f)
}
