//! Probes: connections of the harness's own that go in by the doors that nodes and clients use,
//! and over the same links, but arrive at the harness.
//!
//! What arrives is told by who received it, and never by a proxy. Each is a connection, and stands
//! for a datagram, which knows nothing of those before it.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use splitbrain_nemesis::Link;
use splitbrain_nemesis::shaping::{Arrival, Probe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;

use super::carry::Traveller;
use super::loopback;
use super::wiring::Shared;

/// Nonce, ends of the link, number, time, and how much follows.
const HEADER_BYTES: usize = 8 + 4 + 4 + 4 + 8 + 4;
/// IP and TCP.
const LOWER_HEADERS_BYTES: usize = 20 + 20;
/// So many are sent at once, and then those who carry them get some time, or probes would be late
/// because of each other.
const BURST: usize = 8;
const BREATH: Duration = Duration::from_millis(3);
/// After this nobody waits for the rest of a probe.
const PATIENCE: Duration = Duration::from_secs(60);

/// What has arrived and was not asked for yet.
pub(super) struct Arrivals {
    probes: Mutex<Vec<(u64, Arrival)>>,
    some: Condvar,
    /// The clock of all probes.
    begun: Instant,
}

impl Default for Arrivals {
    fn default() -> Arrivals {
        Arrivals { probes: Mutex::default(), some: Condvar::new(), begun: Instant::now() }
    }
}

impl Arrivals {
    /// The probes with this nonce that have come, waiting at most `wait` for one.
    pub(super) fn take(&self, nonce: u64, wait: Duration) -> Vec<Arrival> {
        let probes = self.lock();
        let waited = self.some.wait_timeout_while(probes, wait, |probes| probes.is_empty());
        let (mut probes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *probes).into_iter();
        taken.filter(|(of, _)| *of == nonce).map(|(_, arrival)| arrival).collect()
    }

    fn put(&self, nonce: u64, arrival: Arrival) {
        self.lock().push((nonce, arrival));
        self.some.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Arrival)>> {
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
    probes: Vec<Held>,
}

/// A probe on its way, with the port from which it comes.
struct Held {
    link: Link,
    number: u32,
    port: u16,
    _stream: TcpStream,
}

impl Sent {
    /// Lets go of probes, which nobody expects any more.
    fn forget(&mut self, shared: &Shared, such: impl Fn(&Held) -> bool) {
        let (gone, left) = std::mem::take(&mut self.probes).into_iter().partition(such);
        self.probes = left;
        let gone: Vec<Held> = gone;
        let ports: Vec<u16> = gone.iter().map(|held| held.port).collect();
        drop(gone);
        shared.forget_probes(&ports);
    }
}

impl Probes {
    /// Sends one after another, each to be let in by the door that is named with it, and waits
    /// until all are sent. Not to be called inside of a runtime.
    pub(super) fn send(
        &self,
        runtime: &Handle,
        shared: &Shared,
        nonce: u64,
        who: Traveller,
        probes: impl Iterator<Item = (Probe, u16)>,
    ) {
        let mut sent = self.lock();
        if sent.nonce != nonce {
            sent.forget(shared, |_| true);
            sent.nonce = nonce;
        }
        runtime.block_on(async {
            for (sent_by_now, (probe, door)) in probes.enumerate() {
                if sent_by_now % BURST == BURST - 1 {
                    tokio::time::sleep(BREATH).await;
                }
                // A probe that cannot be sent is as good as one that was lost.
                let Ok((socket, port)) = loopback::unconnected() else { continue };
                shared.expect_probe(port, probe.link, who);
                match send_one(socket, door, nonce, &probe, shared.arrivals.begun).await {
                    Ok(stream) => {
                        let Probe { link, number, .. } = probe;
                        sent.probes.push(Held { link, number, port, _stream: stream });
                    }
                    Err(_) => shared.forget_probes(&[port]),
                }
            }
        });
    }

    /// Lets go of those that have arrived.
    pub(super) fn let_go(&self, shared: &Shared, arrived: &[Arrival]) {
        let arrived: BTreeSet<(Link, Option<u32>)> =
            arrived.iter().map(|arrival| (arrival.link, arrival.number)).collect();
        if !arrived.is_empty() {
            self.lock().forget(shared, |held| arrived.contains(&(held.link, Some(held.number))));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send_one(
    socket: TcpSocket,
    door: u16,
    nonce: u64,
    probe: &Probe,
    begun: Instant,
) -> io::Result<TcpStream> {
    let mut stream = socket.connect(loopback::at(door)).await?;
    // Without this each probe would keep its port for a minute after its end.
    stream.set_zero_linger()?;
    stream.set_nodelay(true)?;
    stream.write_all(&encode(nonce, probe, begun.elapsed())).await?;
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
            let received = tokio::time::timeout(PATIENCE, receive(&mut stream)).await;
            let Ok(Ok((nonce, mut arrival))) = received else { return };
            if arrival.link.to == to {
                arrival.received = shared.arrivals.begun.elapsed();
                shared.arrivals.put(nonce, arrival);
            }
            // The sender closes first.
            let _ = stream.read(&mut [0]).await;
        });
    }
}

/// A whole probe.
async fn receive(stream: &mut TcpStream) -> io::Result<(u64, Arrival)> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).await?;
    let (nonce, arrival, more) = decode(header);
    tokio::io::copy(&mut stream.take(more), &mut tokio::io::sink()).await?;
    Ok((nonce, arrival))
}

fn encode(nonce: u64, probe: &Probe, sent: Duration) -> Vec<u8> {
    let length = probe.bytes.saturating_sub(LOWER_HEADERS_BYTES).max(HEADER_BYTES);
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(nonce.to_le_bytes());
    bytes.extend((probe.link.from as u32).to_le_bytes());
    bytes.extend((probe.link.to as u32).to_le_bytes());
    bytes.extend(probe.number.to_le_bytes());
    bytes.extend((sent.as_nanos() as u64).to_le_bytes());
    bytes.extend(((length - HEADER_BYTES) as u32).to_le_bytes());
    bytes.resize(length, 0);
    bytes
}

/// Its nonce, what is known of it when it arrives, and how many bytes follow.
fn decode(header: [u8; HEADER_BYTES]) -> (u64, Arrival, u64) {
    let long = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
    let short = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
    let link = Link { from: short(8) as usize, to: short(12) as usize };
    let (number, sent) = (Some(short(16)), Duration::from_nanos(long(20)));
    (long(0), Arrival { link, number, sent, received: sent }, short(28).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_arrives_as_what_it_was_sent_as() {
        let link = Link { from: 3, to: 49 };
        for bytes in [0, 100, 1400] {
            let sent = Duration::from_nanos(77);
            let bytes = encode(u64::MAX - 7, &Probe { link, number: 5, bytes }, sent);
            let (header, rest) = bytes.split_first_chunk().unwrap();
            let arrival = Arrival { link, number: Some(5), sent, received: sent };
            assert_eq!(decode(*header), (u64::MAX - 7, arrival, rest.len() as u64));
        }
    }
}
