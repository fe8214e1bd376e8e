//! The state machine: the values in memory, and a snapshot of them on disk now and then.
//!
//! What the snapshot lacks is in the log, so applying an entry writes nothing.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend};
use serde_json::Value;
use tokio::sync::watch;
use tracing::info;

use super::types::{
    Entry, Image, LogId, Membership, Snapshot, SnapshotMeta, StorageError, StorageIOError, Types,
};
use crate::applied::AppliedLog;
use crate::data_dir::write_whole;
use crate::journal::frame;
use crate::mistakes::Mistake;
use crate::request::{self, Key, Outcome};

/// The values as applied so far, for whoever wants to read them.
#[derive(Clone, Default)]
pub struct Values(Arc<Mutex<Image>>);

impl Values {
    /// The value of `key`, or `null`.
    pub fn get(&self, key: &Key) -> Value {
        self.image().values.get(key).cloned().unwrap_or_default()
    }

    /// Those of some keys, all of one moment.
    pub fn some(&self, keys: &BTreeSet<&Key>) -> request::Values {
        let image = self.image();
        let of_key = |key: &&Key| Some(((*key).clone(), image.values.get(key)?.clone()));
        keys.iter().filter_map(of_key).collect()
    }

    /// Those of all keys.
    pub fn all(&self) -> request::Values {
        self.image().values.clone()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.image().values.len()
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap()
    }
}

/// The state machine of one node. A clone of it builds snapshots.
#[derive(Clone)]
pub struct Machine {
    values: Values,
    mistake: Option<Mistake>,
    applied: AppliedLog,
    disk: Arc<Disk>,
}

/// The snapshot file.
struct Disk {
    path: PathBuf,
    /// The last entry in it.
    last: watch::Sender<Option<LogId>>,
    /// A snapshot being built and one being installed may meet here.
    writing: Mutex<()>,
}

impl Machine {
    /// Opens the state machine with its snapshot at `path`. The receiver follows the snapshot.
    pub fn open(
        path: &Path,
        mistake: Option<Mistake>,
        applied: AppliedLog,
    ) -> Result<(Self, watch::Receiver<Option<LogId>>), String> {
        let disk =
            Disk { path: path.to_owned(), last: watch::Sender::new(None), writing: Mutex::new(()) };
        let image = disk.load().map_err(|error| format!("{}: {error}", path.display()))?;
        let image = image.unwrap_or_default();
        disk.last.send_replace(image.last_applied);
        note_all(&image, &applied);
        let followed = disk.last.subscribe();
        let values = Values(Arc::new(Mutex::new(image)));
        Ok((Self { values, mistake, applied, disk: Arc::new(disk) }, followed))
    }

    /// The values as applied so far.
    pub fn values(&self) -> Values {
        self.values.clone()
    }
}

impl Disk {
    fn load(&self) -> io::Result<Option<Image>> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // It was written whole before it got its name, so any damage is more than a torn write.
        let contents = frame::decode(&bytes).map_err(io::Error::other)?;
        match contents.records.as_slice() {
            [record] if contents.whole_bytes == bytes.len() => {
                Ok(Some(serde_json::from_slice(record)?))
            }
            _ => Err(io::Error::other("the snapshot is damaged")),
        }
    }

    /// Writes `image` unless the file already has more.
    fn store(&self, image: &Image) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap();
        if *self.last.borrow() >= image.last_applied {
            return Ok(());
        }
        let record = serde_json::to_vec(image)?;
        write_whole(&self.path, &frame::encode([record.as_slice()]))?;
        self.last.send_replace(image.last_applied);
        info!(keys = image.values.len(), bytes = record.len(), "snapshot written");
        Ok(())
    }
}

/// Notes what a key has from now on.
fn note(image: &Image, key: &Key, applied: &AppliedLog) {
    let last = image.last_applied.unwrap_or_default();
    let value = image.values.get(key).unwrap_or(&Value::Null);
    applied.shows(key, value, (last.leader_id.term, last.index));
}

fn note_all(image: &Image, applied: &AppliedLog) {
    image.values.keys().for_each(|key| note(image, key, applied));
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), StorageError> {
        let image = self.values.image();
        Ok((image.last_applied, image.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Outcome>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut image = self.values.image();
        let apply_one = |entry: Entry| {
            image.last_applied = Some(entry.log_id);
            match entry.payload {
                EntryPayload::Blank => Outcome::Ok,
                EntryPayload::Normal(command) => {
                    let keys = if self.applied.is_kept() { command.keys() } else { Vec::new() };
                    let outcome = command.apply(&mut image.values);
                    if outcome.is_done() {
                        keys.iter().for_each(|key| note(&image, key, &self.applied));
                    }
                    outcome
                }
                EntryPayload::Membership(membership) => {
                    image.membership = Membership::new(Some(entry.log_id), membership);
                    Outcome::Ok
                }
            }
        };
        Ok(entries.into_iter().map(apply_one).collect())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Image>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        _: &SnapshotMeta,
        image: Box<Image>,
    ) -> Result<(), StorageError> {
        let disk = self.disk.clone();
        let stored = blocking(move || disk.store(&image).map(|()| image)).await;
        let image = stored.map_err(|error| StorageIOError::write_snapshot(None, &error))?;
        let mut values = self.values.image();
        *values = *image;
        self.applied.shows_nothing();
        note_all(&values, &self.applied);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let disk = self.disk.clone();
        let loaded = blocking(move || disk.load()).await;
        let image = loaded.map_err(|error| StorageIOError::read_snapshot(None, &error))?;
        Ok(image.map(|image| Snapshot { meta: image.meta(), snapshot: Box::new(image) }))
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let mut image = self.values.image().clone();
        let disk = self.disk.clone();
        if self.mistake == Some(Mistake::SnapshotDropsTail) {
            // How far the values go is noted after they have been written out, and not before.
            let (values, disk) = (serde_json::to_vec(&image.values), disk.clone());
            let values = values.map_err(|error| StorageIOError::write_snapshot(None, &error))?;
            let written = blocking(move || {
                let _writing = disk.writing.lock().unwrap();
                write_whole(&disk.path.with_extension("values"), &values)
            });
            written.await.map_err(|error| StorageIOError::write_snapshot(None, &error))?;
            image.last_applied = self.values.image().last_applied;
        }
        let stored = blocking(move || disk.store(&image).map(|()| image)).await;
        let image = stored.map_err(|error| StorageIOError::write_snapshot(None, &error))?;
        Ok(Snapshot { meta: image.meta(), snapshot: Box::new(image) })
    }
}
