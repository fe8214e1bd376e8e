//! The page through which a node's programs are told how wrong their clock is.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};

use nix::libc;

use super::layout::{Deviation, Shared};

const PAGE_BYTES: usize = 4096;

/// The page of one node.
#[derive(Debug)]
pub struct Page {
    path: PathBuf,
    shared: NonNull<Shared>,
}

// SAFETY: all of it is atomic.
unsafe impl Send for Page {}
// SAFETY: as above; `set` takes the page for itself.
unsafe impl Sync for Page {}

impl Page {
    /// Makes the file at `path`, of a clock that does not deviate.
    ///
    /// # Errors
    /// It is there already, or cannot be made or mapped.
    pub fn create(path: &Path) -> io::Result<Page> {
        let mut file = File::options().read(true).write(true).create_new(true).open(path)?;
        file.write_all(&[0; PAGE_BYTES])?;
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a new mapping of a file of this length, at a place that the kernel chooses.
        let page = unsafe {
            libc::mmap(ptr::null_mut(), PAGE_BYTES, protection, flags, file.as_raw_fd(), 0)
        };
        let page = if page == libc::MAP_FAILED { None } else { NonNull::new(page.cast()) };
        let shared = page.ok_or_else(io::Error::last_os_error)?;
        Ok(Page { path: path.to_owned(), shared })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the node's programs are told.
    pub fn get(&self) -> Option<Deviation> {
        // SAFETY: it is mapped as long as this value lives, zeroes are valid, and all is atomic.
        unsafe { self.shared.as_ref() }.get()
    }

    /// Tells the node's programs something else.
    pub fn set(&mut self, deviation: &Deviation) {
        // SAFETY: as above.
        unsafe { self.shared.as_ref() }.set(deviation);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nobody refers to it any more.
        unsafe { libc::munmap(self.shared.as_ptr().cast(), PAGE_BYTES) };
    }
}
