//! `primary-backup`: one node serves, and when it is missed another takes its place.
//!
//! Asynchronous, a write is done when the primary has it on disk: what it had not passed on when
//! another took its place is lost. Synchronous, a write is done when a majority has it on disk, and
//! who takes the primary's place has it too (Oki and Liskov, "Viewstamped Replication", PODC 1988).
//! A hot standby has applied what it heard of; a cold one applies its whole log first.

use super::{Mode, Options, Replication, Standby};
use crate::group::{Group, Shape};

pub const MODE: Mode = Mode {
    name: "primary-backup",
    about: "One node serves, and another takes its place when it is missed: \
            loses nothing if synchronous, the last writes if not.",
    start: |setup| {
        let shape = shape(&setup.options);
        Box::pin(Group::start(setup, "backup.log", shape))
    },
};

fn shape(options: &Options) -> Shape {
    Shape {
        elects: true,
        copies: true,
        sync: options.replication == Replication::Sync,
        hot: options.standby == Standby::Hot,
        reads_own_copy: false,
    }
}
