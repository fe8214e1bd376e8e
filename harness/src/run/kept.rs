//! The runs that a store holds.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use super::folder::{HISTORY, PLAN, VERDICT};

/// A run that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The folder of its family, `<target>-<workload>`.
    pub family: String,
    /// Its own folder in that.
    pub name: String,
    /// When it began.
    pub started: DateTime<Utc>,
    /// What was tested.
    pub target: String,
    /// What clients did.
    pub workload: String,
    /// What it showed; nothing of one that is still going, or was ended by force.
    pub verdict: Option<Value>,
}

impl Kept {
    /// The run in a folder; nothing if there is none.
    pub fn read(store: &Path, family: &str, name: &str) -> Option<Kept> {
        let folder = store.join(family).join(name);
        let object = |file: &str| -> Option<Value> {
            serde_json::from_slice(&fs::read(folder.join(file)).ok()?).ok()
        };
        let plan = object(PLAN)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(Kept {
            family: family.to_owned(),
            name: name.to_owned(),
            started: started(name)?,
            target: text(&plan["target"]),
            workload: text(&plan["workload"]["name"]),
            verdict: object(VERDICT),
        })
    }

    /// All of a store, the oldest first.
    pub fn all(store: &Path) -> Vec<Kept> {
        let mut all: Vec<Kept> = folders(store)
            .iter()
            .flat_map(|family| {
                let runs = folders(&store.join(family));
                runs.into_iter().filter_map(|name| Kept::read(store, family, &name))
            })
            .collect();
        all.sort_by(|one, other| {
            (one.started, &one.family, &one.name).cmp(&(other.started, &other.family, &other.name))
        });
        all
    }

    /// Its path below the store.
    pub fn path(&self) -> PathBuf {
        Path::new(&self.family).join(&self.name)
    }

    /// Whether it has a history and no verdict yet.
    pub fn is_open(&self, store: &Path) -> bool {
        self.verdict.is_none() && store.join(self.path()).join(HISTORY).exists()
    }
}

/// The names of the folders in a folder; links lead elsewhere, and are none.
fn folders(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// When a run began, as its folder is named: `20261121T203300Z`, maybe with `-2` behind.
fn started(name: &str) -> Option<DateTime<Utc>> {
    let time = name.get(..16)?;
    NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok().map(|time| time.and_utc())
}
