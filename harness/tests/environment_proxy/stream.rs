//! Streams of numbered messages between node programs, each over a connection of its own: what each
//! end does, and how the witness reads what came of one.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use splitbrain_nemesis::Link;
use splitbrain_nemesis::shaping::Arrival;

/// IP and TCP.
const LOWER_HEADERS_BYTES: usize = 20 + 20;
/// How long a connection may take to be answered.
const PATIENCE: Duration = Duration::from_secs(5);

/// Nanoseconds of the clock that all processes share.
fn now_ns() -> u64 {
    UNIX_EPOCH.elapsed().expect("after 1970").as_nanos() as u64
}

/// What a node has received: number, sent and received of each message.
#[derive(Clone, Default)]
pub struct Received(Arc<Mutex<Vec<String>>>);

impl Received {
    /// Notes a message, and stays until its sender has gone.
    pub fn note(&self, number: &str, sent: &str, stream: &mut TcpStream) -> io::Result<()> {
        let line = format!("{number} {sent} {}", now_ns());
        self.0.lock().expect("nobody panics").push(line);
        stream.read(&mut [0]).map(drop)
    }

    /// What came since the last call, in one line.
    pub fn report(&self) -> String {
        std::mem::take(&mut *self.0.lock().expect("nobody panics")).join(",")
    }
}

/// Sends a stream in a thread of its own.
pub fn send(to: SocketAddr, packets: u32, bytes: u32, gap: Duration) {
    thread::spawn(move || {
        let begun = Instant::now();
        let mut open = Vec::new();
        for number in 0..packets {
            thread::sleep((gap * number).saturating_sub(begun.elapsed()));
            let mut message = format!("packet {number} {} ", now_ns());
            let length = bytes as usize - LOWER_HEADERS_BYTES - 1;
            message.push_str(&"x".repeat(length - message.len()));
            message.push('\n');
            // One that cannot be sent is lost.
            let sent = TcpStream::connect(to)
                .and_then(|mut stream| stream.write_all(message.as_bytes()).map(|()| stream));
            open.extend(sent);
        }
        // Until the last one has surely arrived.
        thread::sleep(PATIENCE);
    });
}

/// Connects, says something and waits for the answer: `open`, `reset` or `silent`.
pub fn connect(to: SocketAddr) -> &'static str {
    let answered = || -> io::Result<()> {
        let mut stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"knock\n")?;
        stream.read_exact(&mut [0])
    };
    match answered() {
        Ok(()) => "open",
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => "reset",
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => "reset",
        Err(_) => "silent",
    }
}

/// Reads a report.
pub fn parse(link: Link, report: &str) -> Vec<Arrival> {
    let nanos = |text: &str| Duration::from_nanos(text.parse().expect("a number"));
    let arrival = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [number, sent, received] = words[..] else { panic!("not understood: {line}") };
        Arrival { link, number: number.parse().ok(), sent: nanos(sent), received: nanos(received) }
    };
    report.split(',').filter(|line| !line.is_empty()).map(arrival).collect()
}
