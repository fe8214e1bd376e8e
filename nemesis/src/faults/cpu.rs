//! `cpu`: a node gets too little time to compute, as on a machine that it shares with others.

use super::{Arg, Break, Capability, Decision, Fault, Kind, Scene, Skip, Takes};

const ARGS: &[Arg] =
    &[Arg { name: "quota", kind: Kind::Percent, usual: "10%", about: "of the time of one core" }];

/// Below it a process gets a millisecond a second, the least that a kernel gives.
const LEAST_PERCENT: f64 = 0.1;

pub(super) const FAULT: Fault = Fault {
    takes: Takes::Nodes,
    args: ARGS,
    ..Fault::plain(
        "cpu",
        "Gives nodes only a small part of one core's time (cgroup quota).",
        Capability::Limits,
        decide,
    )
};

fn decide(scene: &Scene) -> Result<Decision, Skip> {
    let percent = scene.args.number("quota");
    if percent < LEAST_PERCENT {
        return Err(Skip(format!("a quota of {percent}% cannot be had; {LEAST_PERCENT}% can")));
    }
    Decision::nodes(Break::Cpu { percent }, scene)
}
