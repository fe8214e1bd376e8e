//! `splitbrain doctor` and `splitbrain heal`.

use super::{Exit, Failure, harness};
use crate::databases::{self, Given};
use crate::environments::{self, HealOutcome};

/// Prints what this machine can do and what is missing.
pub fn doctor() -> Result<Exit, Failure> {
    let mut able = true;
    let mut text = String::new();
    let (needed, more) = (environments::doctor(), environments::doctor_of_faults());
    for (finding, is_needed) in
        needed.iter().map(|f| (f, true)).chain(more.iter().map(|f| (f, false)))
    {
        able &= finding.ok || !is_needed;
        text += &format!("{} {:<34} {}\n", mark(finding.ok), finding.what, finding.detail);
        if let Some(remedy) = &finding.remedy {
            text += &format!("  to get it: {remedy}\n");
        }
    }
    for name in databases::names() {
        // One that is made of what a user gives it can only be looked for then.
        let Ok(database) = databases::open(&name, &Given::default()) else { continue };
        let found = database.find();
        let line = match &found {
            Ok(program) => format!("{} ({})", program.path.display(), program.version),
            Err(missing) => missing.to_string(),
        };
        text += &format!("{} {:<34} {line}\n", mark(found.is_ok()), name);
    }
    let journals = environments::journals_can_be_kept();
    text += if able {
        "`splitbrain run` can work here.\n"
    } else if journals {
        "`splitbrain run` can work here. Where network namespaces or firewall rules are missing, its\n\
         nodes see each other through proxies (`--env proxy`), which needs none of that.\n"
    } else {
        "`splitbrain run` cannot start nodes here; `--env external` needs none of the above.\n"
    };
    super::print(&text).map_err(harness)?;
    Ok(if able { Exit::Valid } else { Exit::Harness })
}

fn mark(ok: bool) -> &'static str {
    if ok { "ok     " } else { "missing" }
}

/// Undoes what earlier runs left, and says what that was.
pub fn heal() -> Result<Exit, Failure> {
    let lines = environments::heal().map_err(harness)?;
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if text.is_empty() {
        text = "Nothing was left behind.\n".to_owned();
    }
    super::print(&text).map_err(harness)?;
    let failed = lines.iter().any(|line| matches!(line.outcome, HealOutcome::Failed(_)));
    Ok(if failed { Exit::Harness } else { Exit::Valid })
}
