//! Whole runs where the kernel gives no links: in a user namespace in which no other namespace can
//! be had. The store's program is built if it is not there.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use serde_json::Value;

/// The program, in a folder where it keeps everything, and out of the reach of namespaces.
fn locked_in(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
    command.args(args).current_dir(folder).env("SPLITBRAIN_STATE_DIR", folder.join("state"));
    let (uid_map, gid_map) = (format!("0 {} 1", geteuid()), format!("0 {} 1", getegid()));
    let lock = move || {
        // Where that is refused, nobody needs to be kept from it.
        if unshare(CloneFlags::CLONE_NEWUSER).is_ok() {
            fs::write("/proc/self/setgroups", "deny")?;
            fs::write("/proc/self/uid_map", &uid_map)?;
            fs::write("/proc/self/gid_map", &gid_map)?;
            fs::write("/proc/sys/user/max_user_namespaces", "0")?;
            fs::write("/proc/sys/user/max_net_namespaces", "0")?;
        }
        Ok(())
    };
    // SAFETY: it makes system calls only; short paths are kept on the stack.
    unsafe { command.pre_exec(lock) };
    command.stdin(Stdio::null());
    command
}

/// The processes that have the folder in their environment: harness, keeper and nodes.
fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.as_os_str().as_encoded_bytes();
    let has = |pid: &str| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|text| text.windows(needle.len()).any(|window| window == needle))
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().into_string().ok()).filter(|pid| has(pid)).collect()
}

#[track_caller]
fn assert_clean(folder: &Path) {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let journals = fs::read_dir(folder.join("state")).into_iter().flatten().count();
        let processes = processes_of(folder);
        if journals == 0 && processes.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "left: {journals} journals, processes {processes:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn without_namespaces_a_run_takes_proxies_says_so_and_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let faults = ["--faults", "isolate-one,kill,pause", "--seed", "3"];
    let flags =
        [&["run", "--mode", "gossip", "--expect", "weak", "--time-limit", "8s"], &faults[..]];
    let output = locked_in(folder.path(), &flags.concat()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("no kernel links").count(), 1, "{said}");
    assert_clean(folder.path());
    let kept = folder.path().join("store/latest");
    let read = |file: &str| -> Value {
        serde_json::from_slice(&fs::read(kept.join(file)).unwrap()).unwrap()
    };
    assert_eq!(read("plan.json")["environment"], "proxy");
    let faults = read("verdict.json")["faults"].as_array().unwrap().clone();
    assert!(faults.len() >= 3, "{faults:?}");
    assert!(faults.iter().all(|fault| fault["effect"] == "installed"), "{faults:?}");
}

#[test]
fn bad_links_between_proxies_are_in_force_in_a_run_and_in_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["delay", "jitter", "bandwidth", "reset"];
    let flags = ["run", "--env", "proxy", "--mode", "gossip", "--expect", "weak", "--seed", "3"];
    let more = ["--time-limit", "20s", "--faults", &names.join(",")];
    let output = locked_in(folder.path(), &[&flags[..], &more].concat()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_clean(folder.path());
    let kept = folder.path().join("store/latest");
    let verdict: Value =
        serde_json::from_slice(&fs::read(kept.join("verdict.json")).unwrap()).unwrap();
    let report = fs::read_to_string(kept.join("report.txt")).unwrap();
    let faults = verdict["faults"].as_array().unwrap();
    for name in names {
        let mut such = faults.iter().filter(|fault| fault["name"] == name).peekable();
        assert!(such.peek().is_some(), "no {name}: {verdict}");
        assert!(such.all(|fault| fault["effect"] == "installed"), "{name}: {faults:?}");
        assert!(report.contains(name), "{name} is not in the report:\n{report}");
    }
}

#[test]
fn killed_at_any_moment_it_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // This builds the store if need be; a cargo whose caller was killed would go on building.
    assert!(locked_in(folder.path(), &["doctor"]).output().is_ok());
    let has_begun = || {
        fs::read_to_string(folder.path().join("store/latest/history.jsonl"))
            .is_ok_and(|history| history.contains("\"invoke\""))
    };
    for after_ms in [300, 1_500, 3_000] {
        let mut run = locked_in(folder.path(), &["run", "--time-limit", "20s", "--seed", "1"]);
        run.env_remove("CARGO");
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(after_ms));
        // The last one is killed at work, however late that begins.
        let until = Instant::now() + Duration::from_secs(60);
        while after_ms == 3_000 && !has_begun() {
            assert!(Instant::now() < until, "it does not begin");
            thread::sleep(Duration::from_millis(20));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        assert_clean(folder.path());
    }
}

#[test]
fn what_proxies_cannot_do_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["run", "--env", "proxy", "--time-limit", "8s", "--faults"];
    for fault in ["loss", "cpu", "full", "skew"] {
        let output = locked_in(folder.path(), &[&flags[..], &[fault]].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(&format!("the fault {fault} cannot be had")), "{said}");
        assert!(said.contains("in the environment proxy"), "{said}");
    }
    assert!(!folder.path().join("store").exists());
}
