//! The driver for systems of which only a table of HTTP requests is known.

use std::path::Path;
use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{Action, Call, Register, Ret};
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome};

use super::super::given::{PORTS, Start, listens};
use super::super::{Asker, Database, Entry, Given, Missing, Program, Told, login};
use super::spec::{Meaning, Spec, Step, Values, filled, text_of};
use super::{Answer, Connection, client, send};
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "http",
    about: "Any system that keeps values under keys over HTTP, by a table of its requests (--spec).",
    options: &[],
    open: |rest| {
        Told::parse("http", &[], rest)?;
        Ok(Box::new(Table { spec: None, start: Start::of(&Given::default())? }))
    },
};

struct Table {
    /// There, once it has been given.
    spec: Option<Arc<Spec>>,
    start: Start,
}

impl Table {
    fn spec(&self) -> &Arc<Spec> {
        self.spec.as_ref().expect("nothing is opened without")
    }
}

impl Database for Table {
    fn target(&self) -> String {
        ENTRY.name.to_owned()
    }

    fn take(&mut self, given: &Given) -> Result<(), String> {
        given.only(ENTRY.name, &["spec", "start"])?;
        let missing = "--db http needs a table of requests: --spec store.toml";
        self.spec = Some(Arc::new(Spec::read(given.spec.as_deref().ok_or(missing)?)?));
        self.start = Start::of(given)?;
        Ok(())
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn has_cas(&self) -> bool {
        !self.spec().cas.is_empty()
    }

    fn find(&self) -> Result<Program, Missing> {
        self.start.find()
    }

    fn ports(&self) -> &'static [u16] {
        PORTS
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some("https")
    }

    fn knows_users(&self) -> bool {
        true
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        self.start.daemon(program, cluster, this, folder)
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let Some(path) = &self.spec().ready else { return listens(url).await };
            match asker.get(&format!("{url}{path}")).await?.status {
                200..300 => Ok(()),
                status => Err(format!("{path} answered {status}")),
            }
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let spec = self.spec().clone();
        Clients::default().serve::<Register, _>(move |node| TableClient {
            http: client(None),
            spec: spec.clone(),
            url: urls[node].clone(),
            prefix: prefix.clone(),
        })
    }
}

struct TableClient {
    http: Connection,
    spec: Arc<Spec>,
    url: String,
    prefix: String,
}

impl Client<Register> for TableClient {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let mut values: Values =
                [("key", format!("{}{}", self.prefix, call.key))].map(named).into();
            let steps = match &call.action {
                Action::Read => &self.spec.read,
                Action::Write(value) => {
                    values.extend([named(("value", value.to_string()))]);
                    &self.spec.write
                }
                Action::Cas { old, new } => {
                    values.extend([("old", old.to_string()), ("new", new.to_string())].map(named));
                    &self.spec.cas
                }
            };
            for step in steps {
                let answer = send(self.request(step, &values)?).await?;
                if let Some(ret) = understand(step, &answer, &call.action, &values)? {
                    return Ok(ret.into());
                }
                let taken = step.take.iter().filter_map(|(name, at)| {
                    Some((name.clone(), text_of(answer.body.pointer(at)?)))
                });
                values.extend(taken);
            }
            Err(OpError::info(ErrorKind::Other, "the table says no more"))
        })
    }
}

fn named((name, value): (&str, String)) -> (String, String) {
    (name.to_owned(), value)
}

