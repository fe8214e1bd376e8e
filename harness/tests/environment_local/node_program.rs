//! The program under test: it tells others what it is told to, and who told it something.
//!
//! Datagrams of words: `say ROUND ADDRESS...` and `heard ROUND`, `life`, `compute ROUND` and `take ROUND BYTES`
//! come from the harness and are answered, `hello ROUND NUMBER` comes from other nodes. `stream
//! ADDRESS PACKETS BYTES GAP_US`, `report FILE` and `connect ADDRESS` are about
//! [streams](crate::stream). `append ID FILE SYNC TEXT`, `read ID FILE` and `clock ID` are about
//! the node's own disk and clock, and done once for each ID, however often they come.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use splitbrain_nemesis::clock::Reading;

use crate::stream::{self, Received};

pub const PORT: u16 = 7_400;
/// Folder of the node's data, in its own folder.
pub const DISK: &str = "data";

pub fn run(number: &str) -> ExitCode {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).expect("the port is free");
    // No two processes of a boot start with the same number at the same tick.
    let life = splitbrain_nemesis::journal::ProcessId::of(own_pid()).expect("own process").started;
    let received = Received::start();
    let mut heard: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // What takes long is done once, however often it is asked for, and then answered again.
    let mut done = String::new();
    let mut taken = None;
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let mut buffer = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).expect("datagrams can be received");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let words: Vec<&str> = text.split(' ').collect();
        let answer = match words[..] {
            ["say", round, ref others @ ..] => {
                for other in others {
                    let other: IpAddr = other.parse().expect("an address");
                    let _ =
                        socket.send_to(format!("hello {round} {number}").as_bytes(), (other, PORT));
                }
                format!("said {round}")
            }
            ["hello", round, who] => {
                heard.entry(round.to_owned()).or_default().insert(who.to_owned());
                continue;
            }
            ["heard", round] => {
                let who = heard.remove(round).unwrap_or_default();
                format!("{round} {}", who.into_iter().collect::<Vec<_>>().join(" "))
            }
            ["stream", to, packets, bytes, gap_us] => {
                let number = |text: &str| text.parse::<u32>().expect("a number");
                let gap = Duration::from_micros(number(gap_us).into());
                let address = to.parse().expect("an address");
                stream::send(address, number(packets), number(bytes) as usize, gap);
                format!("sending {to}")
            }
            ["report", file] => {
                received.report(file);
                format!("reported {file}")
            }
            ["connect", to] => {
                format!("{to} {}", stream::connect(to.parse().expect("an address")))
            }
            ["life"] => format!("life {life}"),
            ["compute" | "take", round, ..] if done.split(' ').next() == Some(round) => {
                done.clone()
            }
            ["compute", round] => {
                done = format!("{round} {}", compute());
                done.clone()
            }
            ["take", round, bytes] => {
                let memory = taken.insert(vec![1_u8; bytes.parse().expect("a number")]);
                done = format!("{round} {}", memory.len());
                done.clone()
            }
            ["append" | "read" | "clock", id, ..] => {
                let answer = told.entry(id.to_owned()).or_insert_with(|| own(&words));
                format!("{id} {answer}")
            }
            _ => panic!("not understood: {text}"),
        };
        let _ = socket.send_to(answer.as_bytes(), from);
    }
}

/// The part of a core that this process is given while it computes without a pause.
fn compute() -> f64 {
    let wall = Duration::from_millis(400);
    let (begun, before) = (Instant::now(), ticks());
    while begun.elapsed() < wall {
        std::hint::spin_loop();
    }
    // Ticks of 10 ms (USER_HZ).
    (ticks() - before) as f64 / 100.0 / begun.elapsed().as_secs_f64()
}

/// The time that this process has had on a core (fields 14 and 15 of proc_pid_stat(5)).
fn ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc is there");
    let fields = stat.rsplit_once(") ").expect("a name in parentheses").1;
    fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// What becomes of a question about the node's own disk or clock.
fn own(words: &[&str]) -> String {
    let answer = match words {
        ["append", _, file, sync, text @ ..] => append(file, *sync == "sync", &text.join(" ")),
        ["read", _, file] => match fs::read(Path::new(DISK).join(file)) {
            Ok(bytes) => Ok(format!("text {}", String::from_utf8_lossy(&bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok("none".to_owned()),
            Err(error) => Err(error),
        },
        ["clock", _] => {
            Reading::take().map(|r| format!("{} {} {}", r.before_ns, r.told_ns, r.after_ns))
        }
        _ => panic!("not understood: {words:?}"),
    };
    answer.unwrap_or_else(|error| format!("errno {}", error.raw_os_error().unwrap_or_default()))
}

/// How long the write alone took, in nanoseconds.
fn append(file: &str, sync: bool, text: &str) -> io::Result<String> {
    let mut file = File::options().create(true).append(true).open(Path::new(DISK).join(file))?;
    let begun = Instant::now();
    file.write_all(text.as_bytes())?;
    let took = begun.elapsed();
    if sync {
        file.sync_all()?;
        File::open(DISK)?.sync_all()?;
    }
    Ok(format!("took {}", took.as_nanos()))
}

/// The number that `/proc` knows this process by; in a PID namespace it has another one itself.
fn own_pid() -> i32 {
    let link = fs::read_link("/proc/self").expect("/proc is there");
    link.to_str().and_then(|pid| pid.parse().ok()).expect("a number")
}
