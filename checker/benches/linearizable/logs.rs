//! The logs that come with Porcupine, from `SPLITBRAIN_CORPORA`: of etcd, and of a store of keys and
//! values with append.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use splitbrain_checker::history::History;
use splitbrain_checker::{ModelName, Options, judge};

/// The fastest of so many counts.
const REPETITIONS: usize = 5;

/// Prints the time of the hardest log and of all of them, from the history in memory to the verdict.
pub fn measure() {
    let Some(corpora) = std::env::var_os("SPLITBRAIN_CORPORA") else {
        println!("Porcupine's logs: SKIPPED, SPLITBRAIN_CORPORA is not set");
        return;
    };
    let corpora = Path::new(&corpora);
    let took = measure_folder(&corpora.join("porcupine-etcd"), "log", None);
    let all: Duration = took.iter().map(|(_, took)| took).sum();
    let hardest = took.iter().map(|(_, took)| *took).max().unwrap_or_default();
    // What Porcupine took for all 102 of them on a machine of two cores.
    let (theirs_ms, their_count) = (580.0, 102.0);
    let all_ms = all.as_secs_f64() * 1e3;
    println!(
        "{} etcd logs: the hardest {:.3} ms (bar 1), all {all_ms:.2} ms (bar 20 for 102; Porcupine \
         {theirs_ms} for 102, {:.0}x a log)",
        took.len(),
        hardest.as_secs_f64() * 1e3,
        theirs_ms / their_count / (all_ms / took.len() as f64)
    );
    let kv = "kv-append".parse().expect("a model");
    for (path, took) in measure_folder(&corpora.join("porcupine-kv"), "txt", Some(kv)) {
        let name = path.file_stem().unwrap_or_default().display();
        println!("kv log {name}: {:.3} ms", took.as_secs_f64() * 1e3);
    }
}

fn measure_folder(
    folder: &Path,
    extension: &str,
    model: Option<ModelName>,
) -> Vec<(PathBuf, Duration)> {
    let entries = std::fs::read_dir(folder).expect("the folder of logs");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    let options = Options { model, ..Options::default() };
    let time = |path: PathBuf| {
        let history = History::open(&path).expect("a history");
        let once = || {
            let begun = Instant::now();
            std::hint::black_box(judge(&history, &options));
            begun.elapsed()
        };
        let fastest = (0..REPETITIONS).map(|_| once()).min().expect("some");
        (path, fastest)
    };
    paths.into_iter().map(time).collect()
}
