//! Every socket of this environment: all are on 127.0.0.1, because nothing here takes an address.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, setsockopt, socket, sockopt,
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// The address of a port.
pub(super) fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port on which a program of a node can listen, again and again, and that the kernel gives to
/// nobody else meanwhile: neither to who asks for any port nor as the near end of a connection.
///
/// The port is bound here without listening; the program's own socket may share it, because with
/// `SO_REUSEADDR` on both, bound sockets exclude each other only once one listens (socket(7)).
pub(super) struct Reserved {
    pub(super) port: u16,
    _bound: OwnedFd,
}

impl Reserved {
    /// Reserves any free port.
    ///
    /// # Errors
    /// There is none, or no more descriptors.
    pub(super) fn any() -> io::Result<Reserved> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let bound = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        setsockopt(&bound, sockopt::ReuseAddr, &true)?;
        bind(bound.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0))?;
        let port = getsockname::<SockaddrIn>(bound.as_raw_fd())?.port();
        Ok(Reserved { port, _bound: bound })
    }
}

/// Listens on any free port. To be called inside of a runtime.
///
/// # Errors
/// There is none, or no more descriptors.
pub(super) fn listen() -> io::Result<(TcpListener, u16)> {
    let listener = StdListener::bind(at(0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((TcpListener::from_std(listener)?, port))
}

/// Connects to a port.
///
/// # Errors
/// Nobody listens there.
pub(super) async fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(at(port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A socket that is yet to be connected, and its own port.
///
/// # Errors
/// There is no port left.
pub(super) fn unconnected() -> io::Result<(TcpSocket, u16)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(at(0))?;
    let port = socket.local_addr()?.port();
    Ok((socket, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_for_programs_and_for_nobody_who_takes_any() {
        let reserved = Reserved::any().unwrap();
        let refused = std::net::TcpStream::connect(at(reserved.port)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        // A program comes, is killed with a connection open, and comes again.
        for _ in 0..2 {
            let program = StdListener::bind(at(reserved.port)).unwrap();
            let near = std::net::TcpStream::connect(at(reserved.port)).unwrap();
            let (far, _) = program.accept().unwrap();
            drop((far, program, near));
        }
        let others: Vec<Reserved> = (0..500).map(|_| Reserved::any().unwrap()).collect();
        assert!(others.iter().all(|other| other.port != reserved.port));
    }
}
