//! A clock that is wrong for one node only: a library of ours in its programs.
//!
//! The library stands in for the functions of libc that tell the time of day
//! (`clock-shim/shim.rs`) and reads how wrong it is to be from a file of a page that every
//! program of the node maps, so that it can be changed while they run. Monotonic clocks are not
//! touched, as no step of a machine's clock touches them, and neither is the machine's own clock.
//!
//! A program that does not ask libc cannot be reached: one that is linked statically, or one in Go.
//! Waits that end at a time of day (`pthread_cond_timedwait` and the like) go by the machine's
//! clock.

mod asks;
#[path = "../../clock-shim/layout.rs"]
mod layout;
mod page;

use std::io;
use std::time::Duration;

use nix::libc;
use serde::{Deserialize, Serialize};

pub use asks::{NotReached, asks_libc};
pub use layout::Deviation;
pub use page::Page;

use crate::node::NodeError;

/// The library, to be written to a file that `LD_PRELOAD` names; empty where it cannot be built.
pub const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/clock.so"));
/// Names the file of the node's clock to the library.
pub const PAGE_VARIABLE: &str = "SPLITBRAIN_CLOCK";

/// What a program of a node was told, between two looks at the machine's clock; all in nanoseconds
/// since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The machine's clock before.
    pub before_ns: i64,
    /// What the program was told.
    pub told_ns: i64,
    /// The machine's clock after.
    pub after_ns: i64,
}

impl Reading {
    /// Whether a clock with this deviation would have told so.
    pub fn fits(&self, deviation: &Deviation) -> bool {
        // Strobes and jumps change it at once, so each end is looked at by itself.
        let ahead = [self.before_ns, self.after_ns].map(|real_ns| deviation.ahead_ns(real_ns));
        let least = self.before_ns.saturating_add(ahead[0].min(ahead[1]));
        let most = self.after_ns.saturating_add(ahead[0].max(ahead[1]));
        (least..=most).contains(&self.told_ns)
    }

    /// Looks at both clocks now, as the calling program sees them.
    ///
    /// # Errors
    /// The system does not tell the time.
    pub fn take() -> io::Result<Reading> {
        let before_ns = machine_ns()?;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the place for the answer is ours.
        if unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut time) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Reading { before_ns, told_ns: nanos(time), after_ns: machine_ns()? })
    }
}

/// The machine's clock, whatever libc says, in nanoseconds since 1970.
///
/// # Errors
/// The system does not tell the time.
pub fn machine_ns() -> io::Result<i64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place for the answer is ours; the kernel is asked past libc.
    let result = unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_REALTIME, &mut time) };
    if result == 0 { Ok(nanos(time)) } else { Err(io::Error::last_os_error()) }
}

fn nanos(time: libc::timespec) -> i64 {
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Control of what the nodes' programs take the time of day to be.
pub trait Clocks: Send + Sync {
    /// Makes the clock of a node deviate from its machine's, from now on; what it was told, with
    /// the moment by that machine's clock.
    ///
    /// # Errors
    /// The node could not be reached.
    fn set(&self, node: usize, deviation: &Deviation) -> Result<Deviation, NodeError>;

    /// How the clock of a node is set to deviate, read back from where its programs read it.
    ///
    /// # Errors
    /// The node could not be asked.
    fn get(&self, node: usize) -> Result<Deviation, NodeError>;

    /// What a program that is started at the node now is told, a few times in a while.
    ///
    /// # Errors
    /// It could not be started.
    fn readings(&self, node: usize, during: Duration) -> Result<Vec<Reading>, NodeError>;

    /// Those of the node's living processes that do not have the library in them, by number.
    ///
    /// # Errors
    /// The node could not be asked.
    fn unreached(&self, node: usize) -> Result<Vec<i32>, NodeError>;
}

#[cfg(test)]
mod tests;