impl TableClient {
    fn request(&self, step: &Step, values: &Values) -> Result<reqwest::RequestBuilder, OpError> {
        // A step before has not found what this one is told by.
        let missing = |why: String| OpError::info(ErrorKind::Other, why);
        let line = filled(&step.request, values).map_err(missing)?;
        let (method, path) = line.split_once(' ').unwrap_or_default();
        let method: Method = method.parse()?;
        let mut url = format!("{}{path}", self.url);
        for (name, text) in &step.query {
            if let Ok(text) = filled(text, values) {
                url += &format!("{}{name}={text}", if url.contains('?') { '&' } else { '?' });
            }
        }
        let mut request = self.http.request(method, url);
        let login = login::of_run();
        if let Some(user) = &login.user {
            request = request.basic_auth(user, login.password.as_ref());
        }
        for (name, text) in self.spec.headers.iter().chain(&step.headers) {
            // What was not found is left out: an object that is not there yet has no revision.
            if let Ok(text) = filled(text, values) {
                request = request.header(name, text);
            }
        }
        match &step.body {
            Some(body) => Ok(request.body(filled(body, values).map_err(missing)?)),
            None => Ok(request),
        }
    }
}

/// What an answer means: a result, or nothing if there is another step to be made.
fn understand(
    step: &Step,
    answer: &Answer,
    action: &Action,
    values: &Values,
) -> Result<Option<Ret>, OpError> {
    let Answer { status, body } = answer;
    let text = || format!("status {status}: {body}").chars().take(200).collect::<String>();
    let fail = |kind| Err(OpError::fail(kind, text()));
    let rule = step.answers.iter().find(|rule| rule.fits(*status, body, values));
    match rule.map_or(Meaning::Unknown, |rule| rule.is) {
        Meaning::Next => Ok(None),
        Meaning::Ok if *action == Action::Read => {
            match rule.and_then(|rule| rule.value.as_deref()).map(|at| (at, body.pointer(at))) {
                None | Some((_, Some(Value::Null))) => Ok(Some(Ret::Found(None))),
                Some((_, Some(value))) => Ok(Some(found(value))),
                Some((at, None)) => {
                    Err(OpError::info(ErrorKind::Other, format!("nothing at {at}; {}", text())))
                }
            }
        }
        Meaning::Ok => Ok(Some(Ret::Done)),
        Meaning::Mismatch => fail(ErrorKind::Mismatch),
        Meaning::Refused => fail(ErrorKind::Refused),
        Meaning::Failed => fail(ErrorKind::Other),
        Meaning::Unknown => Err(OpError::info(ErrorKind::Other, text())),
    }
}

/// A number, also where it is kept as text.
fn found(value: &Value) -> Ret {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    number.map_or_else(|| Ret::Foreign(value.clone()), |number| Ret::Found(Some(number)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_answer_has_the_meaning_that_the_table_gives_it() {
        let step: Step = toml::from_str(
            r#"
            request = "GET /{key}"
            answers = [
                { status = 200, is = "ok", value = "/v" },
                { status = 404, is = "ok" },
                { status = 412, is = "mismatch" },
                { status = 503, at = "/why", equals = "no leader", is = "refused" },
                { status = 400, is = "failed" },
                { status = 302, is = "next" },
            ]"#,
        )
        .unwrap();
        let check = |status: u16, body: Value, expect: &str| {
            let answer = Answer { status, body };
            let said = match understand(&step, &answer, &Action::Read, &Values::new()) {
                Ok(ret) => format!("{ret:?}"),
                Err(OpError::Fail(error)) => format!("fail {:?}", error.kind),
                Err(OpError::Info(error)) => format!("info {}", error.text),
            };
            assert_eq!(said, expect);
        };
        check(200, json!({"v": 3}), "Some(Found(Some(3)))");
        check(200, json!({"v": "3"}), "Some(Found(Some(3)))");
        check(200, json!({"v": null}), "Some(Found(None))");
        check(200, json!({"v": "x"}), "Some(Foreign(String(\"x\")))");
        check(200, json!({"w": 3}), "info nothing at /v; status 200: {\"w\":3}");
        check(404, Value::Null, "Some(Found(None))");
        check(412, Value::Null, "fail Mismatch");
        check(503, json!({"why": "no leader"}), "fail Refused");
        check(503, json!({"why": "?"}), "info status 503: {\"why\":\"?\"}");
        check(400, Value::Null, "fail Other");
        check(302, Value::Null, "None");
    }
}
