//! What is to be true of a disk.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use splitbrain_nemesis::disk::{Condition, Damage};

use crate::Disk;

#[track_caller]
fn fails_with<T>(result: std::io::Result<T>, errno: Errno) {
    let error = result.err().expect("it fails");
    assert_eq!(error.raw_os_error(), Some(errno as i32), "{error}");
}

pub fn mirrors_a_folder(disk: &mut Disk) {
    let folder = disk.at("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("one"), "first").unwrap();
    File::options().append(true).open(folder.join("one")).unwrap().write_all(b" second").unwrap();
    assert_eq!(fs::read_to_string(folder.join("one")).unwrap(), "first second");
    fs::hard_link(folder.join("one"), folder.join("same")).unwrap();
    symlink("one", folder.join("link")).unwrap();
    assert_eq!(fs::read_link(folder.join("link")).unwrap(), Path::new("one"));
    assert_eq!(fs::read_to_string(folder.join("link")).unwrap(), "first second");
    fs::write(folder.join("two"), "other").unwrap();
    let open = File::open(folder.join("one")).unwrap();
    fs::rename(folder.join("two"), folder.join("one")).unwrap();
    assert_eq!(fs::read_to_string(folder.join("one")).unwrap(), "other");
    assert_eq!(fs::read_to_string(folder.join("same")).unwrap(), "first second");
    let mut old = String::new();
    (&open).read_to_string(&mut old).unwrap();
    assert_eq!(old, "first second", "an open file stays itself");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["link", "one", "same"]);
    fails_with(fs::remove_dir(&folder), Errno::ENOTEMPTY);
    for name in names {
        fs::remove_file(folder.join(name)).unwrap();
    }
    fs::remove_dir(&folder).unwrap();
    assert_eq!(fs::read_dir(&disk.seen).unwrap().count(), 0, "the harness's folder is not seen");
    fails_with(File::open(folder.join("one")), Errno::ENOENT);
    // More entries than fit into one answer.
    for number in 0..1_000 {
        File::create(disk.at(&format!("a name that is rather long, number {number}"))).unwrap();
    }
    assert_eq!(fs::read_dir(&disk.seen).unwrap().count(), 1_000);
    // Locks, resizing, permissions and times are as everywhere.
    let file = File::create_new(disk.at("file")).unwrap();
    let lock = |file| Flock::lock(file, FlockArg::LockExclusiveNonblock);
    let file = lock(file).unwrap();
    assert!(lock(File::open(disk.at("file")).unwrap()).is_err());
    file.set_len(10).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 10);
    file.set_modified(UNIX_EPOCH + Duration::from_secs(5)).unwrap();
    let modified = fs::metadata(disk.at("file")).unwrap().modified().unwrap();
    assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(5));
    fs::set_permissions(disk.at("file"), PermissionsExt::from_mode(0o600)).unwrap();
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let big = vec![7; 5 << 20];
    fs::write(disk.at("big"), &big).unwrap();
    assert!(fs::read(disk.at("big")).unwrap() == big);
}

pub fn power_takes_what_is_not_synced(disk: &mut Disk) {
    disk.durable("log", b"synced ");
    disk.durable("renamed", b"old");
    let mut log = File::options().append(true).open(disk.at("log")).unwrap();
    log.write_all(b"not synced").unwrap();
    drop(log);
    fs::write(disk.at("new"), "content").unwrap();
    let draft = File::create(disk.at("draft")).unwrap();
    draft.write_all_at(b"new", 0).unwrap();
    draft.sync_all().unwrap();
    fs::rename(disk.at("draft"), disk.at("renamed")).unwrap();
    assert_eq!(disk.content("renamed").unwrap(), b"new");
    let report = disk.line.report().unwrap();
    assert_eq!((report.unsynced_files, report.unsynced_names), (2, 4), "{report:?}");
    let lost = disk.line.cut_power(None).unwrap();
    assert_eq!((lost.files, lost.names), (2, 4));
    assert_eq!(disk.content("log").unwrap(), b"synced ");
    assert_eq!(disk.content("renamed").unwrap(), b"old", "the folder was not synced");
    assert_eq!(disk.content("new"), None);
    assert_eq!(disk.content("draft"), None, "a synced file without a durable name");
    // The same, synced: nothing is lost.
    fs::write(disk.at("draft"), "new").unwrap();
    File::open(disk.at("draft")).unwrap().sync_all().unwrap();
    fs::rename(disk.at("draft"), disk.at("renamed")).unwrap();
    disk.sync_folder();
    assert_eq!(disk.line.cut_power(None).unwrap(), Default::default());
    assert_eq!(disk.content("renamed").unwrap(), b"new");
    // Torn: half of the last write is there.
    File::options().append(true).open(disk.at("log")).unwrap().write_all(b"0123456789").unwrap();
    disk.line.cut_power(Some(50)).unwrap();
    assert_eq!(disk.content("log").unwrap(), b"synced 01234");
}

