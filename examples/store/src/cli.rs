//! The command line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Parser, value_parser};

use crate::id::NodeId;
use crate::journal::{self, Mount};
use crate::mistakes::{self, Mistake};
use crate::modes::{self, Mode, Options, Replication, Standby};

/// One node of a replicated key-value store over HTTP.
#[derive(Parser, Debug)]
#[command(name = "splitbrain-store", version, after_help = exit_codes(), after_long_help = after())]
pub struct Arguments {
    /// The name of this node.
    #[arg(long)]
    pub id: NodeId,

    /// How to replicate.
    #[arg(long, value_parser = PossibleValuesParser::new(modes::ALL.iter().map(|mode| mode.name)))]
    mode: String,

    /// A known mistake to make, of those that the mode can make.
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,

    /// Where to listen for clients and peers.
    #[arg(long, value_name = "IP:PORT")]
    pub listen: SocketAddr,

    /// All nodes of the cluster, this one included; the same on every node, and for ever.
    #[arg(long, value_name = "ID=IP:PORT,...", value_delimiter = ',', required = true)]
    peers: Vec<Peer>,

    /// The folder where this node keeps its data.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// A file to which every change of what this node shows is appended as a line of JSON, with its
    /// time; not in mode cache.
    #[arg(long, value_name = "FILE")]
    pub applied_log: Option<PathBuf>,

    /// When a request is answered at the latest.
    #[arg(long, default_value_t = 800, value_parser = value_parser!(u64).range(50..=60_000))]
    request_timeout_ms: u64,

    /// raft, primary-backup, read-replicas: how often the leader or primary sends heartbeats.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u64).range(10..=10_000))]
    heartbeat_ms: u64,

    /// raft, primary-backup: the shortest election timeout; the longest, and a leader's lease, is
    /// twice that.
    #[arg(long, default_value_t = 250, value_parser = value_parser!(u64).range(20..=60_000))]
    election_ms: u64,

    /// raft, single, primary-backup, read-replicas: how many log entries to collect before a snapshot
    /// replaces them.
    #[arg(long, default_value_t = 5000, value_parser = value_parser!(u64).range(10..=1_000_000))]
    snapshot_entries: u64,

    /// gossip: how often to compare notes with one of the peers, which take turns; multi-primary: how
    /// long to wait before a peer that was not reached is tried again.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u64).range(10..=60_000))]
    gossip_interval_ms: u64,

    /// quorum: how many replicas each key has (N); all nodes, if not said.
    #[arg(long, value_name = "N")]
    replicas: Option<NonZeroUsize>,

    /// quorum: how many replicas a read asks (R); a majority, if not said.
    #[arg(long, value_name = "R")]
    read_quorum: Option<NonZeroUsize>,

    /// quorum: how many replicas must have a write (W); a majority, if not said.
    #[arg(long, value_name = "W")]
    write_quorum: Option<NonZeroUsize>,

    /// quorum: how often to tell a replica what it has missed.
    #[arg(long, default_value_t = 500, value_parser = value_parser!(u64).range(10..=600_000))]
    hint_interval_ms: u64,

    /// primary-backup: when a write is done.
    #[arg(long, value_enum, default_value_t = Replication::Async)]
    replication: Replication,

    /// primary-backup: what standbys do with what they hear.
    #[arg(long, value_enum, default_value_t = Standby::Hot)]
    standby: Standby,
}

#[derive(Clone, Debug)]
struct Peer {
    id: NodeId,
    address: SocketAddr,
}

impl std::str::FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, address) =
            text.split_once('=').ok_or_else(|| format!("{text:?} is not ID=IP:PORT"))?;
        let address =
            address.parse().map_err(|_| format!("{address:?} is not an address IP:PORT"))?;
        Ok(Self { id: id.parse()?, address })
    }
}

impl Arguments {
    /// What clap cannot check.
    pub fn check(&self) -> Result<(), String> {
        let peers = self.peers();
        if peers.len() < self.peers.len() {
            return Err("--peers names a node twice".into());
        }
        let addresses: std::collections::BTreeSet<_> = peers.values().collect();
        if addresses.len() < peers.len() {
            return Err("--peers gives two nodes the same address".into());
        }
        if !peers.contains_key(&self.id) {
            return Err(format!("--peers must include this node, {}", self.id));
        }
        if let Some(bug) = &self.bug {
            mistakes::find(bug, &self.mode)?;
        }
        if self.applied_log.is_some() && self.mode == "cache" {
            return Err("mode cache has no order of values to note in --applied-log".into());
        }
        if self.election_ms <= self.heartbeat_ms {
            return Err("--election-ms must be more than --heartbeat-ms".into());
        }
        Ok(())
    }

