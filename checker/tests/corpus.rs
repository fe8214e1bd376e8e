//! The corpus: small histories whose path is the expected answer,
//! `corpus/<class>/<violations>/<case>.jsonl`. A class that is known only by its bounds is
//! `<at least>..<at most>`. Broken rungs of the ladder are not in the path. What a user would read sits beside each file that has violations;
//! `SPLITBRAIN_UPDATE=1` writes it anew. Lines that begin with `#` are comments.

mod common;

use std::fs;
use std::path::Path;

use common::files;
use splitbrain_checker::history::History;
use splitbrain_checker::{Class, Judgement, Options, judge};

fn read(path: &Path) -> History {
    let text = fs::read_to_string(path).expect("a file");
    let lines: Vec<&str> =
        text.lines().map(|line| if line.starts_with('#') { "" } else { line }).collect();
    History::read(lines.join("\n").as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn class_of(judgement: &Judgement) -> String {
    let word = |class: Class| format!("{class:?}").to_lowercase();
    match (judgement.class_at_least, judgement.class_at_most) {
        (Some(at_least), Some(at_most)) if at_least == at_most => word(at_least),
        (Some(at_least), Some(at_most)) => format!("{}..{}", word(at_least), word(at_most)),
        _ => "unknown".to_owned(),
    }
}

fn violations_of(judgement: &Judgement) -> String {
    let anomalies = judgement.violations.iter().filter(|violation| violation.shape.is_none());
    let names: Vec<&str> = anomalies.map(|violation| violation.name).collect();
    if names.is_empty() { "clean".to_owned() } else { names.join("+") }
}

fn explanation(judgement: &Judgement) -> String {
    let mut text = String::new();
    for violation in &judgement.violations {
        let key = violation.key.as_ref().map_or(String::new(), |key| format!(", key {key}"));
        text += &format!("{} x{}{key} {:?}\n", violation.name, violation.count, violation.witness);
        for because in &violation.because {
            text += &format!("  {because}\n");
        }
        if let Some(shape) = violation.shape {
            let rungs: Vec<&str> = violation.rules_out.iter().map(|rung| rung.name()).collect();
            text += &format!("  {shape} rules out {}\n", rungs.join(", "));
        }
    }
    text
}

#[test]
fn every_history_of_the_corpus_is_what_its_path_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let update = std::env::var_os("SPLITBRAIN_UPDATE").is_some();
    let mut paths = files(&root);
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    assert!(paths.len() >= 50, "the corpus has shrunk to {} files", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let judgement = judge(&read(&path), &Options::default());
        let answer = format!("{}/{}", class_of(&judgement), violations_of(&judgement));
        let name = path.strip_prefix(&root).expect("below the root").to_owned();
        let expected = name.parent().expect("a folder").to_string_lossy().into_owned();
        if answer != expected {
            wrong.push(format!("{}: {answer}", name.display()));
        }
        let beside = path.with_extension("txt");
        let explanation = explanation(&judgement);
        if update && !explanation.is_empty() {
            fs::write(&beside, &explanation).expect("written");
        }
        let kept = fs::read_to_string(&beside).unwrap_or_default();
        if explanation != kept {
            wrong.push(format!("{}: explained as\n{explanation}", name.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
