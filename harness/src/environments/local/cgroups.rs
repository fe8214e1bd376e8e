//! Control groups: what the nodes may use of the machine (cgroups(7)), in version 1 or 2.
//!
//! A run has one folder in each hierarchy that it needs, below the group that the harness itself is
//! in, so that nobody gets out of what this user is held to; in it each node has a group. A node's
//! program enters its groups before it is executed, since memory is charged to the group in which
//! it was taken.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::environments::Sandbox;

/// The file with the numbers of a group's processes, in both versions.
pub(super) const PROCESSES: &str = "cgroup.procs";
/// What all our folders' names begin with.
const PREFIX: &str = "splitbrain-";

/// The version of a hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// One node's group for one controller.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) version: Version,
    pub(super) path: PathBuf,
}

impl Group {
    /// Reads one of its files.
    pub(super) fn read(&self, file: &str) -> io::Result<String> {
        let path = self.path.join(file);
        fs::read_to_string(&path).map_err(|error| named(&path, &error))
    }

    /// Writes one of its files, which the kernel has made.
    pub(super) fn write(&self, file: &str, text: &str) -> io::Result<()> {
        let path = self.path.join(file);
        let written = File::options().write(true).truncate(true).open(&path);
        let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| named(&path, &error))
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The groups of all nodes.
#[derive(Debug)]
pub(super) struct Cgroups {
    cpu: Vec<Group>,
    memory: Vec<Group>,
}

impl Cgroups {
    /// Makes the groups of `nodes`, journaled before they are there.
    ///
    /// # Errors
    /// A controller is not there, or this user may not make groups.
    pub(super) fn make(sandbox: &Sandbox, nodes: &[String]) -> io::Result<Cgroups> {
        let place = |controller| place_of(controller).map_err(io::Error::other);
        let (cpu, memory) = (place("cpu")?, place("memory")?);
        let folder = format!("{PREFIX}{}", sandbox.run());
        let make = |place: &Group| -> io::Result<Vec<Group>> {
            let run = Group { path: place.path.join(&folder), ..place.clone() };
            if !run.path.exists() {
                sandbox.record_cgroup(&run.path)?;
                fs::create_dir(&run.path).map_err(|error| named(&run.path, &error))?;
                if run.version == Version::Two {
                    run.write("cgroup.subtree_control", "+cpu +memory")?;
                }
            }
            let groups = nodes.iter().map(|node| {
                let group = Group { path: run.path.join(node), ..run.clone() };
                match fs::create_dir(&group.path) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                        Err(named(&group.path, &error))
                    }
                    _ => Ok(group),
                }
            });
            groups.collect()
        };
        Ok(Cgroups { cpu: make(&cpu)?, memory: make(&memory)? })
    }

    pub(super) fn cpu(&self, node: usize) -> &Group {
        &self.cpu[node]
    }

    pub(super) fn memory(&self, node: usize) -> &Group {
        &self.memory[node]
    }

    /// The way into a node's groups.
    pub(super) fn door(&self, node: usize) -> io::Result<Door> {
        let mut paths = vec![&self.cpu[node].path, &self.memory[node].path];
        paths.dedup();
        let open = |path: &PathBuf| File::options().write(true).open(path.join(PROCESSES));
        Ok(Door(paths.into_iter().map(open).collect::<io::Result<_>>()?))
    }
}

/// The way into groups, opened beforehand.
pub(super) struct Door(Vec<File>);

impl Door {
    /// Moves this process in. Only system calls are made, so it can be called between fork and
    /// exec.
    pub(super) fn enter(&self) -> io::Result<()> {
        self.0.iter().try_for_each(|mut file| file.write_all(b"0"))
    }
}

/// Where a run's folder for a controller belongs; if there is no such place, why.
fn place_of(controller: &str) -> Result<Group, String> {
    let read = |file: &str| fs::read_to_string(file).map_err(|error| format!("{file}: {error}"));
    let (mounts, own) = (read("/proc/self/mountinfo")?, read("/proc/self/cgroup")?);
    if let Some(path) = own_group(&mounts, &own, Some(controller)) {
        return Ok(Group { version: Version::One, path });
    }
    let path = own_group(&mounts, &own, None).ok_or("no cgroups are mounted")?;
    // In version 2 a group that has processes of its own gives no controllers to groups below it
    // (except for the root), so the place may be above this process's own group.
    let gives = |path: &&Path| {
        let given = fs::read_to_string(path.join("cgroup.subtree_control")).unwrap_or_default();
        ["cpu", "memory"].iter().all(|wanted| given.split_whitespace().any(|one| one == *wanted))
    };
    let giving = path.ancestors().take_while(|path| path.join(PROCESSES).exists()).find(gives);
    let giving = giving.ok_or("the controllers cpu and memory are not given to this user")?;
    Ok(Group { version: Version::Two, path: giving.to_owned() })
}

/// The folder of the group that this process is in: of a controller of version 1, or of version 2.
fn own_group(mounts: &str, own: &str, controller: Option<&str>) -> Option<PathBuf> {
    // 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    let (root, mount_point) = mounts.lines().find_map(|line| {
        let (mount, system) = line.split_once(" - ")?;
        let (mut mount, mut system) = (mount.split(' ').skip(3), system.split(' '));
        let here = match (controller, system.next()?) {
            (Some(wanted), "cgroup") => system.nth(1)?.split(',').any(|option| option == wanted),
            (None, "cgroup2") => true,
            _ => false,
        };
        here.then_some((mount.next()?, mount.next()?))
    })?;
    // 4:memory:/some/group, and 0::/some/group for version 2
    let group = own.lines().find_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        let here = controllers.split(',').any(|one| one == controller.unwrap_or_default());
        here.then_some(group)
    })?;
    let below = Path::new(group).strip_prefix(root).ok()?;
    Some(Path::new(mount_point).join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
        35 31 0:32 /box /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
    const OWN: &str = "9:name=systemd:/\n4:memory:/box/of/mine\n1:cpu,cpuacct:/\n0::/user.slice\n";

    #[test]
    fn the_own_group_is_found_in_either_version() {
        let check = |controller, expected: Option<&str>| {
            assert_eq!(own_group(MOUNTS, OWN, controller), expected.map(PathBuf::from));
        };
        check(Some("cpu"), Some("/sys/fs/cgroup/cpu,cpuacct/"));
        check(Some("memory"), Some("/sys/fs/cgroup/memory/of/mine"));
        check(Some("pids"), None);
        check(None, Some("/sys/fs/cgroup/unified/user.slice"));
        assert_eq!(own_group("", OWN, None), None);
        let elsewhere = OWN.replace("/box", "/crate");
        assert_eq!(own_group(MOUNTS, &elsewhere, Some("memory")), None, "not to be seen from here");
    }
}
