//! What an environment offers in which links can be of bad quality.

use std::time::Duration;

use super::Quality;
use crate::node::{Link, NodeError};

/// A datagram that is sent over a link to see what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Over which.
    pub link: Link,
    /// Its number among those of the same link and nonce.
    pub number: u32,
    /// How long it is at least, with its IP header.
    pub bytes: usize,
}

/// A probe that has arrived, maybe for the second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Over which link.
    pub link: Link,
    /// Its number; none if what arrived is not what was sent.
    pub number: Option<u32>,
    /// When it was sent, on the clock of the environment; 0 if it is damaged.
    pub sent: Duration,
    /// When it was received, on the same clock.
    pub received: Duration,
}

/// What was found at a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapedLink {
    /// Which one.
    pub link: Link,
    /// The packets that were shaped since its quality was last changed, if something shapes it.
    pub shaped: Option<u64>,
    /// The packets that were answered by a reset, if any are to be.
    pub reset: Option<u64>,
}

/// Control of the quality of links.
pub trait Shaping: Send + Sync {
    /// Gives links their quality, all nodes in parallel; a link that is not named becomes as good
    /// as new. A link whose quality stays the same is not touched. `seed` decides on all chance.
    ///
    /// # Errors
    /// Some node could not be changed; which of the others were is then unknown.
    fn shape(&self, wanted: &[(Link, Quality)], seed: u64) -> Result<(), NodeError>;

    /// The links at which something is found, read back from what does it.
    ///
    /// # Errors
    /// Some node could not be asked.
    fn shaped(&self) -> Result<Vec<ShapedLink>, NodeError>;

    /// Sends probes, marked with `nonce`, in this order. Losing them is no error.
    ///
    /// # Errors
    /// The sending node itself could not be reached.
    fn send(&self, nonce: u64, probes: &[Probe]) -> Result<(), NodeError>;

    /// The probes marked with `nonce`, and all damaged ones, that have arrived since the last
    /// call, in the order of their arrival at each node; waits at most `wait` for the first one.
    ///
    /// # Errors
    /// A receiving node could not be asked.
    fn received(&self, nonce: u64, wait: Duration) -> Result<Vec<Arrival>, NodeError>;

    /// Begins so many TCP connections over each of these links, none of which comes to anything.
    ///
    /// # Errors
    /// The sending node itself could not be reached.
    fn knock(&self, knocks: &[(Link, u32)]) -> Result<(), NodeError>;

    /// How much later than it should a probe may come and not be taken for lost.
    fn grace(&self) -> Duration {
        Duration::from_millis(30)
    }

    /// Whether it is packets that are shaped, and not streams, which nothing can be lost of.
    fn carries_packets(&self) -> bool {
        true
    }
}
