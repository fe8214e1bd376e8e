//! What the guard guards: the node's program, our chain of its firewall, its probes and its
//! folder, and how all of it is undone.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::Value;
use splitbrain_nemesis::Link;
use splitbrain_nemesis::iptables::{self, Control};
use splitbrain_nemesis::journal::{self, Entry, Mark};
use splitbrain_nemesis::node::ProcessState;

use super::PROBE_PORT;
use super::protocol::{Ask, Ended, Piece, Post};
use crate::environments::stand::{self, NodeClock, Probes, Program, probe_socket, state_of};
use crate::environments::tool::Tool;
use crate::environments::{Daemon, Sandbox};

/// How much of a file is sent at once.
const PIECE_BYTES: u64 = 256 << 10;
/// The longest wait for probes that can be asked for.
const WAIT_MOST_MS: u64 = 2_000;

/// All that a run has on one host.
pub(super) struct Ward {
    sandbox: Sandbox,
    control: Option<Control>,
    restore: Tool,
    save: Tool,
    program: Program,
    clock: Option<NodeClock>,
    post: Option<(Post, Probes)>,
}

impl Ward {
    /// Takes the host over: undoes what dead runs left there, writes the journal, moves the files
    /// that were uploaded to the run's folder and makes our chain.
    ///
    /// # Errors
    /// Another run is on this host, or a step fails; nothing is left then.
    pub(super) fn make(run: &str, control: Option<Control>) -> io::Result<Ward> {
        let uploaded = std::env::current_exe()?;
        let uploaded = uploaded.parent().ok_or(io::ErrorKind::NotFound)?;
        Ward::in_place_of(uploaded, run, control).inspect_err(|_| {
            let _ = fs::remove_dir_all(uploaded);
        })
    }

    fn in_place_of(uploaded: &Path, run: &str, control: Option<Control>) -> io::Result<Ward> {
        let find = |tool| Tool::find(tool).map_err(io::Error::other);
        let (restore, save) = (find("iptables-restore")?, find("iptables-save")?);
        journal::heal(&journal::folder()?)?;
        if journal::chain_is_there()? {
            return Err(io::Error::other(format!(
                "its firewall has the chain {} already: another run is there, or has left it",
                iptables::CHAIN
            )));
        }
        let sandbox = Sandbox::outside(run).map_err(io::Error::other)?;
        let program = Program::default();
        let mut ward = Ward { sandbox, control, restore, save, program, clock: None, post: None };
        let made = ward.take_over(uploaded);
        if made.is_err() {
            ward.heal();
        }
        made.map(|()| ward)
    }

    fn take_over(&mut self, uploaded: &Path) -> io::Result<()> {
        for file in fs::read_dir(uploaded)? {
            let file = file?;
            fs::rename(file.path(), self.folder().join(file.file_name()))?;
        }
        fs::remove_dir(uploaded)?;
        self.sandbox.record(&Entry::Firewall)?;
        self.restore.run(&["--noflush", "-w"], &[], &iptables::hook_text()).map(drop)
    }

    /// The run's folder on this host.
    pub(super) fn folder(&self) -> &Path {
        self.sandbox.directory()
    }

    fn mark(&self) -> Mark {
        self.sandbox.mark()
    }

    /// Does what it is asked for, except for the lease.
    pub(super) fn answer(&mut self, ask: Ask) -> io::Result<Value> {
        fn is<T: Serialize>(value: T) -> io::Result<Value> {
            Ok(serde_json::to_value(value)?)
        }
        match ask {
            Ask::Renew => is(()),
            Ask::Install(post) => self.install(*post).and_then(is),
            Ask::Replace(daemon) => self.replace(*daemon).and_then(is),
            Ask::Start => self.start().and_then(is),
            Ask::Signal(signal) => {
                let processes = self.states()?;
                self.program.signal(&processes, signal).and_then(is)
            }
            Ask::States => self.states().and_then(is),
            Ask::Ended => is(Ended {
                how: self.program.ended_by_itself(),
                guarded: self.sandbox.keeper_is_alive(),
            }),
            Ask::Block(senders) => self.block(&senders).and_then(is),
            Ask::Rules => self.rules().and_then(is),
            Ask::Probe { nonce, to } => {
                let (Post { this, .. }, probes) = self.post()?;
                let links: Vec<Link> = to.iter().map(|to| Link { from: *this, to: *to }).collect();
                probes.send(nonce, &links);
                is(())
            }
            Ask::Arrived { nonce, wait_ms } => {
                let wait = Duration::from_millis(wait_ms.min(WAIT_MOST_MS));
                let links = self.post()?.1.arrived(nonce, wait)?;
                is(links.iter().map(|link| link.from).collect::<Vec<_>>())
            }
            Ask::AttachClock => self.attach_clock().and_then(is),
            Ask::SetClock(deviation) => self.clock()?.set(&deviation).and_then(is),
            Ask::Clock => self.clock()?.get().and_then(is),
            Ask::Readings { during_ms } => {
                let during = Duration::from_millis(during_ms.min(WAIT_MOST_MS));
                let said = self.clock()?.teller(during)?.output()?;
                NodeClock::readings(&said).and_then(is)
            }
            Ask::Unreached => {
                let processes = self.states()?;
                is(self.clock()?.unreached(processes.iter().map(|process| process.pid)))
            }
            Ask::Read { path, offset } => read(&path, offset).and_then(is),
            Ask::Heal => is(self.heal()),
        }
    }

