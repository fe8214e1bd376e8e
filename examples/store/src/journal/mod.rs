//! An append-only file of records that are durable once they are acknowledged.
//!
//! One thread writes and fsyncs, so that no request waits on a disk in the async runtime. Whatever
//! has queued up while it was busy goes into one write and one fsync (group commit). After the first
//! failed write or fsync nothing is acknowledged ever again: what such a file holds is not known
//! (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).

pub mod frame;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use thiserror::Error;
use tokio::sync::oneshot;
use tracing::warn;

use crate::data_dir;

/// Larger groups would only delay those who wait for the first record.
const GROUP_BYTES: usize = 4 << 20;

/// Where the bytes go: a file, or in tests something that fails.
pub trait Medium: Send {
    /// Appends `bytes`.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns once all that was appended will survive a loss of power.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// How a file becomes a [`Medium`].
pub type Mount = fn(File) -> Box<dyn Medium>;

/// The mount of every day.
pub fn plain(file: File) -> Box<dyn Medium> {
    Box::new(file)
}

/// The mount of the bug `lost-fsync`: what was appended is acknowledged without an fsync.
pub fn forgetful(file: File) -> Box<dyn Medium> {
    struct Forgetful(File);
    impl Medium for Forgetful {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.append(bytes)
        }
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    Box::new(Forgetful(file))
}

/// Why a journal cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is damaged before its end.
    #[error("{}: {damage}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where.
        damage: frame::Damage,
    },
}

type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

enum Job {
    Append(Vec<u8>, Done),
    Replace(Vec<Vec<u8>>, Done),
}

/// A handle to the file's thread, which ends with the last handle.
#[derive(Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    bytes: Arc<AtomicU64>,
}

impl Journal {
    /// Opens or makes the journal at `path`, drops a torn tail, and returns the records in it.
    pub fn open(path: &Path, mount: Mount) -> Result<(Self, Vec<Vec<u8>>), OpenError> {
        let (file, contents) = read(path)?;
        let bytes = Arc::new(AtomicU64::new(contents.whole_bytes as u64));
        let (jobs, queue) = mpsc::channel();
        let writer = Writer { path: path.to_owned(), mount, medium: mount(file), failed: None };
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|error| OpenError::Io { path: path.to_owned(), error })?;
        Ok((Self { jobs, bytes }, contents.records))
    }

    /// Appends one record and calls `done` from the journal's thread when it is durable or lost.
    /// Records become durable in the order of the calls.
    pub fn append(&self, record: Vec<u8>, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        self.bytes.fetch_add(record.len() as u64, Ordering::Relaxed);
        self.send(Job::Append(record, Box::new(done)));
    }

    /// Appends one record and waits until it is durable.
    pub async fn append_durably(&self, record: Vec<u8>) -> io::Result<()> {
        let (tell, told) = oneshot::channel();
        self.append(record, |result| _ = tell.send(result));
        told.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Replaces all records appended so far, atomically, and calls `done` when that is durable.
    pub fn replace(
        &self,
        records: Vec<Vec<u8>>,
        done: impl FnOnce(io::Result<()>) + Send + 'static,
    ) {
        let bytes = records.iter().map(Vec::len).sum::<usize>() as u64;
        self.bytes.store(bytes, Ordering::Relaxed);
        self.send(Job::Replace(records, Box::new(done)));
    }

    /// About how large the file is.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn send(&self, job: Job) {
        if let Err(mpsc::SendError(Job::Append(_, done) | Job::Replace(_, done))) =
            self.jobs.send(job)
        {
            done(Err(stopped()));
        }
    }
}

fn stopped() -> io::Error {
    io::Error::other("the journal has stopped")
}

fn read(path: &Path) -> Result<(File, frame::Contents), OpenError> {
    let io = |error| OpenError::Io { path: path.to_owned(), error };
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
    let bytes = fs::read(path).map_err(io)?;
    let contents = frame::decode(&bytes)
        .map_err(|damage| OpenError::Damaged { path: path.to_owned(), damage })?;
    if contents.whole_bytes < bytes.len() {
        warn!(
            file = %path.display(),
            bytes = bytes.len() - contents.whole_bytes,
            "dropped the torn end of the journal"
        );
        file.set_len(contents.whole_bytes as u64).map_err(io)?;
    }
    file.sync_all().map_err(io)?;
    data_dir::sync_folder_of(path).map_err(io)?;
    Ok((file, contents))
}

/// The thread's own state.
struct Writer {
    path: PathBuf,
    mount: Mount,
    medium: Box<dyn Medium>,
    failed: Option<io::Error>,
}

impl Writer {
    fn run(mut self, queue: &mpsc::Receiver<Job>) {
        let mut next = queue.recv().ok();
        while let Some(job) = next.take() {
            match job {
                Job::Append(record, done) => {
                    let mut bytes = record.len();
                    let mut group = vec![(record, done)];
                    while bytes < GROUP_BYTES {
                        match queue.try_recv() {
                            Ok(Job::Append(record, done)) => {
                                bytes += record.len();
                                group.push((record, done));
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    let frame = frame::encode(group.iter().map(|(record, _)| record.as_slice()));
                    let result = self.attempt(|this| {
                        this.medium.append(&frame)?;
                        this.medium.sync()
                    });
                    for (_, done) in group {
                        done(again(&result));
                    }
                }
                Job::Replace(records, done) => {
                    let frame = frame::encode(records.iter().map(Vec::as_slice));
                    done(self.attempt(|this| this.replace(&frame)));
                }
            }
            if next.is_none() {
                next = queue.recv().ok();
            }
        }
    }

    fn attempt(&mut self, work: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        if let Some(error) = &self.failed {
            return Err(io::Error::other(format!("an earlier write failed: {error}")));
        }
        let result = work(self);
        self.failed = again(&result).err();
        result
    }

    fn replace(&mut self, frame: &[u8]) -> io::Result<()> {
        let draft = self.path.with_extension("draft");
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(&draft)?;
        let mut medium = (self.mount)(file);
        medium.append(frame)?;
        medium.sync()?;
        fs::rename(&draft, &self.path)?;
        data_dir::sync_folder_of(&self.path)?;
        self.medium = medium;
        Ok(())
    }
}

/// The same result once more: io::Error cannot be cloned.
fn again(result: &io::Result<()>) -> io::Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}

#[cfg(test)]
mod tests;
