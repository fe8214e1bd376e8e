//! Every reader against a flood of damaged files: none may panic, hang, or take more memory than
//! a small file can justify, and whatever it takes for a history must survive being written.
//!
//! `cargo test --test fuzz` tries 3,000 inputs for each reader; `SPLITBRAIN_FUZZ=1000000` sets the
//! number, and from 100,000 on (in release mode) the time of the slowest input is asserted too. An
//! input that fails is kept in `tests/fuzz/regressions`, and every file there is tried again in each
//! run.

#[path = "../common/mod.rs"]
mod common;
mod memory;
mod mutate;
mod seeds;
mod watch;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checker::history::{Event, Format, History, Notation, ReadError, ReadOptions};

use memory::Memory;
use mutate::Mutator;

const USUAL_INPUTS: u64 = 3_000;
/// From here on times are asserted.
const LONG_RUN: u64 = 100_000;
const SLOWEST: Duration = Duration::from_secs(1);
const MOST_BYTES: usize = 256 << 20;
/// Of so many histories one is written and read again.
const WRITTEN: u64 = 8;

/// What came of the inputs for one reader.
#[derive(Default)]
struct Tally {
    inputs: u64,
    past_first: u64,
    histories: u64,
    slowest: Duration,
    peak_bytes: usize,
    failures: Vec<PathBuf>,
}

/// What one input did.
enum Fate {
    /// Refused at the first record.
    Early,
    /// Refused later.
    Late,
    History(Box<History>),
}

fn main_of(format: Format, inputs: u64) -> Tally {
    let mut random = ChaCha8Rng::seed_from_u64(format as u64);
    let seeds = seeds::of(format);
    assert!(seeds.len() >= 3, "{} seeds for {format}", seeds.len());
    let mutator = Mutator::new(&seeds, matches!(format, Format::Dbcop | Format::Cobra));
    let mut tally = Tally { inputs, ..Tally::default() };
    let mut input = Vec::new();
    for number in 0..inputs {
        mutator.next(&mut random, &mut input);
        let options = ReadOptions {
            format: (number % 8 > 0).then_some(format),
            independent: random.random_range(0..16) == 0,
        };
        let begun = Instant::now();
        Memory::restart();
        let guard = watch::begin(format, &input);
        let fate = catch_unwind(AssertUnwindSafe(|| {
            let fate = read(format, &input, &options);
            if let Fate::History(history) = &fate
                && number % WRITTEN == 0
            {
                survives(history);
            }
            fate
        }));
        drop(guard);
        tally.slowest = tally.slowest.max(undisturbed(begun.elapsed(), format, &input, &options));
        tally.peak_bytes = tally.peak_bytes.max(Memory::peak());
        match fate {
            Ok(Fate::Early) => {}
            Ok(Fate::Late) => tally.past_first += 1,
            Ok(Fate::History(history)) => {
                tally.past_first += u64::from(!history.operations().is_empty());
                tally.histories += 1;
            }
            Err(_) => tally.failures.push(watch::keep(format, &input)),
        }
        if tally.failures.len() >= 5 {
            break;
        }
    }
    tally
}

fn read(format: Format, input: &[u8], options: &ReadOptions) -> Fate {
    match History::read_with(input, options) {
        Ok(history) => Fate::History(Box::new(history)),
        Err(ReadError::Malformed(malformed)) => {
            assert!(malformed.line >= 1 && !malformed.expected.is_empty());
            let late = match format {
                // It has no lines, but says at which byte it was.
                Format::Dbcop | Format::Cobra => {
                    let byte = malformed.expected.rsplit(' ').next().and_then(|n| n.parse().ok());
                    let first = match format {
                        Format::Cobra => seeds::COBRA_FIRST_RECORD,
                        _ => seeds::DBCOP_FIRST_RECORD,
                    };
                    byte.is_some_and(|byte: usize| byte > first)
                }
                _ => malformed.line > seeds::first_record_line(input),
            };
            if late { Fate::Late } else { Fate::Early }
        }
        Err(error) => panic!("reading from memory cannot fail: {error}"),
    }
}

/// How long reading takes when nothing else keeps the machine busy, given how long it took once:
/// what seems slow is tried again.
fn undisturbed(once: Duration, format: Format, input: &[u8], options: &ReadOptions) -> Duration {
    let mut fastest = once;
    for _ in 0..5 {
        if fastest < SLOWEST / 10 {
            break;
        }
        let begun = Instant::now();
        let _ = catch_unwind(|| read(format, input, options));
        fastest = fastest.min(begun.elapsed());
    }
    fastest
}

/// What is written must be read as the same history; transactional checkers have notations of their
/// own, which not every history has a place in.
fn survives(history: &History) {
    let events: Vec<Event> = history.events().collect();
    for notation in Notation::ALL.into_iter().filter(|notation| notation.has_real_time()) {
        let mut text = Vec::new();
        history.write(notation, &mut text).expect("a Vec takes everything");
        let again = History::read(&*text).unwrap_or_else(|error| panic!("{error}"));
        assert!(again.events().eq(events.iter().cloned()), "{}", String::from_utf8_lossy(&text));
    }
}

/// One test, because memory is counted for the whole process.
#[test]
fn readers_withstand_damaged_files() {
    let inputs =
        std::env::var("SPLITBRAIN_FUZZ").ok().map(|number| number.parse().expect("a number"));
    let inputs = inputs.unwrap_or(USUAL_INPUTS);
    replay();
    println!("reader        inputs  past first  histories  slowest ms  peak MiB");
    let mut failures = Vec::new();
    for format in Format::ALL {
        let tally = main_of(format, inputs);
        let share = tally.past_first as f64 / tally.inputs as f64;
        println!(
            "{:<10} {:>9} {:>10.1}% {:>10} {:>11.1} {:>9.2}",
            format.name(),
            tally.inputs,
            share * 100.0,
            tally.histories,
            tally.slowest.as_secs_f64() * 1e3,
            tally.peak_bytes as f64 / f64::from(1 << 20),
        );
        failures.extend(tally.failures);
        assert!(share >= 0.5, "{format}: only {share} of the inputs got past the first record");
        assert!(tally.peak_bytes < MOST_BYTES, "{format}: {} bytes", tally.peak_bytes);
        assert!(inputs < LONG_RUN || tally.slowest < SLOWEST, "{format}: {:?}", tally.slowest);
    }
    assert!(failures.is_empty(), "these inputs failed and were kept: {failures:?}");
}

/// Every input that failed once, by the format that its name begins with, and by itself.
fn replay() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/regressions");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(format) = Format::ALL.into_iter().find(|f| name.starts_with(&format!("{f}-")))
        else {
            continue;
        };
        let input = fs::read(&path).expect("a file");
        for options in [Some(format), None].map(|format| ReadOptions { format, independent: false })
        {
            if let Fate::History(history) = read(format, &input, &options) {
                survives(&history);
            }
        }
        replayed += 1;
    }
    println!("{replayed} regressions replayed");
    assert!(replayed >= 1, "the folder of regressions is empty");
}
