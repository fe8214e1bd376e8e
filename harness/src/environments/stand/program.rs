//! The program of one node: starting it, how it ended, and all its processes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{self, kill};
use nix::unistd::Pid;
use splitbrain_nemesis::node::{ProcessState, Signal};

use crate::environments::tool::look_up;
use crate::environments::{Daemon, EnvError};

/// How long a process that is no longer found may take until it has ended.
const LAST_STEPS: Duration = Duration::from_millis(500);

/// A node's program and what is known of its life.
#[derive(Default)]
pub(in crate::environments) struct Program {
    pub(in crate::environments) daemon: Option<Daemon>,
    child: Option<Child>,
    /// Set before it is killed on purpose, so that its end is not taken for its own doing.
    killed: bool,
}

/// A [`Daemon`] that can be started.
pub(in crate::environments) fn command(node: &str, daemon: &Daemon) -> Result<Command, EnvError> {
    let failed = |what: String| EnvError::failed(format!("{node}: {what}"));
    let program = look_up(&daemon.program).ok_or_else(|| EnvError::MissingProgram {
        node: node.to_owned(),
        program: daemon.program.clone(),
    })?;
    let make_folder = |folder: &Path| {
        fs::create_dir_all(folder).map_err(failed(format!("making {}", folder.display())))
    };
    make_folder(&daemon.directory)?;
    daemon.log.parent().map_or(Ok(()), make_folder)?;
    for (file, text) in &daemon.files {
        let file = daemon.directory.join(file);
        write_new(&file, text).map_err(failed(format!("writing {}", file.display())))?;
    }
    let log = open_log(&daemon.log).map_err(failed(format!("opening {}", daemon.log.display())))?;
    let copy = log.try_clone().map_err(failed("copying the log's descriptor".to_owned()))?;
    let mut command = Command::new(program);
    command
        .args(&daemon.args)
        .envs(daemon.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&daemon.directory)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(copy)
        // Ctrl-C on the harness's terminal is for the harness alone.
        .process_group(0);
    Ok(command)
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    match File::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

impl Program {
    /// Whether it runs now. One that was told to end is waited for a little: a process loses the
    /// namespaces by which it is found before it can be waited for.
    pub(in crate::environments) fn is_running(&mut self) -> bool {
        let until = Instant::now() + LAST_STEPS;
        loop {
            match self.child.as_mut().map(Child::try_wait) {
                Some(Ok(None)) if self.killed && Instant::now() < until => {
                    thread::sleep(Duration::from_millis(1));
                }
                Some(Ok(None)) => return true,
                _ => return false,
            }
        }
    }

    /// Notes that it was started.
    pub(in crate::environments) fn started(&mut self, child: Child) {
        self.child = Some(child);
        self.killed = false;
    }

    /// How it ended, if it ended by itself.
    pub(in crate::environments) fn ended_by_itself(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        let daemon = self.daemon.as_ref().filter(|_| !self.killed)?;
        let last_words = last_line(&daemon.log).map_or(String::new(), |line| format!(": {line}"));
        Some(format!("{}{last_words}", in_words(status)))
    }

    /// Sends a signal to all of its processes.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(in crate::environments) fn signal(
        &mut self,
        processes: &[ProcessState],
        signal: Signal,
    ) -> io::Result<()> {
        self.killed |= matches!(signal, Signal::Kill | Signal::End);
        let signal = match signal {
            Signal::Kill => signal::SIGKILL,
            Signal::End => signal::SIGTERM,
            Signal::Stop => signal::SIGSTOP,
            Signal::Continue => signal::SIGCONT,
        };
        for process in processes {
            match kill(Pid::from_raw(process.pid), signal) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for its end, after it was killed, so that its number is given back.
    pub(in crate::environments) fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// The last line of a log, of at most 200 characters.
fn last_line(log: &Path) -> Option<String> {
    let bytes = fs::read(log).ok()?;
    let tail = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4096)..]).into_owned();
    let line = tail.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().chars().take(200).collect())
}

/// How a process that lives is; one that has just died is not stopped.
pub(in crate::environments) fn state_of(pid: i32) -> ProcessState {
    let stopped = is_stopped(Path::new(&format!("/proc/{pid}"))).unwrap_or(false);
    ProcessState { pid, stopped }
}

/// Whether every thread of a process is stopped (state `T` of proc_pid_stat(5)).
fn is_stopped(process: &Path) -> io::Result<bool> {
    for thread in fs::read_dir(process.join("task"))? {
        let stat = fs::read_to_string(thread?.path().join("stat"))?;
        let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
        if !matches!(state, Some("T" | "t")) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_once_and_belong_to_the_program_then() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own");
        let daemon = Daemon {
            program: "true".into(),
            args: Vec::new(),
            env: Vec::new(),
            files: vec![("its.conf".into(), "first".to_owned())],
            directory: own.clone(),
            log: own.join("log"),
        };
        let check = |expect: &str| {
            command("n1", &daemon).unwrap();
            assert_eq!(fs::read_to_string(own.join("its.conf")).unwrap(), expect);
        };
        check("first");
        fs::write(own.join("its.conf"), "changed by the program").unwrap();
        check("changed by the program");
    }
}
