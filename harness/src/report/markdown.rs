//! A summary in Markdown, as CI systems show it under a build.

use std::fmt::Write as _;

use splitbrain_checker::{Effect, Verdict};

use super::Judged;

/// Headline, what was violated and what was broken.
pub fn render(judged: &Judged) -> String {
    let judgement = &judged.judgement;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let mut line = |text: &str| {
        let _ = writeln!(out, "{text}");
    };
    let answer = match &judgement.verdict {
        Verdict::Valid if judgement.violations.is_empty() => {
            "valid: no anomaly found in this history".to_owned()
        }
        Verdict::Valid => {
            format!("valid: no anomaly found in this history that {} forbids", judgement.expect)
        }
        Verdict::Invalid => "invalid".to_owned(),
        Verdict::Unknown { reason } => format!("unknown: {}", plain(reason)),
    };
    line(&format!("### {}", plain(&judgement.headline())));
    line("");
    let mut rows = vec![
        (format!("expected {}", judgement.expect), answer),
        (
            "operations".to_owned(),
            format!(
                "{} ok, {} fail, {} info",
                judged.totals.ok, judged.totals.fail, judged.totals.info
            ),
        ),
    ];
    if let Some(header) = &judged.header {
        rows.insert(
            0,
            ("target".to_owned(), format!("{}, {} nodes", header.target, header.nodes.len())),
        );
        rows.push(("seed".to_owned(), header.seed.to_string()));
    }
    rows.push(match (&judgement.cap, &judgement.cap_reason) {
        (Some(cap), _) => ("CAP".to_owned(), format!("{cap:?}")),
        (None, why) => ("CAP".to_owned(), why.as_deref().map_or("no partition".to_owned(), plain)),
    });
    line("| | |\n|---|---|");
    rows.iter().for_each(|(what, value)| line(&format!("| {what} | {value} |")));
    for one in &judgement.violations {
        let key = one.key.as_ref().map_or(String::new(), |key| format!(", key {}", plain(key)));
        line(&format!("\n**{}** x{}{key}\n", one.name, one.count));
        one.because.iter().for_each(|why| line(&format!("1. {}", plain(why))));
    }
    if !judgement.faults.is_empty() {
        line("\n| fault | effect | in force after |\n|---|---|---|");
    }
    for fault in &judgement.faults {
        let effect = match (fault.effect, &fault.reason) {
            (Effect::Installed, _) => "installed".to_owned(),
            (effect, why) => format!("{effect:?} {}", why.as_deref().map_or(String::new(), plain)),
        };
        let after = fault.decided_to_in_force_ms.map_or("-".to_owned(), |ms| format!("{ms:.0} ms"));
        line(&format!("| {} | {} | {after} |", fault.name, effect.to_lowercase()));
    }
    for (what, command) in judged.commands() {
        line(&format!("\n{what}: `{command}`"));
    }
    out
}

/// Text that comes from a system under test, with nothing in it that Markdown would take for its own.
pub fn plain(text: &str) -> String {
    let special = |c: char| "\\`*_{}[]<>()#|!~&".contains(c);
    let escaped = |c: char| if special(c) { vec!['\\', c] } else { vec![c] };
    text.replace(['\n', '\r'], " ").chars().flat_map(escaped).collect()
}