pub fn sync_flags_are_kept(disk: &mut Disk) {
    disk.durable("plain", b"");
    disk.durable("flagged", b"");
    for (name, flags) in [("plain", 0), ("flagged", nix::libc::O_DSYNC)] {
        let mut file =
            File::options().append(true).custom_flags(flags).open(disk.at(name)).unwrap();
        file.write_all(b"content").unwrap();
    }
    disk.line.cut_power(None).unwrap();
    assert_eq!(disk.content("plain").unwrap(), b"");
    assert_eq!(disk.content("flagged").unwrap(), b"content");
}

pub fn a_full_disk(disk: &mut Disk) {
    disk.durable("old", b"content");
    let free = || nix::sys::statvfs::statvfs(&disk.seen).unwrap().blocks_available();
    assert!(free() > 0);
    disk.line.set(Condition { full: true, ..Condition::default() }).unwrap();
    assert_eq!(free(), 0);
    fails_with(File::create(disk.at("new")), Errno::ENOSPC);
    fails_with(fs::create_dir(disk.at("new")), Errno::ENOSPC);
    let old = File::options().write(true).open(disk.at("old")).unwrap();
    fails_with(old.write_all_at(b"more", 5), Errno::ENOSPC);
    old.write_all_at(b"CON", 0).unwrap();
    fs::remove_file(disk.at("old")).unwrap();
    assert!(disk.line.report().unwrap().refused >= 3);
    disk.set(Condition::default());
    fs::write(disk.at("new"), "content").unwrap();
}

pub fn a_read_only_disk(disk: &mut Disk) {
    disk.durable("old", b"content");
    let open = File::options().write(true).open(disk.at("old")).unwrap();
    disk.set(Condition { read_only: true, ..Condition::default() });
    fails_with(open.write_all_at(b"x", 0), Errno::EROFS);
    fails_with(open.set_len(0), Errno::EROFS);
    fails_with(File::options().write(true).open(disk.at("old")), Errno::EROFS);
    fails_with(File::create(disk.at("new")), Errno::EROFS);
    fails_with(fs::remove_file(disk.at("old")), Errno::EROFS);
    fails_with(fs::rename(disk.at("old"), disk.at("new")), Errno::EROFS);
    assert_eq!(disk.content("old").unwrap(), b"content");
    disk.set(Condition::default());
    open.write_all_at(b"C", 0).unwrap();
    assert_eq!(disk.content("old").unwrap(), b"Content");
}

pub fn a_slow_disk(disk: &mut Disk) {
    disk.durable("file", b"");
    let file = File::options().write(true).open(disk.at("file")).unwrap();
    let time = || {
        let begun = Instant::now();
        file.write_all_at(b"x", 0).unwrap();
        begun.elapsed()
    };
    assert!(time() < Duration::from_millis(50));
    let delay = Duration::from_millis(60);
    disk.line.set(Condition { delay, ..Condition::default() }).unwrap();
    let slow = time();
    assert!((delay..delay * 4).contains(&slow), "{slow:?}");
    // Other files do not wait in line.
    let others = [(); 3].map(|()| File::open(disk.at("file")).unwrap());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for other in &others {
            scope.spawn(|| other.read_at(&mut [0], 0).unwrap());
        }
    });
    assert!(begun.elapsed() < delay * 5 / 2, "{:?}", begun.elapsed());
    disk.set(Condition::default());
    assert!(time() < Duration::from_millis(50));
}

