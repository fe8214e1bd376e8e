//! What the driver of a database needs: `use splitbrain::prelude::*;`.

pub use std::path::Path;

pub use splitbrain_checker::history::ErrorKind;
pub use splitbrain_workloads::objects::register::{Action, Call, Register, Ret};
pub use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome};

pub use crate::databases::http;
pub use crate::databases::{Asker, Database, Missing, Program, Role};
pub use crate::environments::{Daemon, Member};
