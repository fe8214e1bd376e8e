//! The nemesis at work: turns the loop's commands into faults, and what came of them into lines
//! of the history.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use splitbrain_checker::history::{Event, Process};
use splitbrain_nemesis::faults::{Action, Args, Choice, Scene};
use splitbrain_nemesis::schedule::Step;
use splitbrain_nemesis::{Cluster, Effect, FaultId, Nemesis};

use super::observer::SharedRoles;
use crate::interpreter::live::Inbox;
use crate::interpreter::{Command, Wake, note};
use crate::progress::Doing;

/// How often healing is tried; each time takes five seconds at most for what it can not verify.
const HEAL_TRIES: usize = 5;

/// Faults and their undoing, for one run. Used from one thread, which it blocks.
pub struct Breaker {
    nemesis: Nemesis,
    cluster: Arc<dyn Cluster>,
    roles: SharedRoles,
    /// Names of the faults that are, or may be, in force.
    active: Vec<(FaultId, &'static str)>,
}

impl Breaker {
    /// A breaker of a whole cluster. It takes the leaders from `roles` when it decides.
    pub fn new(cluster: Arc<dyn Cluster>, roles: SharedRoles) -> Breaker {
        Breaker { nemesis: Nemesis::new(cluster.clone()), cluster, roles, active: Vec::new() }
    }

    /// Does what the loop asks for, and posts each line when its moment has come.
    pub fn obey(&mut self, command: Command, post: &mut dyn FnMut(Wake)) {
        match command {
            Command::Start(step) => self.start(&step, post),
            Command::Stop(id) => self.stop(id, post),
            Command::HealAll => self.heal_all(post),
        }
    }

    /// What is in force, for the progress line.
    pub fn doing(&self) -> String {
        let names: Vec<&str> = self.active.iter().map(|(_, name)| *name).collect();
        if names.is_empty() { "no fault".to_owned() } else { names.join(" + ") }
    }

    fn start(&mut self, step: &Step, post: &mut dyn FnMut(Wake)) {
        let name = step.choice.fault.name;
        let leaders = self.roles.lock().expect("no one panics here").leaders.clone();
        let Choice { fault, targets, args } = &step.choice;
        let (nodes, beat, seed) = (self.cluster.nodes(), step.beat, step.seed);
        let scene = Scene { nodes, leaders: &leaders, targets, args, beat, seed };
        let decision = match (fault.decide)(&scene) {
            Ok(decision) => decision,
            Err(skip) => {
                let mut line = line("start", step.id, name);
                line.value = json!({ "cut": [], "targets": [] });
                line.effect = Some("skipped".into());
                line.reason = Some(skip.0);
                return post(Wake::Note(Box::new(line)));
            }
        };
        let mut decided = line("start", step.id, name);
        decided.value = self.describe(&decision.action, args);
        decided.reason = decision.note;
        post(Wake::Note(Box::new(decided)));
        let effect = self.nemesis.install(step.id, &decision.action);
        if !matches!(effect, Effect::Skipped(_)) {
            self.active.push((step.id, name));
        }
        post(Wake::Note(Box::new(outcome("start", step.id, name, &effect))));
    }

    fn stop(&mut self, id: FaultId, post: &mut dyn FnMut(Wake)) {
        let Some(name) = self.name(id) else { return };
        self.begin_to_undo(id, name, post);
        let effect = self.nemesis.undo(id);
        self.ended(id, &effect);
        post(Wake::Note(Box::new(outcome("stop", id, name, &effect))));
    }

    /// Tries a few times: what a busy machine could not verify in time, it may a moment later, and
    /// a run that cannot be healed is lost.
    fn heal_all(&mut self, post: &mut dyn FnMut(Wake)) {
        for (id, name) in self.active.clone() {
            self.begin_to_undo(id, name, post);
        }
        for _ in 0..HEAL_TRIES {
            for (id, effect) in self.nemesis.heal_all() {
                let name = self.name(id).unwrap_or("unnamed");
                post(Wake::Note(Box::new(outcome("stop", id, name, &effect))));
                self.ended(id, &effect);
            }
        }
        post(Wake::Healed);
    }

