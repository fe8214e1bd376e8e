//! The undo log of a disk: what a loss of power would take, and taking it.
//!
//! Before something is changed in the mirrored folder, what was durable there is remembered; an
//! fsync forgets it, and a loss of power brings it back.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::inode::Inode;
use super::{Lost, Report};

const PAGE_BYTES: u64 = 4096;

/// Above this all is taken to be durable, as a kernel that is short of memory writes it back.
const MOST_BYTES: usize = if cfg!(test) { 1 << 20 } else { 256 << 20 };

/// What is not durable on one disk.
#[derive(Debug)]
pub(super) struct Unsynced {
    files: HashMap<u64, Content>,
    /// In the order in which they were made.
    names: Vec<Change>,
    /// Where what was removed lies until that is durable.
    removed: Arc<Inode>,
    removals: u64,
    /// Remembered by `files`.
    bytes: usize,
}

/// The content of a file when it was last durable, as far as it has changed since.
#[derive(Debug)]
struct Content {
    inode: Arc<Inode>,
    length: u64,
    /// By number of the page.
    pages: BTreeMap<u64, Vec<u8>>,
    last_write: Option<LastWrite>,
}

#[derive(Debug)]
struct LastWrite {
    offset: u64,
    bytes: u64,
    /// What of it was there before.
    before: Vec<u8>,
    length_before: u64,
}

type Name = (Arc<Inode>, OsString);

/// A change of names that is not durable.
#[derive(Debug)]
struct Change {
    /// Number of the folder whose fsync makes it durable.
    folder: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Made(Name),
    Removed { name: Name, kept_as: OsString },
    Moved { from: Name, to: Name },
    Exchanged(Name, Name),
}

impl Unsynced {
    /// A log in which nothing stands. `removed` is a folder for it alone, in the same file system.
    pub(super) fn new(removed: Arc<Inode>) -> Unsynced {
        Unsynced { files: HashMap::new(), names: Vec::new(), removed, removals: 0, bytes: 0 }
    }

    fn content(&mut self, inode: &Arc<Inode>, length: u64) -> &mut Content {
        self.files.entry(inode.number).or_insert_with(|| Content {
            inode: inode.clone(),
            length,
            pages: BTreeMap::new(),
            last_write: None,
        })
    }

    /// To be called before so many bytes are written.
    pub(super) fn before_write(
        &mut self,
        inode: &Arc<Inode>,
        file: &File,
        offset: u64,
        bytes: u64,
    ) -> io::Result<()> {
        let length = file.metadata()?.len();
        let content = self.content(inode, length);
        let kept = content.keep(file, offset, offset + bytes)?;
        let mut before = vec![0; length.saturating_sub(offset).min(bytes) as usize];
        file.read_exact_at(&mut before, offset)?;
        content.last_write = Some(LastWrite { offset, bytes, before, length_before: length });
        self.add(kept)
    }

    /// To be called before a file gets another length.
    pub(super) fn before_resize(
        &mut self,
        inode: &Arc<Inode>,
        file: &File,
        to: u64,
    ) -> io::Result<()> {
        let content = self.content(inode, file.metadata()?.len());
        content.last_write = None;
        let kept = content.keep(file, to, u64::MAX)?;
        self.add(kept)
    }

    fn add(&mut self, kept: usize) -> io::Result<()> {
        self.bytes += kept;
        if self.bytes > MOST_BYTES { self.all_synced() } else { Ok(()) }
    }

    /// A file was fsynced.
    pub(super) fn synced(&mut self, number: u64) {
        if let Some(content) = self.files.remove(&number) {
            self.bytes -= content.pages.values().map(Vec::len).sum::<usize>();
        }
    }

    /// A name was made.
    pub(super) fn made(&mut self, folder: &Arc<Inode>, name: &OsStr) {
        let what = What::Made((folder.clone(), name.to_owned()));
        self.names.push(Change { folder: folder.number, what });
    }

    /// Removes a name, in a way that can be undone.
    pub(super) fn remove(&mut self, folder: &Arc<Inode>, name: &OsStr) -> io::Result<()> {
        self.removals += 1;
        let kept_as = OsString::from(self.removals.to_string());
        fs::rename(folder.child(name), self.removed.child(&kept_as))?;
        let what = What::Removed { name: (folder.clone(), name.to_owned()), kept_as };
        self.names.push(Change { folder: folder.number, what });
        Ok(())
    }

    /// A name was moved to where none was.
    pub(super) fn moved(&mut self, from: Name, to: Name) {
        self.names.push(Change { folder: to.0.number, what: What::Moved { from, to } });
    }

    /// Two names were exchanged.
    pub(super) fn exchanged(&mut self, one: Name, other: Name) {
        self.names.push(Change { folder: other.0.number, what: What::Exchanged(one, other) });
    }

    /// A folder was fsynced.
    pub(super) fn folder_synced(&mut self, number: u64) -> io::Result<()> {
        let (durable, rest) =
            std::mem::take(&mut self.names).into_iter().partition(|change| change.folder == number);
        self.names = rest;
        self.forget(durable)
    }

