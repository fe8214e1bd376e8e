//! Judges recorded histories. A history goes in, a verdict comes out: no clock, no I/O beyond
//! reading a file, no async, no randomness.
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

mod cap;
mod class;
mod convergence;
mod faults;
pub mod history;
mod judge;
mod judgement;
mod ladder;
pub mod linearizable;
mod modelled;
pub mod models;
mod options;
mod reached;
mod recording;
mod reduce;
mod register;
pub mod stream;
mod tell;
mod verdict;
mod violation;

pub use cap::{Cap, CapWindow, Service, Side};
pub use class::{Class, ClassBounds};
pub use faults::{Effect, Fault, FaultReport, faults};
pub use judge::judge;
pub use judgement::{FORMAT_VERSION, Judgement, KeyPlan};
pub use ladder::{Ladder, Rung, strongest};
pub use models::{ModelName, UnknownModel, VOCABULARIES};
pub use options::{FailedCas, Options};
pub use reached::{Configuration, Reached};
pub use verdict::Verdict;
pub use violation::Violation;