    /// The last moment at which it can be seen whether the fault was in force all the time.
    fn begin_to_undo(&mut self, id: FaultId, name: &'static str, post: &mut dyn FnMut(Wake)) {
        let mut line = line("stop", id, name);
        if let Err(why) = self.nemesis.still_in_force(id) {
            line.value = json!({ "in_force": false });
            line.reason = Some(why);
        }
        post(Wake::Note(Box::new(line)));
    }

    fn name(&self, id: FaultId) -> Option<&'static str> {
        self.active.iter().find(|(active, _)| *active == id).map(|(_, name)| *name)
    }

    fn ended(&mut self, id: FaultId, effect: &Effect) {
        if !matches!(effect, Effect::Indeterminate(_)) {
            self.active.retain(|(active, _)| *active != id);
        }
    }

    fn describe(&self, action: &Action, args: &Args) -> Value {
        let nodes = self.cluster.nodes();
        let names = |some: &[usize]| -> Vec<&str> {
            some.iter().map(|node| nodes.get(*node).map_or("clients", String::as_str)).collect()
        };
        let mut value = json!({ "cut": [], "targets": names(action.targets()) });
        let args: serde_json::Map<_, _> =
            args.all().map(|(name, text)| (name.to_owned(), text.into())).collect();
        if !args.is_empty() {
            value["args"] = args.into();
        }
        if let Action::Shape { links, quality } = action {
            value["links"] =
                links.iter().map(|link| names(&[link.from, link.to])).collect::<Vec<_>>().into();
            value["quality"] = quality.to_string().into();
        }
        if let Action::Cut(grudge) = action {
            value["cut"] = grudge
                .cuts
                .iter()
                .map(|link| names(&[link.from, link.to]))
                .collect::<Vec<_>>()
                .into();
            if let Some(sides) = &grudge.sides {
                value["sides"] = sides.iter().map(|side| names(side)).collect::<Vec<_>>().into();
            }
        }
        value
    }
}

fn line(f: &'static str, id: FaultId, name: &'static str) -> Event {
    let mut event = note(Process::Nemesis, f);
    event.fault = Some(Cow::Borrowed(name));
    event.id = Some(id);
    event
}

fn outcome(f: &'static str, id: FaultId, name: &'static str, effect: &Effect) -> Event {
    let mut event = line(f, id, name);
    event.effect = Some(effect.name().into());
    event.reason = effect.reason().map(str::to_owned);
    if let Some(proof) = effect.proof() {
        event.value = json!({ "blocked": proof.blocked, "passed": proof.passed });
        if proof.shaped > 0 {
            event.value = json!({ "shaped": proof.shaped, "passed": proof.passed });
        }
        if proof.processes > 0 {
            event.value = json!({ "processes": proof.processes });
        }
        if proof.agreed > 0 {
            event.value = json!({ "agreed": proof.agreed });
        }
        if proof.nodes > 0 {
            event.value = json!({ "nodes": proof.nodes, "processes": proof.processes });
        }
        if proof.ended > 0 {
            event.value["ended"] = proof.ended.into();
        }
    }
    event
}

/// Starts the thread that breaks things. It ends when the sender is dropped.
pub fn spawn(
    cluster: Arc<dyn Cluster>,
    roles: SharedRoles,
    inbox: Inbox,
    doing: Doing,
) -> std::io::Result<(Sender<Command>, JoinHandle<()>)> {
    let (commands, orders) = channel();
    let thread = std::thread::Builder::new().name("nemesis".to_owned()).spawn(move || {
        let mut breaker = Breaker::new(cluster, roles);
        for command in orders {
            breaker.obey(command, &mut |wake| inbox.post(wake));
            *doing.lock().expect("no one panics here") = breaker.doing();
        }
    })?;
    Ok((commands, thread))
}
