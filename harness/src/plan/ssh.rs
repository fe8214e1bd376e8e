//! How a plan says which hosts are its nodes, and how they are reached.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::{Nodes, Plan, Span};
use crate::environments::{Access, Host};

/// How the hosts of the environment `ssh` are reached. There are no passwords, and a key is named
/// by its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SshPlan {
    /// File of the private key; else what `ssh` finds by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Configuration of `ssh` in place of the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<PathBuf>,
    /// Whether the user becomes root by `sudo`.
    pub sudo: bool,
    /// How long a host waits for a silent harness before it heals itself.
    pub lease: Span,
}

impl Default for SshPlan {
    fn default() -> SshPlan {
        SshPlan { key: None, config: None, sudo: false, lease: Span::from_ms(30_000) }
    }
}

/// The shortest lease: a connection that broke needs a while to be made again.
const SHORTEST: Span = Span::from_ms(3_000);

impl SshPlan {
    /// The same as the environment wants it.
    fn access(&self) -> anyhow::Result<Access> {
        for (what, file) in [("key", &self.key), ("ssh configuration", &self.config)] {
            if let Some(path) = file {
                File::open(path)
                    .with_context(|| format!("the {what} {} cannot be read", path.display()))?;
            }
        }
        if self.lease < SHORTEST {
            bail!("a lease of {} is too short; at least {SHORTEST} is needed", self.lease);
        }
        let SshPlan { key, config, sudo, lease } = self.clone();
        Ok(Access { key, config, sudo, lease: lease.0 })
    }
}

impl Plan {
    /// The hosts that are the nodes, and how they are reached.
    ///
    /// # Errors
    /// None are named, one is unknown or named twice, or a file is missing.
    pub fn ssh_hosts(&self) -> anyhow::Result<(Vec<Host>, Access)> {
        let Some(Nodes::Urls(names)) = &self.nodes else {
            bail!("the environment ssh needs the hosts: --nodes root@HOST:PORT,...")
        };
        let mut hosts: Vec<Host> = Vec::new();
        for name in names {
            let host: Host = name.parse().map_err(|error: String| anyhow!(error))?;
            if hosts.iter().any(|other| other.address == host.address) {
                bail!("the address {} is named twice; each node needs its own", host.address);
            }
            hosts.push(host);
        }
        Ok((hosts, self.ssh.clone().unwrap_or_default().access()?))
    }
}
