//! The faults of a run for which certain ones were asked.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Step, Timeline};
use crate::FaultId;
use crate::faults::{Choice, Fault};
use crate::node::Capability;

/// How long a cut lasts, in milliseconds.
const CUT_MS: u64 = 5_000;
/// How long nodes are short of something or out of the cluster, in milliseconds.
const SHORTAGE_MS: u64 = 4_000;
/// How long nodes stay down or stand still, in milliseconds.
const PROCESS_FAULT_MS: u64 = 2_000;
/// The time between two faults, in milliseconds.
const GAP_MS: u64 = 1_500;
/// How long the cut lasts in which the main phase ends, in milliseconds of that phase.
const LAST_CUT_MS: u64 = 2_000;
/// What is shorter than this, in milliseconds, does not bite.
const SHORTEST_MS: u64 = 300;

/// The faults of a run for which certain ones were asked: one after another, over and over. If
/// there are cuts among them, the main phase ends inside one. Each fault comes at least once, with
/// everything shortened as that takes, as long as 300 ms are left for each.
pub fn cycled_timeline(main_ms: u64, asked: &[Choice], seed: u64) -> Timeline {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let last_cut = asked.iter().rev().find(|choice| choice.fault.needs == Capability::Links);
    let tail_ms = last_cut.map_or(0, |_| LAST_CUT_MS);
    let once_ms: u64 =
        GAP_MS + asked.iter().map(|c| usual_ms(c.fault) + GAP_MS).sum::<u64>() + tail_ms;
    let scaled = |ms: u64| if main_ms < once_ms { ms * main_ms / once_ms } else { ms };
    let (gap_ms, tail_ms) = (scaled(GAP_MS), scaled(tail_ms));

    let mut steps = Timeline::new();
    let mut at_ms = gap_ms;
    let next_id = |steps: &Timeline| steps.len() as FaultId + 1;
    for choice in asked.iter().cycle() {
        let for_ms = scaled(usual_ms(choice.fault));
        if for_ms < SHORTEST_MS || at_ms + for_ms + gap_ms + tail_ms > main_ms {
            break;
        }
        steps.push(Step::new(next_id(&steps), at_ms, Some(for_ms), choice.clone(), &mut rng));
        at_ms += for_ms + gap_ms;
    }
    if let Some(cut) = last_cut {
        steps.push(Step::new(next_id(&steps), at_ms, None, cut.clone(), &mut rng));
    }
    steps
}

fn usual_ms(fault: &Fault) -> u64 {
    match fault.needs {
        _ if fault.beat.is_some() => CUT_MS,
        Capability::Links | Capability::Shaping | Capability::Packets => CUT_MS,
        Capability::Processes => PROCESS_FAULT_MS,
        Capability::Limits | Capability::Members => SHORTAGE_MS,
        Capability::Clocks | Capability::Disks => CUT_MS,
    }
}
