//! The program: environments, interpreter, recorder, database clients, reports, command line.
//!
//! `run` is `record` and then `check`: the history is the only product of a run and the only
//! input of a verdict.

pub mod cli;
mod command;
pub mod databases;
pub mod environments;
pub mod explain;
pub mod interpreter;
pub mod nines;
pub mod plan;
mod progress;
pub mod recorder;
pub mod report;
pub mod run;
pub mod scale;
pub mod serve;
pub mod shrink;
pub mod suite;
pub mod trend;
