//! The structure that CI systems read: elements, their attributes and their children as the schema
//! of Jenkins' xUnit plugin (junit-10) has them, and counts that agree with what is there.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

const COUNTS: [(&str, &str); 3] =
    [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")];

/// Name, attributes that must be there, those that may, parents.
type Rule =
    (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const STATUS: (&[&str], &[&str], &[&str]) = (&[], &["type", "message"], &["testcase"]);
const RULES: [Rule; 7] = [
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &[""]),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &[
            "skipped",
            "time",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
            "group",
        ],
        &["testsuites", "testsuite"],
    ),
    ("testcase", &["name"], &["time", "classname", "group"], &["testsuite"]),
    ("failure", STATUS.0, STATUS.1, STATUS.2),
    ("error", STATUS.0, STATUS.1, STATUS.2),
    ("skipped", STATUS.0, STATUS.1, STATUS.2),
    ("system-out", &[], &[], &["testcase", "testsuite"]),
];

/// Fails on the first thing that a CI system would not take.
#[track_caller]
pub fn check(xml: &str) {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<String> = vec![String::new()];
    let mut promised: Vec<(String, usize)> = Vec::new();
    let mut counted: Vec<String> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
                element(&name, &start, open.last().unwrap());
                if name == "testsuite" {
                    promised.push(("testcase".to_owned(), count(&start, "tests")));
                    promised.extend(
                        COUNTS
                            .iter()
                            .filter(|(it, _)| attribute(&start, it).is_some())
                            .map(|(it, of)| ((*of).to_owned(), count(&start, it))),
                    );
                }
                counted.push(name.clone());
                open.push(name);
            }
            Event::End(end) => {
                assert_eq!(open.pop().unwrap().as_bytes(), end.name().as_ref());
                if end.name().as_ref() == b"testsuite" {
                    for (name, count) in promised.drain(..) {
                        let there = counted.iter().filter(|one| **one == name).count();
                        assert_eq!(there, count, "{name} in\n{xml}");
                    }
                    counted.clear();
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, [""]);
}

fn element(name: &str, start: &BytesStart, parent: &str) {
    let rule = RULES.iter().find(|(known, ..)| *known == name);
    let (_, must, may, parents) = rule.unwrap_or_else(|| panic!("no element is named {name}"));
    assert!(parents.contains(&parent), "{name} in {parent}");
    for needed in *must {
        assert!(attribute(start, needed).is_some(), "{name} has no {needed}");
    }
    for attribute in start.attributes() {
        let key = String::from_utf8(attribute.unwrap().key.as_ref().to_vec()).unwrap();
        let known = must.contains(&key.as_str()) || may.contains(&key.as_str());
        assert!(known, "{name} has an attribute {key}");
    }
}

fn attribute(start: &BytesStart, name: &str) -> Option<String> {
    let value = start.try_get_attribute(name).unwrap()?.value.into_owned();
    Some(String::from_utf8(value).unwrap())
}

fn count(start: &BytesStart, name: &str) -> usize {
    attribute(start, name).unwrap().parse().unwrap()
}
