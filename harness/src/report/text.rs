//! The block at the end of a run: what a person reads at a glance.

use std::fmt::Write;

use splitbrain_checker::{CapWindow, Effect, FaultReport, Service, Side, Verdict};

use super::{Judged, word};

/// Lines kept free for what always comes.
const VIOLATIONS_MOST: usize = 2;
const REMARKS_MOST: usize = 3;

/// The block. Every figure in it comes from the history.
pub fn render(judged: &Judged) -> String {
    let mut out = String::new();
    headline(&mut out, judged);
    subject(&mut out, judged);
    partitions(&mut out, &judged.judgement.cap_windows, judged.judgement.cap_reason.as_deref());
    faults(&mut out, &judged.judgement.faults);
    violations(&mut out, judged);
    for remark in judged.remarks.iter().take(REMARKS_MOST) {
        line(&mut out, &format!("note: {}", clip(remark, 150)));
    }
    if let Some(number) = judged.truncated_line {
        line(&mut out, &format!("note: the last line, {number}, is cut off and was left out"));
    }
    ending(&mut out, judged);
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn headline(out: &mut String, judged: &Judged) {
    let judgement = &judged.judgement;
    let cap = match (&judgement.cap, judgement.cap_windows.is_empty()) {
        (Some(cap), _) => format!("{cap:?}").to_uppercase().replace("NEITHER", "neither CP nor AP"),
        (None, true) => "CAP: no partition".to_owned(),
        (None, false) => "CAP: not decided".to_owned(),
    };
    line(out, &format!("\n  {}  |  {cap}", judgement.headline()));
}

fn subject(out: &mut String, judged: &Judged) {
    let totals = judged.totals;
    let operations = format!(
        "{} operations in {:.1} s: {} ok, {} fail, {} info",
        judged.judgement.operations, totals.seconds, totals.ok, totals.fail, totals.info
    );
    let subject = match &judged.header {
        Some(header) => format!(
            "{}, {} nodes, seed {}: {operations}",
            header.target,
            header.nodes.len(),
            header.seed
        ),
        None => operations,
    };
    line(out, &format!("  {subject}\n"));
}

fn partitions(out: &mut String, windows: &[CapWindow], reason: Option<&str>) {
    let mut shown = false;
    for window in windows.iter().filter(|window| window.not_judged.is_none()) {
        if !shown {
            line(out, "while partitioned (second half)    reads  writes");
            shown = true;
        }
        for side in &window.sides {
            let leader = if side.leader { ", leader" } else { "" };
            let nodes = format!("{}{leader}", side.nodes.join(" "));
            line(
                out,
                &format!(
                    "  {:<13} {:<18} {:>6}  {:>6}  {}",
                    window.name,
                    nodes,
                    percent(side.read_success),
                    percent(side.write_success),
                    service(side)
                ),
            );
        }
    }
    if let Some(reason) = reason.filter(|_| !windows.is_empty()) {
        line(out, &format!("  CAP is not decided: {reason}"));
    }
}

fn percent(part: Option<f64>) -> String {
    part.map_or("-".to_owned(), |part| format!("{:.1} %", part * 100.0))
}

fn service(side: &Side) -> &'static str {
    match (side.reads, side.writes) {
        _ if side.serves() => "serves",
        _ if side.refuses() => "refuses",
        (Some(Service::Serves), _) => "serves reads only",
        (_, Some(Service::Serves)) => "serves writes only",
        _ => "serves in part",
    }
}

/// One line for each kind of fault, with the median of its times.
fn faults(out: &mut String, faults: &[FaultReport]) {
    let mut names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return line(out, "no faults were injected");
    }
    line(out, "faults          times  in force after  healed after");
    for name in names {
        let all: Vec<&FaultReport> = faults.iter().filter(|fault| fault.name == name).collect();
        let not: Vec<&&FaultReport> =
            all.iter().filter(|fault| fault.effect != Effect::Installed).collect();
        let trouble = not.first().map_or(String::new(), |fault| {
            let why = fault.reason.as_deref().unwrap_or("no reason given");
            format!("  {} of them {:?}: {}", not.len(), fault.effect, clip(why, 60)).to_lowercase()
        });
        line(
            out,
            &format!(
                "  {name:<14} {:>4}  {:>14}  {:>12}{trouble}",
                all.len(),
                median_ms(all.iter().filter_map(|fault| fault.decided_to_in_force_ms)),
                median_ms(all.iter().filter_map(|fault| fault.heal_decided_to_verified_ms)),
            ),
        );
    }
}

fn median_ms(times: impl Iterator<Item = f64>) -> String {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).map_or("-".to_owned(), |median| format!("{median:.0} ms"))
}

fn violations(out: &mut String, judged: &Judged) {
    for violation in judged.judgement.violations.iter().take(VIOLATIONS_MOST) {
        let key = violation.key.as_ref().map_or(String::new(), |key| format!(", key {key}"));
        line(
            out,
            &format!(
                "{} x{}{key}, smallest so far (events {:?}):",
                violation.name, violation.count, violation.witness
            ),
        );
        for because in violation.because.iter().take(4) {
            line(out, &format!("  {}", clip(because, 150)));
        }
    }
    let more = judged.judgement.violations.iter().skip(VIOLATIONS_MOST);
    let more: Vec<String> = more.map(|one| format!("{} x{}", one.name, one.count)).collect();
    if !more.is_empty() {
        line(out, &format!("also: {}", more.join(", ")));
    }
}

/// Where everything lies, how to do it again, and what the exit code means.
fn ending(out: &mut String, judged: &Judged) {
    let judgement = &judged.judgement;
    if let Some(run) = judgement.run.as_deref().filter(|run| !run.is_empty()) {
        line(out, &format!("\nkept in    {run}  (check it again: splitbrain check {run})"));
        line(out, &format!("run again  splitbrain run --plan {run}/plan.json"));
    }
    let expected = word(judgement.expect);
    line(
        out,
        &match &judgement.verdict {
            Verdict::Valid => {
                format!("valid: no anomaly found in this history ({expected} was expected)")
            }
            Verdict::Invalid => {
                let hint = judgement
                    .class
                    .map_or(String::new(), |class| format!(" (--expect {})", word(class)));
                format!("{}; exit 1 because {expected} was expected{hint}", judgement.headline())
            }
            Verdict::Unknown { reason } => {
                format!("unknown; exit 2 because it cannot be told: {}", clip(reason, 150))
            }
        },
    );
}

fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
