//! The ways to other nodes. Each message is a datagram of its own, so that the network may lose, double, delay and
//! reorder messages; what is damaged on its way is dropped. On loopback, where nodes see each other through
//! proxies that carry streams only, and for what no datagram holds, it is a line of a stream.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc::{Sender, channel};

use super::super::latency::Latency;
use super::{Args, held};

/// What a datagram holds at most beside its checksum (UDP over IPv4).
const DATAGRAM_MOST_BYTES: usize = 65_507 - CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 4;
/// Lines that wait for a stream, at most.
const QUEUE_MOST: usize = 10_000;
/// How long a stream may take to be made, or to take a line.
const STREAM_WITHIN: Duration = Duration::from_secs(1);

/// The ways to all other nodes.
#[derive(Clone)]
pub(super) struct Links {
    socket: Arc<UdpSocket>,
    peers: Arc<BTreeMap<String, Peer>>,
}

struct Peer {
    address: SocketAddr,
    latency: Option<Mutex<Latency>>,
    stream: Sender<String>,
}

impl Links {
    /// Opens the socket; nobody is connected to yet.
    pub(super) async fn open(args: &Args) -> io::Result<Links> {
        let socket = Arc::new(UdpSocket::bind(args.listen).await?);
        let place = |name: &str| args.peers.iter().position(|(peer, _)| peer == name);
        let here = place(&args.node).unwrap_or_default() as u64;
        let others = args.peers.iter().zip(0_u64..).filter(|((name, _), _)| *name != args.node);
        let peers = others.map(|((name, address), there)| {
            let link = here << 32 | there;
            let latency = (args.latency_ms > 0).then(|| {
                let mean = Duration::from_millis(args.latency_ms);
                Mutex::new(Latency::new(mean, args.distribution, args.seed, link))
            });
            (name.clone(), Peer { address: *address, latency, stream: stream_to(*address) })
        });
        Ok(Links { socket, peers: Arc::new(peers.collect()) })
    }

    /// Whether that is another node.
    pub(super) fn is_peer(&self, name: &str) -> bool {
        self.peers.contains_key(name)
    }

    /// Sends a line to a node, at once or when it is due; false if there is no such node.
    pub(super) async fn carry(&self, dest: &str, line: &str) -> bool {
        let Some(peer) = self.peers.get(dest) else { return false };
        let Some(latency) = &peer.latency else {
            self.send(dest, line).await;
            return true;
        };
        let (links, due) = (self.clone(), held(latency).next());
        let (dest, line) = (dest.to_owned(), line.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(due).await;
            links.send(&dest, &line).await;
        });
        true
    }

    /// Losing it is no error.
    async fn send(&self, dest: &str, line: &str) {
        let Some(Peer { address, stream, .. }) = self.peers.get(dest) else { return };
        if address.ip().is_loopback() || line.len() > DATAGRAM_MOST_BYTES {
            let _ = stream.try_send(line.to_owned());
        } else {
            let _ = self.socket.send_to(&sealed(line), address).await;
        }
    }

    /// Hands on what comes in datagrams, for ever.
    pub(super) async fn receive(&self, mut deliver: impl FnMut(String)) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            // An error is that of an earlier datagram that nobody has received.
            let Ok((bytes, _)) = self.socket.recv_from(&mut buffer).await else { continue };
            if let Some(line) = unsealed(&buffer[..bytes]) {
                deliver(line.to_owned());
            }
        }
    }
}

/// A line with its checksum before it: the network's own is made anew where packets are damaged on purpose.
fn sealed(line: &str) -> Vec<u8> {
    [&crc32fast::hash(line.as_bytes()).to_be_bytes(), line.as_bytes()].concat()
}

/// The line, unless it is damaged.
fn unsealed(datagram: &[u8]) -> Option<&str> {
    let (checksum, line) = datagram.split_at_checked(CHECKSUM_BYTES)?;
    let whole = crc32fast::hash(line).to_be_bytes() == checksum;
    std::str::from_utf8(line).ok().filter(|_| whole)
}

/// A stream that is made when it is needed, and again when it has broken. What it cannot take is lost.
fn stream_to(address: SocketAddr) -> Sender<String> {
    let (sender, mut lines) = channel::<String>(QUEUE_MOST);
    tokio::spawn(async move {
        let mut stream: Option<TcpStream> = None;
        while let Some(line) = lines.recv().await {
            let connected = async {
                let mut open = match stream.take() {
                    Some(open) => open,
                    None => TcpStream::connect(address).await?,
                };
                open.set_nodelay(true)?;
                open.write_all(format!("{line}\n").as_bytes()).await?;
                Ok::<_, io::Error>(open)
            };
            stream = tokio::time::timeout(STREAM_WITHIN, connected).await.ok().and_then(Result::ok);
        }
    });
    sender
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_damaged_on_its_way_does_not_arrive() {
        let whole = sealed("{\"dest\":\"n1\"}");
        assert_eq!(unsealed(&whole), Some("{\"dest\":\"n1\"}"));
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unsealed(&damaged), None, "bit {bit}");
        }
        assert_eq!(unsealed(&whole[..3]), None);
    }
}
