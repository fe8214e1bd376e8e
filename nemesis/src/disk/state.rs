//! What the file system's threads and the line to the harness share.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::errno::Errno;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::damage::Wound;
use super::inode::{Inode, Inodes};
use super::unsynced::Unsynced;
use super::{Condition, RESERVED, Report};

/// All of one disk.
#[derive(Debug)]
pub(super) struct State {
    pub(super) inodes: Inodes,
    pub(super) unsynced: Unsynced,
    pub(super) condition: Condition,
    pub(super) wounds: Vec<Wound>,
    refused: u64,
    chance: ChaCha8Rng,
}

/// A handle to it.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<State>>);

impl Shared {
    /// A disk over a folder. The folder for the harness is made in it.
    pub(super) fn new(root: Inode) -> io::Result<Shared> {
        let reserved = root.path().join(RESERVED);
        let removed = reserved.join("removed");
        std::fs::create_dir_all(&removed)?;
        let (removed, _) = Inode::open(&removed)?;
        Ok(Shared(Arc::new(Mutex::new(State {
            inodes: Inodes::new(root)?,
            unsynced: Unsynced::new(Arc::new(removed)),
            condition: Condition::default(),
            wounds: Vec::new(),
            refused: 0,
            // Which request is hit depends on the threads of the node anyway.
            chance: ChaCha8Rng::seed_from_u64(0),
        }))))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called first in whatever the disk has to work for: takes its time, and fails by
    /// chance.
    pub(super) fn work(&self) -> io::Result<()> {
        let delay = self.lock().condition.delay;
        thread::sleep(delay);
        let mut state = self.lock();
        let percent = state.condition.eio_percent;
        if percent > 0.0 && state.chance.random::<f64>() * 100.0 < percent {
            return Err(state.refuse(Errno::EIO));
        }
        Ok(())
    }
}

impl State {
    /// Fails if nothing can be changed.
    pub(super) fn change(&mut self) -> io::Result<()> {
        if self.condition.read_only { Err(self.refuse(Errno::EROFS)) } else { Ok(()) }
    }

    /// Fails if nothing can be changed or made.
    pub(super) fn grow(&mut self) -> io::Result<()> {
        self.change()?;
        if self.condition.full { Err(self.refuse(Errno::ENOSPC)) } else { Ok(()) }
    }

    fn refuse(&mut self, errno: Errno) -> io::Error {
        self.refused += 1;
        errno.into()
    }

    pub(super) fn report(&self) -> Report {
        let mut report = Report {
            condition: self.condition,
            damaged: self.wounds.len() as u64,
            refused: self.refused,
            ..Report::default()
        };
        self.unsynced.report(&mut report);
        report
    }
}
