//! Sets that are read all the time, so that it shows when each element is there for good (Jepsen's
//! set-full).

use super::Workload;
use super::set::Elements;

/// The workload `set-full`.
pub const WORKLOAD: Workload = Workload {
    name: "set-full",
    about: "Elements that are added to sets, which are read all the time.",
    load: |settings| Box::new(Elements::new("set-full", 0.5, settings)),
};
