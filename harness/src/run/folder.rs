//! Where a run is kept: `store/<target>-<workload>/<UTC time>/`, with `store/latest` beside.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};

/// The folder below which all runs are kept, in the current directory.
pub const STORE: &str = "store";
/// The history's file in a run's folder.
pub const HISTORY: &str = "history.jsonl";
/// The plan's file.
pub const PLAN: &str = "plan.json";
/// The verdict's file.
pub const VERDICT: &str = "verdict.json";

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its path as a person would type it here.
    pub shown: PathBuf,
}

impl RunFolder {
    /// Makes a folder that no other run has, and points `latest` to it.
    pub fn create(target: &str, workload: &str, started: DateTime<Utc>) -> anyhow::Result<Self> {
        let family = Path::new(STORE).join(format!("{}-{workload}", target.replace('/', "-")));
        std::fs::create_dir_all(&family)
            .with_context(|| format!("the folder {} cannot be made", family.display()))?;
        let time = started.format("%Y%m%dT%H%M%SZ").to_string();
        for attempt in 1.. {
            let name = if attempt == 1 { time.clone() } else { format!("{time}-{attempt}") };
            let shown = family.join(name);
            match std::fs::create_dir(&shown) {
                Ok(()) => {
                    point_latest_to(&shown);
                    let path = shown.canonicalize()?;
                    return Ok(RunFolder { path, shown });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("the folder {} cannot be made", shown.display()));
                }
            }
        }
        unreachable!("some number is free")
    }

    /// The name of the run: its path below the store.
    pub fn name(&self) -> String {
        self.shown.display().to_string()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Only a convenience, so a file system without links does not fail the run. The link is put in
/// place by a rename, so that it always leads somewhere.
fn point_latest_to(run: &Path) {
    let Ok(below) = run.strip_prefix(STORE) else { return };
    let fresh = Path::new(STORE).join(format!(".latest-{}", std::process::id()));
    if std::os::unix::fs::symlink(below, &fresh).is_ok() {
        let _ = std::fs::rename(&fresh, Path::new(STORE).join("latest"));
    }
}

/// The history that a person means by a path: a file, the folder of a run, or that of another tool.
pub fn history_of(path: &Path) -> PathBuf {
    let of_run = path.join(HISTORY);
    if of_run.exists() { of_run } else { path.to_owned() }
}
