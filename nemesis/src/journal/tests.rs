//! Healing: what is undone, and what must be left alone.

use std::process::{Child, Command};

use super::*;

/// A journal whose owner has run and is dead.
fn journal_of_a_dead_run(folder: &Path, run: &str, change: impl Fn(&mut Owner)) -> PathBuf {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id().cast_signed();
    let process = ProcessId::of(pid).unwrap_or(ProcessId { pid, started: 1 });
    child.wait().unwrap();
    let mut owner = Owner { process, ..Owner::this_process(run).unwrap() };
    change(&mut owner);
    let path = folder.join(format!("{run}.jsonl"));
    append(&path, &owner);
    path
}

fn append(path: &Path, value: &impl Serialize) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    write_line(&mut file, value).unwrap();
}

fn made_directory(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.join("inner")).unwrap();
    fs::write(path.join("inner/file"), "data").unwrap();
    path
}

fn sleeper() -> (Child, ProcessId) {
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let process = ProcessId::of(child.id().cast_signed()).unwrap();
    (child, process)
}

fn outcomes(lines: &[HealLine]) -> Vec<&Outcome> {
    lines.iter().map(|line| &line.outcome).collect()
}

#[test]
fn a_dead_run_is_undone_and_a_second_healing_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal_of_a_dead_run(folder.path(), "run-1", |_| ());
    let data = made_directory(folder.path(), "data");
    let (mut child, process) = sleeper();
    append(&journal, &Entry::Directory(data.clone()));
    append(&journal, &Entry::Process { process, what: "n1".into() });

    let lines = heal(folder.path()).unwrap();

    assert_eq!(outcomes(&lines), [&Outcome::Undone; 3], "{lines:?}");
    assert!(!data.exists() && !journal.exists() && !process.is_alive());
    assert!(!child.wait().unwrap().success());
    assert_eq!(heal(folder.path()).unwrap(), []);
}

#[test]
fn a_live_run_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), "run-1").unwrap();
    let data = made_directory(folder.path(), "data");
    journal.record(&Entry::Directory(data.clone())).unwrap();

    let lines = heal(folder.path()).unwrap();

    assert!(matches!(outcomes(&lines)[..], [Outcome::LeftAlone(_)]), "{lines:?}");
    assert!(data.exists() && journal.path().exists());
    assert!(lines[0].to_string().contains("still runs"), "{}", lines[0]);
}

#[test]
fn a_process_with_the_number_but_not_the_start_time_is_spared() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal_of_a_dead_run(folder.path(), "run-1", |_| ());
    let (mut child, process) = sleeper();
    let other = ProcessId { started: process.started + 1, ..process };
    append(&journal, &Entry::Process { process: other, what: "n1".into() });

    heal(folder.path()).unwrap();

    assert!(process.is_alive() && !journal.exists());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn after_a_power_loss_folders_go_and_processes_are_not_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal_of_a_dead_run(folder.path(), "run-1", |o| o.boot = "earlier".into());
    let data = made_directory(folder.path(), "data");
    let (mut child, process) = sleeper();
    append(&journal, &Entry::Process { process, what: "n1".into() });
    append(&journal, &Entry::Directory(data.clone()));

    heal(folder.path()).unwrap();

    assert!(process.is_alive() && !data.exists() && !journal.exists());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_cannot_be_seen_from_here_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = made_directory(folder.path(), "data");
    let foreign = [
        journal_of_a_dead_run(folder.path(), "run-1", |owner| owner.host = "other".into()),
        journal_of_a_dead_run(folder.path(), "run-2", |owner| owner.pid_namespace = "pid:".into()),
    ];
    let garbage = folder.path().join("run-3.jsonl");
    fs::write(&garbage, [0xff, 0xfe, b'\n']).unwrap();
    fs::write(folder.path().join("notes.txt"), "not a journal").unwrap();
    for journal in &foreign {
        append(journal, &Entry::Directory(data.clone()));
    }

    let lines = heal(folder.path()).unwrap();

    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| matches!(line.outcome, Outcome::LeftAlone(_))), "{lines:?}");
    assert!(data.exists() && garbage.exists() && foreign.iter().all(|path| path.exists()));
}

#[test]
fn a_last_line_that_was_cut_off_is_tolerated_and_one_in_the_middle_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = made_directory(folder.path(), "data");
    let journal = journal_of_a_dead_run(folder.path(), "run-1", |_| ());
    append(&journal, &Entry::Directory(data.clone()));
    let whole = fs::read_to_string(&journal).unwrap();

    fs::write(&journal, format!("{{\"dire\n{whole}")).unwrap();
    let lines = heal(folder.path()).unwrap();
    assert!(matches!(outcomes(&lines)[..], [Outcome::LeftAlone(_)]), "{lines:?}");

    fs::write(&journal, format!("{whole}{{\"directory\":\"/ho")).unwrap();
    assert_eq!(outcomes(&heal(folder.path()).unwrap()), [&Outcome::Undone; 2]);
    assert!(!data.exists() && !journal.exists());
}

#[test]
fn a_path_that_is_no_folder_of_a_run_is_never_removed() {
    for path in ["/", "/tmp", "relative/path/here"] {
        assert!(undo::remove_directory(Path::new(path)).is_err(), "{path}");
    }
    assert!(!undo::remove_directory(Path::new("/tmp/splitbrain-is-not-there")).unwrap());
}

/// A folder with nothing but folders in it behaves as a group does.
#[test]
fn groups_are_removed_from_the_innermost_on_and_files_never() {
    let folder = tempfile::tempdir().unwrap();
    let group = folder.path().join("splitbrain-run-1");
    fs::create_dir_all(group.join("n1/inner")).unwrap();
    fs::create_dir(group.join("n2")).unwrap();
    let journal = journal_of_a_dead_run(folder.path(), "run-1", |_| ());
    append(&journal, &Entry::Cgroup(group.clone()));
    fs::write(group.join("n2/file"), "no group has one").unwrap();
    assert!(matches!(outcomes(&heal(folder.path()).unwrap())[..], [Outcome::Failed(_)]));
    assert!(group.join("n2/file").exists() && journal.exists());
    fs::remove_file(group.join("n2/file")).unwrap();
    assert_eq!(outcomes(&heal(folder.path()).unwrap()), [&Outcome::Undone; 2]);
    assert!(!group.exists() && !journal.exists());
}

#[test]
fn a_link_is_removed_and_what_it_points_to_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let outside = made_directory(folder.path(), "outside");
    let data = made_directory(folder.path(), "data");
    std::os::unix::fs::symlink(&outside, data.join("link")).unwrap();
    assert!(undo::remove_directory(&data).unwrap());
    assert!(outside.join("inner/file").exists());
}

#[test]
fn a_run_name_cannot_be_used_twice() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Journal::create(folder.path(), "run-1").unwrap();
    assert!(Journal::create(folder.path(), "run-1").is_err());
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing unfinished stays: {files:?}");
}
