//! `single`: one node has the data and serves, the others only hand requests to it.
//!
//! It is the first of `--peers` by name. Nobody takes its place.

use super::Mode;
use crate::group::{Group, Shape};

pub const MODE: Mode = Mode {
    name: "single",
    about: "One node serves, the others hand requests to it: linearizable while that one is reached.",
    start: |setup| Box::pin(Group::start(setup, "single.log", SHAPE)),
};

const SHAPE: Shape =
    Shape { elects: false, copies: false, sync: false, hot: true, reads_own_copy: false };
