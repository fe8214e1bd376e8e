//! Probes: connections of the harness's own that go in by the doors that nodes and clients use,
//! and over the same links, but arrive at the harness.
//!
//! What arrives is told by who received it, and never by a proxy.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use splitbrain_nemesis::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;

use super::loopback;
use super::wiring::Shared;

const PROBE_BYTES: usize = 8 + 4 + 4;

/// What has arrived and was not asked for yet.
#[derive(Default)]
pub(super) struct Arrivals {
    probes: Mutex<Vec<(u64, Link)>>,
    some: Condvar,
}

impl Arrivals {
    /// The links over which probes with this nonce have come, waiting at most `wait` for one.
    pub(super) fn take(&self, nonce: u64, wait: Duration) -> Vec<Link> {
        let probes = self.lock();
        let waited = self.some.wait_timeout_while(probes, wait, |probes| probes.is_empty());
        let (mut probes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *probes)
            .into_iter()
            .filter(|(of, _)| *of == nonce)
            .map(|(_, link)| link)
            .collect()
    }

    fn put(&self, nonce: u64, link: Link) {
        self.lock().push((nonce, link));
        self.some.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Link)>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The probes that were sent last, held open so that none ends before it has arrived.
#[derive(Default)]
pub(super) struct Probes {
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    nonce: u64,
    /// Each with the port from which it comes.
    streams: Vec<(u16, TcpStream)>,
}

impl Probes {
    /// Sends one probe over each link, to be let in by the door that is named with it, and waits
    /// until all are sent. Not to be called inside of a runtime.
    pub(super) fn send(
        &self,
        runtime: &Handle,
        shared: &Shared,
        nonce: u64,
        links: impl Iterator<Item = (Link, u16)>,
    ) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.nonce != nonce {
            // Those of an earlier nonce can go.
            let before = std::mem::replace(&mut *sent, Sent { nonce, streams: Vec::new() });
            let ports: Vec<u16> = before.streams.iter().map(|(port, _)| *port).collect();
            drop(before.streams);
            shared.forget_probes(&ports);
        }
        runtime.block_on(async {
            for (link, door) in links {
                // A probe that cannot be sent is as good as one that was lost.
                let Ok((socket, port)) = loopback::unconnected() else { continue };
                shared.expect_probe(port, link);
                match send_one(socket, door, nonce, link).await {
                    Ok(stream) => sent.streams.push((port, stream)),
                    Err(_) => shared.forget_probes(&[port]),
                }
            }
        });
    }
}

async fn send_one(
    socket: TcpSocket,
    door: u16,
    nonce: u64,
    link: Link,
) -> std::io::Result<TcpStream> {
    let mut stream = socket.connect(loopback::at(door)).await?;
    // Without this each probe would keep its port for a minute after its end.
    stream.set_zero_linger()?;
    stream.write_all(&encode(nonce, link)).await?;
    Ok(stream)
}

/// Receives the probes to a node, for ever.
pub(super) async fn sink(listener: TcpListener, to: usize, shared: Arc<Shared>) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let mut probe = [0; PROBE_BYTES];
            if stream.read_exact(&mut probe).await.is_err() {
                return;
            }
            let (nonce, link) = decode(probe);
            if link.to == to {
                shared.arrivals.put(nonce, link);
            }
            // The sender closes first.
            let _ = stream.read(&mut [0]).await;
        });
    }
}

fn encode(nonce: u64, link: Link) -> [u8; PROBE_BYTES] {
    let mut probe = [0; PROBE_BYTES];
    probe[..8].copy_from_slice(&nonce.to_le_bytes());
    probe[8..12].copy_from_slice(&(link.from as u32).to_le_bytes());
    probe[12..].copy_from_slice(&(link.to as u32).to_le_bytes());
    probe
}

fn decode(probe: [u8; PROBE_BYTES]) -> (u64, Link) {
    let (nonce, ends) = probe.split_at(8);
    let end = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize;
    let nonce = u64::from_le_bytes(nonce.try_into().expect("eight bytes"));
    (nonce, Link { from: end(&ends[..4]), to: end(&ends[4..]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_arrives_as_what_it_was_sent_as() {
        let link = Link { from: 3, to: 49 };
        assert_eq!(decode(encode(u64::MAX - 7, link)), (u64::MAX - 7, link));
    }
}
