//! `splitbrain __agent`: this program on the far side of the environment `ssh`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;

use crate::environments::ssh;

/// What the far side is to do.
#[derive(Subcommand)]
pub enum Agent {
    /// Guard this host for a run.
    Serve {
        /// Name of the run on this host.
        run: String,
        /// How long to wait for a silent harness.
        lease_ms: u64,
        /// The connection over which this host is controlled, as in `SSH_CONNECTION`.
        connection: String,
    },
    /// Carry lines to and from a guard.
    Relay {
        /// Its socket.
        socket: PathBuf,
    },
}

/// Does it.
pub fn main(agent: &Agent) -> ExitCode {
    match agent {
        Agent::Serve { run, lease_ms, connection } => {
            ssh::serve(run, Duration::from_millis(*lease_ms), connection)
        }
        Agent::Relay { socket } => ssh::relay(socket),
    }
}
