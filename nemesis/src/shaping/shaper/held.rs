//! The loop of a shaper: takes packets in, holds them, and lets them go when they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::PipeReader;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl;
use nix::sys::socket::{MsgFlags, SockaddrIn, recv, send, sendto};
use nix::sys::time::TimeSpec;

use super::{Queue, Shared};
use crate::shaping::nfqueue::{self, Message, Verdict};
use crate::shaping::packet::damage;
use crate::shaping::{Line, Release};

/// The largest packet and its headers fit twice.
const BUFFER_BYTES: usize = 128 * 1024;
/// Messages that are read before it is looked what is due.
const MESSAGES_AT_ONCE: usize = 32;
/// Verdicts are handed over in messages of about this size.
const VERDICTS_BYTES: usize = 16 * 1024;

/// While at least this many packets are held, verdicts are given together, at the end of spans of
/// this length: each wake-up costs more than a verdict.
const MANY: usize = 48;
const SPAN: Duration = Duration::from_micros(250);

/// A copy of a packet that waits for its time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    at_ns: u64,
    /// Those of the same time go in the order in which they came.
    turn: u64,
    queue: Queue,
    /// The packet in the kernel's queue; none if this is a second copy of it.
    id: Option<u32>,
    /// What it is to contain, if not what the kernel has.
    content: Option<Box<[u8]>>,
}

/// Runs until the other end of `end` is closed; then lets go all that is held.
pub(super) fn run(shared: &Shared, end: &PipeReader) {
    // Wake up at the very moment, not within 50 us of it.
    let _ = prctl::set_timerslack(1);
    hurry();
    let mut hold = Hold {
        shared,
        begun: Instant::now(),
        waiting: BinaryHeap::new(),
        turns: 0,
        verdicts: Vec::new(),
    };
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        hold.let_go(hold.now_ns());
        let mut fds = [
            PollFd::new(shared.sockets.queue.as_fd(), PollFlags::POLLIN),
            PollFd::new(end.as_fd(), PollFlags::empty()),
        ];
        let busy = hold.waiting.len() >= MANY;
        if busy {
            std::thread::sleep(SPAN);
        }
        let patience = if busy { Some(Duration::ZERO) } else { hold.next_due() };
        match ppoll(&mut fds, patience.map(TimeSpec::from_duration), None) {
            Ok(0) | Err(Errno::EINTR) => continue,
            Ok(_) => {}
            Err(_) => break,
        }
        if fds[1].any().unwrap_or(true) {
            break;
        }
        if hold.take_in(&mut buffer).is_err() {
            break;
        }
    }
    hold.let_go(u64::MAX);
}

/// Asks for the processor before others, since a packet that waits for it is delayed by more than
/// it should be. An ordinary user is not given that.
fn hurry() {
    let lowest = libc::sched_param { sched_priority: 1 };
    // SAFETY: the call reads the structure and concerns this thread only.
    let given = unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const lowest) } == 0;
    if !given {
        // SAFETY: no memory is handed over; 0 is this thread.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
    }
}

struct Hold<'a> {
    shared: &'a Shared,
    begun: Instant,
    waiting: BinaryHeap<Reverse<Held>>,
    turns: u64,
    /// Messages for the kernel that are not handed over yet.
    verdicts: Vec<u8>,
}

