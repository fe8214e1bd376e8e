//! The directed links between the nodes, as everything that goes over them meets them.

use std::sync::atomic::{AtomicU64, Ordering};

use splitbrain_nemesis::Link;
use tokio::sync::watch;

/// One directed link.
pub(super) struct Way {
    open: watch::Sender<bool>,
    /// What has been stopped by the cut since it was made.
    stopped: AtomicU64,
}

impl Way {
    /// An open link.
    pub(super) fn new() -> Way {
        Way { open: watch::Sender::new(true), stopped: AtomicU64::new(0) }
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

    /// The links to a node.
    pub(super) fn to(&self, to: usize) -> impl Iterator<Item = (Link, &Way)> {
        (0..self.ends).map(move |from| Link { from, to }).map(|link| (link, self.at(link)))
    }
}
