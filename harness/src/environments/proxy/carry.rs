//! One connection through a proxy: what goes there and what comes back, each over its own link.
//!
//! TCP sends again what a network has lost, so a program under a cut sees silence, and after it
//! all that it had been waiting for. The same here: what meets a cut waits until the cut ends. But
//! a connection that was begun under a cut is forgotten when its beginner gives up, and one whose
//! sender has gone meanwhile is reset after the cut: nobody waits for those any more.

use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::loopback;
use super::ways::Way;

/// The most that is read at once.
const PIECE_BYTES: usize = 64 << 10;
/// How often a connection that is not made yet is asked whether somebody still wants it.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The connection is to be reset at both ends.
struct Reset;

/// Connects somebody who has come to a port of ours with a port of a node, and carries everything
/// between them until both are done.
pub(super) async fn connect_through(mut near: TcpStream, port: u16, there: &Way, back: &Way) {
    let _ = near.set_nodelay(true);
    let at_once = tokio::select! {
        biased;
        at_once = there.pass() => at_once,
        () = given_up(&near) => return,
    };
    if !at_once && has_gone(&near) {
        return;
    }
    let Ok(mut far) = loopback::connect(port).await else {
        back.pass().await;
        let _ = near.set_zero_linger();
        return;
    };
    let ((near_in, near_out), (far_in, far_out)) = (near.split(), far.split());
    let ended = tokio::try_join!(carry(near_in, far_out, there), carry(far_in, near_out, back));
    if ended.is_err() {
        let _ = near.set_zero_linger();
        let _ = far.set_zero_linger();
    }
}

/// Carries one direction to its end.
async fn carry(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, way: &Way) -> Result<(), Reset> {
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut buffer).await;
        let at_once = way.pass().await;
        let written = match read {
            Ok(0) => return to.shutdown().await.map_err(|_| Reset),
            Ok(_) if !at_once && has_gone(from.as_ref()) => return Err(Reset),
            Ok(bytes) => to.write_all(&buffer[..bytes]).await,
            Err(_) => return Err(Reset),
        };
        if written.is_err() {
            // Why is for the other direction to bring, over its own link.
            return Ok(());
        }
    }
}

/// Comes back when the other end of a connection has closed it.
async fn given_up(stream: &TcpStream) {
    while !has_gone(stream) {
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Whether the other end of a connection has closed it, or at least will send nothing any more
/// after what can still be read.
fn has_gone(stream: &TcpStream) -> bool {
    let closed = PollFlags::from_bits_retain(nix::libc::POLLRDHUP);
    let mut fds = [PollFd::new(stream.as_fd(), closed)];
    // Anything that it reports is an end of some kind: only that was asked for.
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|reports| reports > 0)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::sync::Arc;

    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    /// More than the sockets on the way can hold.
    const MUCH: usize = 16 << 20;
    const SOON: Duration = Duration::from_millis(150);

    /// A port that leads through a link there and another back to a listener.
    struct Path {
        door: u16,
        target: TcpListener,
        there: Arc<Way>,
        back: Arc<Way>,
    }

    impl Path {
        fn new() -> Path {
            let (target, port) = loopback::listen().unwrap();
            let (listener, door) = loopback::listen().unwrap();
            let (there, back) = (Arc::new(Way::new()), Arc::new(Way::new()));
            let ways = (there.clone(), back.clone());
            tokio::spawn(async move {
                loop {
                    let (near, _) = listener.accept().await.unwrap();
                    let (there, back) = ways.clone();
                    tokio::spawn(async move { connect_through(near, port, &there, &back).await });
                }
            });
            Path { door, target, there, back }
        }

        async fn begin(&self) -> TcpStream {
            loopback::connect(self.door).await.unwrap()
        }

        /// Both ends of a connection that is open.
        async fn pair(&self) -> (TcpStream, TcpStream) {
            let near = self.begin().await;
            (near, self.target.accept().await.unwrap().0)
        }
    }

    async fn hears(stream: &mut TcpStream) -> Option<u8> {
        timeout(SOON, stream.read_u8()).await.ok().map(|read| read.unwrap())
    }

    #[tokio::test]
    async fn each_direction_obeys_its_own_link_and_what_waited_arrives_after_the_cut() {
        let path = Path::new();
        let (mut near, mut far) = path.pair().await;
        path.there.cut();
        near.write_all(b"ab").await.unwrap();
        far.write_all(b"c").await.unwrap();
        assert_eq!(hears(&mut near).await, Some(b'c'));
        assert_eq!(hears(&mut far).await, None);
        assert_eq!(path.there.stopped(), Some(1));
        assert_eq!(path.back.stopped(), None);
        path.there.open();
        assert_eq!(hears(&mut far).await, Some(b'a'));
        assert_eq!(hears(&mut far).await, Some(b'b'));
        path.back.cut();
        far.write_all(b"d").await.unwrap();
        assert_eq!(hears(&mut near).await, None);
    }

    #[tokio::test]
    async fn a_connection_begun_under_a_cut_is_made_after_it_if_somebody_still_waits() {
        let path = Path::new();
        path.there.cut();
        let (mut patient, mut other) = (path.begin().await, path.begin().await);
        patient.write_all(b"p").await.unwrap();
        other.write_all(b"x").await.unwrap();
        assert!(timeout(SOON, path.target.accept()).await.is_err(), "the cut leaks");
        drop(other);
        path.there.open();
        let (mut far, _) = path.target.accept().await.unwrap();
        assert_eq!(hears(&mut far).await, Some(b'p'));
        assert!(timeout(SOON, path.target.accept()).await.is_err(), "nobody waits for that one");
    }

    #[tokio::test]
    async fn what_was_sent_by_one_who_has_gone_since_is_lost_with_its_connection() {
        let path = Path::new();
        let (mut near, mut far) = path.pair().await;
        path.there.cut();
        near.write_all(b"x").await.unwrap();
        drop(near);
        assert_eq!(hears(&mut far).await, None, "the end is not seen through the cut either");
        path.there.open();
        assert_eq!(far.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn much_arrives_whole_and_ends_arrive() {
        let path = Path::new();
        let (mut near, mut far) = path.pair().await;
        let sent: Vec<u8> = (0..MUCH).map(|at| (at / 7) as u8).collect();
        let copy = sent.clone();
        let sender = tokio::spawn(async move {
            near.write_all(&copy).await.unwrap();
            near.shutdown().await.unwrap();
            near.read_u8().await
        });
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert!(received == sent, "{} bytes arrived", received.len());
        far.write_u8(b'y').await.unwrap();
        assert_eq!(sender.await.unwrap().unwrap(), b'y', "an end of one direction only");
    }

    #[tokio::test]
    async fn where_nobody_listens_a_connection_is_reset() {
        let path = Path::new();
        let Path { door, target, .. } = path;
        drop(target);
        let mut near = loopback::connect(door).await.unwrap();
        let error = timeout(Duration::from_secs(5), near.read_u8()).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}
