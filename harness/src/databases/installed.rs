//! Programs of a machine's packages: whether they are there, answer, and are new enough.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Missing, Program};
use crate::command::{self, LIMIT};
use crate::environments::look_up;

/// A program of Debian packages that says its version when it is asked.
pub struct Seek<'a> {
    /// What people call it.
    pub name: &'a str,
    /// The packages, with a space between them.
    pub packages: &'a str,
    /// Its name or path.
    pub program: &'a str,
    /// What it is asked.
    pub flag: &'a str,
    /// The first version (major, minor) that knows all that it is told.
    pub least: (u32, u32),
    /// Finds the version in what it says.
    pub version: fn(&str) -> Option<&str>,
}

impl Seek<'_> {
    /// Asks it.
    pub fn find(&self) -> Result<Program, Missing> {
        let (place, text) = ask(self.name, self.packages, self.program, self.flag)?;
        let Some(version) = (self.version)(&text) else {
            let what = format!("{} does not name its version", place.display());
            return Err(unusable(self.name, &what, Some(self.packages)));
        };
        new_enough(self.name, version, self.least, &place)?;
        Ok(Program { path: self.program.into(), version: version.to_owned() })
    }
}

/// Where a program is, and what it says to this flag.
pub fn ask(
    name: &str,
    packages: &str,
    program: &str,
    flag: &str,
) -> Result<(PathBuf, String), Missing> {
    let Some(place) = look_up(Path::new(program)) else {
        return Err(unusable(name, &format!("there is no {program}"), Some(packages)));
    };
    // What is there and does not run is not to be installed.
    let answer = command::ask(Command::new(&place).arg(flag), "", LIMIT)
        .map_err(|error| unusable(name, &error.to_string(), None))?;
    Ok((place, String::from_utf8_lossy(&answer.stdout).into_owned()))
}

/// Refuses a version that is too old. One that cannot be read is taken.
pub fn new_enough(
    name: &str,
    version: &str,
    least: (u32, u32),
    place: &Path,
) -> Result<(), Missing> {
    if numbers(version).is_none_or(|is| is >= least) {
        return Ok(());
    }
    let (major, minor) = least;
    let place = place.display();
    let what = format!("{name} is {version}; {major}.{minor} or newer is needed ({place})");
    Err(Missing { what, remedy: None })
}

fn unusable(name: &str, what: &str, packages: Option<&str>) -> Missing {
    Missing {
        what: format!("{name} cannot be used: {what}"),
        remedy: packages.map(|packages| format!("apt-get install {packages}")),
    }
}

/// The first two numbers of a version, such as `v3.4.23`, `16beta1` or `15.18 (Debian 15.18-0)`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.').map(|part| {
        let end = part.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    });
    let major = parts.next()??;
    Some((major, parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let place = Path::new("/opt/etcd");
        let check = |version: &str, least| new_enough("etcd", version, least, place);
        for new in ["3.4", "v3.4.0", "3.10.2", "4", "16beta1", "15.18 (Debian)", "unknown", ""] {
            assert_eq!(check(new, (3, 4)), Ok(()), "{new}");
        }
        for old in ["2.3.1", "v2.9.10", "3.3.27", "3", "1.6.18~rc1"] {
            let told = format!("etcd is {old}; 3.4 or newer is needed (/opt/etcd)");
            assert_eq!(check(old, (3, 4)).unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn what_is_there_and_cannot_run_is_named_and_not_to_be_installed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("etcd");
        let seek = |program: &str| {
            let (name, packages, flag, least) = ("etcd", "etcd-server", "--version", (0, 0));
            let seek = Seek { name, packages, program, flag, least, version: |_| None };
            seek.find().unwrap_err().to_string()
        };
        let install = "to get it: apt-get install etcd-server";
        let absent = seek(&place.to_string_lossy());
        assert!(absent.contains(install), "{absent}");
        let other = look_up(Path::new("true")).unwrap();
        symlink(&other, &place).unwrap();
        let other = seek(&place.to_string_lossy());
        assert!(other.contains(install) && other.contains("does not name"), "{other}");
        std::fs::remove_file(&place).unwrap();
        for content in ["#!/nowhere/sh", "\\177ELF"] {
            // Another program writes it: one that a process still writes it does not get to start.
            let script = format!("printf '{content}\\n' > \"$0\" && chmod +x \"$0\"");
            assert!(
                Command::new("sh").args(["-c", &script]).arg(&place).status().unwrap().success()
            );
            let ill = seek(&place.to_string_lossy());
            let told = format!("etcd cannot be used: {}: ", place.display());
            assert!(ill.starts_with(&told) && !ill.contains("to get it"), "{ill}");
        }
    }
}
