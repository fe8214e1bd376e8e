//! The rooms and their doors: which crate may depend on which.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Every edge that there may be between our own crates, and must be.
const ALLOWED: [(&str, &str); 5] = [
    ("my-database", "splitbrain"),
    ("splitbrain", "splitbrain-checker"),
    ("splitbrain", "splitbrain-nemesis"),
    ("splitbrain", "splitbrain-workloads"),
    ("splitbrain-workloads", "splitbrain-checker"),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo answers");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo speaks JSON")
}

fn edges(metadata: &Value) -> BTreeSet<(String, String)> {
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    packages
        .iter()
        .flat_map(|package| {
            let from = name(package);
            let on = package["dependencies"].as_array().expect("dependencies").iter().map(name);
            on.map(move |on| (from.clone(), on)).collect::<Vec<_>>()
        })
        .filter(|(_, on)| ours.contains(on))
        .collect()
}

#[test]
fn only_the_allowed_edges_exist() {
    let allowed: BTreeSet<(String, String)> =
        ALLOWED.iter().map(|(from, on)| ((*from).to_owned(), (*on).to_owned())).collect();
    assert_eq!(edges(&metadata()), allowed);
}

#[test]
fn an_edge_that_is_not_allowed_is_seen() {
    let mut metadata = metadata();
    let packages = metadata["packages"].as_array_mut().expect("packages");
    let checker = packages.iter_mut().find(|package| package["name"] == "splitbrain-checker");
    let dependencies = checker.expect("the checker")["dependencies"].as_array_mut();
    dependencies.expect("dependencies").push(serde_json::json!({ "name": "splitbrain-nemesis" }));
    assert!(edges(&metadata).contains(&("splitbrain-checker".into(), "splitbrain-nemesis".into())));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let rooms = ["checker", "nemesis", "workloads", "harness", "examples"];
    let mut folders: Vec<_> = rooms.iter().map(|room| format!("{root}/{room}").into()).collect();
    let mut without = Vec::new();
    while let Some(folder) = folders.pop() {
        let folder: std::path::PathBuf = folder;
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a file");
                if !text.starts_with("//!") {
                    without.push(path);
                }
            }
        }
    }
    assert!(without.is_empty(), "files without a //! line: {without:?}");
}