impl Hold<'_> {
    fn now_ns(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    /// How long until something is due; none if nothing is held.
    fn next_due(&self) -> Option<Duration> {
        let Reverse(next) = self.waiting.peek()?;
        Some(Duration::from_nanos(next.at_ns.saturating_sub(self.now_ns())))
    }

    /// Reads what packets have come and decides on each.
    fn take_in(&mut self, buffer: &mut [u8]) -> Result<(), Errno> {
        let shared = self.shared;
        for _ in 0..MESSAGES_AT_ONCE {
            let fd = shared.sockets.queue.as_raw_fd();
            let length = match recv(fd, buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => length,
                Err(Errno::EAGAIN) => break,
                // Packets were dropped that this thread was too slow for, as on any full link.
                Err(Errno::ENOBUFS | Errno::EINTR) => continue,
                Err(error) => return Err(error),
            };
            let now_ns = self.now_ns();
            for message in nfqueue::parse(&buffer[..length]) {
                // An answer comes only for what failed: a verdict on a packet that is gone.
                if let Message::Packet { queue, id, bytes, copied } = message {
                    let copied = &buffer[copied];
                    let mut lines = shared.lines();
                    match lines.get_mut(usize::from(queue)).and_then(Option::as_mut) {
                        Some(counted) => {
                            counted.packets += 1;
                            let packet = Arrived { queue, id, bytes, copied };
                            self.decide(&mut counted.line, now_ns, &packet);
                        }
                        None => self.judge(queue, id, Verdict::Accept, None),
                    }
                }
            }
        }
        self.hand_over();
        Ok(())
    }

    fn decide(&mut self, line: &mut Line, now_ns: u64, packet: &Arrived) {
        let [first, second] = line.pass(now_ns, packet.bytes);
        match first {
            None => self.judge(packet.queue, packet.id, Verdict::Drop, None),
            Some(release) => self.hold(packet, Some(packet.id), release),
        }
        // A packet of which not all was copied cannot be sent again.
        if let (Some(release), true) = (second, packet.is_whole()) {
            self.hold(packet, None, release);
        }
    }

    fn hold(&mut self, packet: &Arrived, id: Option<u32>, release: Release) {
        let mut content = id.is_none().then(|| packet.copied.to_vec());
        if let (Some(where_to), true) = (release.damage, packet.is_whole()) {
            damage(content.get_or_insert_with(|| packet.copied.to_vec()), where_to);
        }
        self.turns += 1;
        self.waiting.push(Reverse(Held {
            at_ns: release.at_ns,
            turn: self.turns,
            queue: packet.queue,
            id,
            content: content.map(Vec::into_boxed_slice),
        }));
    }

    /// Lets go everything that is due by then.
    fn let_go(&mut self, until_ns: u64) {
        while self.waiting.peek().is_some_and(|Reverse(next)| next.at_ns <= until_ns) {
            let Some(Reverse(held)) = self.waiting.pop() else { break };
            match (held.id, &held.content) {
                (Some(id), content) => {
                    self.judge(held.queue, id, Verdict::Accept, content.as_deref());
                }
                (None, Some(copy)) => self.send_again(copy),
                (None, None) => {}
            }
        }
        self.hand_over();
    }

    fn send_again(&mut self, copy: &[u8]) {
        // In order behind what was let go before it.
        self.hand_over();
        let Some(Ok(to)) = copy.get(16..20).map(<[u8; 4]>::try_from) else { return };
        let [a, b, c, d] = Ipv4Addr::from(to).octets();
        let to = SockaddrIn::new(a, b, c, d, 0);
        // A copy that the kernel does not take is as good as lost.
        let _ = sendto(self.shared.sockets.raw.as_raw_fd(), copy, &to, MsgFlags::empty());
    }

    fn judge(&mut self, queue: Queue, id: u32, verdict: Verdict, content: Option<&[u8]>) {
        nfqueue::verdict(&mut self.verdicts, queue, id, verdict, content);
        if self.verdicts.len() >= VERDICTS_BYTES {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        if !self.verdicts.is_empty() {
            // If the kernel has no memory for them, it has none for the packets either.
            let fd = self.shared.sockets.queue.as_raw_fd();
            while send(fd, &self.verdicts, MsgFlags::empty()) == Err(Errno::EINTR) {}
            self.verdicts.clear();
        }
    }
}

/// A packet that has come, as far as it was copied.
struct Arrived<'a> {
    queue: Queue,
    id: u32,
    bytes: usize,
    copied: &'a [u8],
}

impl Arrived<'_> {
    fn is_whole(&self) -> bool {
        self.copied.len() == self.bytes
    }
}
