//! A database to begin with: put this file into `harness/src/databases` under its name, say what it says
//! of your system, and add `&my_database::ENTRY` to the list in `all.rs`, in alphabetical order.
//!
//! It is written for a system that keeps numbers under keys and is asked over HTTP:
//! `GET /kv/KEY` answers `{"value": 3}` or `{"value": null}`, `PUT /kv/KEY` takes `{"value": 3}`, and
//! `POST /kv/KEY/cas` takes `{"old": 3, "new": 4}` and answers 409 where something else was found.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{Action, Call, Register, Ret};
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome};

use super::http::{self, Answer};
use super::{Asker, Database, Entry, Missing, Program, Role, Told};
use crate::command::{LIMIT, ask};
use crate::environments::{Daemon, Member};

/// The line of the registry.
pub const ENTRY: Entry = Entry {
    name: "my-database",
    about: "A database of numbers under keys, over HTTP.",
    // What it can be told (`--db-option NAME=VALUE`); see etcd.rs for one that has some.
    options: &[],
    open: |rest| Told::parse("my-database", &[], rest).map(|_| Box::new(MyDatabase) as _),
};

struct MyDatabase;

impl Database for MyDatabase {
    fn target(&self) -> String {
        ENTRY.name.to_owned()
    }

    fn default_nodes(&self) -> usize {
        3
    }

    /// If a compare-and-set is a read and then a write, say false: the workload then does without.
    fn has_cas(&self) -> bool {
        true
    }

    /// Where the program is on this machine, and what is to be done if it is not there.
    fn find(&self) -> Result<Program, Missing> {
        let answer =
            ask(Command::new("my-database").arg("--version"), "", LIMIT).map_err(|error| {
                Missing {
                    what: format!("my-database cannot be used: {error}"),
                    remedy: "install my-database".to_owned(),
                }
            })?;
        let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        Ok(Program { path: "my-database".into(), version })
    }

    /// Clients use the first.
    fn ports(&self) -> &'static [u16] {
        &[8080, 8081]
    }

    /// How a node starts. The same command again must restart it on its data.
    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let peers: Vec<String> =
            cluster.iter().map(|member| format!("{}={}", member.name, member.reached[1])).collect();
        let member = &cluster[this];
        let data = folder.join("data");
        let args = [
            ["--name", &member.name],
            ["--listen", &member.listens[0].to_string()],
            ["--listen-peers", &member.listens[1].to_string()],
            ["--peers", &peers.join(",")],
            ["--data", &data.to_string_lossy()],
        ];
        Daemon {
            program: program.path.clone(),
            args: args.concat().into_iter().map(str::to_owned).collect(),
            env: Vec::new(),
            files: Vec::new(),
            directory: folder.to_owned(),
            log: folder.join("my-database.log"),
        }
    }

    /// Whether a node serves. Clients begin when all do.
    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            match http::ask(asker.http.get(format!("{url}/health"))).await?.status {
                200 => Ok(()),
                status => Err(format!("its health check answered {status}")),
            }
        })
    }

    /// Whether a node believes that it leads: the fault `primaries` and fail-over times go by that.
    /// A system without leaders answers `Role::default()`.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let body = http::ask(asker.http.get(format!("{url}/status"))).await?.body;
            Ok(Role { leads: body["leader"] == true, term: body["term"].as_u64() })
        })
    }

    /// A client for each worker. Every key must begin with the prefix, and nothing else is touched.
    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        Clients::default().serve::<Register, _>(move |node| MyClient {
            http: http::client(None),
            base: format!("{}/kv/{prefix}", urls[node]),
        })
    }
}

/// A connection to one node. It must not try again by itself: a write that is sent twice is two writes.
struct MyClient {
    http: reqwest::Client,
    base: String,
}

impl Client<Register> for MyClient {
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
            // An error of the connection becomes `info` by itself: it may have happened.
            understand(call.action, &http::send(request).await?)
        })
    }
}

/// What an answer means. `fail` only for what certainly did not happen and never will; `info` for all
/// else. To call something failed that did happen makes the checker find anomalies that are not there.
fn understand(action: Action, answer: &Answer) -> Result<Outcome<Ret>, OpError> {
    match (answer.status, action) {
        (200, Action::Read) => Ok(Ret::Found(answer.body["value"].as_i64()).into()),
        (200, _) => Ok(Ret::Done.into()),
        (409, Action::Cas { .. }) => {
            Err(OpError::fail(ErrorKind::Mismatch, "another value was found"))
        }
        // Only if your system says so before it has done anything.
        (503, _) => Err(OpError::fail(ErrorKind::Refused, "no leader")),
        (status, _) => Err(OpError::info(ErrorKind::Other, format!("status {status}"))),
    }
}
