//! Who belongs to the cluster, for the nemesis: the database's administration, asked through the
//! hub's own links like everything of the control plane.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use splitbrain_nemesis::Members;
use splitbrain_nemesis::node::{NodeError, Signal};
use tokio::runtime::{Builder, Runtime};

use crate::databases::{Administration, Asker, Database};
use crate::environments::{Daemon, Hosts};

/// How long a node may take to change the members, and how long to name them.
const CHANGE_PATIENCE: Duration = Duration::from_millis(3_500);
const NAME_PATIENCE: Duration = Duration::from_millis(400);
/// How long a program that was killed may take to be gone.
const DEATH_PATIENCE: Duration = Duration::from_secs(2);

/// The administration of a running cluster.
pub struct Membership {
    database: Arc<dyn Database>,
    nodes: Vec<String>,
    urls: Vec<String>,
    changes: Asker,
    names: Asker,
    hosts: Weak<dyn Hosts>,
    lives: Mutex<Vec<Life>>,
    /// Its own, since the nemesis waits for it and may do so when the run's own has ended.
    runtime: Mutex<Runtime>,
}

/// What a node has been through.
struct Life {
    /// How it was started at first.
    first: Daemon,
    /// It has left, and must not be started again as it was.
    ended: bool,
    /// How often it has joined again.
    joined: usize,
}

impl Membership {
    /// The administration of these nodes, which are on these hosts and were started so.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn new(
        database: Arc<dyn Database>,
        nodes: Vec<String>,
        urls: Vec<String>,
        (hosts, first): (Weak<dyn Hosts>, Vec<Daemon>),
    ) -> io::Result<Membership> {
        let life = |first| Life { first, ended: false, joined: 0 };
        let lives = Mutex::new(first.into_iter().map(life).collect());
        let runtime = Mutex::new(Builder::new_current_thread().enable_all().build()?);
        let (changes, names) = (Asker::new(CHANGE_PATIENCE), Asker::new(NAME_PATIENCE));
        Ok(Membership { database, nodes, urls, changes, names, hosts, lives, runtime })
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

impl Membership {
    fn lives(&self) -> MutexGuard<'_, Vec<Life>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the program of a node that has left, if it cannot go on; most do so by themselves.
    fn end(&self, node: usize) -> Result<(), NodeError> {
        let hosts = self.hosts()?;
        let processes = hosts.processes().ok_or_else(|| NodeError("no processes".to_owned()))?;
        processes.signal(node, Signal::Kill)?;
        let until = Instant::now() + DEATH_PATIENCE;
        while !processes.states(node)?.is_empty() {
            if Instant::now() > until {
                return Err(NodeError(format!("{} does not end", self.nodes[node])));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Starts a node that has joined as one that has no past.
    fn begin(&self, node: usize, daemon: Daemon) -> Result<(), NodeError> {
        self.end(node)?;
        let hosts = self.hosts()?;
        let begun = hosts.replace(node, daemon).and_then(|()| hosts.launch(node));
        begun.map_err(|error| NodeError(error.to_string()))
    }

    fn hosts(&self) -> Result<Arc<dyn Hosts>, NodeError> {
        self.hosts.upgrade().ok_or_else(|| NodeError("the nodes are gone".to_owned()))
    }
}

impl Members for Membership {
    fn leave(&self, node: usize) -> Result<(), NodeError> {
        let (administration, name) = (self.administration()?, &self.nodes[node]);
        self.ask_others(node, |url| administration.leave(&self.changes, url, name))?;
        let life = &mut self.lives()[node];
        if administration.anew(&life.first, &[], 0).is_some() {
            life.ended = true;
            self.end(node)?;
        }
        Ok(())
    }

    fn join(&self, node: usize) -> Result<(), NodeError> {
        let (administration, name) = (self.administration()?, &self.nodes[node]);
        let lives = &mut *self.lives();
        let stayed = lives.iter().enumerate().filter(|(other, life)| *other == node || !life.ended);
        let members: Vec<String> = stayed.map(|(other, _)| self.nodes[other].clone()).collect();
        let life = &mut lives[node];
        let first = &life.first;
        self.ask_others(node, |url| administration.join(&self.changes, url, name, first))?;
        if life.ended {
            let daemon = administration.anew(first, &members, life.joined + 1);
            self.begin(node, daemon.ok_or_else(|| NodeError("it cannot come back".to_owned()))?)?;
            life.ended = false;
            life.joined += 1;
        }
        Ok(())
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
