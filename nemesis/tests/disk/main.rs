//! A disk as a program sees it: every test on a mount of its own, in a mount namespace of its
//! own, as root or as root of a user namespace.
//!
//! `cargo test -p splitbrain-nemesis --release --test disk` also prints what the way through FUSE
//! costs.

mod cases;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use splitbrain_nemesis::disk::{Condition, Line, available, serve};

type Case = fn(&mut Disk);

const TESTS: &[(&str, Case)] = &[
    ("mirrors_a_folder", cases::mirrors_a_folder),
    ("power_takes_what_is_not_synced", cases::power_takes_what_is_not_synced),
    ("sync_flags_are_kept", cases::sync_flags_are_kept),
    ("a_full_disk", cases::a_full_disk),
    ("a_read_only_disk", cases::a_read_only_disk),
    ("a_slow_disk", cases::a_slow_disk),
    ("a_disk_with_errors", cases::a_disk_with_errors),
    ("bits_are_flipped_and_mended", cases::bits_are_flipped_and_mended),
    ("files_are_cut_and_mended", cases::files_are_cut_and_mended),
    ("cost", cases::cost),
];

/// A mounted disk, as it is seen through the mount and behind it.
struct Disk {
    line: Line,
    process: Child,
    seen: PathBuf,
    _folder: tempfile::TempDir,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", folder] => return serve(Path::new(folder)),
        ["one", name] => {
            let (_, test) = TESTS.iter().find(|(known, _)| *known == name).expect("a test");
            let mut disk = Disk::mount();
            test(&mut disk);
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if let Err(why) = available() {
        eprintln!("SKIPPED: disks cannot be tested here: {why}");
        return ExitCode::SUCCESS;
    }
    let words: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let mut failed = 0;
    for (name, _) in TESTS {
        if !words.is_empty() && !words.iter().any(|word| name.contains(*word)) {
            continue;
        }
        // In a process of its own: a mount namespace is entered by a process with one thread.
        let this = std::env::current_exe().expect("own path");
        let status = Command::new(this).args(["one", name]).status().expect("started");
        failed += usize::from(!status.success());
        println!("test {name} ... {}", if status.success() { "ok" } else { "FAILED" });
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Disk {
    fn mount() -> Disk {
        let (uid, gid) = (geteuid(), getegid());
        if uid.is_root() {
            unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace");
        } else {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).expect("namespaces");
            fs::write("/proc/self/setgroups", "deny").expect("written");
            fs::write("/proc/self/uid_map", format!("0 {uid} 1")).expect("written");
            fs::write("/proc/self/gid_map", format!("0 {gid} 1")).expect("written");
        }
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).expect("private mounts");
        let folder = tempfile::tempdir().expect("a folder");
        let seen = folder.path().join("data");
        fs::create_dir(&seen).expect("made");
        let (mut line, end) = Line::new().expect("a line");
        let process = Command::new(std::env::current_exe().expect("own path"))
            .arg("serve")
            .arg(&seen)
            .stdin(Stdio::from(end))
            .spawn()
            .expect("started");
        line.report().unwrap_or_else(|error| panic!("{error}"));
        Disk { line, process, seen, _folder: folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.seen.join(name)
    }

    /// Makes a file that is durable with its name.
    fn durable(&self, name: &str, content: &[u8]) {
        let mut file = File::create(self.at(name)).expect("made");
        file.write_all(content).expect("written");
        file.sync_all().expect("synced");
        self.sync_folder();
    }

    fn sync_folder(&self) {
        File::open(&self.seen).expect("opened").sync_all().expect("synced");
    }

    fn content(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.at(name)).ok()
    }

    fn set(&mut self, condition: Condition) {
        assert_eq!(self.line.set(condition).expect("set").condition, condition);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // The namespace would go with this process; the folder below can be removed only now.
        let _ = nix::mount::umount2(&self.seen, nix::mount::MntFlags::MNT_DETACH);
    }
}
