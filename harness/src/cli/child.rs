//! Runs in processes of their own, for commands that are made of several: a run enters a sandbox with
//! its whole process and can do so only once.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Starts runs, one after another, and passes an interruption on to the one that is going.
pub struct Runs {
    interrupted: Arc<AtomicBool>,
}

impl Runs {
    /// From here on an interruption ends the run that is going, in order, and not this process.
    pub fn new() -> std::io::Result<Runs> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, interrupted.clone())?;
        }
        Ok(Runs { interrupted })
    }

    /// Whether the user has had enough.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// One `run` with these flags; its verdict as JSON.
    pub fn run(&self, flags: &[&str]) -> anyhow::Result<Value> {
        let this = std::env::current_exe().context("where am I?")?;
        let mut command = Command::new(this);
        command
            .args(["run", "--json"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0);
        // SAFETY: between fork and exec only one system call is made.
        unsafe { command.pre_exec(|| set_pdeathsig(Signal::SIGTERM).map_err(Into::into)) };
        let mut child = command.spawn().context("a run cannot be started")?;
        let mut output = child.stdout.take().context("it is piped")?;
        let verdict = std::thread::spawn(move || {
            let mut verdict = String::new();
            output.read_to_string(&mut verdict).map(|_| verdict)
        });
        let mut passed_on = false;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if !passed_on && self.interrupted() {
                passed_on = true;
                kill(Pid::from_raw(child.id() as i32), Signal::SIGINT)?;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let verdict = verdict.join().map_err(|_| anyhow!("the reader has panicked"))??;
        serde_json::from_str(&verdict)
            .with_context(|| format!("run {} gave no verdict ({status})", flags.join(" ")))
    }
}
