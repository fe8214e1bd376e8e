//! The programs of the machine that environments need: finding and running them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::EnvError;
use crate::command::{LIMIT, ask};

/// Where administration programs are although many an ordinary user's `PATH` does not say so.
const MORE_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// A program of the machine.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    path: PathBuf,
}

/// Each tool and the Debian package that has it.
const PACKAGES: [(&str, &str); 4] = [
    ("ssh", "openssh-client"),
    ("ip", "iproute2"),
    ("iptables-restore", "iptables"),
    ("iptables-save", "iptables"),
];

impl Tool {
    /// Finds a program that is part of the system.
    ///
    /// # Errors
    /// It is not installed.
    pub(super) fn find(tool: &'static str) -> Result<Tool, EnvError> {
        match look_up(Path::new(tool)) {
            Some(path) => Ok(Tool { path }),
            None => Err(EnvError::MissingTool { tool, remedy: install_command(tool) }),
        }
    }

    /// Runs it to its end with `input` on its standard input; its standard output.
    ///
    /// # Errors
    /// It could not be run, or it failed: then the error holds what it said.
    pub(super) fn run(
        &self,
        args: &[&str],
        env: &[(&str, &OsStr)],
        input: &str,
    ) -> io::Result<String> {
        // No pre_exec, no working directory: so that the standard library can use posix_spawn,
        // which is a third of the price of a fork here.
        feed(Command::new(&self.path).args(args).envs(env.iter().copied()), input)
    }
}

/// Runs a command to its end with `input` on its standard input; its standard output.
///
/// # Errors
/// As [`Tool::run`].
pub(super) fn feed(command: &mut Command, input: &str) -> io::Result<String> {
    let output = ask(command, input, LIMIT)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let program = Path::new(command.get_program()).display();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program}: {}: {}", output.status, said.trim())))
}

/// The path of a program that is given as a path or as a name, if it can be executed.
pub(crate) fn look_up(program: &Path) -> Option<PathBuf> {
    let executable = |path: &PathBuf| {
        path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return std::path::absolute(program).ok().filter(executable);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(executable)
}

/// The command that installs a tool, with `sudo` where that is needed.
pub(super) fn install_command(tool: &str) -> String {
    let package = PACKAGES.iter().find(|(name, _)| *name == tool).map_or(tool, |entry| entry.1);
    as_root(&format!("apt-get install -y {package}"))
}

/// A command that needs root, as this user has to type it.
pub(super) fn as_root(command: &str) -> String {
    let sudo = if nix::unistd::geteuid().is_root() { "" } else { "sudo " };
    format!("{sudo}{command}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name_and_by_path_and_only_if_they_can_be_run() {
        let sh = look_up(Path::new("sh")).expect("every machine has a shell");
        assert_eq!(look_up(&sh), Some(sh));
        assert_eq!(look_up(Path::new("no-such-program-anywhere")), None);
        assert_eq!(look_up(Path::new("/etc/passwd")), None, "not executable");
        assert_eq!(look_up(Path::new("/etc")), None, "not a file");
    }

    #[test]
    fn output_comes_back_and_failure_carries_what_was_said() {
        let tool = Tool { path: look_up(Path::new("sh")).unwrap() };
        assert_eq!(
            tool.run(&["-c", "cat; printf $X"], &[("X", OsStr::new("y"))], "a").unwrap(),
            "ay"
        );
        let error = tool.run(&["-c", "echo no luck >&2; exit 3"], &[], "").unwrap_err().to_string();
        assert!(error.contains("no luck") && error.contains('3'), "{error}");
    }
}
