//! Random plans: any faults that can be had together, with any targets and arguments.

use std::path::{Path, PathBuf};
use std::process::Command;

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use splitbrain::plan::{FaultPlan, Nodes, Phases, Plan, Span, WorkloadPlan};
use splitbrain_nemesis::clock::asks_libc;
use splitbrain_nemesis::disk;
use splitbrain_nemesis::faults::{ALL, Choice, Fault, Kind, Scene, Takes, Targets};
use splitbrain_nemesis::schedule::{self, Step};
use splitbrain_nemesis::{Capability, Link};

/// The length of the main phase; with all other phases, a run is planned for less than 6 s.
const MAIN_MS: u64 = 3_000;
/// What comes and goes does so with a rhythm of no less, or a run could not keep up with it.
const SHORTEST_BEAT_MS: f64 = 100.0;

/// What can be broken on this machine.
pub struct Offer {
    disks: bool,
    clocks: bool,
}

/// The program.
pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_splitbrain").into()
}

impl Offer {
    /// Nothing, with a loud word, where nodes cannot be had.
    pub fn of_this_machine() -> Option<Offer> {
        // The doctor also builds the bundled store.
        let doctor = Command::new(program()).arg("doctor").output().expect("it runs");
        if !doctor.status.success() {
            let said = String::from_utf8_lossy(&doctor.stdout);
            eprintln!("SKIPPED: no nodes can be started here:\n{said}");
            assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
            return None;
        }
        let lacks = |what: &str, why: Option<String>| {
            why.iter().for_each(|why| eprintln!("SKIPPED: faults of {what}: {why}"));
            why.is_none()
        };
        let store: &Path = &program().with_file_name("splitbrain-store");
        Some(Offer {
            disks: lacks("disks", disk::available().err()),
            clocks: lacks("clocks", asks_libc(store).err().map(|why| why.to_string())),
        })
    }

    fn has(&self, fault: &Fault, environment: &str, target: &str) -> bool {
        match fault.needs {
            Capability::Links | Capability::Processes | Capability::Shaping => true,
            Capability::Members => target == "store/raft",
            Capability::Disks => self.disks && environment == "local",
            Capability::Clocks => self.clocks && environment == "local",
            Capability::Packets | Capability::Limits => environment == "local",
        }
    }

    /// A plan that a person might have written, except that it makes no sense.
    pub fn plan(&self, rng: &mut ChaCha8Rng) -> Plan {
        let targets =
            [("store/raft", "linearizable"), ("store/gossip", "eventual"), ("store/cache", "weak")];
        let (target, expect) = *targets.choose(rng).expect("not empty");
        let environment = if rng.random_bool(0.8) { "local" } else { "proxy" };
        let count = rng.random_range(3..=5);
        let nodes: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
        let faults = self.faults(rng, &nodes, |fault| self.has(fault, environment, target));
        Plan {
            target: target.to_owned(),
            environment: Some(environment.to_owned()),
            nodes: Some(Nodes::Count(count)),
            workload: WorkloadPlan { rate: rng.random_range(50.0..300.0), ..Default::default() },
            phases: Phases {
                baseline: Span::from_ms(300),
                main: Span::from_ms(MAIN_MS),
                after: Span::from_ms(300),
                converge_within: Span::from_ms(500),
            },
            faults: Some(faults),
            disk: self.disks && environment == "local" && rng.random_bool(0.3),
            op_timeout: Span::from_ms(600),
            deadline: Span::from_ms(300),
            expect: expect.to_owned(),
            seed: Some(rng.random_range(0..1_000_000)),
            ..Plan::default()
        }
    }

    fn faults(
        &self,
        rng: &mut ChaCha8Rng,
        nodes: &[String],
        can_be_had: impl Fn(&Fault) -> bool,
    ) -> Vec<FaultPlan> {
        let offered: Vec<&'static Fault> =
            ALL.iter().copied().filter(|fault| can_be_had(fault)).collect();
        let wanted = rng.random_range(1..=5);
        let mut steps: Vec<Step> = Vec::new();
        while steps.len() < wanted {
            let fault = offered.choose(rng).expect("some are always there");
            let choice = choice(rng, fault, nodes);
            let at_ms = rng.random_range(0..MAIN_MS);
            let for_ms = rng.random_bool(0.8).then(|| rng.random_range(50..MAIN_MS));
            let step = Step { id: 1, at_ms, for_ms, choice, beat: 0, seed: 0 };
            let Choice { fault, targets, args } = &step.choice;
            let scene = Scene { nodes, leaders: &[], targets, args, beat: 0, seed: 0 };
            if (fault.decide)(&scene).is_ok() {
                steps.push(step);
                if schedule::contradiction(&steps, nodes).is_some() {
                    steps.pop();
                }
            }
        }
        steps.iter().map(FaultPlan::from).collect()
    }
}

/// A fault with targets and arguments by lot.
fn choice(rng: &mut ChaCha8Rng, fault: &'static Fault, nodes: &[String]) -> Choice {
    let words = ["", "one", "minority", "majority", "all", "primaries"];
    let some_nodes = |rng: &mut ChaCha8Rng| {
        let mut names = nodes.to_vec();
        names.shuffle(rng);
        names.truncate(rng.random_range(1..=nodes.len()));
        Targets::Named(names)
    };
    let targets = match (fault.takes, rng.random_range(0..3)) {
        (Takes::Nothing, _) => Targets::Usual,
        (Takes::Links, 0) => {
            let mut links: Vec<Link> = Link::all(nodes.len()).collect();
            links.shuffle(rng);
            links.truncate(rng.random_range(1..=links.len()));
            let named = |link: Link| (nodes[link.from].clone(), nodes[link.to].clone());
            Targets::Links(links.into_iter().map(named).collect())
        }
        (_, 1) => some_nodes(rng),
        _ => Targets::parse(words.choose(rng).expect("not empty")),
    };
    let mut choice = Choice::usual(fault).hitting(targets).expect("the fault takes these");
    for arg in fault.args {
        if rng.random_bool(0.5) {
            let value = value(rng, arg.kind, fault.beat.is_some());
            choice = choice.told(arg.name, &value).expect("it is written as it has to be");
        }
    }
    choice
}

/// An amount that is as likely to be small as to be large.
fn value(rng: &mut ChaCha8Rng, kind: Kind, beats: bool) -> String {
    let mut between = |least: f64, most: f64| {
        rng.random_range(least.ln()..=most.ln()).exp().clamp(least, most).round() as i64
    };
    match kind {
        Kind::Duration if beats => format!("{}ms", between(SHORTEST_BEAT_MS, 2_000.0)),
        Kind::Duration => format!("{}us", between(100.0, 2e6)),
        Kind::Shift => {
            let by = between(1.0, 3.6e6);
            format!("{}{by}ms", if rng.random() { "-" } else { "" })
        }
        Kind::Percent => format!("{}%", between(1.0, 100.0)),
        Kind::Rate => format!("{}kbit", between(8.0, 1e6)),
        Kind::Bytes => format!("{}kb", between(1_024.0, 65_536.0)),
        Kind::PartsPerMillion => {
            let by = between(1.0, 5e5);
            format!("{}{by}ppm", if rng.random() { "-" } else { "" })
        }
        Kind::Count => between(1.0, 50.0).to_string(),
        Kind::Word(words) => (*words.choose(rng).expect("not empty")).to_owned(),
    }
}
