//! What a run has made, written down before it is made, so that it can be undone by others.
//!
//! One file of JSON lines for each run: its owner, then what it made. The file is removed when
//! all that it lists is gone. The folder outlives a power loss on purpose: what a run leaves on
//! disk, or on other machines, does so too.

mod firewall;
mod heal;
mod identity;
mod marked;
mod undo;

pub use firewall::chain_is_there;
pub use heal::{HealLine, Outcome, heal};
pub use identity::{Owner, ProcessId};
pub use marked::Mark;
pub use undo::remove_listed;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

/// Names another folder than the usual one for the journals.
pub const FOLDER_VARIABLE: &str = "SPLITBRAIN_STATE_DIR";

/// Extension of a journal in which its owner does not stand yet.
const UNFINISHED: &str = "new";

/// Something that a run made and that is not to outlive it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// A folder with all that is in it; an absolute path.
    Directory(PathBuf),
    /// A control group with the groups in it; the absolute path of its folder. It can only be
    /// removed once its processes are gone.
    Cgroup(PathBuf),
    /// A process. It can only be listed once it runs, so this is a second line of defence.
    Process {
        /// Which process.
        #[serde(flatten)]
        process: ProcessId,
        /// What it is, for a person.
        what: String,
    },
    /// All processes that carry a mark; listed before the first of them is started.
    Marked(Mark),
    /// Our chain in the firewall of the machine itself, with all that is in it.
    Firewall,
}

/// The journal of a run that goes on.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Begins the journal of `run`, a name that no other run has, owned by this process.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the owner cannot be described from `/proc`.
    pub fn create(folder: &Path, run: &str) -> io::Result<Journal> {
        let path = folder.join(format!("{run}.jsonl"));
        // Under another name until the owner stands in it: whoever heals never sees half of it.
        let unfinished = path.with_extension(UNFINISHED);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let begun = write_line(&mut file, &Owner::this_process(run)?)
            .and_then(|()| file.sync_data())
            .and_then(|()| fs::hard_link(&unfinished, &path));
        fs::remove_file(&unfinished)?;
        begun?;
        Ok(Journal { path, file })
    }

    /// Lists one more thing; to be called before a folder is made.
    ///
    /// # Errors
    /// The journal cannot be written: then do not make the thing.
    pub fn record(&mut self, entry: &Entry) -> io::Result<()> {
        write_line(&mut self.file, entry)?;
        match entry {
            Entry::Directory(_) => self.file.sync_data(),
            // A power loss ends these by itself.
            Entry::Process { .. } | Entry::Marked(_) | Entry::Cgroup(_) | Entry::Firewall => Ok(()),
        }
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line) // one write(2), so that readers see whole lines
}

/// The folder of the journals, made if it is not there: `$SPLITBRAIN_STATE_DIR`, or
/// `/var/lib/splitbrain` for root, or `splitbrain` in the user's state folder (XDG), or
/// `/tmp/splitbrain-UID` for a user without a home. Ask before a user namespace is entered, in
/// which everybody looks like root.
///
/// # Errors
/// It cannot be made, or somebody else could write to it: what is listed there gets removed, so
/// the folder must be ours alone.
pub fn folder() -> io::Result<PathBuf> {
    let folder = usual_folder();
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot make the folder {folder:?}: {error}"))
    })?;
    let found = fs::symlink_metadata(&folder)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() || found.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!(
            "{folder:?} must be a folder that only this user can write to; \
             name another one in {FOLDER_VARIABLE}"
        )));
    }
    Ok(folder)
}

fn usual_folder() -> PathBuf {
    if let Some(named) = std::env::var_os(FOLDER_VARIABLE).filter(|named| !named.is_empty()) {
        // The keeper stands in another folder than the harness.
        return std::path::absolute(&named).unwrap_or(named.into());
    }
    if geteuid().is_root() {
        return PathBuf::from("/var/lib/splitbrain");
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").filter(|p| p.is_dir()).map(|p| p.join(".local/state")));
    match state {
        Some(state) => state.join("splitbrain"),
        None => PathBuf::from(format!("/tmp/splitbrain-{}", geteuid())),
    }
}

#[cfg(test)]
mod tests;
