//! What is wrong with a table of requests, before anything is asked by it: a run in which nothing can succeed
//! takes long to say so.

use std::collections::BTreeMap;

use reqwest::header::HeaderName;

use super::spec::{Meaning, Step, Values, filled};

/// Looks at the requests of an operation that is told the names of `known`.
///
/// # Errors
/// What is wrong with them, in words.
pub(super) fn check(
    steps: &[Step],
    headers: &BTreeMap<String, String>,
    known: &[&str],
    reads: bool,
) -> Result<(), String> {
    let mut said = String::new();
    let mut values: Values = known.iter().map(|name| ((*name).to_owned(), String::new())).collect();
    for (index, step) in steps.iter().enumerate() {
        if step.request.split_once(" /").is_none_or(|(method, _)| !is_method(method)) {
            return Err(format!("{:?} is not METHOD /PATH", step.request));
        }
        let texts = [&step.request].into_iter().chain(&step.body);
        let texts =
            texts.chain(step.headers.values()).chain(step.query.values()).chain(headers.values());
        for text in texts
            .chain(step.answers.iter().flat_map(|rule| [&rule.equals, &rule.differs]).flatten())
        {
            filled(text, &values)?;
            said += text;
        }
        for name in step.headers.keys().chain(headers.keys()) {
            if HeaderName::try_from(name).is_err() {
                return Err(format!("{name:?} is no name of a header"));
            }
        }
        let parts = step.answers.iter().flat_map(|rule| [&rule.at, &rule.missing, &rule.value]);
        for at in parts.flatten().chain(step.take.values()) {
            if !at.is_empty() && !at.starts_with('/') {
                return Err(format!(
                    "{}: {at:?} is no JSON pointer, such as \"/value\"",
                    step.request
                ));
            }
        }
        let is_last = index + 1 == steps.len();
        for rule in &step.answers {
            let ends = if is_last { Meaning::Next } else { Meaning::Ok };
            if rule.is == ends {
                let why = "only the last request can be ok, and it must end";
                return Err(format!("{}: {why}", step.request));
            }
            if let Some(code) = rule.status.all().iter().find(|code| !(100..600).contains(*code)) {
                return Err(format!("{}: {code} is no HTTP status", step.request));
            }
            if rule.value.is_some() && !(reads && rule.is == Meaning::Ok) {
                return Err(format!("{}: only a read that is ok has a value", step.request));
            }
            if rule.at.is_some() != (rule.equals.is_some() || rule.differs.is_some()) {
                return Err(format!("{}: at goes with equals or differs", step.request));
            }
        }
        if is_last && step.answers.iter().all(|rule| rule.is != Meaning::Ok) {
            return Err(format!("{}: no answer is ok", step.request));
        }
        values.extend(step.take.keys().map(|name| (name.clone(), String::new())));
    }
    let unsaid = known.iter().map(|name| format!("{{{name}}}")).find(|name| !said.contains(name));
    match unsaid.filter(|_| !steps.is_empty()) {
        Some(name) => Err(format!("{name} is said nowhere")),
        None => Ok(()),
    }
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