pub fn a_disk_with_errors(disk: &mut Disk) {
    disk.durable("file", b"");
    let file = File::options().write(true).open(disk.at("file")).unwrap();
    let mut failures = |eio_percent| {
        disk.set(Condition { eio_percent, ..Condition::default() });
        let mut failures = 0;
        for _ in 0..500 {
            if let Err(error) = file.write_all_at(b"x", 0) {
                assert_eq!(error.raw_os_error(), Some(Errno::EIO as i32), "{error}");
                failures += 1;
            }
        }
        failures
    };
    assert_eq!(failures(100.0), 500);
    let some = failures(20.0);
    assert!((60..=140).contains(&some), "{some} of 500 at 20 %"); // 4.5 standard deviations
    assert_eq!(failures(0.0), 0);
}

pub fn bits_are_flipped_and_mended(disk: &mut Disk) {
    let content: Vec<u8> = (0..20_000).map(|n| (n % 251) as u8).collect();
    disk.durable("file", &content);
    let open = File::open(disk.at("file")).unwrap();
    let seen = || {
        let mut bytes = vec![0; content.len()];
        open.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    };
    assert!(seen() == content, "and now the kernel has it in its cache");
    let flipped = disk.line.damage(Damage::Flip { bits: 5 }, 1).unwrap();
    let damaged = seen();
    let turned: u32 = content.iter().zip(&damaged).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!((flipped.len(), turned), (5, 5), "also for who has it open");
    for one in &flipped {
        assert_eq!(content[one.offset as usize], one.was);
    }
    // One is written over by the node, and stays as it wrote it.
    let own = flipped[0].offset;
    let file = File::options().write(true).open(disk.at("file")).unwrap();
    file.write_all_at(&[!damaged[own as usize]], own).unwrap();
    assert_eq!(disk.line.repair().unwrap().len(), 4);
    let mut expected = content.clone();
    expected[own as usize] = !damaged[own as usize];
    assert!(seen() == expected);
    assert_eq!(disk.line.repair().unwrap(), []);
}

pub fn files_are_cut_and_mended(disk: &mut Disk) {
    disk.durable("long", b"0123456789");
    disk.durable("short", b"01");
    disk.durable("used", b"0123456789");
    let cut = disk.line.damage(Damage::Truncate { bytes: 4 }, 1).unwrap();
    assert_eq!(cut.len(), 3);
    assert_eq!(disk.content("long").unwrap(), b"012345");
    assert_eq!(disk.content("short").unwrap(), b"");
    let mut used = File::options().append(true).open(disk.at("used")).unwrap();
    used.write_all(b"ab").unwrap();
    assert_eq!(disk.line.repair().unwrap().len(), 2);
    assert_eq!(disk.content("long").unwrap(), b"0123456789");
    assert_eq!(disk.content("short").unwrap(), b"01");
    assert_eq!(disk.content("used").unwrap(), b"012345ab", "what the node wrote is its own");
}

/// What a log's append and fsync cost, through the disk and without it.
pub fn cost(disk: &mut Disk) {
    let plain = tempfile::tempdir_in(disk.seen.parent().unwrap()).unwrap();
    let time = |folder: &Path| {
        let mut file = File::create(folder.join("log")).unwrap();
        let mut times = [0; 3].map(|_| {
            let begun = Instant::now();
            for _ in 0..1_000 {
                file.write_all(&[1; 200]).unwrap();
            }
            begun.elapsed() / 1_000
        });
        times.sort();
        times[0]
    };
    let (without, with) = (time(plain.path()), time(&disk.seen));
    println!("an append of 200 bytes: {without:?} without, {with:?} with a disk of ours");
    assert!(with < Duration::from_millis(2), "{with:?}");
}
