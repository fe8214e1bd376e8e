//! Registers: objects with `read`, `write` and `cas`, one for each key.
//!
//! Linearizability of registers is local (Herlihy and Wing 1990), so each key is prepared and
//! judged by itself.

mod anomalies;
mod behind;
mod linearizability;
mod loss;
mod prepare;
mod settled;
mod values;

pub(crate) use anomalies::{Cause, Corruption, StaleRead};
pub(crate) use anomalies::{corruptions, stale_reads};
pub(crate) use behind::{Behind, behind};
pub(crate) use linearizability::{Linearizability, linearizability, procedure};
pub(crate) use loss::{LostWrite, lost_writes};
pub(crate) use prepare::{Attempt, Observation, Reading, Register, registers};
pub(crate) use settled::{Settled, SettledValues, Settling};
