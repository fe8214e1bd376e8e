//! The faults of a run for which nobody asked for certain ones.

use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{Step, Timeline};
use crate::faults::Choice;

/// Cuts in two, for which availability on each side can be judged.
const TWO_SIDED: [&str; 3] = ["halves", "random-halves", "isolate-one"];
/// All other cuts, for more variety where there is time for it.
const ANY_CUT: [&str; 6] =
    ["halves", "random-halves", "isolate-one", "majorities-ring", "bridge", "one-way"];

/// A cut of less than 4 s gives no answer on availability; this leaves some time for its verifying.
const SHORTEST_JUDGED_CUT_MS: u64 = 4_800;
/// From here on there is time for two cuts of 5 s.
const TWO_CUTS_FROM_MS: u64 = 16_000;
/// Steps of this main phase, or a longer one, have their full length.
const FULL_LENGTH_MS: u64 = 24_000;

/// The faults of a run for which nobody asked for certain ones, for a main phase of `main_ms`: a
/// cut of the leader, a second cut in two sides, a kill, a pause, and a last cut in which the main
/// phase ends. A shorter phase leaves out first the second cut, then the last one, the pause and
/// the kill; a longer one repeats.
pub fn default_timeline(main_ms: u64, seed: u64) -> Timeline {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pick = |names: &[&'static str]| *names.choose(&mut rng).expect("not empty");
    let lengths = Lengths::of(main_ms);
    let mut plan = vec![("primaries", lengths.first_cut)];
    if main_ms >= TWO_CUTS_FROM_MS {
        plan.push((pick(&TWO_SIDED), lengths.second_cut));
    }
    plan.push(("kill", lengths.process_fault));
    plan.push(("pause", lengths.process_fault));
    // What a longer phase repeats: about the same mixture, of all kinds of cuts.
    let repeated = lengths.second_cut + lengths.process_fault + 3 * lengths.gap;
    let mut spare = main_ms.saturating_sub(FULL_LENGTH_MS);
    for process_fault in ["kill", "pause"].into_iter().cycle() {
        if spare < repeated {
            break;
        }
        spare -= repeated;
        plan.push((pick(&ANY_CUT), lengths.second_cut));
        plan.push((process_fault, lengths.process_fault));
    }
    let others: Vec<_> = TWO_SIDED.into_iter().filter(|name| plan[1].0 != *name).collect();
    let last = pick(&others);
    let plan = fitting(plan, last, main_ms, &lengths);
    timeline(plan, main_ms, &mut rng)
}

/// How long the steps of the default plan last, in milliseconds.
struct Lengths {
    first_cut: u64,
    second_cut: u64,
    process_fault: u64,
    last_cut: u64,
    /// The least time between two steps.
    gap: u64,
}

impl Lengths {
    fn of(main_ms: u64) -> Lengths {
        // Between two lengths of the main phase everything grows evenly with it.
        let between = |from: (u64, u64), to: (u64, u64)| {
            let at = main_ms.clamp(from.0, to.0) - from.0;
            from.1 + (to.1 - from.1) * at / (to.0 - from.0)
        };
        if main_ms < TWO_CUTS_FROM_MS {
            let grow = |shortest, longest| between((9_000, shortest), (TWO_CUTS_FROM_MS, longest));
            Lengths {
                first_cut: grow(SHORTEST_JUDGED_CUT_MS, 6_500),
                second_cut: 0,
                process_fault: grow(700, 1_500),
                last_cut: grow(1_800, 3_000),
                gap: 200,
            }
        } else {
            let grow = |short, full| between((TWO_CUTS_FROM_MS, short), (FULL_LENGTH_MS, full));
            Lengths {
                first_cut: grow(5_000, 5_500),
                second_cut: grow(5_000, 5_200),
                process_fault: grow(700, 2_000),
                last_cut: grow(1_800, 2_800),
                gap: 400,
            }
        }
    }
}

/// A step before its time is known; no length stands for "until the end".
type Planned = (&'static str, Option<u64>);

/// As much of the plan as fits, with the last cut if that fits too.
fn fitting(
    plan: Vec<(&'static str, u64)>,
    last: &'static str,
    main_ms: u64,
    lengths: &Lengths,
) -> Vec<(Planned, u64)> {
    let gap = lengths.gap;
    let mut left = main_ms;
    let mut fitting: Vec<(Planned, u64)> = Vec::new();
    for (name, length) in plan {
        if left < length + gap {
            break;
        }
        left -= length + gap;
        fitting.push(((name, Some(length)), length));
    }
    if fitting.is_empty() {
        // Not even one cut of the length that gives an answer: then one that lasts to the end.
        return vec![(("primaries", None), main_ms.saturating_sub(gap))];
    }
    if left >= lengths.last_cut + gap {
        fitting.push(((last, None), lengths.last_cut));
    }
    fitting
}

/// Puts the steps one after another, with what time is left evenly before each of them.
fn timeline(plan: Vec<(Planned, u64)>, main_ms: u64, rng: &mut ChaCha8Rng) -> Timeline {
    let busy: u64 = plan.iter().map(|(_, length)| length).sum();
    let ends_open = matches!(plan.last(), Some(((_, None), _)));
    let gaps = plan.len() as u64 + u64::from(!ends_open);
    let gap = main_ms.saturating_sub(busy) / gaps.max(1);
    let mut at_ms = 0;
    (1..)
        .zip(plan)
        .map(|(id, ((name, for_ms), length))| {
            at_ms += gap;
            let step = Step::new(id, at_ms, for_ms, usual(name), rng);
            at_ms += length;
            step
        })
        .collect()
}

fn usual(name: &str) -> Choice {
    Choice::named(name).expect("the plan names faults that are in the list")
}
