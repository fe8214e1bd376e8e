//! Which socket of this machine is at the other end of a connection, by the name under which
//! processes hold it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

/// The name by which processes hold the socket with these ends, its own first; none if no process
/// holds it any more.
pub(super) fn name_of(own: SocketAddr, other: SocketAddr) -> Option<PathBuf> {
    // Asking for one costs the same however many there are; but some kernels cannot be asked.
    let inode = ask_kernel(own, other).unwrap_or_else(|_| look_up(own, other));
    // An inode of 0 is that of a socket that no process holds any more.
    (inode != 0).then(|| format!("socket:[{inode}]").into())
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const HEADER_BYTES: usize = 16;
const REQUEST_BYTES: usize = HEADER_BYTES + 56;
/// Where the inode stands in the answer, the last field of `inet_diag_msg`.
const INODE_AT: usize = HEADER_BYTES + 68;

/// Asks for one socket (sock_diag(7)).
fn ask_kernel(own: SocketAddr, other: SocketAddr) -> io::Result<u64> {
    let (SocketAddr::V4(own), SocketAddr::V4(other)) = (own, other) else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let mut request = Vec::with_capacity(REQUEST_BYTES);
    request.extend((REQUEST_BYTES as u32).to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([AddressFamily::Inet as u8, nix::libc::IPPROTO_TCP as u8, 0, 0]);
    request.extend(u32::MAX.to_ne_bytes()); // in any state
    request.extend(own.port().to_be_bytes());
    request.extend(other.port().to_be_bytes());
    for end in [own, other] {
        request.extend(end.ip().octets());
        request.extend([0; 12]); // room for IPv6
    }
    request.extend([0; 4]); // on any interface
    request.extend([0xff; 8]); // whatever its cookie
    let kernel = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )?;
    sendto(kernel.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 512];
    let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    let kind = u16::from_ne_bytes([answer[4], answer[5]]);
    match (kind, answer[..length].get(INODE_AT..INODE_AT + 4)) {
        (SOCK_DIAG_BY_FAMILY, Some(inode)) => {
            Ok(u32::from_ne_bytes(inode.try_into().expect("four bytes")).into())
        }
        // An error, such as that there is no such socket any more.
        _ => {
            let code = answer[HEADER_BYTES..HEADER_BYTES + 4].try_into().expect("four bytes");
            match i32::from_ne_bytes(code) {
                code if code == -nix::libc::ENOENT => Ok(0),
                code => Err(io::Error::from_raw_os_error(-code)),
            }
        }
    }
}

/// Looks through the tables of all sockets (proc_pid_net(5)).
fn look_up(own: SocketAddr, other: SocketAddr) -> u64 {
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    let inode = tables
        .iter()
        .find_map(|table| inode_in(&fs::read_to_string(table).ok()?, own.port(), other.port()));
    inode.unwrap_or(0)
}

/// The inode of the socket that is bound to one port of this machine and connected to another.
fn inode_in(table: &str, own: u16, other: u16) -> Option<u64> {
    let ends_with = |address: &str, port: u16| address.ends_with(&format!(":{port:04X}"));
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let found = ends_with(words.next()?, own) && ends_with(words.next()?, other);
        // After the state: queues, timer, retransmits, user and time-out.
        found.then(|| words.nth(6)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_found_by_both_of_its_ends_in_both_ways() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _) = listener.accept().unwrap();
        for stream in [&near, &far] {
            let (own, other) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
            let held = fs::read_link(format!("/proc/self/fd/{}", stream.as_raw_fd())).unwrap();
            assert_eq!(name_of(own, other), Some(held.clone()));
            assert_eq!(held, PathBuf::from(format!("socket:[{}]", look_up(own, other))));
            if let Ok(inode) = ask_kernel(own, other) {
                assert_eq!(inode, look_up(own, other));
            } else {
                eprintln!("SKIPPED: this kernel cannot be asked for one socket");
            }
        }
        let ends = (near.local_addr().unwrap(), near.peer_addr().unwrap());
        drop((near, far));
        assert_eq!(name_of(ends.0, ends.1), None, "nobody holds it");
    }

    #[test]
    fn a_line_of_the_table_is_understood() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 20 4 30 10 -1\n   \
            1: 0100007F:1F41 0100007F:C350 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0\n";
        assert_eq!(inode_in(table, 8000, 50000), Some(12345));
        assert_eq!(inode_in(table, 50000, 8000), None);
        assert_eq!(inode_in(table, 8001, 50000), Some(0));
    }
}
