//! The bundled replicated store (`examples/store`).

mod bugs;
mod client;
mod consumer;
mod locks;
mod modes;
mod readers;
mod steps;
mod target;
mod teller;
mod transactions;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::bank::Bank;
use splitbrain_workloads::objects::causal::Causal;
use splitbrain_workloads::objects::causal_reverse::Table;
use splitbrain_workloads::objects::counter::Counter;
use splitbrain_workloads::objects::fenced_set::FencedSet;
use splitbrain_workloads::objects::g2::Insertion;
use splitbrain_workloads::objects::lock::Lock;
use splitbrain_workloads::objects::lock_set::LockSet;
use splitbrain_workloads::objects::log::{Log, Transactional};
use splitbrain_workloads::objects::long_fork::LongFork;
use splitbrain_workloads::objects::monotonic::Tables;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::sequential::Sequential;
use splitbrain_workloads::objects::set::Set;
use splitbrain_workloads::objects::set_remove::Element;
use splitbrain_workloads::objects::total_queue::TotalQueue;
use splitbrain_workloads::objects::unique_ids::UniqueIds;
use splitbrain_workloads::objects::watch::Watched;
use splitbrain_workloads::objects::wr::RwRegister;
use splitbrain_workloads::{BoxFuture, Clients};

pub use bugs::{BUGS, Bug};
use client::StoreClient;
use consumer::Consumer;
use locks::{Holder, guarded};
pub use modes::{MODES, Mode, Rung};
use readers::Reader;
pub use target::Target;
use teller::Teller;
use transactions::serve;

use super::http;
use super::{Administered, Administration, Asker, Database, Entry, Missing, Program, Role};
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "store",
    about: "The bundled replicated key-value store, in the mode that --mode names.",
    // Each mode has its own.
    options: &[],
    open: |rest| {
        let target = if rest.is_empty() { "raft" } else { rest.trim_start_matches('/') };
        Ok(Box::new(Store { target: Target::parse(target)? }))
    },
};

const PORT: u16 = 8000;
const PROGRAM: &str = "splitbrain-store";

struct Store {
    target: Target,
}

impl Database for Store {
    fn target(&self) -> String {
        format!("store/{}", self.target)
    }

    fn default_nodes(&self) -> usize {
        5
    }

    fn has_cas(&self) -> bool {
        self.target.mode.cas
    }

    fn find(&self) -> Result<Program, Missing> {
        let path = beside_this_program().map_err(|what| Missing {
            what,
            remedy: Some("cargo build --release --workspace".to_owned()),
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
            ["--listen", &member.listens[0].to_string()],
            ["--peers", &peers.join(",")],
            ["--data", &data.to_string_lossy()],
        ];
        Daemon {
            program: program.path.clone(),
            args: args.concat().into_iter().map(str::to_owned).chain(self.target.args()).collect(),
            env: Vec::new(),
            files: Vec::new(),
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
        self.target.mode.members.then_some(self)
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let connect = move |node: usize| StoreClient {
            http: http::client(None),
            url: urls[node].clone(),
            prefix: prefix.clone(),
        };
        let clients = Clients::default()
            .serve::<Register, _>(connect.clone())
            .keep_texts::<Register>()
            .serve::<Element, _>(connect.clone());
        // Transactions take one node that puts everything in order.
        match self.target.mode.cas {
            true => transactional(clients, connect),
            false => clients,
        }
    }
}

/// Serves what is spoken in transactions.
fn transactional(
    clients: Clients,
    connect: impl Fn(usize) -> StoreClient + Clone + Send + Sync + 'static,
) -> Clients {
    let reader = {
        let connect = connect.clone();
        move |node| Reader { store: connect(node), read: HashMap::new() }
    };
    let consumer = {
        let connect = connect.clone();
        move |node| Consumer::new(connect(node))
    };
    let holder = {
        let connect = connect.clone();
        move |node| Holder { store: connect(node), held: HashMap::new() }
    };
    let teller = {
        let connect = connect.clone();
        move |node, initial: &Value| Teller::new(connect(node), initial)
    };
    let clients = clients
        .serve_filled::<Bank, _>(teller)
        .serve::<Lock, _>(holder)
        .serve::<Log, _>(consumer.clone())
        .serve::<Transactional, _>(consumer)
        .serve::<Sequential, _>(connect.clone())
        .serve::<Tables, _>(connect.clone())
        .serve::<Watched, _>(reader);
    let clients = guarded::<LockSet>(clients, connect.clone());
    let clients = guarded::<FencedSet>(clients, connect.clone());
    let clients = serve::<Causal>(clients, connect.clone());
    let clients = serve::<Counter>(clients, connect.clone());
    let clients = serve::<Insertion>(clients, connect.clone());
    let clients = serve::<ListAppend>(clients, connect.clone()).keep_texts::<ListAppend>();
    let clients = serve::<LongFork>(clients, connect.clone());
    let clients = serve::<RwRegister>(clients, connect.clone()).keep_texts::<RwRegister>();
    let clients = serve::<Set>(clients, connect.clone());
    let clients = serve::<Table>(clients, connect.clone());
    let clients = serve::<TotalQueue>(clients, connect.clone());
    serve::<UniqueIds>(clients, connect)
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
