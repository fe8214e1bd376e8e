//! `splitbrain doctor` and `splitbrain heal`.

use super::{Exit, Failure, harness};
use crate::databases;
use crate::environments::{self, HealOutcome};

/// Prints what this machine can do and what is missing.
pub fn doctor() -> Result<Exit, Failure> {
    let mut able = true;
    for finding in environments::doctor() {
        able &= finding.ok;
        println!("{} {:<34} {}", mark(finding.ok), finding.what, finding.detail);
        if let Some(remedy) = &finding.remedy {
            println!("  to get it: {remedy}");
        }
    }
    for entry in databases::ALL {
        let found = (entry.open)(None).map(|database| database.find());
        let line = match &found {
            Ok(Ok(program)) => format!("{} ({})", program.path.display(), program.version),
            Ok(Err(missing)) => missing.to_string(),
            Err(error) => error.clone(),
        };
        println!("{} {:<34} {line}", mark(matches!(found, Ok(Ok(_)))), entry.name);
    }
    println!(
        "{}",
        if able {
            "`splitbrain run` can work here."
        } else {
            "`splitbrain run` cannot start nodes here; `--env external` needs none of the above."
        }
    );
    Ok(if able { Exit::Valid } else { Exit::Harness })
}

fn mark(ok: bool) -> &'static str {
    if ok { "ok     " } else { "missing" }
}

/// Undoes what earlier runs left, and says what that was.
pub fn heal() -> Result<Exit, Failure> {
    let lines = environments::heal().map_err(harness)?;
    if lines.is_empty() {
        println!("Nothing was left behind.");
    }
    for line in &lines {
        println!("{line}");
    }
    let failed = lines.iter().any(|line| matches!(line.outcome, HealOutcome::Failed(_)));
    Ok(if failed { Exit::Harness } else { Exit::Valid })
}
