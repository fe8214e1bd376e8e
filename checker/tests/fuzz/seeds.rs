//! Files to begin with: our corpus in every notation, and, if `SPLITBRAIN_CORPORA` is set, those of
//! others, cut to a size that lets a million be tried.

use std::fs;
use std::path::{Path, PathBuf};

use super::common::files;
use splitbrain_checker::history::{Format, History, Notation};

const MOST_BYTES: usize = 3_000;
/// In [`cobra`] the first transaction ends here.
pub const COBRA_FIRST_RECORD: usize = 9 + 2 * 25 + 9;
/// In [`dbcop`] the header and the first transaction end here.
pub const DBCOP_FIRST_RECORD: usize = 9 * 8 + 4 + 8 + 2 * 18 + 1;

/// The seeds of one reader.
pub fn of(format: Format) -> Vec<Vec<u8>> {
    let ours = histories();
    let mut seeds: Vec<Vec<u8>> = match format {
        Format::Jsonl => ours.iter().map(|history| written(history, Notation::Jsonl)).collect(),
        Format::Edn => ours.iter().map(|history| written(history, Notation::Edn)).collect(),
        Format::Json => ours.iter().map(array).collect(),
        Format::Porcupine => ours.iter().map(log).collect(),
        Format::Plume => (1..5).map(plume).collect(),
        Format::Awdit => (1..5).map(awdit).collect(),
        Format::Dbcop => (1..5).map(dbcop).collect(),
        Format::Cobra => (1..5).map(cobra).collect(),
        Format::Etcd => (1..5).map(etcd).collect(),
    };
    for seed in &mut seeds {
        cut(seed);
    }
    seeds.extend(theirs(format));
    seeds
}

/// The line of the first event.
pub fn first_record_line(input: &[u8]) -> u64 {
    let is_event = |line: &&[u8]| line.iter().any(u8::is_ascii_alphanumeric) && !is_header(line);
    let lines = input.split(|byte| *byte == b'\n');
    1 + lines.take_while(|line| !is_event(line)).count() as u64
}

fn is_header(line: &[u8]) -> bool {
    line.starts_with(b";;") || line.starts_with(b"{\"splitbrain\"")
}

fn histories() -> Vec<History> {
    let paths = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"));
    let jsonl = paths.iter().filter(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a text");
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        History::read(lines.join("\n").as_bytes()).expect("a history of the corpus")
    };
    jsonl.map(read).collect()
}

fn theirs(format: Format) -> Vec<Vec<u8>> {
    let Some(folder) = std::env::var_os("SPLITBRAIN_CORPORA") else {
        eprintln!("SKIPPED: SPLITBRAIN_CORPORA is not set, so {format} has no seeds of others");
        return Vec::new();
    };
    let paths = files(Path::new(&folder));
    let fits = |path: &&PathBuf| {
        let text = path.to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        match format {
            Format::Jsonl => extension == "jsonl",
            Format::Edn => extension == "edn",
            Format::Json => extension == "json",
            Format::Porcupine => extension == "log",
            Format::Plume => text.contains("polysi") && extension == "txt",
            Format::Awdit => text.contains("awdit") && extension == "txt",
            // Too long, and cut it is of no use.
            Format::Dbcop => false,
            // There are none.
            Format::Cobra | Format::Etcd => false,
        }
    };
    let read = |path: &PathBuf| {
        let mut seed = fs::read(path).expect("a file");
        cut(&mut seed);
        seed
    };
    paths.iter().filter(fits).map(read).collect()
}

/// Leaves whole lines of a text.
fn cut(seed: &mut Vec<u8>) {
    if seed.len() > MOST_BYTES {
        let end = seed[..MOST_BYTES].iter().rposition(|byte| *byte == b'\n');
        seed.truncate(end.map_or(MOST_BYTES, |end| end + 1));
    }
}

fn written(history: &History, notation: Notation) -> Vec<u8> {
    let mut text = Vec::new();
    history.write(notation, &mut text).expect("a Vec takes everything");
    text
}

fn array(history: &History) -> Vec<u8> {
    let event = |event| serde_json::to_string(&event).expect("an event is JSON");
    let events: Vec<String> = history.events().map(event).collect();
    format!("[{}]", events.join(",\n")).into_bytes()
}

fn log(history: &History) -> Vec<u8> {
    let line = |event: splitbrain_checker::history::Event| {
        let kind = format!("{:?}", event.kind).to_lowercase();
        let value = event.value.to_string().replace("null", "nil").replace(',', " ");
        format!("INFO  jepsen.util - {}\t:{kind}\t:{}\t{value}\n", event.process, event.f)
    };
    history.events().map(line).collect::<String>().into_bytes()
}

