//! The shaper that lives in this process: the kernel's packet queue (NFQUEUE) hands it packets of
//! one node, and it gives each its verdict when its time has come.
//!
//! If this process is gone, the rules let everything pass (`--queue-bypass`).

mod held;

use std::io::{self, PipeWriter};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    setsockopt, socket, sockopt,
};

use super::nfqueue::{self, Message};
use super::{Line, Quality, Share};

pub use super::nfqueue::Queue;

/// Packets that the kernel holds for one link; more are dropped. 0.4 s at 1 Gbit/s.
const QUEUE_PACKETS: u32 = 32_768;
/// Of packets that nobody copies or changes only the header is looked at.
const HEADER_BYTES: u32 = 60;
/// Room for packets between two looks at them; the kernel may give less.
const RECEIVE_BYTES: usize = 16 << 20;

/// What a shaper needs of the network namespace of its node.
#[derive(Debug)]
pub struct Sockets {
    queue: OwnedFd,
    /// Sends a second copy of a packet to the node itself: it comes in over `lo`, which no rule
    /// of ours hands to a queue.
    raw: OwnedFd,
}

impl Sockets {
    /// Opens them for queues `0..queues`, to be called by a thread in the node's namespace.
    ///
    /// # Errors
    /// The kernel has no packet queue, or somebody else holds one of these queues.
    pub fn open(queues: Queue) -> io::Result<Sockets> {
        let queue = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkNetFilter,
        )?;
        bind(queue.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        // More than an ordinary user may have only root of the first user namespace gets.
        if setsockopt(&queue, sockopt::RcvBufForce, &RECEIVE_BYTES).is_err() {
            setsockopt(&queue, sockopt::RcvBuf, &RECEIVE_BYTES)?;
        }
        let raw = socket(
            AddressFamily::Inet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::Raw,
        )?;
        let sockets = Sockets { queue, raw };
        for number in 0..queues {
            sockets.bind(number)?;
        }
        Ok(sockets)
    }

    fn bind(&self, number: Queue) -> io::Result<()> {
        let mut requests = Vec::new();
        nfqueue::bind(&mut requests, number, QUEUE_PACKETS);
        send(self.queue.as_raw_fd(), &requests, MsgFlags::empty())?;
        let mut buffer = [0; 4096];
        let mut answers = 0;
        while answers < 2 {
            let length = recv(self.queue.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            for message in nfqueue::parse(&buffer[..length]) {
                if let Message::Answer(answer) = message {
                    answer.map_err(io::Error::from_raw_os_error)?;
                    answers += 1;
                }
            }
        }
        self.copy(number, HEADER_BYTES)
    }

    fn copy(&self, number: Queue, bytes: u32) -> io::Result<()> {
        let mut request = Vec::new();
        nfqueue::copy(&mut request, number, bytes);
        send(self.queue.as_raw_fd(), &request, MsgFlags::empty())?;
        Ok(())
    }
}

/// The shaper of one node: a thread that ends when this is dropped, after it has let everything
/// pass that it held.
#[derive(Debug)]
pub struct Shaper {
    shared: Arc<Shared>,
    alive: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    sockets: Sockets,
    /// By number of the queue.
    lines: Mutex<Vec<Option<Counted>>>,
}

#[derive(Debug)]
struct Counted {
    line: Line,
    packets: u64,
}

impl Shaper {
    /// Starts it with queues that let everything pass.
    ///
    /// # Errors
    /// No thread or pipe can be had.
    pub fn start(name: &str, sockets: Sockets) -> io::Result<Shaper> {
        let shared = Arc::new(Shared { sockets, lines: Mutex::default() });
        let (end, alive) = io::pipe()?;
        let thread = thread::Builder::new().name(format!("{name} shaper")).spawn({
            let shared = shared.clone();
            move || held::run(&shared, &end)
        })?;
        Ok(Shaper { shared, alive: Some(alive), thread: Some(thread) })
    }

    /// Gives the packets of a queue another quality, or none. One that stays the same goes on with
    /// its memory and its counter; another begins with `seed` and counts from 0. What is held
    /// keeps its time.
    ///
    /// # Errors
    /// The kernel does not take the change.
    pub fn set(&self, queue: Queue, quality: Option<Quality>, seed: u64) -> io::Result<()> {
        let mut lines = self.shared.lines();
        let number = usize::from(queue);
        if lines.len() <= number {
            lines.resize_with(number + 1, || None);
        }
        if lines[number].as_ref().map(|counted| *counted.line.quality()) == quality {
            return Ok(());
        }
        let whole = quality.is_some_and(|q| q.corrupt.max(q.duplicate) > Share::NONE);
        self.shared.sockets.copy(queue, if whole { 0 } else { HEADER_BYTES })?;
        lines[number] =
            quality.map(|quality| Counted { line: Line::new(quality, seed), packets: 0 });
        Ok(())
    }

    /// The queues that have a quality, with it and the number of packets that it was done to.
    pub fn lines(&self) -> Vec<(Queue, Quality, u64)> {
        let lines = self.shared.lines();
        let numbered = (0..).zip(lines.iter());
        numbered
            .filter_map(|(number, counted)| {
                counted.as_ref().map(|of| (number, *of.line.quality(), of.packets))
            })
            .collect()
    }
}

impl Drop for Shaper {
    fn drop(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Vec<Option<Counted>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
