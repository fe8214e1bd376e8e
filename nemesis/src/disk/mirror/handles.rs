//! What a node's processes have open, by number.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::FileHandle;

/// Open files, or open folders.
pub(super) struct Handles<T> {
    open: Mutex<HashMap<u64, Arc<T>>>,
    next: AtomicU64,
}

impl<T> Handles<T> {
    pub(super) fn new() -> Handles<T> {
        Handles { open: Mutex::default(), next: AtomicU64::new(1) }
    }

    pub(super) fn add(&self, what: T) -> FileHandle {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, Arc::new(what));
        FileHandle(number)
    }

    pub(super) fn get(&self, handle: FileHandle) -> io::Result<Arc<T>> {
        self.lock().get(&handle.0).cloned().ok_or_else(|| nix::errno::Errno::EBADF.into())
    }

    pub(super) fn close(&self, handle: FileHandle) {
        self.lock().remove(&handle.0);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<T>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
