//! The systems that can be tested: one file each, and one line each in `all.rs`.

mod all;
mod bind;
pub mod command;
mod etcd;
mod galera;
mod given;
pub mod http;
mod installed;
pub(crate) mod login;
pub(crate) mod maelstrom;
mod mariadb;
mod memcached;
mod nats;
mod options;
mod patroni;
mod postgres;
mod rabbitmq;
mod redis;
mod redis_cluster;
mod redis_sentinel;
mod sql;
mod store;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod wire;
mod zookeeper;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use splitbrain_workloads::{BoxFuture, Clients};

use crate::environments::{Daemon, Member};

pub use all::ALL;
pub use given::Given;
use installed::{Seek, new_enough};
pub use options::{Opt, Told};
pub use store::{BUGS, Bug, MODES, Mode, Rung, Target as StoreTarget};

/// One line of the registry.
pub struct Entry {
    /// Name in kebab case, as after `--db`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// What it can be told, where that does not depend on a mode.
    pub options: &'static [Opt],
    /// Makes the driver.
    pub open: Open,
}

/// Makes a driver from what follows the name in a target, or says what there is instead. That is
/// `[/MODE][@OPTION=VALUE[+OPTION=VALUE]...]`; see [`Told::parse`] for systems without modes.
pub type Open = fn(rest: &str) -> Result<Box<dyn Database>, String>;

/// How to start, ask and talk to one kind of system.
pub trait Database: Send + Sync {
    /// Name in reports and run folders, with what it is told, such as `store/raft`. Opened again
    /// by it, it is the same.
    fn target(&self) -> String;
    /// Takes what the user gives it: programs and files.
    ///
    /// # Errors
    /// It has no use for that, or something is missing.
    fn take(&mut self, given: &Given) -> Result<(), String> {
        given.only(&self.target(), &[])
    }
    /// Whether its clients are programs that run beside the harness.
    fn has_companions(&self) -> bool {
        false
    }
    /// Nodes that a cluster has if nothing else is asked for.
    fn default_nodes(&self) -> usize {
        5
    }
    /// Whether its compare-and-set is atomic.
    fn has_cas(&self) -> bool {
        true
    }
    /// Why it has one node and no more, if so.
    fn alone(&self) -> Option<&'static str> {
        None
    }
    /// Finds the program on this machine.
    fn find(&self) -> Result<Program, Missing>;
    /// The ports on which a node usually listens. Clients use the first.
    fn ports(&self) -> &'static [u16];
    /// Whether all nodes must be told the same address of a node, because they compare.
    fn one_address(&self) -> bool {
        false
    }
    /// What the URLs begin with by which clients name nodes.
    fn scheme(&self) -> &'static str {
        "http"
    }
    /// What the URLs begin with of nodes that are spoken to by TLS, if they can be.
    fn secret_scheme(&self) -> Option<&'static str> {
        None
    }
    /// Whether its clients can say who they are.
    fn knows_users(&self) -> bool {
        false
    }
    /// Why its nodes have to have addresses of their own, if they must: they tell each other
    /// addresses that they were not told, say. Nodes behind proxies then cannot be had.
    fn needs_own_addresses(&self) -> Option<&'static str> {
        None
    }
    /// How to start one node of a cluster on its own folder, where its data is to be in `data`.
    /// The same again restarts it on its data. A member's ports are in the order of
    /// [`Database::ports`]. A node of several programs, or one that needs something done first, is
    /// a script among the daemon's files.
    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon;
    /// How long nodes may take from their start until all of them serve.
    fn ready_within(&self) -> Duration {
        Duration::from_secs(30)
    }
    /// Whether a node whose program ends by itself has broken its word, so that nothing can be said of the
    /// system. Elsewhere to end is an answer like others, and the run goes on without the node.
    fn must_live(&self) -> bool {
        false
    }
    /// Makes one cluster of nodes that are all ready and were started here. Asked again and again
    /// until it is so; what is so already is left alone.
    fn assemble<'a>(&'a self, _asker: &'a Asker, _urls: &'a [String]) -> Administered<'a> {
        Box::pin(async { Ok(()) })
    }
    /// Whether a node serves requests now; otherwise why not.
    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>>;
    /// What a node believes of its own role. Answers from the node's own state, at once. Where there
    /// are no leaders, or nobody can be asked, each node has the role of all others.
    fn role<'a>(&'a self, _asker: &'a Asker, _url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async { Ok(Role::default()) })
    }
    /// Its own administration of who belongs to the cluster, if it has one.
    fn administration(&self) -> Option<&dyn Administration> {
        None
    }
    /// Connections for each vocabulary that it serves. Every key is written with the prefix. Nothing
    /// is connected here: before anything starts it is asked what is served.
    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients;
}

