//! A counter that goes up and down, on whose sum all nodes agree in the end (Maelstrom's pn-counter).

use super::Workload;
use super::counter::Additions;

/// The workload `pn-counter`.
pub const WORKLOAD: Workload = Workload {
    name: "pn-counter",
    about: "Additions to one counter and subtractions from it, and reads of it.",
    load: |_| Box::new(Additions { model: "pn-counter", least: -5, most: 5 }),
};
