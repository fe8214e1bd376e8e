//! Datagrams between the nodes, which show what the network lets through.
//!
//! A socket belongs to the namespace in which it was made, so whoever holds those of several nodes
//! sends and receives for all of them, from any thread.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use splitbrain_nemesis::Link;

/// The discard port (RFC 863), on which no system under test listens.
pub(in crate::environments) const PROBE_PORT: u16 = 9;
const PROBE_BYTES: usize = 8 + 4 + 4;

/// The sockets of some of those that send packets.
pub(in crate::environments) struct Probes {
    /// Each with the index of its owner.
    sockets: Vec<(usize, UdpSocket)>,
    /// Of every node, and after them of the clients.
    addresses: Vec<IpAddr>,
    /// Where nodes receive.
    port: u16,
}

/// Makes the socket of a node or of the clients, to be called in its namespace.
pub(in crate::environments) fn probe_socket(port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(("0.0.0.0", port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Probes {
    /// Sockets, each with the index of its owner, and the addresses of all nodes and, after them,
    /// of the clients.
    pub(in crate::environments) fn new(
        sockets: Vec<(usize, UdpSocket)>,
        addresses: Vec<IpAddr>,
        port: u16,
    ) -> Probes {
        assert!(sockets.iter().all(|(owner, _)| *owner < addresses.len()));
        Probes { sockets, addresses, port }
    }

    /// Sends one probe over each link whose sender's socket is here.
    pub(in crate::environments) fn send(&self, nonce: u64, links: &[Link]) {
        for link in links {
            // A probe that the kernel does not take is as good as one that was lost.
            let to = SocketAddr::new(self.addresses[link.to], self.port);
            let sender = self.sockets.iter().find(|(owner, _)| *owner == link.from);
            let _ = sender.map(|(_, socket)| socket.send_to(&encode(nonce, *link), to));
        }
    }

    /// The links over which probes with this nonce have come, waiting at most `wait` for one.
    pub(in crate::environments) fn arrived(
        &self,
        nonce: u64,
        wait: Duration,
    ) -> io::Result<Vec<Link>> {
        let mut fds: Vec<PollFd> =
            self.sockets.iter().map(|(_, s)| PollFd::new(s.as_fd(), PollFlags::POLLIN)).collect();
        let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
        poll(&mut fds, wait)?;
        let readable = self.sockets.iter().zip(&fds).filter(|(_, fd)| fd.any().unwrap_or(true));
        let mut links = Vec::new();
        for ((owner, socket), _) in readable {
            self.drain(*owner, socket, nonce, &mut links)?;
        }
        Ok(links)
    }

    fn drain(
        &self,
        owner: usize,
        socket: &UdpSocket,
        nonce: u64,
        links: &mut Vec<Link>,
    ) -> io::Result<()> {
        let mut buffer = [0; PROBE_BYTES + 1];
        loop {
            match socket.recv_from(&mut buffer) {
                Ok((length, from)) => links.extend(
                    decode(nonce, &buffer[..length])
                        .filter(|link| link.to == owner)
                        .filter(|link| self.addresses.get(link.from) == Some(&from.ip())),
                ),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

fn encode(nonce: u64, link: Link) -> [u8; PROBE_BYTES] {
    let mut probe = [0; PROBE_BYTES];
    probe[..8].copy_from_slice(&nonce.to_le_bytes());
    probe[8..12].copy_from_slice(&(link.from as u32).to_le_bytes());
    probe[12..].copy_from_slice(&(link.to as u32).to_le_bytes());
    probe
}

fn decode(nonce: u64, probe: &[u8]) -> Option<Link> {
    let number = |part: &[u8]| Some(u32::from_le_bytes(part.try_into().ok()?) as usize);
    if probe.len() != PROBE_BYTES || probe[..8] != nonce.to_le_bytes() {
        return None;
    }
    Some(Link { from: number(&probe[8..12])?, to: number(&probe[12..])? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_known_by_its_nonce_and_length() {
        let link = Link { from: 3, to: 49 };
        let probe = encode(7, link);
        assert_eq!(decode(7, &probe), Some(link));
        assert_eq!(decode(8, &probe), None);
        assert_eq!(decode(7, &probe[1..]), None);
        assert_eq!(decode(7, &[]), None);
    }
}
