//! The network of the machine itself, which no run may touch: as this thread sees it.

use std::collections::BTreeSet;
use std::process::Command;

/// What there is at one moment.
#[derive(Debug)]
pub struct Machine {
    parts: [(&'static str, BTreeSet<String>); 3],
}

impl Machine {
    pub fn now() -> Machine {
        let links = said("ip", &["-oneline", "link"]);
        // `7: veth0@if6: <FLAGS> ...`: only the name, since the rest changes by itself.
        let name = |line: &String| line.split(": ").nth(1).unwrap_or(line).to_owned();
        // Without the comments, which have the time, and the chains that every table has.
        let is_rule = |line: &String| line.starts_with('-');
        Machine {
            parts: [
                ("links", links.iter().map(name).collect()),
                ("rules", said("iptables-save", &[]).into_iter().filter(is_rule).collect()),
                ("qdiscs", said("tc", &["qdisc", "show"]).into_iter().collect()),
            ],
        }
    }

    /// What there is now and was not before, with its kind.
    pub fn since(&self, before: &Machine) -> Vec<(&'static str, String)> {
        let pairs = self.parts.iter().zip(&before.parts);
        pairs
            .flat_map(|((kind, now), (_, before))| {
                now.difference(before).map(|what| (*kind, what.clone()))
            })
            .collect()
    }
}

fn said(program: &str, args: &[&str]) -> Vec<String> {
    // An ordinary user's PATH often lacks the folder of these.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let output = Command::new(program).args(args).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    // An ordinary user is not told of rules, and makes none.
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}
