//! The folder where a node keeps what must survive it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::id::NodeId;

/// The folder of one node, locked for as long as this value lives, so that no second process can
/// write into the same log.
pub struct DataDir {
    path: PathBuf,
    _lock: Flock<File>,
}

/// Whose folder it is. A log that is read under another name or by another mode would be misread.
#[derive(PartialEq, Serialize, Deserialize)]
struct Owner {
    id: NodeId,
    mode: String,
}

impl DataDir {
    /// Opens the folder at `path` for node `id` in `mode`, and makes it if need be.
    pub fn open(path: &Path, id: NodeId, mode: &str) -> Result<Self, String> {
        let said = |what: &str, error: &dyn std::fmt::Display| {
            format!("{what} data directory {}: {error}", path.display())
        };
        fs::create_dir_all(path).map_err(|error| said("cannot make", &error))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(|error| said("cannot write into", &error))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, error)| said("another process uses", &error))?;

        let owner = Owner { id, mode: mode.to_owned() };
        let owner_path = path.join("node.json");
        match fs::read(&owner_path) {
            Ok(bytes) => {
                let found: Owner =
                    serde_json::from_slice(&bytes).map_err(|error| said("unreadable", &error))?;
                if found != owner {
                    return Err(format!(
                        "data directory {} belongs to node {} in mode {}, not to {id} in mode {mode}",
                        path.display(),
                        found.id,
                        found.mode,
                    ));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let bytes = serde_json::to_vec(&owner).expect("plain data");
                write_whole(&owner_path, &bytes)
                    .map_err(|error| said("cannot write into", &error))?;
            }
            Err(error) => return Err(said("cannot read", &error)),
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Puts `bytes` at `path` durably, and so that a crash leaves either the old file or the new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_folder_of(path)
}

/// Makes a new or renamed entry of a folder durable: fsync of a file does not cover its name.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_serves_one_node_in_one_mode_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let open = |id: &str, mode| DataDir::open(temporary.path(), id.parse().unwrap(), mode);

        let first = open("n1", "raft").unwrap();
        assert!(open("n1", "raft").is_err_and(|error| error.contains("another process")));
        drop(first);
        assert!(open("n2", "raft").is_err_and(|error| error.contains("belongs to node n1")));
        assert!(open("n1", "gossip").is_err_and(|error| error.contains("in mode raft")));
        assert!(open("n1", "raft").is_ok());
    }
}
