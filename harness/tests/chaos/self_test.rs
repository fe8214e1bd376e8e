//! Who looks for leftovers finds each kind, and nothing where there is nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use crate::leftovers::{KINDS, Leftover, MARK, Watch};
use crate::trouble::send;

fn command(line: &str) {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    assert!(command.args(words).status().expect("it is there").success(), "{line}");
}

/// Everything that may be left, in a place where it harms nobody.
fn leave_everything(folder: &Path, watch: &mut Watch) -> (Child, Child) {
    let sleep = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).env(MARK, watch.mark()).spawn().expect("started")
    };
    let running = sleep("unshare", &["--net", "sleep", "60"]);
    let stopped = sleep("sleep", &["60"]);
    send(stopped.id().cast_signed(), Signal::SIGSTOP);
    for path in ["work/store/f/r/n1/data", "work/store/f/r/n2", "work/m"] {
        fs::create_dir_all(folder.join(path)).expect("made");
    }
    for path in ["work/store/f/r/plan.json", "work/store/f/r/n2/store.log"] {
        fs::write(folder.join(path), "kept").expect("written");
    }
    mount(Some("tmpfs"), &folder.join("work/m"), Some("tmpfs"), MsFlags::empty(), None::<&str>)
        .expect("mounted");
    command("ip link add chaos0 type bridge");
    command("tc qdisc add dev chaos0 root pfifo limit 7");
    command("iptables -A FORWARD -s 10.99.99.99 -j DROP");
    // Until it is what it is to become.
    thread::sleep(Duration::from_millis(300));
    (running, stopped)
}

fn kinds(left: &[Leftover]) -> BTreeSet<&str> {
    left.iter().map(|left| left.kind).collect()
}

#[test]
fn each_kind_of_leftover_is_found() {
    if !geteuid().is_root() {
        eprintln!("SKIPPED: only root can leave everything behind");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let places = ["work", "state", "tmp"].map(|name| folder.path().join(name));
    places.iter().for_each(|place| fs::create_dir(place).expect("made"));
    let [work, state, tmp] = &places;
    // In namespaces of this thread alone, with which all of it ends.
    unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
        .expect("new");
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("made private");

    let mut watch = Watch::begin(folder.path(), work, state, tmp);
    let (mut running, mut stopped) = leave_everything(folder.path(), &mut watch);
    let harness = running.id();
    let group = Path::new("/sys/fs/cgroup/cpu").join(format!("splitbrain-test-{harness}"));
    let has_group = fs::create_dir(&group).is_ok();
    watch.look();
    let left = watch.left(harness);
    let found = kinds(&left);
    let all = KINDS.into_iter().filter(|kind| has_group || *kind != "cgroups").collect();
    assert_eq!(found, all, "{left:?}");
    let files: Vec<_> = left.iter().filter(|left| left.kind == "files").collect();
    assert_eq!(files.len(), 2, "what is kept is not left: {files:?}");

    // Each is gone as it goes.
    watch.end_what_is_left();
    running.wait().expect("waited for");
    stopped.wait().expect("waited for");
    if has_group {
        fs::remove_dir(&group).expect("removed");
    }
    command("ip link del chaos0");
    command("iptables -D FORWARD -s 10.99.99.99 -j DROP");
    command(&format!("umount {}", work.join("m").display()));
    fs::remove_dir(work.join("m")).expect("removed");
    fs::remove_dir(work.join("store/f/r/n1/data")).expect("removed");
    let left = watch.left(harness);
    assert!(left.is_empty(), "{left:?}");
}
