//! etcd 3.4 and later, over its HTTP/JSON gateway.

mod gateway;
mod lock;
mod members;

use std::collections::HashMap;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::json;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::lock::Lock;
use splitbrain_workloads::objects::register::{Action, Call, Held, Register, Ret};
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome};

use super::http::{self, Answer};
use super::{Administration, Asker, Database, Entry, Missing, Opt, Program, Role, Seek, Told};
use crate::environments::{Daemon, Member};
use gateway::Gateway;
use lock::EtcdLocks;

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "etcd",
    about: "etcd from Debian's etcd-server: linearizable reads and writes through its HTTP gateway.",
    options: OPTIONS,
    open: |rest| Ok(Box::new(Etcd { told: Told::parse("etcd", OPTIONS, rest)? })),
};

const CLIENT_PORT: u16 = 2379;
const PEER_PORT: u16 = 2380;
/// Five times the default speed: a fail-over then takes well under half of a five-second cut.
const HEARTBEAT_MS: &str = "50";
const ELECTION_MS: &str = "500";

/// The argument that says where a node's peers reach it.
const PEER_URL: &str = "--initial-advertise-peer-urls";

/// What it can be told.
const OPTIONS: &[Opt] = &[
    Opt {
        name: "read-mode",
        usual: "linearizable",
        words: &["linearizable", "serializable"],
        about: "reads ask a majority, or answer from what the node has",
    },
    Opt {
        name: "pre-vote",
        usual: "no",
        words: &["no", "yes"],
        about: "whether a node that was cut off asks before it calls an election",
    },
];

struct Etcd {
    told: Told,
}

impl Database for Etcd {
    fn target(&self) -> String {
        format!("etcd{}", self.told)
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn find(&self) -> Result<Program, Missing> {
        find("etcd", "etcd-server")
    }

    fn ports(&self) -> &'static [u16] {
        &[CLIENT_PORT, PEER_PORT]
    }

    fn secret_scheme(&self) -> Option<&'static str> {
        Some("https")
    }

    fn knows_users(&self) -> bool {
        true
    }

    /// A member's number is made of the addresses by which its peers reach it.
    fn one_address(&self) -> bool {
        true
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let peers: Vec<String> = cluster
            .iter()
            .map(|member| format!("{}=http://{}", member.name, member.reached[1]))
            .collect();
        let member = &cluster[this];
        let at = |address| format!("http://{address}");
        let data = folder.join("data");
        // With data in place etcd ignores the initial cluster, so a restart is the same command.
        let args = [
            ["--name", &member.name],
            ["--data-dir", &data.to_string_lossy()],
            ["--listen-peer-urls", &at(member.listens[1])],
            [PEER_URL, &at(member.reached[1])],
            ["--listen-client-urls", &at(member.listens[0])],
            ["--advertise-client-urls", &at(member.listens[0])],
            ["--initial-cluster", &peers.join(",")],
            ["--initial-cluster-state", "new"],
            ["--heartbeat-interval", HEARTBEAT_MS],
            ["--election-timeout", ELECTION_MS],
            ["--logger", "zap"],
            ["--log-outputs", "stderr"],
        ];
        // A flag that takes its value behind `=` only.
        let pre_vote = (self.told.get("pre-vote") == "yes").then_some("--pre-vote=true");
        Daemon {
            program: program.path.clone(),
            args: args.concat().into_iter().chain(pre_vote).map(str::to_owned).collect(),
            env: Vec::new(),
            files: Vec::new(),
            directory: folder.to_owned(),
            log: folder.join("etcd.log"),
        }
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let answer = http::ask(asker.http.get(format!("{url}/health"))).await?;
            match answer.body["health"].as_str() {
                Some("true") => Gateway::new(url).log_in().await,
                _ => Err(format!("health check answered {}: {}", answer.status, answer.body)),
            }
        })
    }

    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let request = asker.http.post(format!("{url}/v3/maintenance/status")).json(&json!({}));
            let body = http::ask(request).await?.body;
            // Numbers of 64 bits come as strings in this gateway.
            let leads = body["leader"].is_string() && body["leader"] == body["header"]["member_id"];
            let term = body["raftTerm"].as_str().and_then(|term| term.parse().ok());
            Ok(Role { leads, term })
        })
    }

    fn administration(&self) -> Option<&dyn Administration> {
        Some(self)
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let local_reads = self.told.get("read-mode") == "serializable";
        let (lock_urls, lock_prefix) = (urls.clone(), prefix.clone());
        let locks = move |node: usize| EtcdLocks {
            gateway: Gateway::new(&lock_urls[node]),
            prefix: lock_prefix.clone(),
            held: HashMap::new(),
        };
        let registers = move |node: usize| EtcdClient {
            gateway: Gateway::new(&urls[node]),
            prefix: prefix.clone(),
            local_reads,
        };
        Clients::default()
            .serve::<Register, _>(registers)
            .keep_texts::<Register>()
            .serve::<Lock, _>(locks)
    }
}

/// Finds the server, which is in one of these packages.
pub fn find(name: &str, packages: &str) -> Result<Program, Missing> {
    Seek {
        name,
        packages,
        program: "etcd",
        flag: "--version",
        // The gateway's `/v3`, and `--pre-vote`.
        least: (3, 4),
        version: |text| text.lines().find_map(|line| line.strip_prefix("etcd Version: ")),
    }
    .find()
}

