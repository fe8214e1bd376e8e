//! Probes that tell how long they were on their way, and whether they are what was sent.
//!
//! The harness holds a socket of each node, as for the probes of cuts; all read one clock.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, connect, setsockopt, socket, sockopt,
};
use splitbrain_nemesis::Link;
use splitbrain_nemesis::shaping::{Arrival, Probe};

/// The echo port (RFC 862), on which no system under test listens.
const PORT: u16 = 7;
const HEADER_BYTES: usize = 8 + 4 + 8;
/// IP and UDP.
const LOWER_HEADERS_BYTES: usize = 20 + 8;
const LONGEST_BYTES: usize = 1500;
/// Room for a burst of probes; the kernel may give less.
const RECEIVE_BYTES: usize = 4 << 20;

/// One socket in each node.
pub(super) struct TimedProbes {
    sockets: Vec<UdpSocket>,
    addresses: Vec<IpAddr>,
    begun: Instant,
}

/// Makes the socket of a node, to be called in its namespace.
pub(super) fn timed_socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(("0.0.0.0", PORT))?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BYTES)?;
    Ok(socket)
}

/// Begins a TCP connection, to be called in the node's namespace. It lives as long as what is
/// returned, and comes to nothing.
pub(super) fn begin_connection(to: IpAddr) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let begun = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    let IpAddr::V4(to) = to else { unreachable!("nodes have IPv4 addresses") };
    let [a, b, c, d] = to.octets();
    match connect(std::os::fd::AsRawFd::as_raw_fd(&begun), &SockaddrIn::new(a, b, c, d, PORT)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(begun),
        Err(error) => Err(error.into()),
    }
}

impl TimedProbes {
    pub(super) fn new(sockets: Vec<UdpSocket>, addresses: Vec<IpAddr>) -> TimedProbes {
        assert_eq!(sockets.len(), addresses.len());
        TimedProbes { sockets, addresses, begun: Instant::now() }
    }

    /// Sends one after another.
    pub(super) fn send(&self, nonce: u64, probes: &[Probe]) {
        for probe in probes {
            let to = SocketAddr::new(self.addresses[probe.link.to], PORT);
            let datagram = encode(nonce, probe, self.begun.elapsed());
            // A probe that the kernel does not take is as good as one that was lost.
            let _ = self.sockets[probe.link.from].send_to(&datagram, to);
        }
    }

    /// What has come, waiting at most `wait` for something.
    pub(super) fn received(&self, nonce: u64, wait: Duration) -> io::Result<Vec<Arrival>> {
        let mut fds: Vec<PollFd> =
            self.sockets.iter().map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)).collect();
        poll(&mut fds, PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX))?;
        let readable =
            fds.iter().enumerate().filter(|(_, fd)| fd.any().unwrap_or(true)).map(|(node, _)| node);
        let mut arrivals = Vec::new();
        for node in readable {
            self.drain(node, nonce, &mut arrivals)?;
        }
        Ok(arrivals)
    }

    fn drain(&self, to: usize, nonce: u64, arrivals: &mut Vec<Arrival>) -> io::Result<()> {
        let mut buffer = [0; LONGEST_BYTES];
        loop {
            let (length, sender) = match self.sockets[to].recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let received = self.begun.elapsed();
            let from = self.addresses.iter().position(|address| *address == sender.ip());
            let Some(link) = from.map(|from| Link { from, to }) else { continue };
            let (number, sent) = match decode(link, &buffer[..length]) {
                Some((of, number, sent)) if of == nonce => (Some(number), sent),
                Some(_) => continue, // of an earlier nonce
                None => (None, Duration::ZERO),
            };
            arrivals.push(Arrival { link, number, sent, received });
        }
    }
}

/// Nonce, number and time, then bytes that depend on these and on the link.
fn encode(nonce: u64, probe: &Probe, sent: Duration) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(LONGEST_BYTES);
    datagram.extend(nonce.to_le_bytes());
    datagram.extend(probe.number.to_le_bytes());
    datagram.extend((sent.as_nanos() as u64).to_le_bytes());
    let length = probe.bytes.saturating_sub(LOWER_HEADERS_BYTES).max(HEADER_BYTES + 8);
    let filling = filling(&datagram, probe.link);
    datagram.extend(filling.take(length - HEADER_BYTES));
    datagram
}

/// Nonce, number and time of a probe that is as it was sent.
fn decode(link: Link, datagram: &[u8]) -> Option<(u64, u32, Duration)> {
    let (header, filled) = datagram.split_at_checked(HEADER_BYTES)?;
    if filled.len() < 8 || !filling(header, link).take(filled.len()).eq(filled.iter().copied()) {
        return None;
    }
    let sent_ns = u64::from_le_bytes(header[12..].try_into().ok()?);
    Some((
        u64::from_le_bytes(header[..8].try_into().ok()?),
        u32::from_le_bytes(header[8..12].try_into().ok()?),
        Duration::from_nanos(sent_ns),
    ))
}

/// A hash of the header and the link (FNV-1a), again and again, so that a turned bit anywhere in
/// the datagram is seen.
fn filling(header: &[u8], link: Link) -> impl Iterator<Item = u8> + use<> {
    let ends = [link.from as u8, link.to as u8];
    let hash = header.iter().chain(&ends).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.to_le_bytes().into_iter().cycle()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_whole_or_it_is_not() {
        let link = Link { from: 3, to: 49 };
        for bytes in [0, 100, 1400] {
            let sent = Duration::from_nanos(77);
            let mut datagram = encode(9, &Probe { link, number: 5, bytes }, sent);
            assert_eq!(datagram.len(), if bytes == 0 { 28 } else { bytes - 28 }.max(28));
            assert_eq!(decode(link, &datagram), Some((9, 5, sent)));
            assert_eq!(decode(Link { from: 49, to: 3 }, &datagram), None);
            for bit in 0..datagram.len() * 8 {
                datagram[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(link, &datagram), None, "bit {bit}");
                datagram[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert_eq!(decode(link, &[]), None);
    }
}
