//! The logs of etcd that come with Porcupine, from `SPLITBRAIN_CORPORA`.

use std::path::Path;
use std::time::{Duration, Instant};

use splitbrain_checker::history::History;
use splitbrain_checker::{Options, judge};

/// The fastest of so many counts.
const REPETITIONS: usize = 5;

/// Prints the time of the hardest log and of all of them, from the text in memory to the verdict.
pub fn measure() {
    let Some(corpora) = std::env::var_os("SPLITBRAIN_CORPORA") else {
        println!("etcd logs: SKIPPED, SPLITBRAIN_CORPORA is not set");
        return;
    };
    let folder = Path::new(&corpora).join("porcupine-etcd");
    let mut took: Vec<Duration> = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of logs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let text = std::fs::read(path).expect("a log");
        let history = History::read(text.as_slice()).expect("a history");
        let once = || {
            let begun = Instant::now();
            std::hint::black_box(judge(&history, &Options::default()));
            begun.elapsed()
        };
        took.push((0..REPETITIONS).map(|_| once()).min().expect("some"));
    }
    let all: Duration = took.iter().sum();
    let hardest = took.iter().max().copied().unwrap_or_default();
    println!(
        "{} etcd logs: the hardest {:.3} ms (bar 1), all {:.2} ms (bar 20 for 102)",
        took.len(),
        hardest.as_secs_f64() * 1e3,
        all.as_secs_f64() * 1e3
    );
}
