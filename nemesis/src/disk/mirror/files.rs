//! The file system as FUSE asks for it: content, attributes and listings.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{DirEntryExt, FileExt, FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{FileAttr, FileHandle, FileType, INodeNo, OpenAccMode, OpenFlags, TimeOrNow};
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

use super::{Mirror, OpenFile};
use crate::disk::RESERVED;
use crate::disk::inode::{Inode, ROOT};

impl Mirror {
    pub(super) fn inode(&self, number: INodeNo) -> io::Result<Arc<Inode>> {
        self.shared.lock().inodes.get(number.0)
    }

    /// Looks up what was just made or found at a path, for the kernel.
    pub(super) fn found(&self, path: &Path) -> io::Result<FileAttr> {
        let mut state = self.shared.lock();
        let (inode, metadata) = state.inodes.look_up(path)?;
        Ok(attributes(state.inodes.number(&inode), &metadata))
    }

    pub(super) fn attributes_of(&self, number: INodeNo) -> io::Result<FileAttr> {
        Ok(attributes(number.0, &self.inode(number)?.metadata()?))
    }

    pub(super) fn open_file(&self, number: INodeNo, flags: OpenFlags) -> io::Result<FileHandle> {
        let inode = self.inode(number)?;
        let write = flags.acc_mode() != OpenAccMode::O_RDONLY;
        if write {
            self.shared.lock().change()?;
        }
        // Also to be read, since the undo log has to know what it writes over.
        let file = inode.open_file(write)?;
        Ok(self.files.add(OpenFile { file, inode }))
    }

    pub(super) fn read_file(
        &self,
        handle: FileHandle,
        offset: u64,
        size: u32,
    ) -> io::Result<Vec<u8>> {
        let open = self.files.get(handle)?;
        self.shared.work()?;
        let mut bytes = vec![0; size as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match open.file.read_at(&mut bytes[filled..], offset + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    pub(super) fn write_file(
        &self,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        flags: OpenFlags,
    ) -> io::Result<u32> {
        let open = self.files.get(handle)?;
        self.shared.work()?;
        let mut state = self.shared.lock();
        state.change()?;
        if offset + data.len() as u64 > open.file.metadata()?.len() {
            state.grow()?;
        }
        state.unsynced.before_write(&open.inode, &open.file, offset, data.len() as u64)?;
        open.file.write_all_at(data, offset)?;
        if flags.0 & (nix::libc::O_SYNC | nix::libc::O_DSYNC) != 0 {
            state.unsynced.synced(open.inode.number);
        }
        Ok(data.len() as u32)
    }

    pub(super) fn sync_file(&self, handle: FileHandle) -> io::Result<()> {
        let open = self.files.get(handle)?;
        self.shared.work()?;
        self.shared.lock().unsynced.synced(open.inode.number);
        Ok(())
    }

    pub(super) fn sync_folder(&self, number: INodeNo) -> io::Result<()> {
        let inode = self.inode(number)?;
        self.shared.work()?;
        self.shared.lock().unsynced.folder_synced(inode.number)
    }

    pub(super) fn set_attributes(
        &self,
        number: INodeNo,
        change: AttributeChange,
    ) -> io::Result<FileAttr> {
        let inode = self.inode(number)?;
        let path = inode.path();
        if let Some(size) = change.size {
            self.shared.work()?;
            let file = inode.open_file(true)?;
            let mut state = self.shared.lock();
            state.change()?;
            if size > file.metadata()?.len() {
                state.grow()?;
            }
            state.unsynced.before_resize(&inode, &file, size)?;
            file.set_len(size)?;
        } else {
            self.shared.lock().change()?;
        }
        if let Some(mode) = change.mode {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode & 0o7777))?;
        }
        if change.uid.is_some() || change.gid.is_some() {
            chown(&path, change.uid, change.gid)?;
        }
        if change.atime.is_some() || change.mtime.is_some() {
            let [accessed, modified] = [change.atime, change.mtime].map(time_spec);
            let follow = UtimensatFlags::FollowSymlink;
            utimensat(nix::fcntl::AT_FDCWD, &path, &accessed, &modified, follow)?;
        }
        self.attributes_of(number)
    }

    pub(super) fn list(&self, number: INodeNo) -> io::Result<FileHandle> {
        let inode = self.inode(number)?;
        let mut entries = vec![
            (number.0, FileType::Directory, ".".into()),
            (ROOT, FileType::Directory, "..".into()),
        ];
        for entry in inode.entries()? {
            let name = entry.file_name();
            if number.0 == ROOT && name == RESERVED {
                continue;
            }
            // One that has gone meanwhile is in no listing.
            let Ok(kind) = entry.file_type() else { continue };
            let number = entry.ino();
            entries.push((number, FileType::from_std(kind).unwrap_or(FileType::RegularFile), name));
        }
        Ok(self.listings.add(entries))
    }
}

/// What is to become of a file's attributes.
#[derive(Clone, Copy)]
pub(super) struct AttributeChange {
    pub(super) mode: Option<u32>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) size: Option<u64>,
    pub(super) atime: Option<TimeOrNow>,
    pub(super) mtime: Option<TimeOrNow>,
}

fn time_spec(time: Option<TimeOrNow>) -> TimeSpec {
    match time {
        None => TimeSpec::UTIME_OMIT,
        Some(TimeOrNow::Now) => TimeSpec::UTIME_NOW,
        Some(TimeOrNow::SpecificTime(time)) => {
            time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().into()
        }
    }
}

pub(super) fn attributes(number: u64, metadata: &Metadata) -> FileAttr {
    let time = |seconds: i64, nanos: i64| {
        SystemTime::UNIX_EPOCH
            + Duration::new(seconds.try_into().unwrap_or(0), nanos.try_into().unwrap_or(0))
    };
    let kind = metadata.file_type();
    let kind = match FileType::from_std(kind) {
        Some(kind) => kind,
        None if kind.is_fifo() => FileType::NamedPipe,
        None => FileType::RegularFile,
    };
    FileAttr {
        ino: INodeNo(number),
        size: metadata.len(),
        blocks: metadata.blocks(),
        atime: time(metadata.atime(), metadata.atime_nsec()),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        crtime: SystemTime::UNIX_EPOCH,
        kind,
        perm: (metadata.mode() & 0o7777) as u16,
        nlink: metadata.nlink() as u32,
        uid: metadata.uid(),
        gid: metadata.gid(),
        rdev: metadata.rdev() as u32,
        blksize: metadata.blksize() as u32,
        flags: 0,
    }
}
