//! A disk that can fail: a FUSE file system that mirrors a folder and breaks its promises on
//! demand.
//!
//! A node's data folder is mounted over by itself, in the mount namespace of the node, by a
//! process of its own ([`serve`]) that the harness asks over a socket ([`Line`]). What the node
//! writes goes straight through to the folder, where an undo log (`unsynced`) remembers what
//! a loss of power would take. So nothing has to be written back at the end, and when the process
//! is gone an ordinary folder is left.
//!
//! What is modelled, after POSIX and "All File Systems Are Not Created Equal" (Pillai et al.,
//! OSDI 2014): the content and length of a file are durable once the file is fsynced; that a name
//! is there, gone or another file's once its *folder* is fsynced (a move between folders: the new
//! one). Permissions, owners and times are durable at once. `O_SYNC` and `O_DSYNC` are kept.
//! `sync(2)` and `syncfs(2)` do not reach a FUSE file system and make nothing durable here.

mod damage;
mod inode;
mod line;
mod mirror;
mod server;
mod state;
mod unsynced;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::node::NodeError;

pub use line::Line;
pub use server::{available, serve};

/// Folder in the root of a disk for the files of the harness; it is in no listing.
pub const RESERVED: &str = ".splitbrain";

/// What is wrong with a disk; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Nothing can be made, and no file can grow (`ENOSPC`).
    pub full: bool,
    /// Nothing can be changed (`EROFS`).
    pub read_only: bool,
    /// How much longer each read, write, fsync and change of a name takes.
    pub delay: Duration,
    /// Of so many in a hundred reads, writes, fsyncs and changes of names, `EIO` is the answer.
    pub eio_percent: f64,
}

impl Condition {
    /// All that is wrong with either.
    pub fn and(self, other: Condition) -> Condition {
        Condition {
            full: self.full || other.full,
            read_only: self.read_only || other.read_only,
            delay: self.delay + other.delay,
            eio_percent: 100.0 - (100.0 - self.eio_percent) * (100.0 - other.eio_percent) / 100.0,
        }
    }
}

/// Damage to what lies on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Damage {
    /// So many bits, drawn by lot from all files, are turned over.
    Flip {
        /// How many.
        bits: u64,
    },
    /// Each file loses so many bytes at its end; a shorter one becomes empty.
    Truncate {
        /// How many.
        bytes: u64,
    },
}

/// A byte that damage took or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damaged {
    /// The file, from the root of the disk.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// The byte that was there before.
    pub was: u8,
}

/// What a loss of power took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Files that lost content or length.
    pub files: u64,
    /// Names that are as they were before.
    pub names: u64,
}

/// What a disk says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What is wrong with it.
    pub condition: Condition,
    /// Files with content or length that is not fsynced.
    pub unsynced_files: u64,
    /// Changes of names that are not fsynced.
    pub unsynced_names: u64,
    /// Bytes or files that are damaged.
    pub damaged: u64,
    /// Requests answered with an error that is a fault's doing.
    pub refused: u64,
}

/// What came of writing a block to a file of its own and fsyncing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// How long the write alone took.
    pub took: Duration,
    /// The error of the system (errno) that ended it.
    pub errno: Option<i32>,
}

/// How many bytes a canary has.
pub const CANARY_BYTES: u64 = 4096;

/// What is left of two files of [`CANARY_BYTES`] of which only one was fsynced, in bytes; `None` if
/// there is no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canaries {
    /// The one that was fsynced, with its folder.
    pub synced: Option<u64>,
    /// The other one, which was written at once.
    pub unsynced: Option<u64>,
}

/// Control of the disks that the nodes' data lies on.
pub trait Disks: Send + Sync {
    /// Says what is wrong with a disk from now on.
    ///
    /// # Errors
    /// The disk is gone.
    fn set(&self, node: usize, condition: Condition) -> Result<(), NodeError>;

    /// What a disk says of itself.
    ///
    /// # Errors
    /// The disk is gone.
    fn report(&self, node: usize) -> Result<Report, NodeError>;

    /// Tries a write and an fsync, as the node's programs see the disk.
    ///
    /// # Errors
    /// The node could not be reached; that the disk gives an error is none.
    fn trial(&self, node: usize) -> Result<Trial, NodeError>;

    /// Makes two files, as the node's programs see the disk, of which one is fsynced.
    ///
    /// # Errors
    /// It cannot be done now.
    fn plant(&self, node: usize) -> Result<(), NodeError>;

    /// What is left of them, as the node's programs see the disk; they are gone afterwards.
    ///
    /// # Errors
    /// They cannot be looked at or removed.
    fn canaries(&self, node: usize) -> Result<Canaries, NodeError>;

    /// Takes what is not durable; or of it, with `keep_percent`, only the end of the last write to
    /// each file. No process of the node runs.
    ///
    /// # Errors
    /// The disk is gone.
    fn cut_power(&self, node: usize, keep_percent: Option<u8>) -> Result<Lost, NodeError>;

    /// Damages files; one byte of each damage.
    ///
    /// # Errors
    /// The disk is gone.
    fn damage(&self, node: usize, damage: Damage, seed: u64) -> Result<Vec<Damaged>, NodeError>;

    /// Mends all damage but what the node has written over; what was mended.
    ///
    /// # Errors
    /// The disk is gone.
    fn mend(&self, node: usize) -> Result<Vec<Damaged>, NodeError>;

    /// The byte at a place, as the node's programs see the disk; `None` if the file is shorter or
    /// gone.
    ///
    /// # Errors
    /// The node could not be reached, or the disk gives an error.
    fn byte(&self, node: usize, place: &Damaged) -> Result<Option<u8>, NodeError>;
}

/// What the harness asks of a disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Request {
    Report,
    Set(Condition),
    CutPower { keep_percent: Option<u8> },
    Damage { damage: Damage, seed: u64 },
    Repair,
}

/// What it answers; an error is a sentence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Answer {
    report: Report,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<Lost>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    damaged: Vec<Damaged>,
}
