//! What clients do: generators, the client contract, and for each object its operations.
//!
//! A *workload* names a *vocabulary*; a database client implements the vocabularies it can serve.
//! So databases times workloads is never written out. Generators are plain values: they are asked
//! what comes next and told what happened, and never sleep, lock or spawn.

mod choice;
pub mod client;
pub mod generator;
mod keys;
mod messages;
pub mod objects;
pub mod padding;
pub mod transaction;
mod transactions;
pub mod vocabulary;

pub use choice::KeyChoice;
pub use client::{BoxFuture, Client, Clients, Completion, ErasedClient, OpError, Outcome};
pub use generator::{Context, Generator, Invocation, Next};
pub use objects::{Load, Workload};
pub use vocabulary::{Malformed, Vocabulary};
