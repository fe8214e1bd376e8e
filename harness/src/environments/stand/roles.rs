//! This program in other roles: helpers that it starts of itself beside a node's program.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use splitbrain_nemesis::clock::Reading;
use splitbrain_nemesis::disk;

/// Serves the disk of a node; see [`disk::serve`].
pub(in crate::environments) const DISK: &str = "node-disk";
/// Tells the time for so many milliseconds, as the node's programs are told it.
pub(super) const CLOCK: &str = "node-clock";
/// How far apart two looks at the clock are.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Plays the role that these arguments of the process name, if they name one. To be called first
/// of all by every program that makes a
/// [`LocalCluster`](super::super::LocalCluster).
pub fn play_helper(args: &[String]) -> Option<ExitCode> {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [DISK, folder] => Some(disk::serve(Path::new(folder))),
        [CLOCK, during_ms] => {
            let told = during_ms.parse().map_err(io::Error::other).and_then(tell_time);
            Some(if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        _ => None,
    }
}

/// This program in another role.
pub(in crate::environments) fn role(name: &str, argument: &OsStr) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).arg(argument).current_dir("/").process_group(0);
    Ok(command)
}

/// Prints a reading a millisecond, as lines of JSON.
fn tell_time(during_ms: u64) -> io::Result<()> {
    for _ in 0..=during_ms {
        println!("{}", serde_json::to_string(&Reading::take()?)?);
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}
