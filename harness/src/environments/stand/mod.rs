//! What every run stands on that starts nodes by itself, wherever they are: a keeper that cleans up,
//! the journal that it goes by, the nodes' programs, and what shows that they are as they are to be.

mod clock;
mod companion;
mod keeper;
mod namespaces;
mod probes;
mod program;
mod roles;
mod sandbox;

pub(super) use clock::NodeClock;
pub(crate) use companion::Companion;
pub(super) use namespaces::{Entrance, explain};
pub(super) use probes::{PROBE_PORT, Probes, probe_socket};
pub(super) use program::{Program, command, state_of};
pub use roles::play_helper;
pub(super) use roles::{DISK, role};
pub use sandbox::{Sandbox, SandboxError};