    /// The addresses of all nodes.
    pub fn peers(&self) -> BTreeMap<NodeId, SocketAddr> {
        self.peers.iter().map(|peer| (peer.id, peer.address)).collect()
    }

    /// How to replicate.
    pub fn mode(&self) -> &'static Mode {
        modes::ALL.iter().find(|mode| mode.name == self.mode).expect("clap knows the same list")
    }

    /// The mistake to make, if any.
    pub fn mistake(&self) -> Option<Mistake> {
        let find = |name: &String| mistakes::find(name, &self.mode).expect("it was checked");
        self.bug.as_ref().map(find)
    }

    /// How journals are written.
    pub fn mount(&self) -> Mount {
        match self.mistake() {
            Some(Mistake::LostFsync) => journal::forgetful,
            _ => journal::plain,
        }
    }

    /// When a request is answered at the latest.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// What the modes can be told.
    pub fn options(&self) -> Options {
        Options {
            heartbeat_ms: self.heartbeat_ms,
            election_ms: self.election_ms,
            snapshot_entries: self.snapshot_entries,
            gossip_interval: Duration::from_millis(self.gossip_interval_ms),
            replicas: self.replicas.map(NonZeroUsize::get),
            read_quorum: self.read_quorum.map(NonZeroUsize::get),
            write_quorum: self.write_quorum.map(NonZeroUsize::get),
            hint_interval: Duration::from_millis(self.hint_interval_ms),
            replication: self.replication,
            standby: self.standby,
        }
    }
}

fn exit_codes() -> String {
    "Exit codes: 0 stopped by SIGTERM or SIGINT, 64 wrong usage, 70 cannot start or go on.\n\
     Logs go to standard error; RUST_LOG=debug says more."
        .to_owned()
}

fn after() -> String {
    let mut text = "Modes:\n".to_owned();
    for mode in modes::ALL {
        text += &format!("  {}\n      {}\n", mode.name, mode.about);
    }
    text += "\nBugs (--bug), and the modes that they can be in:\n";
    for bug in mistakes::ALL {
        text += &format!("  {:<24} {}\n      {}\n", bug.name, bug.modes.join(" "), bug.about);
    }
    text + "\n" + &exit_codes()
}

/// What the modes are told when nothing is said.
#[cfg(test)]
pub fn usual_options() -> Options {
    let line = "splitbrain-store --id=n1 --mode=raft --listen=[::]:1 --peers=n1=[::]:1 --data=d";
    Arguments::try_parse_from(line.split(' ')).expect("a usual line").options()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(extra: &[&str]) -> Result<(), String> {
        let mut line = vec!["splitbrain-store", "--id=n1", "--mode=raft", "--listen=127.0.0.1:1"];
        line.push("--data=/nowhere");
        line.extend(extra);
        Arguments::try_parse_from(line).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn a_cluster_is_a_list_of_distinct_nodes_with_this_one_in_it() {
        check(&["--peers=n1=127.0.0.1:1,n2=[::1]:2"]).unwrap();
        for (peers, expect) in [
            ("n2=127.0.0.1:1", "must include this node, n1"),
            ("n1=127.0.0.1:1,n1=127.0.0.1:2", "names a node twice"),
            ("n1=127.0.0.1:1,n2=127.0.0.1:1", "the same address"),
            ("n1", "is not ID=IP:PORT"),
            ("n1=localhost", "is not an address"),
            ("n 1=127.0.0.1:1", "a node id is"),
            ("", "is not ID=IP:PORT"),
        ] {
            let error = check(&[&format!("--peers={peers}")]).unwrap_err();
            assert!(error.contains(expect), "{peers:?}: {error}");
        }
    }

    #[test]
    fn a_bug_must_be_one_of_the_mode() {
        let peers = "--peers=n1=127.0.0.1:1";
        check(&[peers, "--bug=stale-leader-read"]).unwrap();
        let error = check(&[peers, "--bug=no-fencing"]).unwrap_err();
        assert!(error.contains("it has: ack-before-quorum,"), "{error}");
    }

    #[test]
    fn an_election_waits_for_more_than_one_heartbeat() {
        let peers = "--peers=n1=127.0.0.1:1";
        assert!(check(&[peers, "--heartbeat-ms=100", "--election-ms=100"]).is_err());
        assert!(check(&[peers, "--heartbeat-ms=100", "--election-ms=101"]).is_ok());
    }
}
