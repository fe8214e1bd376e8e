//! Connections for clients that do not speak HTTP.

use std::fmt::Display;
use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::OpError;
use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;

use super::login;

/// How long a node may take to accept a connection; then nothing has been sent.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A connection, secret or not.
pub type Stream = BufReader<Box<dyn Socket>>;

/// What bytes come from and go to.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// Takes a connection for one over which questions are asked.
pub fn stream(socket: impl Socket + 'static) -> Stream {
    BufReader::new(Box::new(socket))
}

/// A new connection to `HOST:PORT`.
///
/// # Errors
/// There is none in time.
pub async fn connect(address: &str) -> io::Result<TcpStream> {
    let socket = in_time(TcpStream::connect(address)).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// The same, over which questions are asked, and secret if this run's are.
///
/// # Errors
/// There is none in time, or it is not secret though it has to be.
pub async fn open(address: &str) -> io::Result<Stream> {
    let socket = connect(address).await?;
    Ok(match &login::of_run().tls {
        Some(tls) => stream(in_time(tls.secret(address, socket)).await?),
        None => stream(socket),
    })
}

/// What belongs to making a connection, unless it takes too long.
///
/// # Errors
/// It does, or fails by itself.
pub async fn in_time<T>(connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// What it means that there is no connection: what was to be sent has certainly not happened.
pub fn unconnected(error: impl Display) -> OpError {
    OpError::fail(ErrorKind::Connection, error.to_string())
}

/// The way to one address, with a connection that is kept while it is good.
///
/// A connection is taken for one exchange and given back when that is complete. Whoever gives up
/// in between, because time is up or because of an error, drops it: what comes over it later would
/// be taken for the answer to something else.
pub struct Wire {
    address: String,
    idle: Option<Stream>,
}

impl Wire {
    /// The way to `HOST:PORT`; nothing is connected yet.
    pub fn new(address: impl Into<String>) -> Wire {
        Wire { address: address.into(), idle: None }
    }

    /// Where it leads.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A connection that has not been closed by the other side, as far as is known. The second
    /// value says whether it is new.
    ///
    /// # Errors
    /// None can be made, so that what was to be sent has certainly not happened.
    pub async fn take(&mut self) -> Result<(Stream, bool), OpError> {
        match self.idle() {
            Some(idle) => Ok((idle, false)),
            None => Ok((open(&self.address).await.map_err(unconnected)?, true)),
        }
    }

    /// The connection that was kept, if it is still good.
    pub fn idle(&mut self) -> Option<Stream> {
        self.idle.take().and_then(if_quiet)
    }

    /// Keeps a connection for the next exchange.
    pub fn give_back(&mut self, stream: Stream) {
        self.idle = Some(stream);
    }
}

/// The connection, unless something has come that nobody waits for, such as its end.
fn if_quiet(mut stream: Stream) -> Option<Stream> {
    // Nobody is to be woken: whoever asks next waits by itself.
    let mut nobody = Context::from_waker(Waker::noop());
    Pin::new(&mut stream).poll_fill_buf(&mut nobody).is_pending().then_some(stream)
}

/// What an error means that came after something had been sent: it may have happened.
pub fn broken(error: &io::Error) -> OpError {
    OpError::info(ErrorKind::Connection, error.to_string())
}

/// `HOST:PORT` of a URL without a path.
pub fn address(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, address)| address)
}

/// The host of a URL, for another port there.
pub fn host(url: &str) -> &str {
    address(url).rsplit_once(':').map_or(url, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// Enough for a word from this machine to this machine.
    const A_WHILE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_connection_is_used_again_only_while_nothing_has_come_over_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut wire = Wire::new(listener.local_addr().unwrap().to_string());
        let (stream, new) = wire.take().await.unwrap();
        assert!(new);
        let (mut far, _) = listener.accept().await.unwrap();
        wire.give_back(stream);
        let (stream, new) = wire.take().await.unwrap();
        assert!(!new);
        // An answer that comes too late.
        far.write_all(b"+OK").await.unwrap();
        tokio::time::sleep(A_WHILE).await;
        wire.give_back(stream);
        let (stream, new) = wire.take().await.unwrap();
        assert!(new);
        let (far, _) = listener.accept().await.unwrap();
        drop(far);
        tokio::time::sleep(A_WHILE).await;
        wire.give_back(stream);
        let (stream, new) = wire.take().await.unwrap();
        assert!(new);
        drop((stream, listener));
        let refused = wire.take().await.err().unwrap();
        assert!(matches!(refused, OpError::Fail(_)), "{refused:?}");
    }
}
