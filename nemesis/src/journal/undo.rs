//! Undoing what one journal lists. Everything here may be done twice, also by two at once.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::firewall::remove_chain;
use super::{Entry, Owner, ProcessId, UNFINISHED};

/// How long a killed process may take to be gone.
const DEATH_LIMIT: Duration = Duration::from_secs(2);

/// What stands in a journal.
pub(super) struct Content {
    pub(super) owner: Owner,
    pub(super) entries: Vec<Entry>,
}

/// Reads a journal. A last line that was cut off was not finished before its thing could be made,
/// so it is ignored; any other line that cannot be read is an error.
pub(super) fn read(path: &Path) -> io::Result<Content> {
    let text = fs::read_to_string(path)?;
    let whole_lines = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole_lines.lines();
    let owner = lines
        .next()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "it names no owner"))
        .and_then(|line| Ok(serde_json::from_str(line)?))?;
    let entries = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok(Content { owner, entries })
}

/// Kills the processes whose mark the journal lists, removes our chain and the folders and
/// groups that it lists and, once all of that is gone, the journal itself. Single processes are not looked at. No
/// journal is no error: then it was all removed before.
///
/// # Errors
/// Something could not be removed; the journal then stays.
pub fn remove_listed(journal: &Path) -> io::Result<()> {
    ignore_absent(fs::remove_file(journal.with_extension(UNFINISHED)))?;
    let content = match read(journal) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        content => content?,
    };
    // Processes first: they could make new files while the folders are removed. Where the folder
    // of the run is gone, the rest is gone too.
    for entry in &content.entries {
        match entry {
            Entry::Marked(mark) => drop(mark.kill()?),
            Entry::Firewall => drop(remove_chain()?),
            _ => {}
        }
    }
    for entry in &content.entries {
        match entry {
            Entry::Directory(path) => drop(remove_directory(path)?),
            Entry::Cgroup(path) => drop(remove_cgroup(path)?),
            Entry::Process { .. } | Entry::Marked(_) | Entry::Firewall => {}
        }
    }
    ignore_absent(fs::remove_file(journal))
}

/// Removes a folder. True if there was something to remove.
pub(super) fn remove_directory(path: &Path) -> io::Result<bool> {
    if !path.is_absolute() || path.components().count() < 3 {
        return Err(io::Error::other(format!("{path:?} is not a folder of one run")));
    }
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(false);
    }
    // A process that is just dying can still put a file there, so once is not always enough.
    let until = Instant::now() + DEATH_LIMIT;
    loop {
        match ignore_absent(fs::remove_dir_all(path)) {
            Err(error)
                if error.kind() == ErrorKind::DirectoryNotEmpty && Instant::now() < until =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done.map(|()| true),
        }
    }
}

/// Removes a control group and those in it. True if it was there. Never removes a file, and so never
/// anything but a group or an empty folder.
pub(super) fn remove_cgroup(path: &Path) -> io::Result<bool> {
    let below = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        below => below?,
    };
    for entry in below {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_cgroup(&entry.path())?;
        }
    }
    // It is busy until the last of its processes is entirely dead.
    let until = Instant::now() + DEATH_LIMIT;
    loop {
        match ignore_absent(fs::remove_dir(path)) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < until => {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done.map(|()| true),
        }
    }
}

/// Kills exactly this process and waits until it is gone. True if it was there.
pub(super) fn kill_process(process: ProcessId) -> io::Result<bool> {
    if !process.is_alive() {
        return Ok(false);
    }
    kill(Pid::from_raw(process.pid), Signal::SIGKILL)?;
    let until = Instant::now() + DEATH_LIMIT;
    while process.is_alive() {
        if Instant::now() > until {
            return Err(io::Error::other(format!("process {} does not die", process.pid)));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(true)
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
