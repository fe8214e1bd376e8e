//! The directed links between the nodes, as everything that goes over them meets them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use splitbrain_nemesis::Link;
use splitbrain_nemesis::shaping::{Line, Quality, ShapedLink, Share};
use tokio::sync::watch;
use tokio::time::Instant;

/// The headers of a segment (IP and TCP), which take their part of a bandwidth.
const HEADERS_BYTES: usize = 20 + 20;

/// One directed link.
pub(super) struct Way {
    open: watch::Sender<bool>,
    /// What has been stopped by the cut since it was made.
    stopped: AtomicU64,
    /// What makes it bad, if it is.
    bad: Mutex<Option<Bad>>,
    /// How often that has changed.
    changes: watch::Sender<u64>,
    /// The clock of all links.
    begun: Instant,
}

struct Bad {
    line: Line,
    counted: ShapedLink,
}

/// What becomes of a piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// When it arrives.
    pub(super) due: Instant,
    /// Whether it is answered by a reset instead.
    pub(super) reset: bool,
}

impl Way {
    /// An open link.
    pub(super) fn new() -> Way {
        let open = watch::Sender::new(true);
        let (bad, changes) = (Mutex::default(), watch::Sender::new(0));
        Way { open, stopped: AtomicU64::new(0), bad, changes, begun: Instant::now() }
    }

    /// Gives it a quality, and lets go what it holds; nothing happens if it has that already.
    pub(super) fn shape(&self, link: Link, quality: Option<Quality>, seed: u64) {
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        if bad.as_ref().map(|bad| *bad.line.quality()) != quality {
            *bad = quality.map(|quality| Bad {
                line: Line::new(quality, seed),
                counted: ShapedLink {
                    link,
                    shaped: quality.shapes().then_some(0),
                    reset: (quality.reset > Share::NONE).then_some(0),
                },
            });
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    /// What it has shaped, if it is bad.
    pub(super) fn shaped(&self) -> Option<ShapedLink> {
        let bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        bad.as_ref().map(|bad| bad.counted)
    }

    /// When its quality changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// When the next piece of a stream may come at the earliest; nothing if the link is as good as
    /// new.
    pub(super) fn room_at(&self) -> Option<Instant> {
        let bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        let room_at_ns = bad.as_ref()?.line.room_at_ns();
        Some(self.begun + Duration::from_nanos(room_at_ns))
    }

    /// What becomes of a piece of so many bytes that comes now; the beginning and the end of a
    /// stream have none. What is no `segment` is never reset.
    pub(super) fn fate(&self, bytes: usize, segment: bool) -> Fate {
        let now = Instant::now();
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Bad { line, counted }) = &mut *bad else {
            return Fate { due: now, reset: false };
        };
        let length = if bytes == 0 { 0 } else { bytes + HEADERS_BYTES };
        let now_ns = now.saturating_duration_since(self.begun).as_nanos() as u64;
        let due_ns = line.convey(now_ns, length);
        let reset = segment && line.resets();
        if let Some(shaped) = &mut counted.shaped {
            *shaped += 1;
        }
        if let Some(resets) = &mut counted.reset {
            *resets += u64::from(reset);
        }
        Fate { due: self.begun + Duration::from_nanos(due_ns), reset }
    }

    /// Cuts the link; what it has stopped is counted anew.
    pub(super) fn cut(&self) {
        self.stopped.store(0, Ordering::SeqCst);
        self.open.send_replace(false);
    }

    /// Lets everything through again.
    pub(super) fn open(&self) {
        self.open.send_replace(true);
    }

    /// How much the cut has stopped, if there is one.
    pub(super) fn stopped(&self) -> Option<u64> {
        (!*self.open.borrow()).then(|| self.stopped.load(Ordering::SeqCst))
    }

    /// Comes back when the link is open: true if it was open all the time.
    pub(super) async fn pass(&self) -> bool {
        let mut open = self.open.subscribe();
        if *open.borrow_and_update() {
            return true;
        }
        self.stopped.fetch_add(1, Ordering::SeqCst);
        // It cannot fail: the sender lives as long as `self`.
        let _ = open.wait_for(|open| *open).await;
        false
    }
}

/// All links of a cluster. The clients, all together, stand at the index after the last node.
pub(super) struct Ways {
    ends: usize,
    ways: Vec<Way>,
}

impl Ways {
    /// Open links between so many nodes, and between each of them and the clients.
    pub(super) fn new(nodes: usize) -> Ways {
        let ends = nodes + 1;
        Ways { ends, ways: (0..ends * ends).map(|_| Way::new()).collect() }
    }

    /// One of them.
    pub(super) fn at(&self, link: Link) -> &Way {
        assert!(link.from < self.ends && link.to < self.ends, "there is no {link:?}");
        &self.ways[link.from * self.ends + link.to]
    }

    /// All of them, the clients' too.
    pub(super) fn all(&self) -> impl Iterator<Item = (Link, &Way)> {
        (0..self.ends).flat_map(|to| self.to(to))
    }

    /// The links to a node.
    pub(super) fn to(&self, to: usize) -> impl Iterator<Item = (Link, &Way)> {
        (0..self.ends).map(move |from| Link { from, to }).map(|link| (link, self.at(link)))
    }
}
