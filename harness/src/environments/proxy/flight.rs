//! What is on its way over a link: the pieces of one stream, in their order.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::tcp::ReadHalf;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::ways::{Fate, Way};

/// The most that is read at once from a stream over a good link.
const PIECE_BYTES: usize = 64 << 10;
/// The same over a bad one, where a piece is a segment: what an Ethernet frame holds.
const SEGMENT_BYTES: usize = 1460;
/// How often a sender looks whether there is room on a narrow link.
const ASK_FOR_ROOM_EVERY: Duration = Duration::from_millis(20);
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
    begins: Instant,
    pieces: VecDeque<(Instant, Piece)>,
    bytes: usize,
    changes: watch::Receiver<u64>,
    /// Nothing comes after it.
    ended: bool,
    buffer: Vec<u8>,
}

impl<'a> Flight<'a> {
    /// Nothing is on its way yet.
    pub(super) fn new(way: &'a Way, segments: bool) -> Flight<'a> {
        let (pieces, changes) = (VecDeque::new(), way.changes());
        let buffer = vec![0; PIECE_BYTES];
        let begins = Instant::now();
        Flight { way, segments, begins, pieces, bytes: 0, changes, ended: false, buffer }
    }

    /// Puts the beginning of the connection on its way; whether it is answered by a reset.
    pub(super) fn begin(&mut self) -> bool {
        let Fate { due, reset } = self.way.fate(0, self.segments);
        self.begins = due;
        reset
    }

    /// When the connection is there: when its beginning arrives, or what has overtaken it.
    pub(super) fn begins(&self) -> Instant {
        self.due().map_or(self.begins, |due| due.min(self.begins))
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

    /// Puts the next piece of a stream on its way, once there is one and it may go; after the last
    /// there is none. Or, when the link has changed, has all that was on its way arrive therefore.
    /// Can be given up at any time.
    pub(super) async fn read(&mut self, from: &mut ReadHalf<'_>) {
        let full = self.ended || self.bytes >= WINDOW_BYTES;
        let (way, buffer) = (self.way, &mut self.buffer);
        let read = async {
            if full {
                return std::future::pending().await;
            }
            let mut room_at = way.room_at();
            while let Some(at) = room_at.filter(|at| *at > Instant::now()) {
                // Others wait for the same room.
                sleep_until(at.max(Instant::now() + ASK_FOR_ROOM_EVERY)).await;
                room_at = way.room_at();
            }
            let most = if room_at.is_some() { SEGMENT_BYTES } else { PIECE_BYTES };
            from.read(&mut buffer[..most]).await
        };
        tokio::select! {
            // It cannot fail: the sender lives as long as the link.
            _ = self.changes.changed() => {
                let now = Instant::now();
                self.begins = now.min(self.begins);
                self.pieces.iter_mut().for_each(|(due, _)| *due = now.min(*due));
            }
            read = read => self.put(&read),
        }
    }

    fn put(&mut self, read: &io::Result<usize>) {
        let Fate { due, reset } = self.way.fate(read.as_ref().copied().unwrap_or(0), self.segments);
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
        // A stream keeps its order.
        let due = self.pieces.back().map_or(due, |(before, _)| due.max(*before));
        self.pieces.push_back((due, piece));
    }
}
