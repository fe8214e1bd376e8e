//! A finding that is to be found again: a file of `examples/track`.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::explain;
use crate::plan::Plan;

/// What is known of a system, and the plan that shows it. Unknown keys are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// What is known, in one sentence.
    title: String,
    /// Who has published it, and where.
    literature: String,
    /// What people say of the system, such as `CP`.
    #[serde(default)]
    claim: Option<String>,
    /// The anomaly that is to be found.
    #[serde(default)]
    finds: Option<String>,
    /// The anomaly that must not be found, in no run.
    #[serde(default)]
    never: Option<String>,
    /// Consistency models that must hold all the same.
    #[serde(default)]
    holds: Vec<String>,
    /// How many runs are made at most, with the seeds 1, 2, 3 and so on.
    runs: u64,
    /// The plan, without a seed.
    plan: Plan,
}

/// What a case asks of its runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// One of them shows this anomaly.
    Finds(String),
    /// None of them shows this anomaly.
    Never(String),
}

/// A finding that is to be found again.
pub struct Case {
    /// Name of the file, without what comes after the dot.
    pub name: String,
    /// What is known, in one sentence.
    pub title: String,
    /// Who has published it, and where.
    pub literature: String,
    /// What people say of the system.
    pub claim: Option<String>,
    /// What is asked.
    pub asked: Asked,
    /// Consistency models that must hold all the same.
    pub holds: Vec<String>,
    /// How many runs are made at most.
    pub runs: u64,
    /// The plan, without a seed.
    pub plan: Plan,
}

impl Case {
    /// Understands what is written in a file of this name.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Case> {
        let Written { title, literature, claim, finds, never, holds, runs, plan } =
            toml::from_str(text)?;
        let asked = match (finds, never) {
            (Some(finds), None) => Asked::Finds(finds),
            (None, Some(never)) => Asked::Never(never),
            _ => bail!("it needs either `finds` or `never`, with the name of an anomaly"),
        };
        let (Asked::Finds(anomaly) | Asked::Never(anomaly)) = &asked;
        // One that is misspelt is never found, so it would always hold that it must not be there.
        if !explain::anomalies().any(|one| one.name == anomaly) {
            bail!("no anomaly is named {anomaly:?}; `splitbrain explain` names all");
        }
        if let Some(model) =
            holds.iter().find(|name| !explain::models().any(|one| one.name == **name))
        {
            bail!("no consistency model is named {model:?}; `splitbrain explain` names all");
        }
        if runs == 0 {
            bail!("`runs` is 0; it must be at least 1");
        }
        if plan.seed.is_some() {
            bail!("the plan has a seed; the seeds are 1 to `runs`");
        }
        let name = name.to_owned();
        Ok(Case { name, title, literature, claim, asked, holds, runs, plan })
    }
}

/// All cases of a folder, by name.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("the folder {} cannot be read", folder.display()))?;
    let mut cases = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let is_case = path.extension().is_some_and(|extension| extension == "toml");
        if let Some(name) = stem.filter(|_| is_case) {
            let text = std::fs::read_to_string(&path).map_err(anyhow::Error::from);
            let case = text.and_then(|text| Case::parse(name, &text));
            cases.push(case.with_context(|| format!("{} is not understood", path.display()))?);
        }
    }
    if cases.is_empty() {
        bail!("the folder {} has no case in it (NAME.toml)", folder.display());
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::databases;
    use crate::plan::Phases;

    const CASE: &str = "title = \"It loses writes.\"\nliterature = \"Someone (2013)\"\nruns = 3\n\
                        finds = \"lost-write\"\n[plan]\ntarget = \"store/cache\"\n";

    #[test]
    fn what_is_written_is_understood_or_refused() {
        let case = Case::parse("loss", CASE).unwrap();
        assert_eq!((case.name.as_str(), case.runs), ("loss", 3));
        assert_eq!(case.asked, Asked::Finds("lost-write".to_owned()));
        let check = |from: &str, to: &str, expect: &str| {
            let error = Case::parse("loss", &CASE.replace(from, to)).err();
            let error = format!("{:#}", error.unwrap_or_else(|| panic!("{to} is taken")));
            assert!(error.contains(expect), "{error}");
        };
        check("finds", "never = \"stale-read\"\nfinds", "either `finds` or `never`");
        check("finds = \"lost-write\"\n", "", "either `finds` or `never`");
        check("lost-write", "lost-wriet", "no anomaly is named \"lost-wriet\"");
        check("runs = 3", "runs = 3\nholds = [\"sequentail\"]", "no consistency model is named");
        check("runs = 3", "runs = 0", "at least 1");
        check("[plan]", "[plan]\nseed = 3", "the seeds are 1");
        check("title", "titel", "unknown field");
    }

    #[test]
    fn every_case_can_be_run_and_lasts_three_minutes_at_most() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/track");
        for case in read(&folder).unwrap() {
            let database = databases::open(&case.plan.target, &case.plan.given);
            let database = database.unwrap_or_else(|why| panic!("{}: {why}", case.name));
            let count = match case.plan.nodes {
                Some(crate::plan::Nodes::Count(count)) => count,
                _ => database.default_nodes(),
            };
            let nodes: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
            case.plan.timeline(&nodes, 1).unwrap_or_else(|e| panic!("{}: {e:#}", case.name));
            let Phases { baseline, main, after, converge_within } = case.plan.phases;
            let all = baseline.ms() + main.ms() + after.ms() + converge_within.ms();
            assert!(all <= 180_000, "{}: {all} ms", case.name);
            let (Asked::Finds(name) | Asked::Never(name)) = &case.asked;
            assert!(explain::explain(name).is_some(), "{}: {name}?", case.name);
            assert!(case.title.ends_with('.'), "{}: one sentence", case.name);
        }
    }
}
