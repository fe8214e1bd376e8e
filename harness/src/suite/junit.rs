//! JUnit's XML: a suite for each target, a case for each run, and one for each known failure.
//!
//! *Failures* are about the system under test, *errors* are about the harness or too little
//! evidence, and what is known or was not run is *skipped*, with its reason.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::report::write_junit;

use super::{Cell, Outcome, Results, Row, Standing};

/// The whole of it.
pub fn render(results: &Results) -> anyhow::Result<String> {
    let mut report = Report::new(&results.suite.name);
    let mut suites: Vec<TestSuite> = Vec::new();
    for ((cell, row), standing) in results.lines().zip(&results.tally.standings) {
        let at = suites.iter().position(|suite| suite.name.as_str() == cell.target);
        let at = at.unwrap_or_else(|| {
            suites.push(TestSuite::new(cell.target.clone()));
            suites.len() - 1
        });
        suites[at].add_test_case(case(cell, row, *standing, results));
    }
    if !results.tally.known.is_empty() {
        let mut known = TestSuite::new("known failures");
        for failure in &results.tally.known {
            let status = match failure.stopped() {
                true => not(
                    NonSuccessKind::Failure,
                    "stopped-failing",
                    format!("it does not fail any more: {}", failure.reason),
                ),
                false => TestCaseStatus::success(),
            };
            let mut case = TestCase::new(format!("{} fails", failure.of), status);
            case.set_classname("known failures").set_time(Duration::ZERO);
            known.add_test_case(case);
        }
        suites.push(known);
    }
    report.add_test_suites(suites);
    write_junit(&report)
}

fn case(cell: &Cell, row: Option<&Row>, standing: Standing, results: &Results) -> TestCase {
    let reason = results.suite.known_of(cell).map_or("", |known| &known.reason);
    let status = match (standing, row) {
        (_, None) => skipped("not-run", "there was no time left".to_owned()),
        (Standing::KnownFailure, Some(row)) => {
            skipped("known-failure", format!("{reason} ({})", row.shown()))
        }
        (Standing::Bad, Some(row)) => not(NonSuccessKind::Failure, "invalid", row.shown()),
        (Standing::Open, Some(row)) => {
            let kind = match row.outcome {
                Outcome::HarnessFailure => "harness",
                Outcome::NotEnoughEvidence => "not-enough-evidence",
                _ => "unknown",
            };
            not(NonSuccessKind::Error, kind, row.shown())
        }
        _ => TestCaseStatus::success(),
    };
    let name = format!("{} {} {}", cell.workload, cell.faults, cell.which);
    let mut case = TestCase::new(name, status);
    case.set_classname(cell.target.clone());
    case.set_time(Duration::from_secs_f64(row.map_or(0.0, |row| row.seconds.max(0.0))));
    if let Some(row) = row {
        let run = row.run.as_deref().unwrap_or("nowhere");
        case.set_system_out(format!("{}, seed {}, kept in {run}", row.shown(), row.seed));
    }
    case
}

fn not(kind: NonSuccessKind, name: &str, why: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(name).set_message(why.clone()).set_description(why);
    status
}

fn skipped(name: &str, why: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_type(name).set_message(why);
    status
}
