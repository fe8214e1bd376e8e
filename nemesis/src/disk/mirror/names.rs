//! The file system as FUSE asks for it: making, removing and moving names.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, lchown, symlink};
use std::path::Path;
use std::sync::Arc;

use fuser::{FileAttr, INodeNo, RenameFlags, Request};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, renameat2};
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::linkat;

use super::files::attributes;
use super::{Mirror, OpenFile};
use crate::disk::RESERVED;
use crate::disk::inode::Inode;

impl Mirror {
    pub(super) fn target(&self, number: INodeNo) -> io::Result<OsString> {
        self.inode(number)?.target()
    }

    /// Makes a name in a folder, gives it to whom it is to belong, and finds it.
    fn make<T>(
        &self,
        request: Option<&Request>,
        parent: INodeNo,
        name: &OsStr,
        make: impl FnOnce(&Path) -> io::Result<T>,
    ) -> io::Result<(FileAttr, Arc<Inode>, T)> {
        let parent = self.inode(parent)?;
        self.shared.work()?;
        let mut state = self.shared.lock();
        state.grow()?;
        let path = parent.child(name);
        let made = make(&path)?;
        // First, so that it is also taken back if what follows fails.
        state.unsynced.made(&parent, name);
        if let Some(request) = request.filter(|r| r.uid() != 0 || r.gid() != 0) {
            lchown(&path, Some(request.uid()), Some(request.gid()))?;
        }
        let (inode, metadata) = state.inodes.look_up(&path)?;
        Ok((attributes(inode.number, &metadata), inode, made))
    }

    pub(super) fn make_file(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
    ) -> io::Result<(FileAttr, OpenFile)> {
        let create = |path: &Path| {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false).mode(mode & 0o7777);
            options.open(path)
        };
        let (attr, inode, file) = self.make(Some(request), parent, name, create)?;
        Ok((attr, OpenFile { file, inode }))
    }

    pub(super) fn make_node(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
    ) -> io::Result<FileAttr> {
        let kind = SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits());
        if !matches!(kind, SFlag::S_IFREG | SFlag::S_IFIFO | SFlag::S_IFSOCK) {
            return Err(Errno::EPERM.into()); // devices have no place in a data folder
        }
        let mode = Mode::from_bits_truncate(mode);
        let make = |path: &Path| Ok(mknod(path, kind, mode, 0)?);
        Ok(self.make(Some(request), parent, name, make)?.0)
    }

    pub(super) fn make_folder(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
    ) -> io::Result<FileAttr> {
        let make = |path: &Path| fs::DirBuilder::new().mode(mode & 0o7777).create(path);
        Ok(self.make(Some(request), parent, name, make)?.0)
    }

    pub(super) fn make_symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        target: &Path,
    ) -> io::Result<FileAttr> {
        Ok(self.make(Some(request), parent, name, |path| symlink(target, path))?.0)
    }

    pub(super) fn make_link(
        &self,
        number: INodeNo,
        parent: INodeNo,
        name: &OsStr,
    ) -> io::Result<FileAttr> {
        let old = self.inode(number)?.path();
        let follow = AtFlags::AT_SYMLINK_FOLLOW;
        let make = |path: &Path| Ok(linkat(AT_FDCWD, &old, AT_FDCWD, path, follow)?);
        Ok(self.make(None, parent, name, make)?.0)
    }

    /// Removes a name, of a folder only if it is empty; which of the two the kernel has checked.
    pub(super) fn remove(&self, parent: INodeNo, name: &OsStr) -> io::Result<()> {
        let parent = self.inode(parent)?;
        self.shared.work()?;
        let mut state = self.shared.lock();
        state.change()?;
        is_removable(&parent.child(name))?;
        state.unsynced.remove(&parent, name)
    }

    pub(super) fn move_name(
        &self,
        from: (INodeNo, &OsStr),
        to: (INodeNo, &OsStr),
        flags: RenameFlags,
    ) -> io::Result<()> {
        let flags = nix::fcntl::RenameFlags::from_bits(flags.bits()).ok_or(Errno::EINVAL)?;
        let from = (self.inode(from.0)?, from.1.to_owned());
        let to = (self.inode(to.0)?, to.1.to_owned());
        let (old, new) = (from.0.child(&from.1), to.0.child(&to.1));
        self.shared.work()?;
        let mut state = self.shared.lock();
        state.change()?;
        if flags.is_empty() {
            let (moved, _) = Inode::open(&old)?;
            match Inode::open(&new) {
                Ok((replaced, _)) if replaced.number == moved.number => return Ok(()),
                Ok(_) => {
                    is_removable(&new)?;
                    state.unsynced.remove(&to.0, &to.1)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        renameat2(AT_FDCWD, &old, AT_FDCWD, &new, flags)?;
        if flags.contains(nix::fcntl::RenameFlags::RENAME_EXCHANGE) {
            state.unsynced.exchanged(from, to);
        } else {
            state.unsynced.moved(from, to);
        }
        Ok(())
    }
}

/// Fails for the harness's own folder and for a folder that is not empty.
fn is_removable(path: &Path) -> io::Result<()> {
    if path.file_name() == Some(OsStr::new(RESERVED)) {
        return Err(Errno::EBUSY.into());
    }
    if fs::symlink_metadata(path)?.is_dir() && fs::read_dir(path)?.next().is_some() {
        return Err(Errno::ENOTEMPTY.into());
    }
    Ok(())
}