    /// Removes for good what was removed by these changes.
    fn forget(&mut self, durable: Vec<Change>) -> io::Result<()> {
        for change in durable {
            let What::Removed { kept_as, .. } = change.what else { continue };
            let path = self.removed.child(&kept_as);
            let metadata = fs::symlink_metadata(&path)?;
            if metadata.is_dir() {
                fs::remove_dir_all(&path)?;
                continue;
            }
            fs::remove_file(&path)?;
            if metadata.nlink() == 1 {
                self.synced(metadata.ino());
            }
        }
        Ok(())
    }

    /// All is durable.
    fn all_synced(&mut self) -> io::Result<()> {
        self.files.clear();
        self.bytes = 0;
        let names = std::mem::take(&mut self.names);
        self.forget(names)
    }

    /// Takes what is not durable, as a loss of power does; what was lost, and the numbers of the
    /// files that changed. Names are undone as far as what durably took their place allows.
    pub(super) fn lose(&mut self) -> io::Result<(Lost, Vec<u64>)> {
        let files: Vec<_> = self.files.drain().map(|(_, content)| content).collect();
        self.bytes = 0;
        for content in &files {
            content.restore()?;
        }
        let names = std::mem::take(&mut self.names);
        let mut lost = Lost { files: files.len() as u64, names: names.len() as u64 };
        for change in names.into_iter().rev() {
            if !self.take_back(&change.what)? {
                lost.names -= 1;
            }
        }
        Ok((lost, files.iter().map(|content| content.inode.number).collect()))
    }

    /// Of the last write to each file that is not durable, only so much of the beginning stays.
    /// All else survives, and is durable now.
    pub(super) fn tear(&mut self, keep_percent: u8) -> io::Result<(Lost, Vec<u64>)> {
        let mut torn = Vec::new();
        for content in self.files.values() {
            let Some(last) = &content.last_write else { continue };
            last.tear(&content.inode, keep_percent)?;
            torn.push(content.inode.number);
        }
        self.all_synced()?;
        Ok((Lost { files: torn.len() as u64, names: 0 }, torn))
    }

    /// Whether the name is as it was before.
    fn take_back(&self, what: &What) -> io::Result<bool> {
        let path = |name: &Name| name.0.child(&name.1);
        let there = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            result => result.map(|()| true),
        };
        let rename = |from, to, flags| {
            there(renameat2(AT_FDCWD, &from, AT_FDCWD, &to, flags).map_err(io::Error::from))
        };
        match what {
            What::Made(name) => match fs::symlink_metadata(path(name)) {
                Ok(metadata) if metadata.is_dir() => there(fs::remove_dir_all(path(name))),
                Ok(_) => there(fs::remove_file(path(name))),
                Err(error) => there(Err(error)),
            },
            What::Removed { name, kept_as } => {
                rename(self.removed.child(kept_as), path(name), RenameFlags::RENAME_NOREPLACE)
            }
            What::Moved { from, to } => rename(path(to), path(from), RenameFlags::RENAME_NOREPLACE),
            What::Exchanged(one, other) => {
                rename(path(one), path(other), RenameFlags::RENAME_EXCHANGE)
            }
        }
    }

    /// Puts into a report what is not durable.
    pub(super) fn report(&self, report: &mut Report) {
        report.unsynced_files = self.files.len() as u64;
        report.unsynced_names = self.names.len() as u64;
    }
}

impl Content {
    /// Remembers the durable pages between two offsets that are not remembered yet; how many bytes
    /// they have.
    fn keep(&mut self, file: &File, from: u64, to: u64) -> io::Result<usize> {
        let to = to.min(self.length);
        let mut kept = 0;
        let mut number = from / PAGE_BYTES;
        while number * PAGE_BYTES < to {
            if let std::collections::btree_map::Entry::Vacant(entry) = self.pages.entry(number) {
                let begin = number * PAGE_BYTES;
                let mut page = vec![0; (self.length - begin).min(PAGE_BYTES) as usize];
                file.read_exact_at(&mut page, begin)?;
                kept += page.len();
                entry.insert(page);
            }
            number += 1;
        }
        Ok(kept)
    }

    fn restore(&self) -> io::Result<()> {
        let file = self.inode.open_file(true)?;
        file.set_len(self.length)?;
        for (number, page) in &self.pages {
            file.write_all_at(page, number * PAGE_BYTES)?;
        }
        Ok(())
    }
}

impl LastWrite {
    fn tear(&self, inode: &Inode, keep_percent: u8) -> io::Result<()> {
        let keep = self.bytes * u64::from(keep_percent.min(100)) / 100;
        let file = inode.open_file(true)?;
        if let Some(rest) = self.before.get(keep as usize..) {
            file.write_all_at(rest, self.offset + keep)?;
        }
        if file.metadata()?.len() > self.length_before {
            file.set_len(self.length_before.max(self.offset + keep))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
