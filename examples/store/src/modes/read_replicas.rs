//! `read-replicas`: one node takes all writes, and each answers reads from a copy of its own.
//!
//! The copies follow asynchronously and in order, so a client that stays with one node never reads
//! backwards. Nobody takes the primary's place, which is the first of `--peers` by name.

use super::Mode;
use crate::group::{Group, Shape};

pub const MODE: Mode = Mode {
    name: "read-replicas",
    about: "One node takes writes, all answer reads from copies that follow: eventually consistent, \
            and monotonic for who stays with one node.",
    start: |setup| Box::pin(Group::start(setup, "replica.log", SHAPE)),
};

const SHAPE: Shape =
    Shape { elects: false, copies: true, sync: false, hot: true, reads_own_copy: true };
