//! Who led, as far as the nemesis was told.

use serde_json::Value;

use crate::history::{History, NodeId, Process};

/// The reports on who leads, in order.
pub(crate) struct Roles {
    /// The index of each report, and who leads.
    reports: Vec<(u64, Vec<NodeId>)>,
}

impl Roles {
    /// What a history says of them.
    pub fn of(history: &History) -> Roles {
        let events = history.notes().iter();
        let reports = events
            .filter(|event| event.process == Process::Nemesis && event.f == "roles")
            .map(|event| {
                let leaders = event.value["leader"].as_array().into_iter().flatten();
                let ids = leaders.filter_map(|name: &Value| history.node_id(name.as_str()?));
                (event.index, ids.collect())
            });
        Roles { reports: reports.collect() }
    }

    /// Whether any node ever led.
    pub fn has_leader(&self) -> bool {
        self.reports.iter().any(|(_, leaders)| !leaders.is_empty())
    }

    /// Who led just before an event; nobody if that is not known.
    pub fn leaders_before(&self, index: u64) -> &[NodeId] {
        let before = self.reports.partition_point(|(at, _)| *at < index);
        before.checked_sub(1).map_or(&[], |at| &self.reports[at].1)
    }
}
