//! The program: environments, interpreter, recorder, database clients, reports, command line.
//!
//! `run` is `record` and then `check`: the history is the only product of a run and the only
//! input of a verdict.

pub mod cli;
mod command;
pub mod databases;
pub mod environments;
pub mod explain;
mod follow;
pub mod interpreter;
pub mod nines;
pub mod plan;
pub mod prelude;
mod progress;
pub mod recorder;
pub mod report;
pub mod run;
pub mod scale;
pub mod serve;
pub mod shrink;
pub mod suite;
pub mod trend;

/// The program `splitbrain` with one more database, which it tests if no other one is named.
///
/// ```no_run
/// # use splitbrain::prelude::*;
/// # fn with(my_database: impl Database + 'static) -> std::process::ExitCode {
/// splitbrain::main(my_database)
/// # }
/// ```
///
/// To be called by `main` before anything else: a run moves its whole process to a network of its own,
/// which it can only while there is one thread. `examples/my-database` is such a program.
pub fn main(database: impl databases::Database + 'static) -> std::process::ExitCode {
    databases::welcome(database);
    cli::main()
}
