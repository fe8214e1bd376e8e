//! How long a file takes to read and to judge, and how much memory: `cargo bench -p
//! splitbrain-checker --bench reading`, with `-- TEXT` to run only the rows whose title contains
//! the text.
//!
//! Each figure comes from a process of its own, so that its peak memory is that of one file. The
//! files are made in the target folder once and are in the page cache when they are measured.

mod key_values;
#[path = "../machine.rs"]
mod machine;
#[path = "../linearizable/simulated.rs"]
mod simulated;
mod written;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use machine::{load, peak_mib};
use simulated::Simulation;
use splitbrain_checker::history::History;
use splitbrain_checker::linearizable::{Call, RegisterOp, ValueId};
use splitbrain_checker::{Options, Verdict, judge};
use written::Schema;

const OPERATIONS: [usize; 3] = [10_000, 100_000, 1_000_000];
const CLIENTS: usize = 100;
/// The fastest of so many counts.
const REPETITIONS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, path, expected] = arguments.as_slice()
        && flag == "--measure"
    {
        measure(Path::new(path), expected);
        return;
    }
    let wanted = arguments.into_iter().find(|argument| !argument.starts_with("--"));
    println!(
        "{:<30} {:>9} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>6}",
        "file",
        "ops",
        "MB",
        "read ms",
        "MB/s",
        "read MiB",
        "judge ms",
        "peak MiB",
        "both ms",
        "load"
    );
    for schema in Schema::ALL {
        for stale in [None, Some(0.9)] {
            for operations in OPERATIONS {
                let expected = if stale.is_none() { "valid" } else { "invalid" };
                let title = format!("{schema:?}, {expected}, {operations}");
                if wanted
                    .as_ref()
                    .is_none_or(|wanted| title.to_lowercase().contains(&wanted.to_lowercase()))
                {
                    let path = registers(schema, operations, stale);
                    row(&title, &path, operations, expected);
                }
            }
        }
    }
    for operations in OPERATIONS {
        let title = format!("kv-append, 100 keys, {operations}");
        if wanted
            .as_ref()
            .is_none_or(|wanted| title.to_lowercase().contains(&wanted.to_lowercase()))
        {
            let path = file(&title);
            if !path.exists() {
                key_values::write(&path, operations).expect("the file is written");
            }
            row(&title, &path, operations, "valid");
        }
    }
}

fn file(title: &str) -> PathBuf {
    let name = title.to_lowercase().replace(", ", "-").replace(' ', "-");
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name + ".jsonl")
}

/// The file of a simulated register, made if it is not there.
fn registers(schema: Schema, operations: usize, stale: Option<f64>) -> PathBuf {
    let expected = if stale.is_none() { "valid" } else { "invalid" };
    let path = file(&format!("{schema:?}-{operations}-{expected}"));
    if !path.exists() {
        let simulation =
            Simulation { operations, clients: CLIENTS, values: None, crashes: 0.01, seed: 1 };
        let mut history = simulation.run();
        if let Some(at) = stale {
            history = history.with_stale_read(at);
        }
        written::write(&path, schema, &history.operations, CLIENTS).expect("the file is written");
    }
    path
}

/// Measures one file in child processes and prints the fastest run.
fn row(title: &str, path: &Path, operations: usize, expected: &str) {
    let run = |_| {
        let myself = std::env::current_exe().expect("this program has a path");
        let output = Command::new(myself).arg("--measure").arg(path).arg(expected).output();
        let output = output.expect("a child process starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        text.split_whitespace().map(|figure| figure.parse().expect("a number")).collect()
    };
    let runs = (0..REPETITIONS).map(run);
    let fastest: Vec<f64> = runs
        .min_by(|one: &Vec<f64>, other| (one[0] + one[2]).total_cmp(&(other[0] + other[2])))
        .expect("at least one repetition");
    let [read_ms, read_mib, judge_ms, peak_mib] = fastest[..] else {
        panic!("a child prints four figures")
    };
    let mb = path.metadata().map_or(0, |metadata| metadata.len()) as f64 / 1e6;
    println!(
        "{:<30} {operations:>9} {mb:>8.1} {read_ms:>9.1} {:>8.0} {read_mib:>9.0} {judge_ms:>9.1} \
         {peak_mib:>9.0} {:>9.1} {:>6}",
        title.to_lowercase(),
        mb / read_ms * 1e3,
        read_ms + judge_ms,
        load(),
    );
}

/// Prints what one file costs in this process: milliseconds and peak MiB of reading it, then
/// milliseconds of judging it and the peak of both.
fn measure(path: &Path, expected: &str) {
    let begun = Instant::now();
    let history = History::open(path).expect("a well-formed file");
    let (read_ms, read_mib) = (begun.elapsed().as_secs_f64() * 1e3, peak_mib());
    let begun = Instant::now();
    let judgement = judge(&history, &Options::default());
    let judge_ms = begun.elapsed().as_secs_f64() * 1e3;
    let found = if judgement.verdict == Verdict::Valid { "valid" } else { "invalid" };
    assert_eq!(found, expected, "{}", path.display());
    println!("{read_ms} {read_mib} {judge_ms} {}", peak_mib());
}
