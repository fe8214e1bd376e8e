//! Answers that belong to their questions (Maelstrom's `echo`).

use super::{Check, Finding, Object, Report};
use crate::history::Operation;

/// `echo`, answered with what was said.
pub(super) struct Echo;

impl Check for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn operations(&self) -> &'static str {
        "echo, answered with its own value"
    }

    fn is_safety(&self) -> bool {
        true
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["echo"])?;
        let wrong: Vec<&Operation> =
            object.ok("echo").filter(|echo| echo.result() != echo.argument()).collect();
        let mut report = Report::valid();
        report.set("attempted-count", object.operations.len());
        report.set("acknowledged-count", object.ok("echo").count());
        report.set("wrong-count", wrong.len());
        if let Some(&first) = wrong.first() {
            report.find(Finding {
                name: "wrong-echo",
                count: wrong.len(),
                witness: vec![first],
                why: format!("{} was sent and {} came back", first.argument(), first.result()),
            });
        }
        Ok(report)
    }
}
