//! The block at the end of a run: what a person reads at a glance.

use std::fmt::Write;

use splitbrain_checker::{
    CapWindow, Class, Effect, Expectation, Failover, FaultReport, Judgement, Rung, Service, Side,
    Verdict,
};

use super::{Judged, profile};

/// What a person reads at a glance; the rest is in `verdict.json`.
const LINES_MOST: usize = 25;
const CUTS_MOST: usize = 2;
const SENTENCE_WIDTH: usize = 125;
const REMARKS_MOST: usize = 3;

/// The block. Every figure in it comes from the history.
pub fn render(judged: &Judged) -> String {
    let judgement = &judged.judgement;
    let mut top = String::new();
    headline(&mut top, judged);
    subject(&mut top, judged);
    partitions(&mut top, &judgement.cap_windows);
    if !judgement.cap_windows.is_empty() {
        sentence(&mut top, &judgement.profile.sentence);
    }
    failover(&mut top, &judgement.failover);
    faults(&mut top, &judgement.faults);
    let mut bottom = String::new();
    for remark in judged.remarks.iter().take(REMARKS_MOST) {
        line(&mut bottom, &format!("note: {}", clip(remark, 150)));
    }
    if let Some(number) = judged.truncated_line {
        line(&mut bottom, &format!("note: the last line, {number}, is cut off and was left out"));
    }
    ending(&mut bottom, judged);
    let room = LINES_MOST.saturating_sub(top.lines().count() + bottom.lines().count());
    let mut middle = String::new();
    violations(&mut middle, judged, room);
    top + &middle + &bottom
}

pub(super) fn line(out: &mut String, text: &str) {
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
    line(out, &format!("  {subject}"));
    ladder(out, &judged.judgement);
}

/// Which consistency models hold, if there is more than one to tell of, and what the check of the
/// workload counted.
fn ladder(out: &mut String, judgement: &Judgement) {
    let names = |rungs: &[Rung]| match rungs {
        [] => "none".to_owned(),
        rungs => rungs.iter().map(|rung| rung.name()).collect::<Vec<_>>().join(", "),
    };
    if judgement.ladder.len() > 1 {
        let holds = names(&judgement.strongest);
        let ruled_out = names(&judgement.weakest_ruled_out);
        line(out, &format!("  strongest that holds: {holds}; weakest ruled out: {ruled_out}"));
    }
    for (name, check) in &judgement.checks {
        let counts: Vec<String> =
            check.counts().map(|(of, count)| format!("{of} {count}")).collect();
        line(out, &format!("  {name} {}: {}", check.verdict.name(), counts.join(", ")));
    }
    line(out, "");
}

