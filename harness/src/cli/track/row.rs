//! What the runs of a case showed.

use serde_json::{Value, json};

use super::case::{Asked, Case};

/// How a case stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// What was to be found was found.
    Found,
    /// It was not, in all runs.
    NotFound,
    /// What must not be found was not, in all runs.
    Kept,
    /// It was.
    Broken,
    /// It cannot be told, for this reason.
    Unknown(String),
    /// The system is not installed; this gets it.
    Skipped(String),
}

impl Standing {
    /// In one or two words.
    pub fn words(&self) -> &'static str {
        match self {
            Standing::Found => "found",
            Standing::NotFound => "NOT FOUND",
            Standing::Kept => "kept",
            Standing::Broken => "BROKEN",
            Standing::Unknown(_) => "unknown",
            Standing::Skipped(_) => "skipped",
        }
    }

    /// Whether the case is as it is known; nothing if that cannot be told.
    pub fn met(&self) -> Option<bool> {
        match self {
            Standing::Found | Standing::Kept => Some(true),
            Standing::NotFound | Standing::Broken => Some(false),
            Standing::Unknown(_) | Standing::Skipped(_) => None,
        }
    }
}

/// What one run showed of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The anomaly, with what must hold all the same.
    Anomaly,
    /// The anomaly, but this does not hold that must.
    TooMuch(String),
    /// No such anomaly.
    Nothing,
    /// It cannot be told.
    Unclear(String),
}

/// What a verdict says of a case.
pub fn shown(case: &Case, verdict: &Value) -> Shown {
    let unclear = |why: &Value| Shown::Unclear(why.as_str().unwrap_or("no verdict").to_owned());
    let Some(violations) = verdict["violations"].as_array() else {
        return unclear(&verdict["error"]);
    };
    let (Asked::Finds(name) | Asked::Never(name)) = &case.asked;
    let has_anomaly = violations.iter().any(|violation| violation["name"] == name.as_str());
    let fallen = case.holds.iter().find(|rung| verdict["ladder"][rung.as_str()] == "invalid");
    let faults = verdict["faults"].as_array().map_or(&[][..], Vec::as_slice);
    let no_fault = faults.iter().all(|fault| fault["effect"] != "installed");
    match (has_anomaly, fallen) {
        (true, None) => Shown::Anomaly,
        (_, Some(rung)) => Shown::TooMuch(format!("{rung} does not hold")),
        (false, None) if verdict["verdict"] == "unknown" => unclear(&verdict["reason"]),
        // That nothing happens without faults says nothing.
        (false, None) if no_fault && !faults.is_empty() => {
            Shown::Unclear("no fault was in force".to_owned())
        }
        (false, None) => Shown::Nothing,
    }
}

/// How a case stands after these runs, or nothing if another one is to be made.
pub fn standing(case: &Case, runs: &[Shown]) -> Option<Standing> {
    let finds = matches!(case.asked, Asked::Finds(_));
    match runs.last() {
        Some(Shown::Anomaly) if finds => return Some(Standing::Found),
        Some(Shown::Anomaly | Shown::TooMuch(_)) if !finds => return Some(Standing::Broken),
        _ if (runs.len() as u64) < case.runs => return None,
        _ => {}
    }
    let told = runs.iter().rev().find_map(|shown| match shown {
        Shown::Unclear(why) | Shown::TooMuch(why) => Some(why.clone()),
        Shown::Anomaly | Shown::Nothing => None,
    });
    Some(match (finds, told) {
        (_, Some(why)) => Standing::Unknown(why),
        (true, None) => Standing::NotFound,
        (false, None) => Standing::Kept,
    })
}

/// A case that was tried.
pub struct Row<'a> {
    /// The case.
    pub case: &'a Case,
    /// Version of the system.
    pub version: String,
    /// How it stands.
    pub standing: Standing,
    /// How many runs were made.
    pub runs: usize,
    /// How long they took.
    pub seconds: f64,
    /// The verdict of the last run.
    pub verdict: Value,
}

