//! Entering a network namespace of our own, with root or without.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getegid, geteuid};

use crate::environments::tool::as_root;

/// Everything that [`Entrance::enter`] needs, made before a fork, so that it can be used after one.
pub(in crate::environments) struct Entrance {
    uid_map: String,
    gid_map: String,
    root: bool,
}

impl Entrance {
    /// Prepares to enter as the current user.
    pub(in crate::environments) fn prepare() -> Entrance {
        let (uid, gid): (Uid, Gid) = (geteuid(), getegid());
        Entrance {
            uid_map: format!("0 {uid} 1"),
            gid_map: format!("0 {gid} 1"),
            root: uid.is_root(),
        }
    }

    /// Moves this process, which must have one thread only, to a new and empty network namespace.
    /// Only system calls are made, so it can be called between fork and exec.
    ///
    /// # Errors
    /// Neither way is open; [`explain`] says why.
    pub(in crate::environments) fn enter(&self) -> io::Result<()> {
        if self.root && unshare(CloneFlags::CLONE_NEWNET).is_ok() {
            return Ok(());
        }
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
        // Without this the kernel lets no ordinary user map a group (user_namespaces(7)).
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", &self.uid_map)?;
        fs::write("/proc/self/gid_map", &self.gid_map)
    }
}

/// Why no namespace can be had here, and what a person can do about it.
pub(in crate::environments) fn explain(error: &io::Error) -> (String, String) {
    let setting = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let is = |path: &str, value: &str| setting(path).is_some_and(|found| found == value);
    let sysctl = |name: &str, value: u32| as_root(&format!("sysctl -w {name}={value}"));
    let (why, remedy) = if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        (
            "user namespaces are switched off for ordinary users \
             (kernel.unprivileged_userns_clone is 0)",
            sysctl("kernel.unprivileged_userns_clone", 1),
        )
    } else if is("/proc/sys/user/max_user_namespaces", "0") {
        (
            "user namespaces are switched off (user.max_user_namespaces is 0)",
            sysctl("user.max_user_namespaces", 15000),
        )
    } else if is("/proc/sys/user/max_net_namespaces", "0") {
        (
            "network namespaces are switched off (user.max_net_namespaces is 0)",
            sysctl("user.max_net_namespaces", 15000),
        )
    } else if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        (
            "AppArmor gives user namespaces no rights \
             (kernel.apparmor_restrict_unprivileged_userns is 1)",
            sysctl("kernel.apparmor_restrict_unprivileged_userns", 0),
        )
    } else if error.raw_os_error() == Some(Errno::ENOSPC as i32) {
        (
            "the limit on namespaces is reached (user.max_user_namespaces, \
             user.max_net_namespaces)",
            sysctl("user.max_net_namespaces", 15000),
        )
    } else {
        (
            "the kernel refuses it, as inside of a container with fewer rights",
            "run it as root, or give the container --cap-add SYS_ADMIN --cap-add NET_ADMIN \
             --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
                .to_owned(),
        )
    };
    (format!("{why}: {error}"), remedy)
}
