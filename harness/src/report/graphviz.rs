//! A cycle of transactions as Graphviz lays it out, where its `dot` is installed.
//!
//! A drawing is for the eye alone. So whatever `dot` does, nothing depends on it: it is waited for only so
//! long, asked no more once it has failed, and what is no drawing of the cycle is not taken.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use super::drawing::{self, Cycle};
use crate::command::ask;

/// It needs milliseconds for the cycles that are found.
const LIMIT: Duration = Duration::from_secs(2);
/// More than that goes through no pipe at once, and would be no help to anyone.
const SOURCE_MOST: usize = 32 << 10;
const DRAWING_MOST: usize = 1 << 20;
/// Fields of its elements that an element within a page does not need.
const FOREIGN: [&str; 2] =
    [r#" xmlns="http://www.w3.org/2000/svg""#, r#" xmlns:xlink="http://www.w3.org/1999/xlink""#];

/// The program, as long as it does its work.
pub struct Dot {
    words: &'static [&'static str],
    limit: Duration,
    has_failed: bool,
}

impl Default for Dot {
    /// The one on the path.
    fn default() -> Dot {
        Dot { words: &["dot"], limit: LIMIT, has_failed: false }
    }
}

impl Dot {
    /// An SVG element, if there is one to be had.
    pub fn draw(&mut self, cycle: &Cycle<'_>) -> Option<String> {
        let source = source(cycle);
        if self.has_failed || source.len() > SOURCE_MOST {
            return None;
        }
        let command = &mut Command::new(self.words[0]);
        let answer = ask(command.args(&self.words[1..]).arg("-Tsvg"), &source, self.limit);
        let answer = answer.ok().filter(|answer| answer.status.success());
        let drawn = answer.and_then(|answer| element(&answer.stdout, cycle.transactions.len()));
        self.has_failed = drawn.is_none();
        drawn
    }
}

/// The cycle in the language of `dot`.
fn source(cycle: &Cycle<'_>) -> String {
    let mut source =
        "digraph cycle {\nbgcolor=transparent; node [shape=box style=rounded fontname=Courier \
                      fontsize=13]; edge [fontname=Courier fontsize=13];\n"
            .to_owned();
    let Cycle { transactions, reasons, kinds } = cycle;
    for (at, transaction) in transactions.iter().enumerate() {
        let _ = writeln!(source, "t{at} [label=\"{}\"];", label(transaction));
    }
    for (at, (reason, kind)) in reasons.iter().zip(*kinds).enumerate() {
        let next = (at + 1) % transactions.len();
        let label = label(&format!("{kind}: {reason}"));
        let _ = writeln!(source, "t{at} -> t{next} [class=\"{kind}\" label=\"{label}\"];");
    }
    source + "}\n"
}

/// Lines that begin at the left, in which nothing has a meaning of its own.
fn label(text: &str) -> String {
    let mut label = String::new();
    for line in drawing::broken(text) {
        for letter in line.chars() {
            match letter {
                '\\' | '"' => label.extend(['\\', letter]),
                '&' => label += "&amp;",
                letter if letter.is_control() => label.push('\u{fffd}'),
                letter => label.push(letter),
            }
        }
        label += "\\l";
    }
    label
}

