//! Files and folders of the mirrored folder, held by what they are and not by their names.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, readlinkat};
use nix::sys::stat::Mode;

/// The number that FUSE gives the root.
pub(super) const ROOT: u64 = 1;

/// A file or folder. While it is held its number is not given to another one, even if it has no
/// name any more.
#[derive(Debug)]
pub(super) struct Inode {
    fd: OwnedFd,
    /// Its number in the mirrored file system.
    pub(super) number: u64,
}

impl Inode {
    /// What has this name now; a symbolic link is not followed.
    pub(super) fn open(path: &Path) -> io::Result<(Inode, Metadata)> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = File::from(open(path, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        Ok((Inode { fd: file.into(), number: metadata.ino() }, metadata))
    }

    /// A path that leads here whatever its name is; see "magic links" in proc(5). It is not seen
    /// by whoever mounts over the folder later.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd()).into()
    }

    /// A path to a name in this folder.
    pub(super) fn child(&self, name: &OsStr) -> PathBuf {
        self.path().join(name)
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        File::from(self.fd.try_clone()?).metadata()
    }

    /// Where a symbolic link leads.
    pub(super) fn target(&self) -> io::Result<OsString> {
        Ok(readlinkat(&self.fd, "")?)
    }

    pub(super) fn open_file(&self, write: bool) -> io::Result<File> {
        File::options().read(true).write(write).open(self.path())
    }

    pub(super) fn entries(&self) -> io::Result<Vec<fs::DirEntry>> {
        fs::read_dir(self.path())?.collect()
    }
}

/// The files and folders that the kernel knows by number.
#[derive(Debug)]
pub(super) struct Inodes {
    root: Arc<Inode>,
    device: u64,
    known: HashMap<u64, (Arc<Inode>, u64)>,
}

impl Inodes {
    pub(super) fn new(root: Inode) -> io::Result<Inodes> {
        let device = root.metadata()?.dev();
        Ok(Inodes { root: Arc::new(root), device, known: HashMap::new() })
    }

    pub(super) fn root(&self) -> &Arc<Inode> {
        &self.root
    }

    /// The file or folder with a number that the kernel was told.
    pub(super) fn get(&self, number: u64) -> io::Result<Arc<Inode>> {
        if number == ROOT {
            return Ok(self.root.clone());
        }
        let found = self.known.get(&number).map(|(inode, _)| inode.clone());
        found.ok_or_else(|| Errno::ESTALE.into())
    }

    /// The number under which the kernel knows it.
    pub(super) fn number(&self, inode: &Inode) -> u64 {
        if inode.number == self.root.number { ROOT } else { inode.number }
    }

    /// Looks a name up, which the kernel counts.
    pub(super) fn look_up(&mut self, path: &Path) -> io::Result<(Arc<Inode>, Metadata)> {
        let (inode, metadata) = Inode::open(path)?;
        if metadata.dev() != self.device {
            return Err(Errno::EXDEV.into()); // numbers would no longer tell files apart
        }
        let (inode, lookups) =
            self.known.entry(inode.number).or_insert_with(|| (Arc::new(inode), 0));
        *lookups += 1;
        Ok((inode.clone(), metadata))
    }

    /// Takes back some of the kernel's look-ups.
    pub(super) fn forget(&mut self, number: u64, lookups: u64) {
        if let Some((_, known)) = self.known.get_mut(&number) {
            *known = known.saturating_sub(lookups);
            if *known == 0 {
                self.known.remove(&number);
            }
        }
    }
}
