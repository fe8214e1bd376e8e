//! Where the nodes under test live, and how they are started there.

mod doctor;
mod external;
mod hosts;
pub mod local;
pub mod proxy;
mod shaping_engine;
pub mod ssh;
mod stand;
mod tool;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

pub use doctor::{Finding, doctor, doctor_of_faults, kernel_links};
pub use external::ExternalCluster;
pub use hosts::{Hosts, Leftovers, Member};
pub use local::LocalCluster;
pub use proxy::ProxyCluster;
pub use splitbrain_nemesis::journal::{HealLine, Outcome as HealOutcome};
pub use ssh::{Access, Host, SshCluster};
pub(crate) use stand::Companion;
pub use stand::{Sandbox, SandboxError, play_helper};
pub(crate) use tool::look_up;

use serde::{Deserialize, Serialize};
use splitbrain_nemesis::journal;

use crate::databases::Program;

/// Every environment that there is: its name and what it is, in one sentence.
pub const ALL: &[(&str, &str)] = &[
    (
        "external",
        "A cluster that is running already: clients work, faults that need a node are skipped.",
    ),
    ("local", "Network namespaces on this machine, with root or without; nothing else is touched."),
    (
        "proxy",
        "Processes on this machine's loopback that see each other through proxies: needs no rights.",
    ),
    ("ssh", "Existing hosts, reached by ssh as root, each with a guard that heals it in any case."),
];

/// A node, as clients and other nodes see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// `n1`, `n2`, ...
    pub name: String,
    /// Its only address; reachable from the harness and the other nodes.
    pub address: IpAddr,
}

/// The program of one node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Daemon {
    /// A path, or a name to be looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Added to the environment of the harness.
    pub env: Vec<(String, String)>,
    /// Its working directory, made if it is not there.
    pub directory: PathBuf,
    /// Files that it needs, by their path in its working directory, with their text. They are
    /// written before its first start only: it may change them.
    pub files: Vec<(PathBuf, String)>,
    /// Where its standard output and error are appended.
    pub log: PathBuf,
}

impl Daemon {
    /// A program that is started in a folder, where it also has its log.
    pub fn new(program: &Program, folder: &Path) -> Daemon {
        let name = program.path.file_name().unwrap_or_default().to_string_lossy();
        Daemon {
            program: program.path.clone(),
            args: Vec::new(),
            env: Vec::new(),
            files: Vec::new(),
            directory: folder.to_owned(),
            log: folder.join(format!("{name}.log")),
        }
    }

    /// The same with more arguments.
    pub fn args<T: Into<String>>(mut self, args: impl IntoIterator<Item = T>) -> Daemon {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }
}

/// Why an environment could not do what it was asked; always the harness's or the machine's
/// failure, never that of the system under test.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// A program that the environment itself needs is not installed.
    #[error("the program {tool} is missing; install it with: {remedy}")]
    MissingTool {
        /// Its name.
        tool: &'static str,
        /// The command that installs it on Debian and Ubuntu.
        remedy: String,
    },
    /// The program under test cannot be found.
    #[error("{node}: there is no program {program:?}")]
    MissingProgram {
        /// The node that was to run it.
        node: String,
        /// The program as it was named.
        program: PathBuf,
    },
    /// The environment does not serve this number of nodes.
    #[error("{asked} nodes asked for; between 1 and {most} can be had")]
    NodeCount {
        /// What was asked for.
        asked: usize,
        /// The most that can be had.
        most: usize,
    },
    /// A step failed.
    #[error("{what}: {source}")]
    Failed {
        /// The step.
        what: String,
        /// Why.
        source: io::Error,
    },
}

impl EnvError {
    /// Names the step that failed.
    fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> EnvError {
        let what = what.into();
        move |source| EnvError::Failed { what, source }
    }
}

/// Whether there is a place for the journals of runs, without which nothing is started.
pub fn journals_can_be_kept() -> bool {
    journal::folder().is_ok()
}

/// Undoes whatever earlier runs of this user left on this machine, except for runs that still go
/// on. Idempotent.
///
/// # Errors
/// The folder of the journals cannot be read.
pub fn heal() -> io::Result<Vec<HealLine>> {
    journal::heal(&journal::folder()?)
}
