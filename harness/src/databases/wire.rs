//! Connections for clients that do not speak HTTP.

use std::io;
use std::time::Duration;

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::OpError;
use tokio::io::BufReader;
use tokio::net::TcpStream;

/// How long a node may take to accept a connection; then nothing has been sent.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A connection.
pub type Stream = BufReader<TcpStream>;

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
        if let Some(idle) = self.idle.take().filter(is_quiet) {
            return Ok((idle, false));
        }
        Ok((BufReader::new(connect(&self.address).await?), true))
    }

    /// Keeps a connection for the next exchange.
    pub fn give_back(&mut self, stream: Stream) {
        self.idle = Some(stream);
    }
}

/// A new connection to `HOST:PORT`.
///
/// # Errors
/// None can be made, so that what was to be sent has certainly not happened.
pub async fn connect(address: &str) -> Result<TcpStream, OpError> {
    let connected = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address));
    let stream = match connected.await {
        Ok(connected) => connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    stream.map_err(|error| OpError::fail(ErrorKind::Connection, error.to_string()))
}

/// Whether nothing has come that nobody waits for, such as its end.
fn is_quiet(stream: &Stream) -> bool {
    let read = stream.get_ref().try_read(&mut [0]);
    stream.buffer().is_empty() && read.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
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
        stream.get_ref().readable().await.unwrap();
        wire.give_back(stream);
        let (stream, new) = wire.take().await.unwrap();
        assert!(new);
        let (far, _) = listener.accept().await.unwrap();
        drop(far);
        stream.get_ref().readable().await.unwrap();
        wire.give_back(stream);
        let (stream, new) = wire.take().await.unwrap();
        assert!(new);
        drop((stream, listener));
        let refused = wire.take().await.err().unwrap();
        assert!(matches!(refused, OpError::Fail(_)), "{refused:?}");
    }
}
