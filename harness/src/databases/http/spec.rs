//! A table of what operations on a register are as HTTP requests, and what the answers mean: TOML, for
//! `--db http --spec FILE` (`docs/src/http.md`).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::super::given::fill;
use super::sound::check;

/// The whole table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    /// Of every request.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// A path that a node answers with a status of success when it serves.
    pub(super) ready: Option<String>,
    pub(super) read: Vec<Step>,
    pub(super) write: Vec<Step>,
    /// Empty where there is no atomic compare-and-set.
    #[serde(default)]
    pub(super) cas: Vec<Step>,
}

/// One request of an operation. All but the last only look.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// `METHOD /PATH`.
    pub(super) request: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// What is added to the path after `?`.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    /// Names for parts of the answer (JSON pointers), for the steps after this one.
    #[serde(default)]
    pub(super) take: BTreeMap<String, String>,
    /// The first that fits counts; what none fits is unknown.
    pub(super) answers: Vec<Rule>,
}

/// What an answer means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// HTTP status codes.
    pub(super) status: Statuses,
    /// A part of the answer (a JSON pointer), which equals that text or does not.
    pub(super) at: Option<String>,
    pub(super) equals: Option<String>,
    pub(super) differs: Option<String>,
    /// A part of the answer that is not there.
    pub(super) missing: Option<String>,
    pub(super) is: Meaning,
    /// For a read: where the value is in the answer. Without it there was none.
    pub(super) value: Option<String>,
}

/// One or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

impl Statuses {
    /// Each of them.
    pub(super) fn all(&self) -> &[u16] {
        match self {
            Statuses::One(one) => std::slice::from_ref(one),
            Statuses::Several(several) => several,
        }
    }
}

/// What became of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Meaning {
    /// It was done.
    Ok,
    /// Go on with the next step.
    Next,
    /// Another value was found.
    Mismatch,
    /// The system said that it will not, and has done nothing.
    Refused,
    /// It was certainly not done, for another reason.
    Failed,
    /// It may have been done.
    Unknown,
}

/// Names with their values: `key`, `value`, `old`, `new`, and what was taken.
pub(super) type Values = BTreeMap<String, String>;

impl Spec {
    /// Reads a table and looks whether all names in it stand for something.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn read(path: &Path) -> Result<Spec, String> {
        let named = |why: String| format!("the spec {}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        Spec::parse(&text).map_err(named)
    }

    fn parse(text: &str) -> Result<Spec, String> {
        let spec: Spec = toml::from_str(text).map_err(|error| error.to_string())?;
        let operations: [(&str, &[Step], &[&str]); 3] = [
            ("read", &spec.read, &["key"]),
            ("write", &spec.write, &["key", "value"]),
            ("cas", &spec.cas, &["key", "old", "new"]),
        ];
        if let Some(ready) = spec.ready.as_ref().filter(|path| !path.starts_with('/')) {
            return Err(format!("ready: {ready:?} is not /PATH"));
        }
        for (name, steps, known) in operations {
            check(steps, &spec.headers, known, name == "read")
                .map_err(|why| format!("{name}: {why}"))?;
            if steps.is_empty() && name != "cas" {
                return Err(format!("{name}: it has no request"));
            }
        }
        Ok(spec)
    }
}

/// A text with the values in the place of their names.
pub(super) fn filled(text: &str, values: &Values) -> Result<String, String> {
    let values: Vec<(&str, &str)> =
        values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fill(text, &values)
}

impl Rule {
    /// Whether it is about this answer.
    pub(super) fn fits(&self, status: u16, body: &Value, values: &Values) -> bool {
        let of_status = self.status.all().contains(&status);
        let of_status =
            of_status && self.missing.as_ref().is_none_or(|at| body.pointer(at).is_none());
        let Some(at) = self.at.as_deref().filter(|_| of_status) else { return of_status };
        let found = body.pointer(at).map(text_of);
        let is = |wanted: &String| filled(wanted, values).ok() == found;
        self.equals.as_ref().is_none_or(is) && !self.differs.as_ref().is_some_and(is)
    }
}

/// A part of an answer as text; of a string what it says.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_tables() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/http");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                Spec::read(&path).unwrap();
                count += 1;
            }
        }
        assert_eq!(count, 3);
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said() {
        let check = |write: &str, why: &str| {
            let read =
                r#"read = [{ request = "GET /{key}", answers = [{ status = 200, is = "ok" }] }]"#;
            let error = Spec::parse(&format!("{read}\nwrite = [{write}]")).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        check("", "write: it has no request");
        check(r#"{ request = "PUT {key}", answers = [] }"#, "is not METHOD /PATH");
        check(r#"{ request = "PUT /{kez}", answers = [] }"#, "there are {key}, {value}");
        check(r#"{ request = "PUT /", answers = [], more = 1 }"#, "unknown field `more`");
        let step = |rule: &str| {
            format!(r#"{{ request = "PUT /", answers = [{{ status = 200, {rule} }}] }}"#)
        };
        check(&step(r#"is = "fine""#), "unknown variant `fine`");
        check(&step(r#"is = "next""#), "it must end");
        check(&step(r#"is = "ok", value = "/v""#), "only a read that is ok");
        check(&step(r#"is = "ok", equals = "x""#), "at goes with");
        check(&step(r#"is = "ok", missing = "v""#), "\"v\" is no JSON pointer");
        check(&step(r#"is = "refused""#), "no answer is ok");
        check(&step(r#"is = "ok""#), "{key} is said nowhere");
        let whole = |more: &str, status: u16| {
            let answers = format!(r#"answers = [{{ status = {status}, is = "ok" }}]"#);
            format!(r#"{{ request = "PUT /{{key}}", body = "{{value}}", {more} {answers} }}"#)
        };
        check(&whole("", 2000), "2000 is no HTTP status");
        check(&whole(r#"headers = { "a b" = "" },"#, 200), "\"a b\" is no name of a header");
        check(&whole(r#"take = { rev = "_rev" },"#, 200), "\"_rev\" is no JSON pointer");
        check(
            &format!("{}]\nready = \"up\"\ncas = [", whole("", 200)),
            "ready: \"up\" is not /PATH",
        );
    }

    #[test]
    fn a_rule_is_about_some_answers() {
        let rule = |text: &str| toml::from_str::<Rule>(text).unwrap();
        let values: Values = [("old".to_owned(), "3".to_owned())].into();
        let body = serde_json::json!({ "a": { "N": "3" }, "b": 4 });
        let check = |text: &str, expect: bool| {
            assert_eq!(
                rule(&format!("is = \"ok\"\n{text}")).fits(200, &body, &values),
                expect,
                "{text}"
            );
        };
        check("status = 200", true);
        check("status = [201, 200]", true);
        check("status = 201", false);
        check("status = 200\nat = \"/a/N\"\nequals = \"{old}\"", true);
        check("status = 200\nat = \"/a/N\"\ndiffers = \"{old}\"", false);
        check("status = 200\nat = \"/b\"\nequals = \"{old}\"", false);
        check("status = 200\nat = \"/b\"\nequals = \"4\"", true);
        check("status = 200\nat = \"/c\"\ndiffers = \"{old}\"", true);
        check("status = 200\nmissing = \"/a/N\"", false);
        check("status = 200\nmissing = \"/c\"", true);
        check("status = 201\nat = \"/b\"\nequals = \"4\"", false);
    }
}
