//! From a file of transactions to the levels of isolation.
//!
//! `cargo bench --bench transactions` makes histories of 1e4, 1e5 and 1e6 accesses, valid ones and ones with
//! one stale read near the end, and prints what reading and judging them took:
//!
//! - lists and registers of ten sessions, in Jepsen's EDN, asked for strict serializability;
//! - registers of ten and a hundred sessions, in Plume's text, asked for causality, atomic reads, and a
//!   monotonic atomic view (which is what AWDIT and Plume call read committed);
//! - lists in transactions that overlap and of which a hundredth ends with `info`.
//!
//! With the path of a history, and what is expected of it, it judges that one, so that the memory of one
//! check can be measured from outside. Any other word chooses the rows whose names have it.

mod generate;
#[path = "../machine.rs"]
mod machine;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use generate::{Objects, Size, edn, plume};
use splitbrain_checker::history::History;
use splitbrain_checker::{Options, judge};

const STRICT: &str = "strict-serializable";
/// What registers without times are asked for.
const WEAK: [&str; 3] = ["causal", "read-atomic", "monotonic-atomic-view"];

fn main() {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let chosen = words.first().map_or("", String::as_str);
    if Path::new(chosen).exists() {
        return judged(Path::new(chosen), words.get(1).map_or(STRICT, String::as_str));
    }
    let folder = std::env::temp_dir().join("splitbrain-bench-transactions");
    std::fs::create_dir_all(&folder).expect("a folder for histories");
    let rows: [(&str, usize, usize, &[&str], Make); 5] = [
        ("lists", 10, 1, &[STRICT], |size| edn(Objects::Lists, size)),
        ("registers", 10, 1, &[STRICT], |size| edn(Objects::Registers, size)),
        ("plume", 10, 1, &WEAK, plume),
        ("plume", 100, 1, &WEAK, plume),
        ("overlapping-lists", 50, 20, &[STRICT], |size| {
            edn(Objects::Lists, Size { accesses: size.accesses * 9 / 2, ..size })
        }),
    ];
    for (name, sessions, open, questions, make) in rows {
        for broken in [false, true] {
            for accesses in [10_000, 100_000, 1_000_000] {
                let broken_name = if broken { "-broken" } else { "" };
                let file = format!("{name}-{sessions}-{accesses}{broken_name}.txt");
                if !file.contains(chosen) {
                    continue;
                }
                let path = folder.join(file);
                if !path.exists() {
                    let size = Size { accesses, sessions, broken, open };
                    std::fs::write(&path, make(size)).expect("room for a history");
                }
                for question in questions {
                    // The memory of one is not to be that of all.
                    let own = std::env::current_exe().expect("this program");
                    let status = Command::new(own).arg(&path).arg(question).status();
                    assert!(status.expect("this program").success());
                }
            }
        }
    }
}

type Make = fn(Size) -> String;

fn judged(path: &Path, expect: &str) {
    let bytes = std::fs::metadata(path).map_or(0, |data| data.len());
    let begun = Instant::now();
    let history = History::open(path).expect("a history");
    let read_s = begun.elapsed().as_secs_f64();
    let expect = expect.parse().expect("something to expect");
    let judgement = judge(&history, &Options { expect, ..Options::default() });
    let all_s = begun.elapsed().as_secs_f64();
    println!(
        "{}: {:.1} MB, {} transactions, {expect} {}: read {read_s:.3} s, in all {all_s:.3} s ({:.2} s of processors), peak {:.0} MiB, load {}",
        path.file_stem().unwrap_or_default().display(),
        bytes as f64 / 1e6,
        history.operations().len(),
        judgement.verdict.name(),
        cpu_s(),
        machine::peak_mib(),
        machine::load()
    );
}

/// The processor time that this process has used so far, in all of its threads: what others do at the same time
/// makes it longer too, but by less than the time on the clock. Zero where the system does not say.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold blanks.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}
