//! The bundled replicated store (`examples/store`).

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{Action, Call, Register, Ret};
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome};

use super::http::{self, Answer};
use super::{Administered, Administration, Asker, Database, Entry, Missing, Program, Role};
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "store",
    about: "The bundled replicated key-value store, in the mode that --mode names.",
    open: |mode| {
        let (name, bug) = match mode.unwrap_or("raft").split_once('+') {
            Some((name, bug)) => (name, Some(bug)),
            None => (mode.unwrap_or("raft"), None),
        };
        let bug = bug.map(|name| BUGS.iter().find(|(bug, _)| *bug == name).ok_or(name)).transpose();
        let bug = bug.map_err(|name| {
            let names: Vec<&str> = BUGS.iter().map(|(name, _)| *name).collect();
            format!("the bundled store has no bug {name:?}; there are: {}", names.join(", "))
        })?;
        let mode = MODES.iter().find(|mode| mode.name == name).ok_or_else(|| {
            let names: Vec<&str> = MODES.iter().map(|mode| mode.name).collect();
            format!("the bundled store has no mode {name:?}; there are: {}", names.join(", "))
        })?;
        Ok(Box::new(Store { mode, bug: bug.map(|(name, _)| *name) }))
    },
};

/// One mode of the bundled store.
pub struct Mode {
    /// Name, as after `--mode`.
    pub name: &'static str,
    /// What it is and promises, in one sentence.
    pub about: &'static str,
    /// Whether its compare-and-set is atomic.
    cas: bool,
    /// Whether nodes can leave and join.
    members: bool,
}

/// Every mode, in the order in which the demo shows them.
pub const MODES: &[Mode] = &[
    Mode {
        name: "raft",
        about: "Raft with a durable log and reads through a read index: promises to be linearizable, and is CP.",
        cas: true,
        members: true,
    },
    Mode {
        name: "gossip",
        about: "Every node accepts, anti-entropy, last writer wins: promises to be eventually consistent, and is AP.",
        cas: false,
        members: false,
    },
    Mode {
        name: "cache",
        about: "Best-effort broadcast without repair or durability: promises only not to be corrupt, and is AP.",
        cas: false,
        members: false,
    },
];

/// Known mistakes that it can be told to make: name, and what they are, in one sentence.
pub const BUGS: &[(&str, &str)] =
    &[("lost-fsync", "Acknowledges writes that it has not fsynced: a loss of power takes them.")];

const PORT: u16 = 8000;
const PROGRAM: &str = "splitbrain-store";

struct Store {
    mode: &'static Mode,
    bug: Option<&'static str>,
}

impl Database for Store {
    fn target(&self) -> String {
        let bug = self.bug.map_or(String::new(), |bug| format!("+{bug}"));
        format!("store/{}{bug}", self.mode.name)
    }

    fn default_nodes(&self) -> usize {
        5
    }

    fn has_cas(&self) -> bool {
        self.mode.cas
    }

    fn find(&self) -> Result<Program, Missing> {
        let path = beside_this_program().map_err(|what| Missing {
            what,
            remedy: "cargo build --release --workspace".to_owned(),
        })?;
        Ok(Program { path, version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    fn ports(&self) -> &'static [u16] {
        &[PORT]
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let peers: Vec<String> =
            cluster.iter().map(|member| format!("{}={}", member.name, member.reached[0])).collect();
        let member = &cluster[this];
        let data = folder.join("data");
        let args = [
            ["--id", &member.name],
            ["--mode", self.mode.name],
            ["--listen", &member.listens[0].to_string()],
            ["--peers", &peers.join(",")],
            ["--data", &data.to_string_lossy()],
        ];
        let bug = self.bug.map(|bug| ["--bug", bug]).into_iter().flatten();
        Daemon {
            program: program.path.clone(),
            args: args.concat().into_iter().chain(bug).map(str::to_owned).collect(),
            env: Vec::new(),
            directory: folder.to_owned(),
            log: folder.join("store.log"),
        }
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let answer = http::ask(asker.http.get(format!("{url}/health"))).await?;
            match answer.status {
                200 => Ok(()),
                status => Err(format!("health check answered {status}: {}", answer.body)),
            }
        })
    }

    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let answer = http::ask(asker.http.get(format!("{url}/status"))).await?;
            Ok(Role { leads: answer.body["role"] == "leader", term: answer.body["term"].as_u64() })
        })
    }

    fn administration(&self) -> Option<&dyn Administration> {
        self.mode.members.then_some(self)
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        Clients::default().serve::<Register, _>(move |node| StoreClient {
            http: http::client(None),
            base: format!("{}/kv/{prefix}", urls[node]),
        })
    }
}

impl Administration for Store {
    fn leave<'a>(&'a self, asker: &'a Asker, url: &'a str, node: &'a str) -> Administered<'a> {
        change(asker, url, "leave", node)
    }

    fn join<'a>(
        &'a self,
        asker: &'a Asker,
        url: &'a str,
        node: &'a str,
        _first: &'a Daemon,
    ) -> Administered<'a> {
        change(asker, url, "join", node)
    }

    fn members<'a>(
        &'a self,
        asker: &'a Asker,
        url: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>> {
        Box::pin(async move {
            let answer = http::ask(asker.http.get(format!("{url}/members"))).await?;
            serde_json::from_value(answer.body["members"].clone())
                .map_err(|_| format!("members answered {}: {}", answer.status, answer.body))
        })
    }
}