/// The element of a drawing that has so many boxes, in pixels and with the page's colours.
fn element(drawing: &[u8], boxes: usize) -> Option<String> {
    let text = std::str::from_utf8(drawing).ok()?;
    let from = text.find("<svg ")?;
    let to = text.rfind("</svg>")? + "</svg>".len();
    let element = text.get(from..to).filter(|element| element.len() <= DRAWING_MOST)?;
    let (opening, inside) = element.split_once('>')?;
    let is_it = inside.matches(r#"class="node""#).count() == boxes && !inside.contains("<script");
    let opening =
        opening.replace("<svg ", r#"<svg class="cycle" role="img" "#).replace("pt\"", "\"");
    let opening = FOREIGN.iter().fold(opening, |opening, field| opening.replace(field, ""));
    is_it.then(|| format!("{opening}>{inside}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle() -> (Vec<String>, Vec<String>) {
        let texts = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        (texts(["T0 \"r\" <x> & \\N", "T1"]), texts(["T0 read what T1 wrote over", "so"]))
    }

    /// What a program of these lines draws within a time, and whether it is asked again.
    fn drawn(script: &str, limit_ms: u64) -> (Option<String>, bool) {
        let words = vec!["sh", "-c", script.to_owned().leak()].leak();
        let mut dot = Dot { words, limit: Duration::from_millis(limit_ms), has_failed: false };
        let (transactions, reasons) = cycle();
        let cycle = Cycle { transactions: &transactions, reasons: &reasons, kinds: &["rw", "wr"] };
        (dot.draw(&cycle), !dot.has_failed)
    }

    const PROLOG: &str = r#"<?xml version="1.0"?><!DOCTYPE svg>"#;
    const DRAWING: &str = r#"<svg width="9pt" height="8pt" viewBox="0 0 9 8" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><g class="node"/><g class="node"/></svg>"#;

    #[test]
    fn what_dot_draws_becomes_a_part_of_the_page() {
        let (drawing, is_asked_again) =
            drawn(&format!("cat > /dev/null; echo '{PROLOG}{DRAWING}'"), 60_000);
        let expected = r#"<svg class="cycle" role="img" width="9" height="8" viewBox="0 0 9 8"><g class="node"/><g class="node"/></svg>"#;
        assert_eq!(drawing.as_deref(), Some(expected));
        assert!(is_asked_again);
    }

    #[test]
    fn a_dot_that_fails_or_hangs_draws_nothing_and_is_asked_no_more() {
        let without_a_box = DRAWING.replacen(r#"<g class="node"/>"#, "", 1);
        for script in ["exec sleep 600", &format!("echo '{DRAWING}'; exec sleep 600")] {
            assert_eq!(drawn(script, 200), (None, false), "{script}");
        }
        for script in [
            "exit 1".to_owned(),
            format!("cat > /dev/null; echo '{DRAWING}'; exit 3"),
            "cat > /dev/null; echo no drawing".to_owned(),
            "kill -9 $$".to_owned(),
            format!("cat > /dev/null; echo '{without_a_box}'"),
            r"cat > /dev/null; printf '<svg \377</svg>'".to_owned(),
        ] {
            assert_eq!(drawn(&script, 60_000), (None, false), "{script}");
        }
        let mut missing = Dot { words: &["/nowhere/dot"], ..Dot::default() };
        let (transactions, reasons) = cycle();
        let cycle = Cycle { transactions: &transactions, reasons: &reasons, kinds: &["rw", "wr"] };
        assert_eq!(missing.draw(&cycle), None);
    }

    #[test]
    fn no_letter_has_a_meaning_of_its_own() {
        let (transactions, reasons) = cycle();
        let cycle = Cycle { transactions: &transactions, reasons: &reasons, kinds: &["rw", "wr"] };
        let source = source(&cycle);
        assert!(source.contains(r#"t0 [label="T0 \"r\" <x> &amp; \\N\l"];"#), "{source}");
        assert!(source.contains(r#"t1 -> t0 [class="wr" label="wr: so\l"];"#), "{source}");
    }

    /// Where it is installed.
    #[test]
    fn the_dot_of_this_machine_draws_it() {
        let (transactions, reasons) = cycle();
        let cycle = Cycle { transactions: &transactions, reasons: &reasons, kinds: &["rw", "wr"] };
        match Dot::default().draw(&cycle) {
            None => eprintln!("SKIPPED: there is no dot on the path that draws"),
            Some(drawing) => {
                assert!(drawing.contains("T0 &quot;r&quot; &lt;x&gt; &amp; \\N"), "{drawing}");
                assert!(drawing.contains("edge rw") && !drawing.contains("http"), "{drawing}");
            }
        }
    }
}
