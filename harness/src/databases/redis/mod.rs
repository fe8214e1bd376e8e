//! What every way to run Redis has in common: its program, its settings and its client.

mod client;
pub mod resp;

use super::{Asker, Missing, Opt, Program, Seek, Told, wire};
use crate::environments::Member;
pub use client::{RedisClient, Route, exchange};
use resp::Reply;

/// The port of the data.
pub const PORT: u16 = 6379;

/// When the log of writes is brought to the disk.
pub const APPENDFSYNC: Opt = Opt {
    name: "appendfsync",
    usual: "everysec",
    words: &["everysec", "always", "no"],
    about: "when acknowledged writes are brought to the disk",
};

/// Whom reads ask.
pub const READ_MODE: Opt = Opt {
    name: "read-mode",
    usual: "primary",
    words: &["primary", "local"],
    about: "reads ask the primary, or the client's own node whatever that is",
};

/// How many replicas a primary must see.
pub const MIN_REPLICAS: Opt = Opt {
    name: "min-replicas",
    usual: "0",
    words: &[],
    about: "min-replicas-to-write: replicas heard of within a second, without which writes are refused",
};

/// How many replicas a client waits for.
pub const WAIT: Opt = Opt {
    name: "wait",
    usual: "0",
    words: &[],
    about: "replicas that must have a write (WAIT) before the client takes it for done",
};

/// Finds `redis-server`, which is the sentinel too.
pub fn find(least: (u32, u32)) -> Result<Program, Missing> {
    Seek {
        name: "Redis",
        packages: "redis-server",
        program: "redis-server",
        flag: "--version",
        least,
        version: |text| text.split_whitespace().find_map(|word| word.strip_prefix("v=")),
    }
    .find()
}

/// The settings of a server; the same for all kinds of cluster.
pub fn settings(member: &Member, told: &Told) -> String {
    let at = member.listens[0];
    format!(
        "bind {}\nport {}\ndir data\nprotected-mode no\nsave \"\"\nappendonly yes\n\
         appendfsync {}\nrepl-diskless-sync-delay 0\nrepl-timeout 10\n\
         min-replicas-to-write {}\nmin-replicas-max-lag 1\n",
        at.ip(),
        at.port(),
        told.get("appendfsync"),
        told.get("min-replicas"),
    )
}

/// Asks one question over a connection of its own, for the control plane.
pub async fn ask_once(asker: &Asker, address: &str, command: &[&str]) -> Result<Reply, String> {
    let asking = async {
        let mut stream = wire::open(address).await?;
        client::greet(&mut stream).await?;
        resp::ask(&mut stream, &[command]).await
    };
    match asker.wait(asking).await?.pop() {
        Some(Reply::Error(text)) => Err(text),
        reply => reply.ok_or_else(|| "no answer".to_owned()),
    }
}
