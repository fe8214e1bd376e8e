//! JUnit's XML: one case for what was expected, so that a CI system shows it as a test.
//!
//! Invalid is a *failure*, which is about the system under test. Unknown and a failure of the harness
//! are *errors*, which are not: nobody should look for a bug where a disk was full.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use splitbrain_checker::Verdict;

use super::Judged;

/// One suite with one case.
pub fn render(judged: &Judged) -> anyhow::Result<String> {
    let judgement = &judged.judgement;
    let target = judged.header.as_ref().map_or("history", |header| header.target.as_str());
    let mut case = TestCase::new(format!("is {}", judgement.expect), status(judged));
    case.set_classname(target);
    case.set_time(Duration::from_secs_f64(judged.totals.seconds.max(0.0)));
    case.set_system_out(judged.text());
    let mut suite = TestSuite::new(target);
    suite.add_test_case(case);
    let mut report = Report::new("splitbrain");
    report.add_test_suite(suite);
    write(&report)
}

/// The text, without the one attribute that the schema of Jenkins' xUnit plugin refuses: it lets a
/// suite say how many cases were skipped, but not all suites together.
pub fn write(report: &Report) -> anyhow::Result<String> {
    let text = report.to_string()?;
    let root = text.find("<testsuites").unwrap_or(0);
    let end = root + text[root..].find('>').unwrap_or(0);
    let (before, after) = (&text[..end], &text[end..]);
    let Some(at) = before.rfind(" skipped=\"") else { return Ok(text) };
    let value = at + " skipped=\"".len();
    let rest = before[value..].find('"').map_or("", |quote| &before[value + quote + 1..]);
    Ok([&before[..at], rest, after].concat())
}

fn status(judged: &Judged) -> TestCaseStatus {
    let judgement = &judged.judgement;
    let not = |kind, name: &str, message: String, why: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(name).set_message(message).set_description(why);
        status
    };
    match (&judgement.verdict, &judged.failure) {
        (Verdict::Invalid, _) => {
            let because: Vec<String> = judgement
                .violations
                .iter()
                .map(|one| format!("{} x{}\n  {}", one.name, one.count, one.because.join("\n  ")))
                .collect();
            not(NonSuccessKind::Failure, "invalid", judgement.headline(), because.join("\n"))
        }
        (_, Some(why)) => not(NonSuccessKind::Error, "harness", why.clone(), why.clone()),
        (Verdict::Unknown { reason }, None) => {
            not(NonSuccessKind::Error, "unknown", reason.clone(), reason.clone())
        }
        (Verdict::Valid, None) => TestCaseStatus::success(),
    }
}
