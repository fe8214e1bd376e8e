//! Watches which node leads, over the hub's own links, and notes each change in the history.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use splitbrain_checker::history::Process;

use crate::databases::{Asker, Database};
use crate::interpreter::live::Inbox;
use crate::interpreter::{Wake, note};

/// How often nodes are asked.
const PERIOD: Duration = Duration::from_millis(200);
/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_millis(400);

/// What the nodes said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Nodes that believe that they lead, as indices; of several terms only the highest counts.
    pub leaders: Vec<usize>,
    /// Nodes that did not answer.
    pub down: Vec<usize>,
    /// The highest term that a leader named.
    pub term: Option<u64>,
}

/// The last known roles, shared with the nemesis.
pub type SharedRoles = Arc<Mutex<Roles>>;

/// Asks all nodes at once.
pub async fn ask(database: &Arc<dyn Database>, urls: &[String], asker: &Arc<Asker>) -> Roles {
    let mut tasks = tokio::task::JoinSet::new();
    for (node, url) in urls.iter().cloned().enumerate() {
        let (database, asker) = (database.clone(), asker.clone());
        tasks.spawn(async move { (node, database.role(&asker, &url).await) });
    }
    let mut roles = Roles::default();
    let mut claims = Vec::new();
    for (node, answer) in tasks.join_all().await {
        match answer {
            Ok(role) if role.leads => claims.push((role.term, node)),
            Ok(_) => {}
            Err(_) => roles.down.push(node),
        }
    }
    // A leader that was cut off believes for a while that it still leads; its term gives it away.
    roles.term = claims.iter().filter_map(|(term, _)| *term).max();
    roles.leaders =
        claims.iter().filter(|(term, _)| *term == roles.term).map(|(_, node)| *node).collect();
    roles.leaders.sort_unstable();
    roles.down.sort_unstable();
    roles
}

/// Asks again and again, until the task is dropped.
pub async fn observe(
    database: Arc<dyn Database>,
    nodes: Vec<String>,
    urls: Vec<String>,
    shared: SharedRoles,
    inbox: Inbox,
) {
    let asker = Arc::new(Asker::new(PATIENCE));
    let mut last = None;
    loop {
        let roles = ask(&database, &urls, &asker).await;
        if last.as_ref() != Some(&roles) {
            let name = |indices: &[usize]| -> Vec<&str> {
                indices.iter().map(|index| nodes[*index].as_str()).collect()
            };
            let mut event = note(Process::Nemesis, "roles");
            event.value = json!({ "leader": name(&roles.leaders), "down": name(&roles.down) });
            if let Some(term) = roles.term {
                event.value["term"] = term.into();
            }
            inbox.post(Wake::Note(Box::new(event)));
            *shared.lock().expect("no one panics here") = roles.clone();
            last = Some(roles);
        }
        tokio::time::sleep(PERIOD).await;
    }
}
