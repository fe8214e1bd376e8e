//! The tool against itself: runs of random plans that get into trouble, after which nothing may be
//! left on the machine and the exit code must be the one that the README promises.
//!
//! `SPLITBRAIN_CHAOS=200` is how many runs, of plans that nobody has seen; without it there are a few,
//! which are always the same. `SPLITBRAIN_CHAOS_SEED=7` is the seed of the first of them, and each after
//! it has the next number: with `SPLITBRAIN_CHAOS=1` it repeats a single one.

mod exits;
mod leftovers;
mod machine;
mod plans;
mod run;
mod self_test;
mod table;
mod trouble;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Instant, SystemTime};

use run::Ran;
use trouble::Drawn;

/// How many runs there are if nobody says, and the seed of the first.
const RUNS: u64 = 10;
const FIRST: u64 = 1;
/// So many processors does a run keep busy; there are fewer at once where there are not as many.
const RUNS_AT_ONCE: usize = 2;

#[test]
fn whatever_happens_nothing_is_left() {
    let Some(offer) = plans::Offer::of_this_machine() else { return };
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse().ok());
    let runs: Option<u64> = number("SPLITBRAIN_CHAOS");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let drawn = runs.map_or(FIRST, |_| now.as_millis() as u64 % 1_000_000);
    let first = number("SPLITBRAIN_CHAOS_SEED").unwrap_or(drawn);
    let runs = runs.unwrap_or(RUNS);
    let at_once = thread::available_parallelism().map_or(1, usize::from).min(RUNS_AT_ONCE);
    println!("{runs} runs, {at_once} at once, seeds from {first}");

    let (next, done) = (AtomicU64::new(0), Mutex::new(Vec::<Ran>::new()));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= runs {
                        return;
                    }
                    let drawn = Drawn::of(first + turn, &offer);
                    // In a thread of its own, which may go to a mount namespace of its own.
                    let ran = thread::scope(|scope| scope.spawn(|| run::run(&drawn)).join());
                    let ran = ran.unwrap_or_else(|_| panic!("seed {} went wrong", first + turn));
                    println!("{}", ran.line());
                    done.lock().expect("no one panics here").push(ran);
                }
            });
        }
    });
    let took = begun.elapsed();
    let done = done.into_inner().expect("no one panics here");
    println!("\n{}", table::of(&done));
    println!("{runs} runs in {} s, seeds {first} to {}", took.as_secs(), first + runs - 1);
    let bad: Vec<_> = done.iter().filter_map(Ran::complaint).collect();
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
    // A plan that breaks nothing, or a run that never gets to work, would test nothing.
    let untroubled = done.iter().filter(|ran| ran.kind == trouble::Kind::Nothing);
    let (all, broke) = untroubled
        .fold((0, 0), |(all, broke), ran| (all + 1, broke + usize::from(ran.told.installed > 0)));
    assert!(broke * 2 > all || all == 0, "only {broke} of {all} runs had a fault in force");
    let orphaned: Vec<usize> =
        done.iter().filter(|ran| ran.hit).filter_map(|ran| ran.unhealed).collect();
    println!("when both had been killed, heal found left: {orphaned:?}");
    assert!(orphaned.iter().all(|left| *left > 0), "whoever looks for leftovers found none");
}
