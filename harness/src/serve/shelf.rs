//! The store, from which nothing is handed out but the known files of runs that are in it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::run::folder::{HISTORY, PLAN, VERDICT};
use crate::run::kept::Kept;

/// A store that is served.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// Without links.
    path: PathBuf,
    /// As whoever started this knows it.
    shown: PathBuf,
}

/// The files of a run that may be seen, and what they are.
pub const FILES: [(&str, &str); 4] = [
    (HISTORY, "application/x-ndjson"),
    (PLAN, "application/json"),
    (VERDICT, "application/json"),
    ("report.txt", "text/plain; charset=utf-8"),
];

/// Names are never longer.
const NAME_MOST: usize = 200;

impl Shelf {
    /// A store's folder.
    pub fn open(store: &Path) -> anyhow::Result<Shelf> {
        let path = store
            .canonicalize()
            .with_context(|| format!("there is no store at {}", store.display()))?;
        Ok(Shelf { path, shown: store.to_owned() })
    }

    /// All runs, the newest first.
    pub fn runs(&self) -> Vec<Kept> {
        let mut runs = Kept::all(&self.path);
        runs.reverse();
        runs
    }

    /// What a person types to name a run.
    pub fn shown(&self, run: &Kept) -> String {
        self.shown.join(run.path()).display().to_string()
    }

    /// Whether a run has begun and has no verdict yet.
    pub fn is_open(&self, run: &Kept) -> bool {
        run.is_open(&self.path)
    }

    /// A run by the names of its folders.
    pub fn run(&self, family: &str, name: &str) -> Option<Kept> {
        [family, name].into_iter().all(is_name).then(|| Kept::read(&self.path, family, name))?
    }

    /// The path of one of a run's known files: a file in the store, not a link that leads out of it,
    /// nor a pipe that would never end.
    pub fn file(&self, run: &Kept, name: &str) -> Option<PathBuf> {
        let known = FILES.iter().any(|(known, _)| *known == name);
        let path = known.then(|| self.path.join(run.path()).join(name))?.canonicalize().ok()?;
        (path.starts_with(&self.path) && path.is_file()).then_some(path)
    }

    /// The same, opened.
    pub fn open_file(&self, run: &Kept, name: &str) -> Option<File> {
        File::open(self.file(run, name)?).ok()
    }
}

/// Whether it can be a folder's name, and no way to anywhere else.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@=+".contains(c);
    (1..=NAME_MOST).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN_TEXT: &str = r#"{"target":"etcd","workload":{"name":"register"}}"#;
    const NAME: &str = "20261121T203300Z";

    #[test]
    fn only_known_files_of_runs_in_the_store_are_handed_out() {
        let world = tempfile::tempdir().unwrap();
        let store = world.path().join("store");
        let run = store.join("etcd-register").join(NAME);
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(run.join("plan.json"), PLAN_TEXT).unwrap();
        std::fs::write(run.join("secret.txt"), "in it, but not known").unwrap();
        std::fs::write(world.path().join("outside"), "outside").unwrap();
        std::os::unix::fs::symlink("../../../outside", run.join("report.txt")).unwrap();
        nix::unistd::mkfifo(&run.join("history.jsonl"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let outside = world.path().join("elsewhere").join(NAME);
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(outside.join("plan.json"), PLAN_TEXT).unwrap();
        std::os::unix::fs::symlink("../elsewhere", store.join("linked")).unwrap();

        let shelf = Shelf::open(&store).unwrap();
        let kept = shelf.run("etcd-register", NAME).unwrap();
        assert!(shelf.open_file(&kept, "plan.json").is_some());
        for refused in ["secret.txt", "report.txt", "history.jsonl", "verdict.json", "../plan.json"]
        {
            assert!(shelf.file(&kept, refused).is_none(), "{refused}");
        }
        for family in ["..", ".", "", "a/../etcd-register", "etcd-register/", "\0", "%2e%2e"] {
            assert!(shelf.run(family, NAME).is_none(), "{family:?}");
            assert!(shelf.run("etcd-register", family).is_none(), "{family:?}");
        }
        // A link to a run outside: its name reads well, its files lie elsewhere.
        let linked = shelf.run("linked", NAME);
        assert!(linked.is_none_or(|run| shelf.file(&run, "plan.json").is_none()));
        assert_eq!(shelf.runs().len(), 1);
    }
}
