//! Judges recorded histories. A history goes in, a verdict comes out: no clock, no I/O beyond
//! reading a file, no async, no randomness.
//!
//! # A file
//!
//! [`History::open`](history::History::open) reads one, [`History::read`](history::History::read)
//! reads anything else; [`judge`] says what the history proves, and by which operations.
//!
//! ```
//! use splitbrain_checker::{Options, history::History, judge};
//! let text = r#"
//!     {"time":0,"type":"invoke","process":0,"f":"write","value":1}
//!     {"time":5,"type":"ok","process":0,"f":"write","value":1}
//!     {"time":7,"type":"invoke","process":1,"f":"read","value":null}
//!     {"time":9,"type":"ok","process":1,"f":"read","value":null}
//! "#;
//! let history = History::read(text.as_bytes()).unwrap();
//! let judgement = judge(&history, &Options::default());
//! assert!(judgement.verdict.is_invalid());
//! assert_eq!(judgement.violations[0].name, "stale-read");
//! ```
//!
//! While it is still being written, a [`stream::Stream`] says when it is certain that there is a
//! violation.
//!
//! # Operations that a program has in memory
//!
//! A register's operations are their calls with the positions of their events in any order of
//! time, here a compare-and-set that may or may not have happened, and two reads.
//!
//! ```
//! use splitbrain_checker::linearizable::*;
//! let (unset, one, two) = (ValueId(0), ValueId(1), ValueId(2));
//! let op = |call, invoked, returned| RegisterOp { call, invoked, returned };
//! let mut ops = vec![
//!     op(Call::Write(one), 0, Some(1)),
//!     op(Call::Cas(one, two), 2, None),
//!     op(Call::Read(two), 3, Some(4)),
//!     op(Call::Read(two), 5, Some(6)),
//! ];
//! let budget = Budget::default();
//! assert_eq!(check_register(unset, &ops, &budget), Outcome::Linearizable);
//! assert_eq!(order(unset, &ops, &budget), Some(vec![0, 1, 2, 3]));
//! ops[3].call = Call::Read(one);
//! let Outcome::NotLinearizable { witness } = check_register(unset, &ops, &budget) else {
//!     panic!("the value had been replaced");
//! };
//! assert!(witness.contains(&3));
//! ```
//!
//! # An object of your own
//!
//! Any object with a sequential specification is a [`models::Model`]; [`models::decide`] checks a
//! list of operations on it, and [`models::check`] a whole history, key by key. Here a light that
//! can be switched, where a switch answers whether the light is on now.
//!
//! ```
//! use splitbrain_checker::history::Operation;
//! use splitbrain_checker::linearizable::Budget;
//! use splitbrain_checker::models::{Answer, Model, NoSuchOperation, Timed, Values, decide};
//!
//! struct Light;
//!
//! impl Model for Light {
//!     type Op = bool;
//!     type State = bool;
//!     type Next = Option<bool>;
//!
//!     fn name(&self) -> &'static str {
//!         "light"
//!     }
//!     fn op(
//!         &self,
//!         operation: &Operation,
//!         answered: bool,
//!         _: &mut Values,
//!     ) -> Result<Option<bool>, NoSuchOperation> {
//!         match (operation.f(), answered) {
//!             ("switch", true) => operation.result().as_bool().map(Some).ok_or(NoSuchOperation),
//!             _ => Err(NoSuchOperation),
//!         }
//!     }
//!     fn init(&self) -> bool {
//!         false
//!     }
//!     fn step(&self, is_on: &bool, answer: &bool) -> Option<bool> {
//!         (answer != is_on).then_some(*answer)
//!     }
//!     fn is_read(&self, _: &bool) -> bool {
//!         false
//!     }
//! }
//!
//! let switch = |op, invoked, returned| Timed { op, invoked, returned: Some(returned) };
//! let decided = |ops: &[Timed<bool>]| decide(&Light, ops, &Budget::default()).answer;
//! assert_eq!(decided(&[switch(false, 0, 3), switch(true, 1, 2)]), Answer::Yes);
//! assert_eq!(decided(&[switch(false, 0, 1), switch(true, 2, 3)]), Answer::No { at: Some(0) });
//! ```

mod cap;
mod checks;
mod class;
mod convergence;
mod expectation;
mod failover;
mod faults;
mod findings;
pub mod history;
mod judge;
mod judgement;
mod keys;
pub mod ladder;
pub mod linearizable;
mod modelled;
pub mod models;
mod nature;
mod options;
mod profile;
mod reached;
mod recording;
mod reduce;
mod refuted;
mod register;
mod roles;
pub mod stream;
mod tell;
mod txn;
mod verdict;
mod violation;

pub use cap::{Cap, CapWindow, Side};
pub use checks::CheckResult;
pub use class::{Class, ClassBounds};
pub use expectation::{Expectation, UnknownExpectation};
pub use failover::{Failover, Loss, Recovery, SideRecovery, SplitBrain, Spread};
pub use faults::{Effect, Fault, FaultReport, faults};
pub use judge::judge;
pub use judgement::{FORMAT_VERSION, Judgement, KeyPlan, Misfit, RungPlan};
pub use ladder::{Ladder, Rung, strongest, weakest_ruled_out};
pub use models::{ModelName, UnknownModel, VOCABULARIES};
pub use nature::Nature;
pub use options::{FailedCas, Options};
pub use profile::{
    Cell, Column, Divergence, Healing, Latency, Profile, Row, Service, SideProfile, Staleness,
    Stretch, Traffic,
};
pub use reached::{Configuration, Reached, Step};
pub use txn::trusted::KeyOrders;
pub use verdict::Verdict;
pub use violation::Violation;
