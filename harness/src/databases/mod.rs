//! The systems that can be tested: one file each, and one line each in `all.rs`.

mod all;
mod etcd;
mod http;
/// What `init` writes for others to begin with has to compile.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../cli/init/my_database.rs"]
mod my_database;
mod store;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use splitbrain_workloads::{BoxFuture, Clients};

use crate::environments::{Daemon, Member};

pub use all::ALL;
pub use store::{BUGS, Bug, MODES, Mode, Rung, Target as StoreTarget};

/// One line of the registry.
pub struct Entry {
    /// Name in kebab case, as after `--db`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// Makes the driver. The argument is the mode; only the bundled store has any.
    pub open: Open,
}

/// Makes a driver, or says what modes there are.
pub type Open = fn(mode: Option<&str>) -> Result<Box<dyn Database>, String>;

/// How to start, ask and talk to one kind of system.
pub trait Database: Send + Sync {
    /// Name in reports and run folders, such as `store/raft`.
    fn target(&self) -> String;
    /// Nodes that a cluster has if nothing else is asked for.
    fn default_nodes(&self) -> usize;
    /// Whether its compare-and-set is atomic.
    fn has_cas(&self) -> bool;
    /// Finds the program on this machine.
    fn find(&self) -> Result<Program, Missing>;
    /// The ports on which a node usually listens. Clients use the first.
    fn ports(&self) -> &'static [u16];
    /// Whether all nodes must be told the same address of a node, because they compare.
    fn one_address(&self) -> bool {
        false
    }
    /// How clients name a node whose first port they reach at this address.
    fn url(&self, address: SocketAddr) -> String {
        format!("http://{address}")
    }
    /// How to start one node of a cluster on its own folder. The same again restarts it on its
    /// data. A member's ports are in the order of [`Database::ports`].
    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon;
    /// Whether a node serves requests now; otherwise why not.
    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>>;
    /// What a node believes of its own role. Answers from the node's own state, at once.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>>;
    /// Its own administration of who belongs to the cluster, if it has one.
    fn administration(&self) -> Option<&dyn Administration> {
        None
    }
    /// Connections for each vocabulary that it serves. Every key is written with the prefix.
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

/// Something that has to be installed first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n  to get it: {remedy}")]
pub struct Missing {
    /// What is not there.
    pub what: String,
    /// The exact command that gets it.
    pub remedy: String,
}

/// What a node believes of its own role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// It believes that it leads.
    pub leads: bool,
    /// Term or epoch of that belief.
    pub term: Option<u64>,
}

/// The control plane's own HTTP connections.
pub struct Asker {
    http: reqwest::Client,
}

impl Asker {
    /// Connections that give up after `patience`.
    pub fn new(patience: Duration) -> Asker {
        Asker { http: http::client(Some(patience)) }
    }
}

/// The driver of a database, or what names there are.
pub fn open(name: &str, mode: Option<&str>) -> Result<Box<dyn Database>, String> {
    let entry = ALL.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|entry| entry.name).collect();
        format!("no database is named {name:?}; there are: {}", names.join(", "))
    })?;
    (entry.open)(mode)
}
