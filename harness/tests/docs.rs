//! The book is whole, and what it says to type exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
}

fn pages() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<(String, String)> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    pages.sort();
    pages
}

/// Where the links of a page lead: `](TARGET)`.
fn links(text: &str) -> Vec<&str> {
    let parts = text.split("](").skip(1);
    parts.filter_map(|part| part.split_once(')')).map(|(target, _)| target).collect()
}

#[test]
fn every_page_is_in_the_summary_and_no_link_is_dead() {
    let pages = pages();
    let summary = &pages.iter().find(|(name, _)| name == "SUMMARY.md").unwrap().1;
    let listed: BTreeSet<&str> = links(summary).into_iter().collect();
    let there: BTreeSet<&str> =
        pages.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "SUMMARY.md").collect();
    assert_eq!(listed, there);
    for (name, text) in &pages {
        for link in links(text) {
            assert!(docs().join(link).exists(), "{name} leads to {link}");
        }
    }
}

/// The first words of what follows `splitbrain` in a line of a block of commands, comments left out.
fn commands(text: &str) -> Vec<(String, Vec<String>)> {
    // Every second part between fences is a block.
    let blocks = text.split("```").skip(1).step_by(2);
    let lines =
        blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap_or_default().trim());
    let told = lines.filter_map(|line| {
        line.strip_prefix("splitbrain ")
            .or_else(|| line.strip_prefix("- ./target/release/splitbrain "))
    });
    told.filter_map(|line| {
        // A flag inside of quotes is another program's.
        let mut words = shlex::split(line)?.into_iter();
        let command = words.next()?;
        let flags = words.filter(|word| word.starts_with("--"));
        Some((command, flags.map(|flag| flag.split('=').next().unwrap().to_owned()).collect()))
    })
    .collect()
}

#[test]
fn every_command_and_flag_in_it_exists() {
    let mut seen = 0;
    for (name, text) in pages() {
        for (command, flags) in commands(&text) {
            let help = Command::new(env!("CARGO_BIN_EXE_splitbrain"))
                .args([command.as_str(), "--help"])
                .output()
                .unwrap();
            assert!(help.status.success(), "{name}: there is no command {command}");
            let help = String::from_utf8(help.stdout).unwrap();
            for flag in flags {
                assert!(help.contains(&flag), "{name}: {command} has no flag {flag}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen}");
}

#[test]
fn every_word_that_is_explained_is_defined_in_it() {
    let definitions = std::fs::read_to_string(docs().join("definitions.md")).unwrap();
    for word in splitbrain::explain::words() {
        assert!(definitions.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn the_suite_in_it_is_one_and_the_history_in_it_is_judged() {
    let nightly = std::fs::read_to_string(docs().join("nightly.md")).unwrap();
    let suite = nightly.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    splitbrain::suite::Suite::from_toml(suite).unwrap();
    let database = std::fs::read_to_string(docs().join("database.md")).unwrap();
    let history = database.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.jsonl"), history).unwrap();
    let check =
        Command::new(env!("CARGO_BIN_EXE_splitbrain")).arg("check").arg(folder.path()).status();
    assert!(check.unwrap().success());
}