fn partitions(out: &mut String, windows: &[CapWindow]) {
    let judged = windows.iter().filter(|window| window.not_judged.is_none());
    let more = judged.clone().count().saturating_sub(CUTS_MOST);
    for (number, window) in judged.take(CUTS_MOST).enumerate() {
        if number == 0 {
            let more = if more == 0 { String::new() } else { format!("   (and {more} more cuts)") };
            line(out, &format!("while partitioned (second half)    reads  writes{more}"));
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
}

pub(super) fn percent(part: Option<f64>) -> String {
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

/// In two lines that are not too long.
fn sentence(out: &mut String, sentence: &str) {
    let sentence = clip(sentence, 2 * SENTENCE_WIDTH - 20);
    let mut row = String::new();
    for word in sentence.split(' ') {
        if row.len() + word.len() > SENTENCE_WIDTH {
            line(out, &row);
            row = " ".to_owned();
        }
        row += if row.is_empty() { "" } else { " " };
        row += word;
    }
    line(out, &row);
}

/// A word for each kind of fault with the median of its times, and a line for what went wrong.
fn faults(out: &mut String, faults: &[FaultReport]) {
    let mut names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return line(out, "no faults were injected");
    }
    let word = |name: &&str| {
        let all: Vec<&FaultReport> = faults.iter().filter(|fault| fault.name == *name).collect();
        let times = if all.len() > 1 { format!(" x{}", all.len()) } else { String::new() };
        let in_force = median_ms(all.iter().filter_map(|fault| fault.decided_to_in_force_ms));
        let healed = median_ms(all.iter().filter_map(|fault| fault.heal_decided_to_verified_ms));
        format!("{name}{times} {in_force}/{healed}")
    };
    let words: Vec<String> = names.iter().map(word).collect();
    for (number, some) in words.chunks(5).enumerate() {
        let head = if number == 0 { "faults (in force after/healed after): " } else { "  " };
        line(out, &format!("{head}{}", some.join(", ")));
    }
    for name in names {
        let not: Vec<&FaultReport> = faults
            .iter()
            .filter(|fault| fault.name == name && fault.effect != Effect::Installed)
            .collect();
        if let Some(first) = not.first() {
            let why = first.reason.as_deref().unwrap_or("no reason given");
            let effect = format!("{:?}", first.effect).to_lowercase();
            line(out, &format!("  {name}: {} {effect}: {}", not.len(), clip(why, 100)));
        }
    }
}

/// What was lost and for how long, in a line or three.
fn failover(out: &mut String, failover: &Failover) {
    let rto = match (&failover.rto_ms, &failover.reason) {
        (Some(rto), _) if rto.count > 1 => format!(
            "RTO {:.0} ms (median of {} faults, {:.0} ms at most)",
            rto.p50, rto.count, rto.max
        ),
        (Some(rto), _) => format!("RTO {:.0} ms", rto.max),
        (None, Some(reason)) => format!("RTO not measured, {reason}"),
        (None, None) => "RTO unknown, no write was acknowledged any more".to_owned(),
    };
    let lost = profile::lost(&failover.loss);
    line(out, &clip(&format!("fail-over    {rto}; {lost}"), 230));
    if let Some(longest) =
        failover.split_brain.iter().max_by(|one, other| one.for_ms.total_cmp(&other.for_ms))
    {
        line(
            out,
            &format!(
                "split brain  {} partitions of which both sides took writes, at once for {:.1} s",
                failover.split_brain.len(),
                longest.for_ms / 1e3
            ),
        );
    }
}

fn median_ms(times: impl Iterator<Item = f64>) -> String {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).map_or("-".to_owned(), |median| format!("{median:.0} ms"))
}

/// The gravest violation with its argument, the others by name.
fn violations(out: &mut String, judged: &Judged, room: usize) {
    let Some((gravest, others)) = judged.judgement.violations.split_first() else { return };
    let key = gravest.key.as_ref().map_or(String::new(), |key| format!(", key {key}"));
    let name = format!("{} x{}{key}", gravest.name, gravest.count);
    let witness = match gravest.witness.as_slice() {
        few if few.len() <= 6 => format!("events {few:?}"),
        many => format!("{} operations, in verdict.json", many.len()),
    };
    let room = room.saturating_sub(1 + usize::from(!others.is_empty()));
    let end = if room > 0 { ":" } else { ", argued in verdict.json" };
    line(out, &format!("{name}; the smallest ({witness}){end}"));
    for because in gravest.because.iter().take(room) {
        line(out, &format!("  {}", clip(because, 150)));
    }
    let others: Vec<String> =
        others.iter().map(|one| format!("{} x{}", one.name, one.count)).collect();
    if !others.is_empty() {
        line(out, &format!("also: {}", others.join(", ")));
    }
}

/// Where everything lies, how to do it again, and what the exit code means.
fn ending(out: &mut String, judged: &Judged) {
    let judgement = &judged.judgement;
    if let Some(run) = &judged.kept_in {
        line(out, &format!("\nkept in      {run}"));
    }
    for (what, command) in judged.commands() {
        line(out, &format!("{what:<12} {command}"));
    }
    // Objects that are in no class are expected to pass their own check.
    let classless = judgement.class_at_least.is_none() && !judgement.checks.is_empty();
    let expected = match judgement.expect {
        Expectation::Class(_) if classless => "no anomaly".to_owned(),
        expected => expected.to_string(),
    };
    line(
        out,
        &match &judgement.verdict {
            Verdict::Valid => match judgement.expect {
                Expectation::Cap(_) => format!("valid: {expected}, as was expected"),
                _ if judgement.violations.is_empty() => {
                    format!("valid: no anomaly found in this history ({expected} was expected)")
                }
                _ => format!("valid: no anomaly found in this history that {expected} forbids"),
            },
            Verdict::Invalid => {
                let hint = judgement
                    .class
                    .filter(|class| *class != Class::Corrupt)
                    .map_or(String::new(), |class| format!(" (--expect {})", class.name()));
                let by_check = judgement.checks.values().any(|check| check.verdict.is_invalid());
                let (expected, hint) = match judgement.expect {
                    Expectation::Class(_) if by_check => ("no anomaly".to_owned(), String::new()),
                    _ => (expected, hint),
                };
                let found = match judgement.expect {
                    Expectation::Class(_) => judgement.headline(),
                    _ => format!("not {expected}"),
                };
                format!("{found}; exit 1 because {expected} was expected{hint}")
            }
            Verdict::Unknown { reason } => {
                let code = judged.exit() as u8;
                format!("unknown; exit {code} because it cannot be told: {}", clip(reason, 150))
            }
        },
    );
}

pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Question, judge_file};

    /// Every history of the checker's corpus, as a person would see it.
    #[test]
    fn the_block_is_never_longer_than_a_glance() {
        let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/../checker/corpus").into()];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            let folder: std::path::PathBuf = folder;
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "jsonl") {
                    // Comments are allowed in the corpus alone.
                    let text = std::fs::read_to_string(&path).unwrap();
                    let lines = text.lines().filter(|line| !line.starts_with('#'));
                    let plain = tempfile::NamedTempFile::new().unwrap();
                    std::fs::write(plain.path(), lines.collect::<Vec<_>>().join("\n")).unwrap();
                    // Of operations on other objects than registers nothing is told.
                    let Ok((_, mut judged)) = judge_file(plain.path(), &Question::default()) else {
                        continue;
                    };
                    judged.remarks = vec!["something else".to_owned(); 9];
                    let block = judged.text();
                    assert!(block.lines().count() <= super::LINES_MOST, "{block}");
                    assert!(block.lines().all(|line| line.chars().count() <= 240), "{block}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 30, "only {seen} histories");
    }
}
