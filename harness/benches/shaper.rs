//! What the shaper in this process carries and what it adds of its own: two nodes in network
//! namespaces, 10 ms of delay on one link between them, each measure the best of five.
//!
//! `cargo bench -p splitbrain --bench shaper`

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use splitbrain::environments::{Daemon, LocalCluster, Sandbox};
use splitbrain_nemesis::Link;
use splitbrain_nemesis::shaping::{Quality, Shaping};

const TIMES: u32 = 5;
const DELAY_US: u64 = 10_000;
const PORT: u16 = 5001;
const STREAM_TIME: Duration = Duration::from_secs(2);
const PACKETS: u32 = 10_000;
const PACKET_GAP: Duration = Duration::from_millis(1);
/// Before the first packet, so that the receiver is there.
const HEAD_START: Duration = Duration::from_secs(1);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["stream", "n1", peer] => send_stream(peer),
        ["stream", "n2", _] => receive_stream(),
        ["packets", "n1", peer] => send_packets(peer),
        ["packets", "n2", _] => receive_packets(),
        _ => measure(),
    }
}

fn measure() {
    let sandbox = Sandbox::enter(&format!("bench-{}", std::process::id()))
        .unwrap_or_else(|error| panic!("{error}"));
    let cluster = LocalCluster::provision(sandbox, 2).unwrap_or_else(|error| panic!("{error}"));
    let shaped = [(Link { from: 0, to: 1 }, Quality { delay_us: DELAY_US, ..Quality::default() })];
    let best = |what, better: fn(f64, f64) -> f64| {
        (0..TIMES).map(|turn| run(&cluster, what, turn)).reduce(better).expect("one at least")
    };
    println!("one TCP stream, no delay:          {:8.0} Mbit/s", best("stream", f64::max));
    println!("p99 of {PACKETS} UDP packets, no delay: {:6.3} ms", best("packets", f64::min));
    cluster.shape(&shaped, 1).unwrap_or_else(|error| panic!("{error}"));
    println!(
        "one TCP stream, 10 ms of delay:    {:8.0} Mbit/s (bar: 300)",
        best("stream", f64::max)
    );
    let added = best("packets", f64::min) - DELAY_US as f64 / 1e3;
    println!("p99 added to 10 ms of delay:       {added:8.3} ms (bar: 1)");
}

/// Has both nodes play their part; the number that the second found.
fn run(cluster: &LocalCluster, what: &str, turn: u32) -> f64 {
    let log = |name: &str| -> PathBuf { cluster.directory().join(format!("{name}-{what}-{turn}")) };
    let peer = cluster.nodes()[1].address.to_string();
    let daemons = ["n1", "n2"].map(|name| Daemon {
        program: std::env::current_exe().expect("own path"),
        args: vec![what.to_owned(), name.to_owned(), peer.clone()],
        env: Vec::new(),
        files: Vec::new(),
        directory: cluster.directory().to_owned(),
        log: log(name),
    });
    cluster.install(daemons.to_vec());
    for node in [1, 0] {
        cluster.start(node).unwrap_or_else(|error| panic!("{error}"));
    }
    while cluster.exited().len() < 2 {
        thread::sleep(Duration::from_millis(10));
    }
    let said = fs::read_to_string(log("n2")).expect("it has a log");
    let found: f64 = said.trim().parse().unwrap_or_else(|_| panic!("n2 said {said:?}"));
    let _ = fs::remove_file(log("n2"));
    found
}

fn send_stream(peer: &str) {
    thread::sleep(HEAD_START);
    let mut stream = TcpStream::connect((peer, PORT)).expect("the other listens");
    let until = Instant::now() + STREAM_TIME;
    let block = vec![7; 128 * 1024];
    while Instant::now() < until {
        stream.write_all(&block).expect("it goes through");
    }
}

fn receive_stream() {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).expect("the port is free");
    let (mut stream, _) = listener.accept().expect("the other comes");
    let begun = Instant::now();
    let (mut buffer, mut bytes) = (vec![0; 128 * 1024], 0);
    loop {
        match stream.read(&mut buffer).expect("it comes through") {
            0 => break,
            more => bytes += more,
        }
    }
    println!("{}", bytes as f64 * 8.0 / 1e6 / begun.elapsed().as_secs_f64());
}

/// Nanoseconds of the clock that all processes share.
fn now_ns() -> u64 {
    UNIX_EPOCH.elapsed().expect("after 1970").as_nanos() as u64
}

fn send_packets(peer: &str) {
    thread::sleep(HEAD_START);
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let begun = Instant::now();
    for number in 0..PACKETS {
        thread::sleep((PACKET_GAP * number).saturating_sub(begun.elapsed()));
        let mut packet = [0; 200];
        packet[..8].copy_from_slice(&now_ns().to_le_bytes());
        socket.send_to(&packet, (peer, PORT)).expect("it can be sent");
    }
}

fn receive_packets() {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).expect("the port is free");
    socket.set_read_timeout(Some(Duration::from_secs(4))).expect("a timeout");
    let mut took_ns = Vec::new();
    let mut packet = [0; 200];
    while socket.recv(&mut packet).is_ok() {
        let sent_ns = u64::from_le_bytes(packet[..8].try_into().expect("eight bytes"));
        took_ns.push(now_ns() - sent_ns);
    }
    assert_eq!(took_ns.len(), PACKETS as usize, "all arrive");
    took_ns.sort_unstable();
    println!("{}", took_ns[took_ns.len() * 99 / 100] as f64 / 1e6);
}
