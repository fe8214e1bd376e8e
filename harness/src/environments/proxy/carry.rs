//! One connection through a proxy: what goes there and what comes back, each over its own link.
//!
//! TCP sends again what a network has lost, so a program under a cut sees silence, and after it
//! all that it had been waiting for. The same here: what meets a cut waits until the cut ends. But
//! a connection that was begun under a cut is forgotten when its beginner gives up, and one whose
//! sender has gone meanwhile is reset after the cut: nobody waits for those any more.

use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep_until};

use super::flight::{Flight, Piece};
use super::loopback;
use super::ways::Way;

/// How often a connection that is not made yet is asked whether somebody still wants it.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The connection is to be reset at both ends.
struct Reset;

/// Who comes to a port of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traveller {
    /// A TCP connection.
    Connection,
    /// What stands for a datagram, which nobody resets.
    Datagram,
}

/// Connects somebody who has come to a port of ours with a port of a node, and carries everything
/// between them until both are done.
pub(super) async fn connect_through(
    mut near: TcpStream,
    port: u16,
    who: Traveller,
    there: &Way,
    back: &Way,
) {
    let _ = near.set_nodelay(true);
    let segments = who == Traveller::Connection;
    let mut going = Flight::new(there, segments);
    let Some(mut far) = open(&mut near, port, &mut going, back).await else { return };
    let coming = Flight::new(back, segments);
    let ((near_in, near_out), (far_in, far_out)) = (near.split(), far.split());
    let ended = tokio::try_join!(carry(near_in, far_out, going), carry(far_in, near_out, coming));
    if ended.is_err() {
        let _ = near.set_zero_linger();
        let _ = far.set_zero_linger();
    }
}

/// Makes the other half of a connection once its beginning has arrived, and meanwhile reads what
/// is said already, which may overtake it.
async fn open(
    near: &mut TcpStream,
    port: u16,
    going: &mut Flight<'_>,
    back: &Way,
) -> Option<TcpStream> {
    let reset = going.begin();
    {
        let (mut near_in, _) = near.split();
        while going.begins() > Instant::now() {
            let begins = going.begins();
            tokio::select! {
                () = going.read(&mut near_in) => {}
                () = sleep_until(begins) => {}
            }
        }
    }
    let at_once = tokio::select! {
        biased;
        at_once = going.way().pass() => at_once,
        () = given_up(near) => return None,
    };
    if !at_once && has_gone(near) {
        return None;
    }
    if reset {
        let _ = near.set_zero_linger();
        return None;
    }
    let far = loopback::connect(port).await;
    if far.is_err() {
        sleep_until(back.fate(0, false).due).await;
        back.pass().await;
        let _ = near.set_zero_linger();
    }
    far.ok()
}

/// Carries one direction to its end.
async fn carry(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut flight: Flight<'_>,
) -> Result<(), Reset> {
    loop {
        let Some(piece) = flight.arrived() else {
            let due = flight.due();
            tokio::select! {
                () = flight.read(&mut from) => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            continue;
        };
        let at_once = flight.way().pass().await;
        let written = match piece {
            Piece::End => return to.shutdown().await.map_err(|_| Reset),
            Piece::Bytes(_) if !at_once && has_gone(from.as_ref()) => return Err(Reset),
            Piece::Bytes(bytes) => to.write_all(&bytes).await,
            Piece::Reset => return Err(Reset),
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
mod tests;
