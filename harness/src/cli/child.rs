//! Runs in processes of their own, for commands that are made of several: a run enters a sandbox with
//! its whole process and can do so only once.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::plan::{Phases, Plan};

/// Starts runs, and passes an interruption on to those that are going. Threads may share it.
pub struct Runs {
    interrupted: Arc<AtomicBool>,
}

impl Runs {
    /// From here on an interruption ends the runs that are going, in order, and not this process.
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
        self.ask(&[&["run", "--json"], flags].concat(), None)
    }

    /// One `run` of a plan, which is ended when it has surely hung. The plan is in a file without a name,
    /// so that nothing is left of it in any case.
    pub fn run_plan(&self, plan: &Plan, flags: &[&str]) -> anyhow::Result<Value> {
        let file = tempfile::tempfile().context("a plan cannot be written")?;
        serde_json::to_writer(&file, plan)?;
        let args = [&["run", "--json", "--plan", "/dev/stdin"], flags].concat();
        self.ask_of(&args, file.into(), Some(patience(plan)))
    }

    /// What another command of this program prints, one JSON object. One that does not end within
    /// `limit` is told to, and killed if it does not.
    pub fn ask(&self, args: &[&str], limit: Option<Duration>) -> anyhow::Result<Value> {
        self.ask_of(args, Stdio::null(), limit)
    }

    fn ask_of(
        &self,
        args: &[&str],
        input: Stdio,
        limit: Option<Duration>,
    ) -> anyhow::Result<Value> {
        let this = std::env::current_exe().context("where am I?")?;
        let mut command = Command::new(this);
        command.args(args).stdin(input).stdout(Stdio::piped()).process_group(0);
        // SAFETY: between fork and exec only one system call is made.
        unsafe { command.pre_exec(|| set_pdeathsig(Signal::SIGTERM).map_err(Into::into)) };
        let mut child = command.spawn().context("a run cannot be started")?;
        let mut output = child.stdout.take().context("it is piped")?;
        let verdict = std::thread::spawn(move || {
            let mut verdict = String::new();
            output.read_to_string(&mut verdict).map(|_| verdict)
        });
        let started = Instant::now();
        let late = |more| limit.is_some_and(|limit| started.elapsed() > limit + more);
        let mut passed_on = false;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if !passed_on && (self.interrupted() || late(Duration::ZERO)) {
                passed_on = true;
                kill(Pid::from_raw(child.id() as i32), Signal::SIGINT)?;
            }
            if late(ORDERLY) {
                child.kill()?;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        if let Some(limit) = limit.filter(|_| late(Duration::ZERO)) {
            bail!("it did not end within {} s", limit.as_secs());
        }
        let verdict = verdict.join().map_err(|_| anyhow!("the reader has panicked"))??;
        serde_json::from_str(&verdict)
            .with_context(|| format!("{} gave no verdict ({status})", args.join(" ")))
    }
}

/// Long after everything in a plan was over.
pub fn patience(plan: &Plan) -> Duration {
    let Phases { baseline, main, after, converge_within } = plan.phases;
    let spans = [baseline, main, after, converge_within, plan.op_timeout];
    spans.into_iter().map(|span| span.0).sum::<Duration>() * 2 + Duration::from_secs(180)
}

/// How long a run may take to end in order, nodes and links included.
const ORDERLY: Duration = Duration::from_secs(60);
