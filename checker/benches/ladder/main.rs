//! How long the whole ladder takes, as a part of judging a history: `cargo bench -p splitbrain-checker
//! --bench ladder`, with `-- TEXT` to run only the rows whose title contains the text.

#[path = "../machine.rs"]
mod machine;
mod replicas;

use std::time::Instant;

use replicas::Replicas;
use splitbrain_checker::{Options, judge};

/// The fastest of so many counts.
const REPETITIONS: usize = 3;

/// For a million operations on two cores, where that was laid down.
const BAR_MS: f64 = 2_000.0;

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    println!(
        "{:<46} {:>9} {:>9} {:>9} {:>7} {:>7}  strongest; weakest ruled out",
        "history", "ops", "sessions", "judge ms", "cpu ms", "bar"
    );
    for operations in [10_000, 100_000, 1_000_000] {
        for clients in [10, 100] {
            for (name, lag, moves, crashes) in [
                ("one copy", 0, 0.0, 0.0),
                ("replicas that lag", 20, 0.0, 0.0),
                ("replicas that lag, sessions move", 20, 0.01, 0.0),
                ("replicas that lag, 1 % info", 20, 0.0, 0.01),
            ] {
                let title = format!("{name}, {clients} clients, {operations}");
                if wanted.as_ref().is_none_or(|wanted| title.contains(wanted)) {
                    measure(name, &Replicas { operations, clients, lag, moves, crashes });
                }
            }
        }
    }
}

fn measure(name: &str, replicas: &Replicas) {
    let history = replicas.run();
    let processes: std::collections::BTreeSet<u64> =
        history.operations().iter().map(|operation| operation.process).collect();
    let (mut fastest_ms, mut least_cpu_ms) = (f64::MAX, f64::MAX);
    let mut last = None;
    for _ in 0..REPETITIONS {
        let (from, cpu_ms_before) = (Instant::now(), cpu_ms());
        last = Some(judge(&history, &Options::default()));
        fastest_ms = fastest_ms.min(from.elapsed().as_secs_f64() * 1e3);
        least_cpu_ms = least_cpu_ms.min(cpu_ms() - cpu_ms_before);
    }
    let judgement = last.expect("at least one repetition");
    let names = |rungs: &[splitbrain_checker::Rung]| {
        rungs.iter().map(|rung| rung.name()).collect::<Vec<_>>().join(" ")
    };
    let bar = if replicas.operations == 1_000_000 { format!("{BAR_MS:.0}") } else { String::new() };
    println!(
        "{:<46} {:>9} {:>9} {fastest_ms:>9.1} {least_cpu_ms:>7.0} {bar:>7}  {}; {}",
        format!("{name}, {} clients", replicas.clients),
        replicas.operations,
        processes.len(),
        names(&judgement.strongest),
        names(&judgement.weakest_ruled_out),
    );
    for (rung, reason) in judgement.ladder_reasons {
        println!("    {}: {reason}", rung.name());
    }
    println!("    load {}, at most {:.0} MiB so far", machine::load(), machine::peak_mib());
}

/// What all threads of this process have computed so far, in steps of 10 ms: where other work runs beside a bench, that
/// says more than the clock. 0 where the system does not say.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}
