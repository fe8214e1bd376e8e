//! What this machine can do, tried out in a child process that leaves nothing behind.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use splitbrain_nemesis::{disk, iptables, journal};

use super::shaping_engine::{Engines, NETEM_TRIAL, queue_trial};
use super::stand::{Entrance, explain};
use super::tool::{as_root, feed, install_command, look_up};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// The exact command, or the change, that mends it.
    pub remedy: Option<String>,
}

impl Finding {
    fn good(what: &'static str, detail: impl Into<String>) -> Finding {
        Finding { what, ok: true, detail: detail.into(), remedy: None }
    }

    fn bad(what: &'static str, detail: impl Into<String>, remedy: String) -> Finding {
        Finding { what, ok: false, detail: detail.into(), remedy: Some(remedy) }
    }
}

/// Tries out everything that the environments need that start nodes.
pub fn doctor() -> Vec<Finding> {
    let mut findings = links();
    findings.extend([shaping(), journals()]);
    findings
}

/// Tries out what only some faults need, without which everything else works.
pub fn doctor_of_faults() -> Vec<Finding> {
    const WHAT: &str = "disks that can fail (/dev/fuse)";
    vec![match disk::available() {
        Ok(()) => Finding::good(WHAT, "can be opened"),
        Err(why) => Finding::bad(WHAT, why, as_root("modprobe fuse")),
    }]
}

/// Whether the `local` environment can be had: its kernel cuts the links between nodes.
///
/// # Errors
/// It cannot, because of this.
pub fn kernel_links() -> Result<(), String> {
    let lacking = links().into_iter().find(|finding| !finding.ok);
    lacking.map_or(Ok(()), |finding| Err(format!("{}: {}", finding.what, finding.detail)))
}

/// Tries out what only the `local` environment needs.
fn links() -> Vec<Finding> {
    vec![
        namespaces(),
        in_a_namespace(
            "bridge and virtual links (ip)",
            "ip",
            &["-batch", "-"],
            "link add br0 type bridge\nlink add v1 type veth peer name v2\n",
            "modprobe -a bridge veth",
        ),
        in_a_namespace(
            "firewall rules (iptables-restore)",
            "iptables-restore",
            &["--noflush"],
            &(iptables::hook_text() + &iptables::rules_text(&[[10, 77, 0, 1].into()])),
            "modprobe nf_tables",
        ),
        in_a_namespace(
            "firewall counters (iptables-save)",
            "iptables-save",
            &["-c", "-t", "filter"],
            "",
            "modprobe nf_tables",
        ),
    ]
}

fn namespaces() -> Finding {
    const WHAT: &str = "network namespaces";
    let Some(nothing) = look_up(Path::new("true")) else {
        return Finding::bad(WHAT, "there is no program `true`", "install coreutils".to_owned());
    };
    match feed(&mut inside(&nothing), "") {
        Ok(_) if nix::unistd::geteuid().is_root() => Finding::good(WHAT, "as root"),
        Ok(_) => Finding::good(WHAT, "without root, in a user namespace"),
        Err(error) => {
            let (why, remedy) = explain(&error);
            Finding::bad(WHAT, why, remedy)
        }
    }
}

/// Which engine makes links of bad quality.
fn shaping() -> Finding {
    const WHAT: &str = "links of bad quality";
    let tried = |tool: &str, args: &[&str], input: &str| {
        look_up(Path::new(tool)).map(|program| feed(inside(&program).args(args), input).map(drop))
    };
    let missing = || Err(io::Error::other("the program iptables-restore is missing"));
    let queue = tried("iptables-restore", &["--noflush"], &queue_trial()).unwrap_or_else(missing);
    let engines = Engines::of(tried("tc", &["-batch", "-"], NETEM_TRIAL), queue);
    match engines.any() {
        Ok(()) => Finding::good(WHAT, engines.describe()),
        Err(why) => Finding::bad(WHAT, why, as_root("modprobe -a xt_NFQUEUE nfnetlink_queue")),
    }
}

fn in_a_namespace(
    what: &'static str,
    tool: &str,
    args: &[&str],
    input: &str,
    kernel_remedy: &str,
) -> Finding {
    let Some(program) = look_up(Path::new(tool)) else {
        return Finding::bad(what, format!("{tool} is missing"), install_command(tool));
    };
    match feed(inside(&program).args(args), input) {
        Ok(_) => Finding::good(what, program.display().to_string()),
        Err(error) => Finding::bad(what, error.to_string(), as_root(kernel_remedy)),
    }
}

/// A command that runs in a namespace of its own.
fn inside(program: &Path) -> Command {
    let entrance = Entrance::prepare();
    let mut command = Command::new(program);
    // SAFETY: `enter` makes system calls only and allocates nothing.
    unsafe { command.pre_exec(move || entrance.enter()) };
    command.env("XTABLES_LOCKFILE", std::env::temp_dir().join("splitbrain-doctor.lock"));
    command
}

fn journals() -> Finding {
    const WHAT: &str = "journals of runs";
    match journal::folder() {
        Ok(folder) => Finding::good(WHAT, folder.display().to_string()),
        Err(error) => {
            let remedy = format!("export {}=FOLDER", journal::FOLDER_VARIABLE);
            Finding::bad(WHAT, error.to_string(), remedy)
        }
    }
}