impl Row<'_> {
    /// What was measured in the last run, in a few words.
    pub fn measured(&self) -> String {
        let verdict = &self.verdict;
        let mut words: Vec<String> = Vec::new();
        words.extend(verdict["class"].as_str().map(str::to_owned));
        // Transactions have no class, and what is judged by a check of its own has no level either.
        if words.is_empty() {
            let strongest = verdict["strongest"].as_array().into_iter().flatten();
            words.extend(strongest.filter_map(Value::as_str).map(str::to_owned));
        }
        if words.is_empty() {
            let checks = verdict["checks"].as_object().into_iter().flatten();
            let told = |(name, check): (&String, &Value)| {
                Some(format!("{name} {}", check["verdict"].as_str()?))
            };
            words.extend(checks.filter_map(told));
        }
        words.extend(verdict["cap"].as_str().map(str::to_owned));
        let loss = &verdict["failover"]["loss"];
        let number = |name: &str| loss[name].as_u64().unwrap_or(0);
        let (once, written) = (number("lost_once"), number("written_once"));
        if once + number("lost_at_least") > 0 {
            let more = number("lost_at_least");
            words.push(format!("{once} of {written} keys and {more} overwritten writes lost"));
        }
        let (Asked::Finds(name) | Asked::Never(name)) = &self.case.asked;
        let violations = verdict["violations"].as_array().into_iter().flatten();
        let count = violations
            .filter(|violation| violation["name"] == name.as_str())
            .find_map(|violation| violation["count"].as_u64());
        words.extend(count.map(|count| format!("{name} x{count}")));
        words.join(", ")
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let Case { name, title, literature, claim, asked, .. } = self.case;
        let (Asked::Finds(anomaly) | Asked::Never(anomaly)) = asked;
        let reason = match &self.standing {
            Standing::Unknown(why) | Standing::Skipped(why) => Some(why),
            _ => None,
        };
        json!({
            "name": name, "title": title, "literature": literature, "claim": claim,
            "target": self.case.plan.target, "version": self.version, "anomaly": anomaly,
            "expected": if matches!(asked, Asked::Finds(_)) { "found" } else { "kept" },
            "standing": self.standing.words().to_lowercase().replace(' ', "-"), "reason": reason,
            "met": self.standing.met(), "runs": self.runs,
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "measured": self.measured(), "class": self.verdict["class"],
            "cap": self.verdict["cap"], "strongest": self.verdict["strongest"],
            "run": self.verdict["run"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(line: &str) -> Case {
        let text = format!("title = \"T.\"\nliterature = \"L\"\nruns = 2\n{line}\n[plan]\n");
        Case::parse("case", &text).unwrap()
    }

    fn verdict(anomalies: &[&str], sequential: &str) -> Value {
        let violations: Vec<Value> = anomalies.iter().map(|name| json!({ "name": name })).collect();
        json!({ "verdict": "invalid", "violations": violations,
            "ladder": { "sequential": sequential }, "faults": [{ "effect": "installed" }] })
    }

    #[test]
    fn a_verdict_shows_the_anomaly_and_nothing_else_for_it() {
        let stale = case("finds = \"stale-read\"\nholds = [\"sequential\"]");
        let check = |verdict: &Value, expect: Shown| assert_eq!(shown(&stale, verdict), expect);
        check(&verdict(&["lost-write", "stale-read"], "valid"), Shown::Anomaly);
        check(&verdict(&["stale-read"], "unknown"), Shown::Anomaly);
        let too_much = Shown::TooMuch("sequential does not hold".to_owned());
        check(&verdict(&["stale-read"], "invalid"), too_much);
        check(&verdict(&["lost-write"], "valid"), Shown::Nothing);
        let unclear = |why: &str| Shown::Unclear(why.to_owned());
        check(&json!({ "error": "it did not come up" }), unclear("it did not come up"));
        let mut open = verdict(&[], "unknown");
        open["verdict"] = "unknown".into();
        open["reason"] = "budget".into();
        check(&open, unclear("budget"));
        let mut calm = verdict(&[], "valid");
        calm["faults"][0]["effect"] = "skipped".into();
        check(&calm, unclear("no fault was in force"));
    }

    #[test]
    fn what_was_measured_is_the_class_or_else_the_level_or_what_checks_say() {
        let case = case("never = \"G2-item\"");
        let check = |verdict: Value, expect: &str| {
            let (version, standing) = (String::new(), Standing::Kept);
            let row = Row { case: &case, version, standing, runs: 1, seconds: 1.0, verdict };
            assert_eq!(row.measured(), expect);
        };
        let found = json!([{ "name": "G2-item", "count": 3 }]);
        let transactions = json!({ "strongest": ["snapshot-isolation"], "violations": found });
        check(transactions, "snapshot-isolation, G2-item x3");
        check(json!({ "class": "weak", "cap": "AP", "strongest": ["pram"] }), "weak, AP");
        let by_check = json!({ "strongest": [], "checks": { "bank": { "verdict": "valid" } } });
        check(by_check, "bank valid");
    }

    #[test]
    fn a_case_stands_by_all_its_runs() {
        use Shown::{Anomaly, Nothing, TooMuch, Unclear};
        let finds = case("finds = \"stale-read\"");
        let never = case("never = \"stale-read\"");
        let unclear = || Unclear("why".to_owned());
        let check = |case: &Case, runs: &[Shown], expect: Option<Standing>| {
            assert_eq!(standing(case, runs), expect, "{runs:?}");
        };
        check(&finds, &[], None);
        check(&finds, &[Anomaly], Some(Standing::Found));
        check(&finds, &[Nothing], None);
        check(&finds, &[unclear(), Anomaly], Some(Standing::Found));
        check(&finds, &[Nothing, Nothing], Some(Standing::NotFound));
        check(&finds, &[unclear(), Nothing], Some(Standing::Unknown("why".to_owned())));
        check(&never, &[Anomaly], Some(Standing::Broken));
        check(&never, &[TooMuch("why".to_owned())], Some(Standing::Broken));
        check(&never, &[Nothing], None);
        check(&never, &[Nothing, Nothing], Some(Standing::Kept));
        check(&never, &[Nothing, unclear()], Some(Standing::Unknown("why".to_owned())));
    }
}