/// A database's own administration of who belongs to its cluster. What is so already may be asked
/// for again.
pub trait Administration: Send + Sync {
    /// Has a node leave, by asking another one.
    fn leave<'a>(&'a self, asker: &'a Asker, url: &'a str, node: &'a str) -> Administered<'a>;
    /// Has a node join again, by asking another one. `first` is how it was started at first.
    fn join<'a>(
        &'a self,
        asker: &'a Asker,
        url: &'a str,
        node: &'a str,
        first: &'a Daemon,
    ) -> Administered<'a>;
    /// How a node is started after it has joined for the `times`th time, where one that has left
    /// ends for ever and has to come back as another, without its data. `members` are those that
    /// there are now.
    fn anew(&self, _first: &Daemon, _members: &[String], _times: usize) -> Option<Daemon> {
        None
    }
    /// The names of the members as a node itself knows them.
    fn members<'a>(
        &'a self,
        asker: &'a Asker,
        url: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>>;
}

/// What comes of a change: nothing, or in words why it may not have happened.
pub type Administered<'a> = BoxFuture<'a, Result<(), String>>;

/// A program that was found.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself.
    pub version: String,
}

/// Something that has to be installed first, or that is there and cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}", .remedy.iter().map(|remedy| format!("\n  to get it: {remedy}")).collect::<String>())]
pub struct Missing {
    /// What is not there, or not as it has to be.
    pub what: String,
    /// The exact command that gets it; nothing where it is there already.
    pub remedy: Option<String>,
}

/// What a node believes of its own role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// It believes that it leads.
    pub leads: bool,
    /// Term or epoch of that belief.
    pub term: Option<u64>,
}

/// The control plane's own connections.
pub struct Asker {
    http: reqwest::Client,
    patience: Duration,
}

impl Asker {
    /// Connections that give up after `patience`.
    pub fn new(patience: Duration) -> Asker {
        Asker { http: http::client(Some(patience)), patience }
    }

    /// Waits for an answer that does not come over HTTP, for as long as for one that does.
    async fn wait<T, E: Display>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, String> {
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {} ms", self.patience.as_millis())),
        }
    }

    /// Asks for what is at a URL.
    ///
    /// # Errors
    /// In words why there is no answer.
    pub async fn get(&self, url: &str) -> Result<http::Answer, String> {
        http::ask(self.http.get(url)).await
    }
}

/// The database of whoever has called [`crate::main`].
static GUEST: OnceLock<Arc<dyn Database>> = OnceLock::new();

/// Adds a database to those of the list. Only the first is heard.
pub(crate) fn welcome(guest: impl Database + 'static) {
    let _ = GUEST.set(Arc::new(guest));
}

/// What is tested if nothing is named.
pub fn usual_target() -> String {
    guest().unwrap_or_else(|| "store/raft".to_owned())
}

/// The target of whoever has called [`crate::main`].
pub fn guest() -> Option<String> {
    GUEST.get().map(|guest| guest.target())
}

/// The names of all databases.
pub fn names() -> Vec<String> {
    guest().into_iter().chain(ALL.iter().map(|entry| entry.name.to_owned())).collect()
}

/// The driver for a target, such as `store/raft` or `etcd@read-mode=serializable`, or what there
/// is instead.
pub fn open(target: &str, given: &Given) -> Result<Arc<dyn Database>, String> {
    if let Some(guest) = GUEST.get().filter(|guest| guest.target() == target) {
        given.only(target, &[])?;
        return Ok(guest.clone());
    }
    let (name, rest) = target.split_at(target.find(['/', '@']).unwrap_or(target.len()));
    let entry = ALL.iter().find(|entry| entry.name == name).ok_or_else(|| {
        format!("no database is named {name:?}; there are: {}", names().join(", "))
    })?;
    let mut database = (entry.open)(rest)?;
    database.take(given)?;
    Ok(database.into())
}
