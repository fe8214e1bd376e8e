//! Disks of the twin: each a table of files, of which some first bytes are durable.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{MemoryCluster, Sabotage, State};
use crate::disk::{CANARY_BYTES, Canaries, Condition, Damage, Damaged, Disks, Lost, Report, Trial};
use crate::node::NodeError;

const SYNCED: &str = "canary-synced";
const UNSYNCED: &str = "canary";
/// How long a write takes on a disk that is well.
const WRITE: Duration = Duration::from_micros(10);

/// One disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    condition: Condition,
    files: BTreeMap<String, File>,
    wounds: Vec<(String, Vec<u8>)>,
    appends: u64,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// How many of them are durable; `None` if the name is not.
    durable: Option<usize>,
    last_append: usize,
}

impl Disk {
    fn append(&mut self, name: &str, bytes: &[u8], sync: bool) -> Result<Duration, Errno> {
        let Condition { full, read_only, delay, eio_percent } = self.condition;
        self.appends += 1;
        // As many as asked, spread evenly.
        let before = ((self.appends - 1) as f64 * eio_percent / 100.0).floor();
        if (self.appends as f64 * eio_percent / 100.0).floor() > before {
            return Err(Errno::EIO);
        }
        if read_only {
            return Err(Errno::EROFS);
        }
        if full {
            return Err(Errno::ENOSPC);
        }
        let file = self.files.entry(name.to_owned()).or_default();
        file.last_append = bytes.len();
        file.bytes.extend(bytes);
        if sync {
            file.durable = Some(file.bytes.len());
        }
        Ok(delay + WRITE)
    }

    fn cut_power(&mut self, keep_percent: Option<u8>) -> Lost {
        let mut lost = Lost::default();
        self.files.retain(|_, file| {
            let length = file.bytes.len();
            let left = match keep_percent {
                None => file.durable.unwrap_or(0),
                Some(_) if file.durable == Some(length) => length,
                Some(percent) => {
                    length - file.last_append + file.last_append * usize::from(percent) / 100
                }
            };
            file.bytes.truncate(left);
            lost.files += u64::from(left < length);
            let named = file.durable.is_some() || keep_percent.is_some();
            file.durable = Some(left);
            named
        });
        lost
    }
}

impl MemoryCluster {
    /// Appends a text to a file of a node, as its program would; how long that takes, or errno.
    ///
    /// # Errors
    /// The disk is not well.
    pub fn append(&self, node: usize, file: &str, text: &str, sync: bool) -> Result<Duration, i32> {
        let mut state = self.state();
        let condition = state.disks[node].condition;
        if state.sabotage == Some(Sabotage::DisksDoNothing) {
            state.disks[node].condition = Condition::default();
        }
        let appended = state.disks[node].append(file, text.as_bytes(), sync);
        state.disks[node].condition = condition;
        appended.map_err(|errno| errno as i32)
    }

    /// The content of a file of a node, if it is there.
    pub fn read(&self, node: usize, file: &str) -> Option<String> {
        let state = self.state();
        let bytes = &state.disks[node].files.get(file)?.bytes;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

impl State {
    fn disk(&mut self, node: usize) -> Result<&mut Disk, NodeError> {
        self.disks.get_mut(node).ok_or_else(|| NodeError("there is no such disk".to_owned()))
    }
}

impl Disks for MemoryCluster {
    fn set(&self, node: usize, condition: Condition) -> Result<(), NodeError> {
        self.state().disk(node)?.condition = condition;
        Ok(())
    }

    fn report(&self, node: usize) -> Result<Report, NodeError> {
        let mut state = self.state();
        let disk = state.disk(node)?;
        let unsynced = disk.files.values().filter(|file| file.durable != Some(file.bytes.len()));
        Ok(Report {
            condition: disk.condition,
            unsynced_files: unsynced.count() as u64,
            damaged: disk.wounds.len() as u64,
            ..Report::default()
        })
    }

    fn trial(&self, node: usize) -> Result<Trial, NodeError> {
        Ok(match self.append(node, "trial", "text", true) {
            Ok(took) => Trial { took, errno: None },
            Err(errno) => Trial { took: WRITE, errno: Some(errno) },
        })
    }

    fn plant(&self, node: usize) -> Result<(), NodeError> {
        let text = "c".repeat(CANARY_BYTES as usize);
        let planted = self
            .append(node, SYNCED, &text, true)
            .and_then(|_| self.append(node, UNSYNCED, &text, false));
        planted.map(drop).map_err(|errno| NodeError(Errno::from_raw(errno).to_string()))
    }

    fn canaries(&self, node: usize) -> Result<Canaries, NodeError> {
        let mut state = self.state();
        let files = &mut state.disk(node)?.files;
        let mut left = |name| files.remove(name).map(|file| file.bytes.len() as u64);
        Ok(Canaries { synced: left(SYNCED), unsynced: left(UNSYNCED) })
    }

    fn cut_power(&self, node: usize, keep_percent: Option<u8>) -> Result<Lost, NodeError> {
        let mut state = self.state();
        if state.sabotage == Some(Sabotage::PowerStays) {
            return Ok(Lost::default());
        }
        Ok(state.disk(node)?.cut_power(keep_percent))
    }

    fn damage(&self, node: usize, damage: Damage, seed: u64) -> Result<Vec<Damaged>, NodeError> {
        let mut state = self.state();
        let nothing = state.sabotage == Some(Sabotage::DamageDoesNothing);
        let disk = state.disk(node)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut damaged = Vec::new();
        for (name, file) in disk.files.iter_mut().filter(|(_, file)| !file.bytes.is_empty()) {
            let at = match damage {
                Damage::Flip { .. } => rng.random_range(0..file.bytes.len()),
                Damage::Truncate { bytes } => file.bytes.len().saturating_sub(bytes as usize),
            };
            damaged.push(Damaged {
                path: PathBuf::from(name),
                offset: at as u64,
                was: file.bytes[at],
            });
            disk.wounds.push((name.clone(), file.bytes.clone()));
            match damage {
                _ if nothing => {}
                Damage::Flip { .. } => file.bytes[at] ^= 1,
                Damage::Truncate { .. } => file.bytes.truncate(at),
            }
        }
        Ok(damaged)
    }

    fn mend(&self, node: usize) -> Result<Vec<Damaged>, NodeError> {
        let mut state = self.state();
        let disk = state.disk(node)?;
        for (name, bytes) in std::mem::take(&mut disk.wounds) {
            disk.files.entry(name).or_default().bytes = bytes;
        }
        Ok(Vec::new())
    }

    fn byte(&self, node: usize, place: &Damaged) -> Result<Option<u8>, NodeError> {
        let mut state = self.state();
        let file = state.disk(node)?.files.get(&*place.path.to_string_lossy());
        Ok(file.and_then(|file| file.bytes.get(place.offset as usize)).copied())
    }
}