/// Operations (writes, key, value, session, transaction) that are all different.
fn operations(size: u64) -> impl Iterator<Item = (bool, u64, u64, u64, u64)> {
    (0..size * 12).map(|at| (at % 3 < 2, at % 5, at, at / 6, at / 2))
}

fn plume(size: u64) -> Vec<u8> {
    let line = |(writes, key, value, session, transaction)| {
        let what = if writes { 'w' } else { 'r' };
        format!("{what}({key},{value},{session},{transaction})\n")
    };
    operations(size).map(line).collect::<String>().into_bytes()
}

fn awdit(size: u64) -> Vec<u8> {
    let (mut text, mut last) = (String::from("# made\n"), (0, 0));
    for (writes, key, value, session, transaction) in operations(size) {
        if session != last.0 {
            text += "=====\n";
        } else if transaction != last.1 {
            text += "-----\n";
        }
        last = (session, transaction);
        text += &format!("{} {key} {value}\n", if writes { 'w' } else { 'r' });
    }
    text.into_bytes()
}

fn dbcop(size: u64) -> Vec<u8> {
    let natural = |number: u64| number.to_le_bytes().to_vec();
    let mut bytes = [0, 3, 5, 3, 2, 4].map(u64::to_le_bytes).concat();
    bytes.extend(b"made");
    bytes.extend([natural(0), natural(0), natural(2 * size)].concat());
    let all: Vec<_> = operations(size).collect();
    for session in all.chunks(6) {
        bytes.extend(natural(3));
        for transaction in session.chunks(2) {
            bytes.extend(natural(2));
            for (writes, key, value, ..) in transaction {
                bytes.push(u8::from(*writes));
                bytes.extend([natural(*key), natural(*value)].concat());
                bytes.push(1);
            }
            bytes.push(1);
        }
    }
    bytes
}

fn cobra(size: u64) -> Vec<u8> {
    let record = |letter: u8, numbers: &[u64]| {
        let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
        std::iter::once(letter).chain(numbers).collect::<Vec<u8>>()
    };
    let mut bytes = Vec::new();
    let all: Vec<_> = operations(size).collect();
    for (number, transaction) in (1..).zip(all.chunks(2)) {
        bytes.extend(record(b'S', &[number]));
        for (writes, key, value, ..) in transaction {
            bytes.extend(match *writes || number == 1 {
                true => record(b'W', &[*value, *key, *value]),
                false => record(b'R', &[number - 1, *value, *key, *value]),
            });
        }
        bytes.extend(record(b'C', &[number]));
    }
    bytes
}

/// Requests of etcd's robustness tests, each on a line.
fn etcd(size: u64) -> Vec<u8> {
    let request = |at: u64| {
        let (call, revision) = (10 * at, at + 2);
        let (request, answer) = match at % 4 {
            0 => (
                format!(r#"{{"Type":"txn","Txn":{{"Conditions":[{{"Key":"a","ExpectedRevision":{at}}}],"OperationsOnSuccess":[{{"Type":"put-operation","Put":{{"Key":"a","Value":{{"Value":"{at}"}}}}}}],"OperationsOnFailure":null}}}}"#),
                r#""Txn":{"Failure":false,"Results":[{"KVs":null}]}"#.to_owned(),
            ),
            1 => (
                r#"{"Type":"range","Range":{"Start":"a","End":"b","Limit":1}}"#.to_owned(),
                format!(r#""Range":{{"KVs":[{{"Key":"a","Value":{{"Value":"{}"}},"ModRevision":{at}}}],"Count":1}}"#, at - 1),
            ),
            2 => (
                r#"{"Type":"txn","Txn":{"OperationsOnSuccess":[{"Type":"delete-operation","Delete":{"Key":"a"}}]}}"#.to_owned(),
                r#""Txn":{"Results":[{"Deleted":1}]}"#.to_owned(),
            ),
            _ => (r#"{"Type":"compact"}"#.to_owned(), r#""Error":"gone""#.to_owned()),
        };
        format!(
            "{{\"ClientId\":{},\"Input\":{request},\"Call\":{call},\"Output\":{{{answer},\"Revision\":{revision}}},\"Return\":{}}}\n",
            at % 2,
            call + 5
        )
    };
    (0..4 * size).map(request).collect::<String>().into_bytes()
}
