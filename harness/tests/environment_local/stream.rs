//! Streams of numbered datagrams between node programs: what each end does, and how the witness
//! reads what came of one.

use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use nix::sys::socket::{setsockopt, sockopt};
use splitbrain_nemesis::Link;
use splitbrain_nemesis::shaping::Arrival;

const PORT: u16 = 7_401;
const ROOM_BYTES: usize = 4 << 20;
const HEADER_BYTES: usize = 4 + 8;
/// IP and UDP.
const LOWER_HEADERS_BYTES: usize = 20 + 8;

/// Nanoseconds of the clock that all processes share.
fn now_ns() -> u64 {
    UNIX_EPOCH.elapsed().expect("after 1970").as_nanos() as u64
}

/// What a node has received, a line for each datagram: number (or `-`), sent, received.
pub struct Received(Arc<Mutex<Vec<String>>>);

impl Received {
    /// Receives from now on, and accepts TCP connections.
    pub fn start() -> Received {
        let socket = UdpSocket::bind(("0.0.0.0", PORT)).expect("the port is free");
        // Room for a whole stream, in case this program is not given the processor.
        if setsockopt(&socket, sockopt::RcvBufForce, &ROOM_BYTES).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &ROOM_BYTES).expect("some room");
        }
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            loop {
                let (length, _) = socket.recv_from(&mut buffer).expect("it can be received");
                let received = now_ns();
                let line = match decode(&buffer[..length]) {
                    Some((number, sent)) => format!("{number} {sent} {received}"),
                    None => format!("- 0 {received}"),
                };
                kept.lock().expect("nobody panics").push(line);
            }
        });
        let listener = TcpListener::bind(("0.0.0.0", PORT)).expect("the port is free");
        thread::spawn(move || listener.incoming().for_each(drop));
        Received(lines)
    }

    /// What came since the last call, written to a file.
    pub fn report(&self, file: &str) {
        let lines = std::mem::take(&mut *self.0.lock().expect("nobody panics"));
        std::fs::write(file, lines.join("\n")).expect("the folder is there");
    }
}

/// Sends a stream in a thread of its own.
pub fn send(to: IpAddr, packets: u32, bytes: usize, gap: Duration) {
    thread::spawn(move || {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let begun = Instant::now();
        for number in 0..packets {
            thread::sleep((gap * number).saturating_sub(begun.elapsed()));
            let mut datagram =
                [number.to_le_bytes().to_vec(), now_ns().to_le_bytes().to_vec()].concat();
            let sum = sum(&datagram);
            datagram.resize(bytes - LOWER_HEADERS_BYTES, sum);
            let _ = socket.send_to(&datagram, (to, PORT));
        }
    });
}

/// Number and time of a datagram that is as it was sent.
fn decode(datagram: &[u8]) -> Option<(u32, u64)> {
    let (header, filling) = datagram.split_at_checked(HEADER_BYTES)?;
    let whole = !filling.is_empty() && filling.iter().all(|byte| *byte == sum(header));
    let number = u32::from_le_bytes(header[..4].try_into().ok()?);
    whole.then_some((number, u64::from_le_bytes(header[4..].try_into().ok()?)))
}

fn sum(header: &[u8]) -> u8 {
    header.iter().fold(0, |sum: u8, byte| sum.rotate_left(3) ^ byte)
}

/// Tries to connect: `open`, `reset` or `silent`.
pub fn connect(to: IpAddr) -> &'static str {
    match TcpStream::connect_timeout(&(to, PORT).into(), Duration::from_millis(200)) {
        Ok(_) => "open",
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => "reset",
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => "reset",
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
    report.lines().map(arrival).collect()
}
