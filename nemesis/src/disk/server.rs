//! The process of one disk.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use fuser::{Config, INodeNo, Notifier, Session, SessionACL};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, umask};

use super::inode::Inode;
use super::mirror::Mirror;
use super::state::Shared;
use super::{Answer, Request, damage};

/// The device through which the kernel asks.
pub const DEVICE: &str = "/dev/fuse";
/// Slow requests wait beside each other.
const THREADS: usize = 4;

/// Mounts a disk over `folder`, in the mount namespace of this process, and does what comes over
/// the line that is its standard input (the other end of a [`Line`](super::Line)) until that ends.
pub fn serve(folder: &Path) -> ExitCode {
    let served = io::stdin().as_fd().try_clone_to_owned().and_then(|line| {
        let line = UnixStream::from(line);
        match mount_over(folder) {
            Ok((shared, notifier)) => talk(&line, |request| obey(request, &shared, &notifier)),
            Err(error) => {
                let why = format!("a disk cannot be mounted over {}: {error}", folder.display());
                talk(&line, |_| Err(io::Error::other(why.clone())))
            }
        }
    });
    // The mount is gone with its namespace; until then the kernel answers for us that we are.
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn mount_over(folder: &Path) -> io::Result<(Shared, Notifier)> {
    umask(Mode::empty()); // the kernel has applied that of the node's process already
    let (root, metadata) = Inode::open(folder)?;
    let shared = Shared::new(root)?;
    let device = File::options().read(true).write(true).open(DEVICE)?;
    // `allow_other`: a database may run as a user of its own, whom `default_permissions` checks.
    // The ids are those that this process is root as, in its user namespace.
    let options = format!(
        "fd={},rootmode={:o},user_id=0,group_id=0,allow_other,default_permissions",
        device.as_raw_fd(),
        metadata.permissions().mode(),
    );
    let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID | MsFlags::MS_NOATIME;
    mount(Some("splitbrain"), folder, Some("fuse.splitbrain"), flags, Some(options.as_str()))?;
    let mut config = Config::default();
    config.n_threads = Some(THREADS);
    let mirror = Mirror::new(shared.clone());
    let session = Session::from_fd(mirror, OwnedFd::from(device), SessionACL::All, config)?;
    let notifier = session.notifier();
    std::thread::Builder::new().name("disk".to_owned()).spawn(move || session.run())?;
    Ok((shared, notifier))
}

/// Answers each request in a line of JSON.
fn talk(line: &UnixStream, mut obey: impl FnMut(Request) -> io::Result<Answer>) -> io::Result<()> {
    for request in BufReader::new(line).lines() {
        let request = serde_json::from_str(&request?)?;
        let answer = obey(request).map_err(|error| error.to_string());
        let mut answer = serde_json::to_vec(&answer)?;
        answer.push(b'\n');
        (&*line).write_all(&answer)?;
    }
    Ok(())
}

fn obey(request: Request, shared: &Shared, notifier: &Notifier) -> io::Result<Answer> {
    let mut answer = Answer::default();
    let mut changed = Vec::new();
    let mut state = shared.lock();
    match request {
        Request::Report => {}
        Request::Set(condition) => state.condition = condition,
        Request::CutPower { keep_percent } => {
            let (lost, files) = match keep_percent {
                None => state.unsynced.lose()?,
                Some(percent) => state.unsynced.tear(percent)?,
            };
            answer.lost = Some(lost);
            changed = files;
        }
        Request::Damage { damage, seed } => {
            let wounds = damage::inflict(&state.inodes.root().path(), damage, seed)?;
            for wound in &wounds {
                let number = wound.number()?;
                state.unsynced.synced(number); // the damaged file is what there is now
                changed.push(number);
                answer.damaged.push(wound.damaged.clone());
            }
            state.wounds.extend(wounds);
        }
        Request::Repair => {
            for wound in std::mem::take(&mut state.wounds).into_iter().rev() {
                if wound.mend()? {
                    changed.push(wound.number()?);
                    answer.damaged.push(wound.damaged);
                }
            }
        }
    }
    answer.report = state.report();
    drop(state);
    // Only now: the kernel may have to wait for requests that wait for the state.
    for number in changed {
        // That it does not know the file is no error.
        let _ = notifier.inval_inode(INodeNo(number), 0, 0);
    }
    Ok(answer)
}

/// Whether disks can be had here; else why not.
///
/// # Errors
/// A few words, such as `no /dev/fuse`.
pub fn available() -> Result<(), String> {
    match File::options().read(true).write(true).open(DEVICE) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!("no {DEVICE}")),
        Err(error) => Err(format!("no {DEVICE} ({error})")),
    }
}
