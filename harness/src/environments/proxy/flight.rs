//! What is on its way over a link: the pieces of one stream, in their order.

use std::collections::VecDeque;
use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::tcp::ReadHalf;
use tokio::time::{Instant, sleep_until};

use super::ways::{Fate, Way};

/// The most that is read at once from a stream over a good link.
const PIECE_BYTES: usize = 64 << 10;
/// The same over a bad one, where a piece is a segment: what an Ethernet frame holds.
const SEGMENT_BYTES: usize = 1460;
/// The most of one stream that is on its way.
const WINDOW_BYTES: usize = 4 << 20;

/// A part of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    End,
    /// Its sender, or the link, has reset it.
    Reset,
}

/// One direction of a connection.
pub(super) struct Flight<'a> {
    way: &'a Way,
    /// Whether it consists of segments, and can be reset.
    segments: bool,
    pieces: VecDeque<(Instant, Piece)>,
    bytes: usize,
    /// When the link had carried what was read last.
    left: Instant,
    /// Nothing comes after it.
    ended: bool,
    buffer: Vec<u8>,
}

impl<'a> Flight<'a> {
    /// Nothing is on its way yet.
    pub(super) fn new(way: &'a Way, segments: bool) -> Flight<'a> {
        let (pieces, buffer) = (VecDeque::new(), vec![0; PIECE_BYTES]);
        Flight { way, segments, pieces, bytes: 0, left: Instant::now(), ended: false, buffer }
    }

    /// What becomes of the beginning of the connection.
    pub(super) fn beginning(&self) -> Fate {
        self.way.fate(0, self.segments)
    }

    /// The link.
    pub(super) fn way(&self) -> &'a Way {
        self.way
    }

    /// When the next piece arrives, if one is on its way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pieces.front().map(|(due, _)| *due)
    }

    /// The next piece, if it has arrived.
    pub(super) fn arrived(&mut self) -> Option<Piece> {
        self.due().filter(|due| *due <= Instant::now())?;
        let (_, piece) = self.pieces.pop_front()?;
        if let Piece::Bytes(bytes) = &piece {
            self.bytes -= bytes.len();
        }
        Some(piece)
    }

    /// Puts the next piece of a stream on its way, once there is one and it may go; never comes
    /// back after the last. Can be given up at any time.
    pub(super) async fn read(&mut self, from: &mut ReadHalf<'_>) {
        if self.ended || self.bytes >= WINDOW_BYTES {
            return std::future::pending().await;
        }
        let queue = self.way.queue();
        if let Some(free) = queue.and_then(|queue| self.left.checked_sub(queue)) {
            sleep_until(free).await;
        }
        let most = if queue.is_some() { SEGMENT_BYTES } else { PIECE_BYTES };
        let read = from.read(&mut self.buffer[..most]).await;
        self.put(&read);
    }

    fn put(&mut self, read: &io::Result<usize>) {
        let Fate { left, due, reset } =
            self.way.fate(read.as_ref().copied().unwrap_or(0), self.segments);
        let piece = match read {
            _ if reset => Piece::Reset,
            Ok(0) => Piece::End,
            Ok(bytes) => Piece::Bytes(self.buffer[..*bytes].to_vec()),
            Err(_) => Piece::Reset,
        };
        self.ended = !matches!(piece, Piece::Bytes(_));
        if let Piece::Bytes(bytes) = &piece {
            self.bytes += bytes.len();
        }
        self.left = left;
        // A stream keeps its order.
        let due = self.pieces.back().map_or(due, |(before, _)| due.max(*before));
        self.pieces.push_back((due, piece));
    }
}