fn change<'a>(asker: &'a Asker, url: &'a str, what: &'a str, node: &'a str) -> Administered<'a> {
    Box::pin(async move {
        let request = asker.http.post(format!("{url}/members/{what}"));
        let answer = http::ask(request.json(&json!({ "node": node }))).await?;
        match answer.status {
            200 => Ok(()),
            status => Err(format!("{what} answered {status}: {}", answer.body)),
        }
    })
}

/// The store's program stands beside this one. Under `cargo run` only this one has been built, so
/// there cargo is asked for the other; that costs nothing when it is up to date.
fn beside_this_program() -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    // Tests and benches run from a folder below.
    let folder = this
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .ok_or("this program stands nowhere")?;
    let program = folder.join(PROGRAM);
    if let (Some(cargo), Some(manifest)) =
        (std::env::var_os("CARGO"), std::env::var_os("CARGO_MANIFEST_DIR"))
        && folder.parent().is_some_and(|target| target.join("CACHEDIR.TAG").exists())
    {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "-p", PROGRAM]).current_dir(manifest);
        build.env("CARGO_TARGET_DIR", folder.parent().unwrap_or(folder));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        if !program.exists() {
            crate::cli::tell(&format!("building the bundled store (cargo build -p {PROGRAM})"));
        }
        // The output of cargo would mix with --json.
        let built = build.stdout(std::process::Stdio::null()).status();
        if !built.is_ok_and(|status| status.success()) {
            return Err(format!("cargo could not build {PROGRAM}"));
        }
    }
    if program.exists() {
        Ok(program)
    } else {
        Err(format!("{PROGRAM} is not beside this program ({})", program.display()))
    }
}

struct StoreClient {
    http: reqwest::Client,
    /// Everything of a key's URL but the key.
    base: String,
}

impl Client<Register> for StoreClient {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let url = format!("{}{}", self.base, call.key);
            let request = match call.action {
                Action::Read => self.http.get(url),
                Action::Write(value) => self.http.put(url).json(&json!({ "value": value })),
                Action::Cas { old, new } => {
                    self.http.post(url + "/cas").json(&json!({ "old": old, "new": new }))
                }
            };
            understand(call.action, &http::send(request).await?)
        })
    }
}

/// What the store's answer means; see the table in its README.
fn understand(action: Action, answer: &Answer) -> Result<Outcome<Ret>, OpError> {
    let body = &answer.body;
    let text = || body["error"].as_str().unwrap_or("no reason given").to_owned();
    match (answer.status, body["outcome"].as_str()) {
        (200, _) if action == Action::Read => match &body["value"] {
            Value::Null if body.get("value").is_some() => Ok(Ret::Found(None).into()),
            Value::Number(number) if number.is_i64() => Ok(Ret::Found(number.as_i64()).into()),
            Value::Null => Err(OpError::info(ErrorKind::Other, format!("no value: {body}"))),
            other => Ok(Ret::Foreign(other.clone()).into()),
        },
        (200, Some("ok")) => Ok(Ret::Done.into()),
        (412, Some("mismatch")) => {
            Err(OpError::fail(ErrorKind::Mismatch, format!("found {}", body["value"])))
        }
        (503, Some("refused")) => Err(OpError::fail(ErrorKind::Refused, text())),
        (503, Some("unknown")) => Err(OpError::info(ErrorKind::Timeout, text())),
        (400 | 404 | 405 | 501, Some(_)) => Err(OpError::fail(ErrorKind::Other, text())),
        (status, _) => Err(OpError::info(ErrorKind::Other, format!("status {status}: {body}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use splitbrain_checker::history::Kind;
    use splitbrain_workloads::Completion;

    fn check(action: Action, status: u16, body: Value, kind: Kind, error: Option<ErrorKind>) {
        let completion = match understand(action, &Answer { status, body }) {
            Ok(_) => (Kind::Ok, None),
            Err(error) => {
                let completion = Completion::error(error, Value::Null);
                (completion.kind, completion.error.map(|error| error.kind))
            }
        };
        assert_eq!(completion, (kind, error));
    }

    #[test]
    fn every_answer_of_the_store_has_its_meaning() {
        use ErrorKind::{Mismatch, Other, Refused, Timeout};
        let (write, cas) = (Action::Write(1), Action::Cas { old: 1, new: 2 });
        check(Action::Read, 200, json!({"value": 3}), Kind::Ok, None);
        check(Action::Read, 200, json!({"value": null}), Kind::Ok, None);
        check(Action::Read, 200, json!({"valu": 3}), Kind::Info, Some(Other));
        check(Action::Read, 200, json!({"value": "x"}), Kind::Ok, None);
        check(write, 200, json!({"outcome": "ok"}), Kind::Ok, None);
        check(write, 200, Value::Null, Kind::Info, Some(Other));
        check(cas, 412, json!({"outcome": "mismatch", "value": 7}), Kind::Fail, Some(Mismatch));
        check(cas, 501, json!({"outcome": "unsupported"}), Kind::Fail, Some(Other));
        check(write, 503, json!({"outcome": "refused"}), Kind::Fail, Some(Refused));
        check(write, 503, json!({"outcome": "unknown"}), Kind::Info, Some(Timeout));
        check(write, 503, Value::Null, Kind::Info, Some(Other));
        check(write, 502, json!({"outcome": "refused"}), Kind::Info, Some(Other));
        check(write, 400, json!({"outcome": "invalid"}), Kind::Fail, Some(Other));
    }
}