struct EtcdClient {
    gateway: Gateway,
    prefix: String,
    local_reads: bool,
}

impl Client<Register> for EtcdClient {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let key = BASE64.encode(format!("{}{}", self.prefix, call.key));
            let text = |value: &Held| BASE64.encode(value.to_string());
            let (path, body) = match &call.action {
                Action::Read => ("range", json!({ "key": key, "serializable": self.local_reads })),
                Action::Write(value) => ("put", json!({ "key": key, "value": text(value) })),
                Action::Cas { old, new } => (
                    "txn",
                    json!({
                        "compare": [{
                            "key": key, "target": "VALUE", "result": "EQUAL", "value": text(old)
                        }],
                        "success": [{ "request_put": { "key": key, "value": text(new) } }],
                        "failure": [],
                    }),
                ),
            };
            let answer = self.gateway.post(&format!("kv/{path}"), &body).await?;
            understand(&call.action, &answer)
        })
    }
}

/// What etcd's answer means. Its errors are gRPC's codes with etcd's own words (rpctypes).
fn understand(action: &Action, answer: &Answer) -> Result<Outcome<Ret>, OpError> {
    let body = &answer.body;
    if answer.status != 200 || body.get("header").is_none() {
        return Err(refusal(answer));
    }
    match action {
        Action::Write(_) => Ok(Ret::Done.into()),
        // The gateway leaves out what is false.
        Action::Cas { .. } if body["succeeded"] == true => Ok(Ret::Done.into()),
        Action::Cas { .. } => Err(OpError::fail(ErrorKind::Mismatch, "the comparison failed")),
        Action::Read => {
            let Some(found) = body["kvs"].get(0) else { return Ok(Ret::Found(None).into()) };
            // An empty value is left out by the gateway too.
            let text = found["value"].as_str().unwrap_or_default();
            let bytes = BASE64.decode(text).unwrap_or_else(|_| text.into());
            let text = String::from_utf8_lossy(&bytes);
            let ret = text.parse().map_or_else(
                |_| Ret::Foreign(text.as_ref().into()),
                |value| Ret::Found(Some(value)),
            );
            let version = found["version"].as_str().and_then(|version| version.parse().ok());
            Ok(Outcome { ret, version })
        }
    }
}

/// Only what etcd rejects before it proposes the request has certainly not happened; a lost
/// leader, a full queue of the old one and a time-out leave everything open.
fn refusal(answer: &Answer) -> OpError {
    const INVALID_ARGUMENT: u64 = 3;
    const PERMISSION_DENIED: u64 = 7;
    let body = &answer.body;
    let text = body["message"].as_str().or(body["error"].as_str()).unwrap_or_default();
    let text = if text.is_empty() { format!("status {}", answer.status) } else { text.to_owned() };
    match body["code"].as_u64() {
        Some(INVALID_ARGUMENT | PERMISSION_DENIED | gateway::UNAUTHENTICATED) => {
            OpError::fail(ErrorKind::Other, text)
        }
        // Said while the server is behind with what was agreed on, before it proposes anything.
        _ if text.starts_with("etcdserver: too many requests") => {
            OpError::fail(ErrorKind::Refused, text)
        }
        _ if text.contains("timed out") || text.contains("deadline exceeded") => {
            OpError::info(ErrorKind::Timeout, text)
        }
        _ => OpError::info(ErrorKind::Other, text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn check(action: &Action, status: u16, body: Value, expected: &str) {
        let meaning = match understand(action, &Answer { status, body }) {
            Ok(outcome) => format!("ok {:?}", outcome.ret),
            Err(OpError::Fail(error)) => format!("fail {:?}", error.kind),
            Err(OpError::Info(error)) => format!("info {:?}", error.kind),
        };
        assert_eq!(meaning, expected);
    }

    #[test]
    fn every_answer_of_etcd_has_its_meaning() {
        let cas = &Action::Cas { old: 1.into(), new: 2.into() };
        let write = &Action::Write(1.into());
        let header = json!({"cluster_id": "1"});
        check(write, 200, json!({"header": header}), "ok Done");
        check(cas, 200, json!({"header": header, "succeeded": true}), "ok Done");
        check(cas, 200, json!({"header": header, "responses": []}), "fail Mismatch");
        check(&Action::Read, 200, json!({"header": header}), "ok Found(None)");
        let found = json!({"header": header, "kvs": [{"value": "NDI=", "version": "3"}]});
        check(&Action::Read, 200, found, "ok Found(Some(42))");
        let other = json!({"header": header, "kvs": [{"value": "eA=="}]});
        check(&Action::Read, 200, other, "ok Foreign(String(\"x\"))");
        let error = |code: u64, message: &str| json!({"code": code, "message": message});
        check(write, 503, error(14, "etcdserver: request timed out"), "info Timeout");
        check(write, 500, error(2, "context deadline exceeded"), "info Timeout");
        check(write, 503, error(14, "etcdserver: leader changed"), "info Other");
        check(write, 503, error(14, "etcdserver: no leader"), "info Other");
        check(write, 429, error(8, "etcdserver: too many requests"), "fail Refused");
        check(write, 400, error(3, "etcdserver: key is not provided"), "fail Other");
        check(write, 200, Value::Null, "info Other");
    }
}
