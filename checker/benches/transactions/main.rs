//! From a file of transactions to the levels of isolation, in Jepsen's EDN.
//!
//! `cargo bench --bench transactions` makes histories of 1e4, 1e5 and 1e6 accesses in ten sessions, valid
//! ones and ones with a lost update near the end, and prints what reading and judging them took. With the
//! path of a history it judges that one, so that the memory of one check can be measured from outside.

mod generate;
#[path = "../machine.rs"]
mod machine;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use splitbrain_checker::history::History;
use splitbrain_checker::{Options, judge};

fn main() {
    let paths: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let [path] = paths.as_slice() {
        return judged(Path::new(path));
    }
    let folder = std::env::temp_dir().join("splitbrain-bench-transactions");
    std::fs::create_dir_all(&folder).expect("a folder for histories");
    for broken in [false, true] {
        for accesses in [10_000, 100_000, 1_000_000] {
            let name = format!("append-{accesses}{}.edn", if broken { "-broken" } else { "" });
            let path = folder.join(name);
            if !path.exists() {
                std::fs::write(&path, generate::lists(accesses, broken))
                    .expect("room for a history");
            }
            // The memory of one is not to be that of all.
            let own = std::env::current_exe().expect("this program");
            let status = Command::new(own).arg(&path).status().expect("this program");
            assert!(status.success());
        }
    }
}

fn judged(path: &Path) {
    let bytes = std::fs::metadata(path).map_or(0, |data| data.len());
    let begun = Instant::now();
    let history = History::open(path).expect("a history");
    let read_s = begun.elapsed().as_secs_f64();
    let judgement = judge(&history, &Options::default());
    let all_s = begun.elapsed().as_secs_f64();
    println!(
        "{}: {:.1} MB, {} transactions, {}: read {read_s:.3} s, in all {all_s:.3} s, peak {:.0} MiB, load {}",
        path.display(),
        bytes as f64 / 1e6,
        history.operations().len(),
        judgement.verdict.name(),
        machine::peak_mib(),
        machine::load()
    );
}