    fn post(&self) -> io::Result<&(Post, Probes)> {
        self.post.as_ref().ok_or_else(nothing_installed)
    }

    fn install(&mut self, post: Post) -> io::Result<()> {
        if post.this >= post.addresses.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // The port is taken once, however often the node is installed.
        self.post = None;
        let socket = probe_socket(PROBE_PORT)?;
        let probes = Probes::new(vec![(post.this, socket)], post.addresses.clone(), PROBE_PORT);
        self.program.daemon = Some(post.daemon.clone());
        self.post = Some((post, probes));
        Ok(())
    }

    fn replace(&mut self, daemon: Daemon) -> io::Result<()> {
        let (post, _) = self.post.as_mut().ok_or_else(nothing_installed)?;
        post.daemon = daemon.clone();
        self.program.daemon = Some(daemon);
        Ok(())
    }

    /// What of it there is lies in the run's folder.
    fn attach_clock(&mut self) -> io::Result<()> {
        if self.clock.is_none() {
            let folder = self.folder().join("clock");
            let clock = NodeClock::make(&folder, &self.post()?.0.daemon);
            self.clock = Some(clock.map_err(io::Error::other)?);
        }
        Ok(())
    }

    fn clock(&self) -> io::Result<&NodeClock> {
        self.clock.as_ref().ok_or_else(|| io::Error::other("it has no clock of ours"))
    }

    fn start(&mut self) -> io::Result<()> {
        if self.program.is_running() {
            return Err(io::Error::other("it runs already"));
        }
        if !self.sandbox.keeper_is_alive() {
            return Err(io::Error::other("nobody would clean up: the keeper was killed"));
        }
        let (Post { name, daemon, .. }, _) = self.post()?;
        let mut command = stand::command(name, daemon).map_err(io::Error::other)?;
        command.env(Mark::VARIABLE, self.mark().value());
        if let Some(clock) = &self.clock {
            command.envs(clock.environment(Some(daemon)));
        }
        let child = command.spawn()?;
        self.program.started(child);
        Ok(())
    }

    fn states(&self) -> io::Result<Vec<ProcessState>> {
        Ok(self.mark().processes()?.into_iter().map(state_of).collect())
    }

    fn block(&self, senders: &[usize]) -> io::Result<()> {
        let addresses = &self.post()?.0.addresses;
        let senders: Option<Vec<_>> = senders.iter().map(|s| addresses.get(*s).copied()).collect();
        let senders = senders.ok_or(io::ErrorKind::InvalidInput)?;
        let rules = match &self.control {
            Some(control) => iptables::rules_sparing(control, &senders),
            None => iptables::rules_text(&senders),
        };
        self.restore.run(&["--noflush", "-w"], &[], &rules).map(drop)
    }

    fn rules(&self) -> io::Result<Vec<(usize, u64)>> {
        let saved = self.save.run(&["-c", "-t", "filter"], &[], "")?;
        let addresses = &self.post()?.0.addresses;
        let rules = iptables::parse_counters(&saved).map_err(io::Error::other)?;
        rules
            .into_iter()
            .map(|(sender, packets)| {
                let from = addresses.iter().position(|address| *address == sender);
                let from =
                    from.ok_or_else(|| io::Error::other(format!("there is a rule for {sender}")))?;
                Ok((from, packets))
            })
            .collect()
    }

    /// Undoes everything and looks whether it is gone; what is left. May be repeated.
    pub(super) fn heal(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        if let Err(error) = self.mark().kill() {
            left.push(error.to_string());
        } else {
            self.program.reap();
        }
        left.extend(self.sandbox.finish());
        match journal::chain_is_there() {
            Ok(false) => {}
            Ok(true) => left.push(format!("the firewall's chain {}", iptables::CHAIN)),
            Err(error) => left.push(format!("the firewall cannot be looked at: {error}")),
        }
        if self.folder().exists() {
            left.push(format!("the folder {}", self.folder().display()));
        }
        left
    }
}

fn nothing_installed() -> io::Error {
    io::Error::other("nothing is installed")
}

fn read(path: &PathBuf, offset: u64) -> io::Result<Piece> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(mut file) => {
            file.seek(SeekFrom::Start(offset))?;
            file.take(PIECE_BYTES).read_to_end(&mut bytes)?;
        }
        // A program that never started has written nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(Piece { bytes: BASE64.encode(bytes) })
}
