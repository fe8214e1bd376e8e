//! A database of one's own: all there is to say of one that keeps numbers under keys and is asked over HTTP.

use serde_json::json;
use splitbrain::prelude::*;

fn main() -> std::process::ExitCode {
    splitbrain::main(MyDatabase)
}

struct MyDatabase;

impl Database for MyDatabase {
    fn target(&self) -> String {
        "my-database".to_owned()
    }
    /// Where the program is; if it is not there, say how to get it.
    fn find(&self) -> Result<Program, Missing> {
        let path = std::env::current_exe().unwrap_or_default().with_file_name("splitbrain-store");
        let what = format!("there is no server {}", path.display());
        let missing = Missing { what, remedy: Some("cargo build -p splitbrain-store".to_owned()) };
        path.exists().then(|| Program { path, version: "1".to_owned() }).ok_or(missing)
    }
    /// The first is for clients.
    fn ports(&self) -> &'static [u16] {
        &[8000]
    }
    /// How a node starts. The same again restarts it on its data.
    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let member = &cluster[this];
        let peers = cluster.iter().map(|peer| format!("{}={}", peer.name, peer.reached[0]));
        Daemon::new(program, folder)
            .args(["--mode", "raft", "--id", &member.name])
            .args(["--listen", &member.listens[0].to_string()])
            .args(["--peers", &peers.collect::<Vec<_>>().join(",")])
            .args(["--data", &folder.join("data").to_string_lossy()])
    }
    /// Whether a node serves; clients begin when all do.
    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let status = asker.get(&format!("{url}/health")).await?.status;
            (status == 200).then_some(()).ok_or_else(|| format!("its health is {status}"))
        })
    }
    /// A client for each worker. Every key begins with the prefix, and nothing else is touched.
    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        Clients::default().serve::<Register, _>(move |node| MyClient {
            http: http::client(None),
            base: format!("{}/kv/{prefix}", urls[node]),
        })
    }
}

/// A connection to one node. It must not try again by itself: a write sent twice is two writes.
struct MyClient {
    http: http::Connection,
    base: String,
}

impl Client<Register> for MyClient {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        let url = format!("{}{}", self.base, call.key);
        let request = match &call.action {
            Action::Read => self.http.get(url),
            Action::Write(new) => self.http.put(url).json(&json!({ "value": new })),
            Action::Cas { old, new } => {
                self.http.post(url + "/cas").json(&json!({ "old": old, "new": new }))
            }
        };
        // What an answer means: `fail` for what certainly did not happen, `info` for all else.
        Box::pin(async move {
            let http::Answer { status, body } = http::send(request).await?;
            match (status, &call.action) {
                (200, Action::Read) => Ok(Ret::Found(body["value"].as_i64()).into()),
                (200, _) => Ok(Ret::Done.into()),
                (412, _) => Err(OpError::fail(ErrorKind::Mismatch, "another value was found")),
                (status, _) => Err(OpError::info(ErrorKind::Other, format!("status {status}"))),
            }
        })
    }
}
