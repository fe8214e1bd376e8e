//! Watches that nodes live which must ([`Database::must_live`](crate::databases::Database::must_live)).

use std::sync::{Arc, Weak};
use std::time::Duration;

use splitbrain_nemesis::Capability;

use super::prepare::Prepared;
use super::site::Site;
use crate::environments::Hosts;
use crate::interpreter::live::Inbox;
use crate::interpreter::{StopCause, Wake};

/// How often they are looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// The nodes that must live.
pub struct Lives {
    hosts: Weak<dyn Hosts>,
    names: Vec<String>,
}

impl Lives {
    /// `None` if nodes may end: who must live does not have to with a failing disk or too little memory.
    pub fn of(prepared: &Prepared, site: &Site) -> Option<Lives> {
        let is_excuse = |needs| matches!(needs, Capability::Disks | Capability::Limits);
        let excused = prepared.timeline.iter().any(|step| is_excuse(step.choice.fault.needs));
        let hosts = site.hosts().filter(|_| prepared.database.must_live() && !excused)?;
        Some(Lives { hosts: Arc::downgrade(hosts), names: prepared.nodes.clone() })
    }

    /// Why nothing can be said of the system, if one has ended.
    pub fn broken(&self) -> Option<StopCause> {
        let (node, how) = self.hosts.upgrade()?.exited().into_iter().next()?;
        Some(StopCause::Failure(format!("{} ended by itself: {how}", self.names[node])))
    }

    /// Looks again and again, until one has ended or the task is dropped.
    pub async fn watch(self: Arc<Lives>, inbox: Inbox) {
        loop {
            let lives = self.clone();
            let looked = tokio::task::spawn_blocking(move || lives.broken()).await;
            if let Ok(Some(cause)) = looked {
                return inbox.post(Wake::Stop(cause));
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}
