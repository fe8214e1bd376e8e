//! Who belongs to the cluster, for the nemesis: the database's administration, asked through the
//! hub's own links like everything of the control plane.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use splitbrain_nemesis::Members;
use splitbrain_nemesis::node::NodeError;
use tokio::runtime::{Builder, Runtime};

use crate::databases::{Administration, Asker, Database};

/// How long a node may take to change the members, and how long to name them.
const CHANGE_PATIENCE: Duration = Duration::from_millis(3_500);
const NAME_PATIENCE: Duration = Duration::from_millis(400);

/// The administration of a running cluster.
pub struct Membership {
    database: Arc<dyn Database>,
    nodes: Vec<String>,
    urls: Vec<String>,
    changes: Asker,
    names: Asker,
    /// Its own, since the nemesis waits for it and may do so when the run's own has ended.
    runtime: Mutex<Runtime>,
}

impl Membership {
    /// The administration of these nodes.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn new(
        database: Arc<dyn Database>,
        nodes: Vec<String>,
        urls: Vec<String>,
    ) -> io::Result<Membership> {
        let runtime = Mutex::new(Builder::new_current_thread().enable_all().build()?);
        let (changes, names) = (Asker::new(CHANGE_PATIENCE), Asker::new(NAME_PATIENCE));
        Ok(Membership { database, nodes, urls, changes, names, runtime })
    }

    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner).block_on(answer)
    }

    fn administration(&self) -> Result<&dyn Administration, NodeError> {
        let none = || NodeError("the database has no administration of members".to_owned());
        self.database.administration().ok_or_else(none)
    }

    /// Asks one node after another but the one that it is about, until one has done it.
    fn ask_others<'a, F: Future<Output = Result<(), String>>>(
        &'a self,
        about: usize,
        ask: impl Fn(&'a str) -> F,
    ) -> Result<(), NodeError> {
        let others = self.urls.iter().enumerate().filter(|(node, _)| *node != about);
        let mut last = "there is no other node".to_owned();
        for (_, url) in others {
            match self.wait(ask(url)) {
                Ok(()) => return Ok(()),
                Err(why) => last = why,
            }
        }
        Err(NodeError(last))
    }
}

impl Members for Membership {
    fn leave(&self, node: usize) -> Result<(), NodeError> {
        let (administration, name) = (self.administration()?, &self.nodes[node]);
        self.ask_others(node, |url| administration.leave(&self.changes, url, name))
    }

    fn join(&self, node: usize) -> Result<(), NodeError> {
        let (administration, name) = (self.administration()?, &self.nodes[node]);
        self.ask_others(node, |url| administration.join(&self.changes, url, name))
    }

    fn known_to(&self, asked: usize) -> Result<Vec<usize>, NodeError> {
        let asking = self.administration()?.members(&self.names, &self.urls[asked]);
        let names = self.wait(asking).map_err(NodeError)?;
        let index = |name: &String| {
            let found = self.nodes.iter().position(|node| node == name);
            found.ok_or_else(|| NodeError(format!("{name} is a member, but no node")))
        };
        let mut members = names.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        members.sort_unstable();
        Ok(members)
    }
}
