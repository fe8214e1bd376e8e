//! What is still to be healed, as far as the nemesis' own lines tell.

use std::collections::BTreeMap;

use splitbrain_checker::history::{Event, Process};

/// The faults that are, or may be, in force.
#[derive(Debug, Default)]
pub(super) struct Healing {
    /// Whether the nemesis has said that it will do no more.
    pub(super) ended: bool,
    /// What is worth a word though it does not hinder the run.
    pub(super) remarks: Vec<String>,
    faults: BTreeMap<u64, Fault>,
}

#[derive(Debug)]
struct Fault {
    name: String,
    /// The nodes that it hits, where it hits nodes.
    targets: Vec<String>,
    /// Why it could not be undone when that was last tried.
    why: Option<String>,
}

impl Healing {
    /// Takes a line to heart, if it is one of the nemesis' that is about a fault.
    pub(super) fn hear(&mut self, line: &Event) {
        let (Process::Nemesis, Some(id), Some(name)) = (&line.process, line.id, &line.fault) else {
            return;
        };
        match (&*line.f, line.effect.as_deref()) {
            ("start", None) => {
                let targets = line.value["targets"].as_array();
                let targets = targets.into_iter().flatten().filter_map(|node| node.as_str());
                let targets = targets.map(str::to_owned).collect();
                self.faults.insert(id, Fault { name: name.to_string(), targets, why: None });
            }
            ("start", Some("skipped")) | ("stop", Some("healed" | "skipped")) => {
                let healed = self.faults.remove(&id);
                // On what a fault of the disk has left: that is how the system takes it.
                if let Some(count) = line.value["ended"].as_u64() {
                    let targets = healed.map(|fault| fault.targets.join(", ")).unwrap_or_default();
                    self.remarks.push(format!(
                        "fault {id} ({name} of {targets}): {count} did not go on afterwards, on what \
                         faults had left of the data"
                    ));
                }
            }
            ("stop", Some(_)) => {
                if let Some(fault) = self.faults.get_mut(&id) {
                    fault.why.clone_from(&line.reason);
                }
            }
            _ => {}
        }
    }

    /// Once the time to heal is over: each fault that is left, where, and why; nothing if none is.
    pub(super) fn failure(&self) -> Option<String> {
        let late = if self.ended { "" } else { "healing did not end in time" };
        let left = self.faults.iter().map(|(id, Fault { name, targets, why })| {
            let place = if targets.is_empty() { "" } else { " of " };
            let why = why.as_deref().unwrap_or("nobody has said whether it is undone");
            let targets = targets.join(", ");
            format!("fault {id} ({name}{place}{targets}) could not be verified healed: {why}")
        });
        let left: Vec<String> =
            Some(late.to_owned()).filter(|late| !late.is_empty()).into_iter().chain(left).collect();
        (!left.is_empty()).then(|| left.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::interpreter::note;

    fn line(f: &'static str, id: u64, effect: Option<&'static str>, why: Option<&str>) -> Event {
        let mut line = note(Process::Nemesis, f);
        line.id = Some(id);
        line.fault = Some("eio".into());
        line.effect = effect.map(Into::into);
        line.reason = why.map(str::to_owned);
        line.value = json!({ "targets": ["n1", "n3"] });
        line
    }

    #[track_caller]
    fn check(lines: &[Event], ended: bool, expect: Option<&str>) {
        let mut healing = Healing { ended, ..Healing::default() };
        lines.iter().for_each(|line| healing.hear(line));
        assert_eq!(healing.failure().as_deref(), expect);
    }

    #[test]
    fn what_is_left_is_named_with_where_and_why() {
        let started = [line("start", 4, None, None), line("start", 4, Some("installed"), None)];
        let stop = |effect, why| line("stop", 4, effect, why);
        let lines = |more: &[Event]| [&started[..], more].concat();
        check(&[], true, None);
        check(&[line("start", 4, None, None), line("start", 4, Some("skipped"), None)], true, None);
        check(&lines(&[stop(None, None), stop(Some("healed"), None)]), true, None);
        let late = stop(Some("indeterminate"), Some("n3 has ended again"));
        check(&lines(&[late.clone(), stop(Some("healed"), None)]), true, None);
        let left = "fault 4 (eio of n1, n3) could not be verified healed: n3 has ended again";
        check(&lines(&[late]), true, Some(left));
        check(
            &lines(&[stop(None, None)]),
            false,
            Some(
                "healing did not end in time; fault 4 (eio of n1, n3) could not be verified \
                 healed: nobody has said whether it is undone",
            ),
        );
        check(&[], false, Some("healing did not end in time"));
    }

    #[test]
    fn nodes_that_do_not_go_on_after_a_fault_of_their_disk_are_worth_a_word() {
        let told = |ended: Value| {
            let mut healing = Healing { ended: true, ..Healing::default() };
            let mut healed = line("stop", 4, Some("healed"), None);
            healed.value = json!({ "processes": 1, "ended": ended });
            [line("start", 4, None, None), healed].iter().for_each(|line| healing.hear(line));
            assert_eq!(healing.failure(), None);
            healing.remarks.concat()
        };
        assert!(told(json!(1)).starts_with("fault 4 (eio of n1, n3): 1 did not go on"));
        assert_eq!(told(Value::Null), "");
    }
}
