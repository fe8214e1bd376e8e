//! From a bare host to a guard that can be asked: a few lines of shell, the programs, the guard.
//!
//! Nothing is left of one that breaks off: the shell removes what it has received so far, and the
//! agent, once it has all, writes its journal before it does anything else.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::host::{Access, Host};
use super::line::Line;
use super::protocol::WORD;

/// How long a host may take to say that it is able, and the guard to be up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Name of the agent's program on the host.
pub(super) const AGENT: &str = "agent";
/// Name of the guard's socket.
pub(super) const SOCKET: &str = "socket";

/// A file that is copied to the host, and its name there.
pub(super) struct Upload {
    pub(super) name: String,
    file: File,
    bytes: u64,
}

impl Upload {
    pub(super) fn open(name: &str, path: &Path) -> io::Result<Upload> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Upload { name: name.to_owned(), file, bytes })
    }
}

/// A host that is able to be a node and waits for the programs.
pub(super) struct Able {
    line: Line,
}

/// Asks a host whether it can be a node. Nothing is changed there.
///
/// # Errors
/// It cannot, or it cannot be reached; why.
pub(super) fn knock(
    access: &Access,
    host: &Host,
    run: &str,
    uploads: &[Upload],
) -> io::Result<Able> {
    let mut line = Line::open(&mut access.command(host, &script(run, access.lease, uploads)))?;
    answer(&mut line, "yes")?;
    Ok(Able { line })
}

impl Able {
    /// Copies the programs there and has the guard take over; the line to it and its folder.
    ///
    /// # Errors
    /// The connection broke, or the guard cannot do its work there; nothing is left then.
    pub(super) fn settle(mut self, uploads: &[Upload]) -> io::Result<(Line, PathBuf)> {
        self.line.say("go")?;
        for upload in uploads {
            // Another handle has another place in the file only if it is opened anew.
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&upload.file));
            self.line.send(&File::open(path)?)?;
        }
        let folder = answer(&mut self.line, "up")?;
        Ok((self.line, PathBuf::from(folder)))
    }
}

/// The rest of the line that begins with the word; a line that begins with `no` is an error.
fn answer(line: &mut Line, wanted: &str) -> io::Result<String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let heard = line.hear(until)?;
        let Some(rest) = heard.strip_prefix(WORD) else { continue };
        match rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), "")) {
            ("no", why) => return Err(io::Error::other(why.to_owned())),
            (word, more) if word == wanted => return Ok(more.to_owned()),
            _ => {}
        }
    }
}

/// What runs on the host before our own program can.
fn script(run: &str, lease: Duration, uploads: &[Upload]) -> String {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let lease_ms = lease.as_millis();
    let receive: String = uploads
        .iter()
        .map(|Upload { name, bytes, .. }| {
            format!(
                "head -c {bytes} >\"$d/{name}\"; \
                 [ \"$(wc -c <\"$d/{name}\")\" -eq {bytes} ]; chmod 700 \"$d/{name}\"; "
            )
        })
        .collect();
    // One line, because some login shells take no more in quotes.
    format!(
        "set -e; umask 077; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH; \
         no() {{ echo \"{WORD} no $*\"; exit 1; }}; \
         [ \"$(uname -s | tr A-Z a-z) $(uname -m)\" = \"{system} {machine}\" ] || \
         no \"it is $(uname -sm), and this program is for {system} {machine}\"; \
         [ \"$(id -u)\" = 0 ] || no \"the user there is $(id -un), not root (--sudo becomes it)\"; \
         for t in iptables-save iptables-restore; do command -v $t >/dev/null || \
         no \"the program $t is missing there; to get it: apt-get install -y iptables\"; done; \
         s=${{SPLITBRAIN_STATE_DIR:-/var/lib/splitbrain}}; d=$s/{run}.upload; \
         echo \"{WORD} yes\"; read -r go || exit 1; \
         trap \"exit 1\" HUP INT TERM PIPE; trap \"rm -rf \\\"$d\\\"\" EXIT; \
         mkdir -p \"$s\"; mkdir \"$d\"; {receive}\
         exec \"$d/{AGENT}\" __agent serve {run} {lease_ms} \"$1\""
    )
}

/// What leads to a guard that is up already; it says so if there is none.
pub(super) fn back_to(folder: &Path) -> String {
    let (agent, socket) = (folder.join(AGENT), folder.join(SOCKET));
    let (agent, socket) = (agent.display(), socket.display());
    format!(
        "[ -S \"{socket}\" ] || {{ echo \"{WORD} no guard\"; exit 1; }}; \
         exec \"{agent}\" __agent relay \"{socket}\""
    )
}
