//! How another node takes the primary's place.
//!
//! First a node asks round without obligation, so that one that was cut off deposes nobody when it
//! comes back. Then it asks for consent to an epoch: who consents listens to no older one any more,
//! consents to this epoch once, misses the primary itself, and has no more log than who asks.

use std::sync::{Arc, Weak};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Group, Role};
use crate::ledger::Position;
use crate::mistakes::Mistake;

const CONSENT: &str = "/group/consent";

/// What a node asks that wants to take the primary's place.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Question {
    /// Where its log ends.
    end: Position,
    /// The epoch to consent to; none if it only asks round.
    epoch: Option<u64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Answer {
    consents: bool,
    /// The last epoch that was promised to anyone.
    promised: u64,
}

/// The route for peers.
pub fn routes(group: Arc<Group>) -> Router {
    Router::new().route(CONSENT, post(consent)).with_state(group)
}

async fn consent(State(group): State<Arc<Group>>, Json(question): Json<Question>) -> Json<Answer> {
    Json(group.consent(question).await)
}

/// Takes the primary's place whenever that is missed, for as long as the node lives.
pub async fn run(group: Weak<Group>) {
    loop {
        let Some(group) = group.upgrade() else { return };
        sleep(group.heartbeat / 2).await;
        if !group.misses_primary() {
            continue;
        }
        // All miss it at the same moment, and only one should ask.
        sleep(rand::random_range(std::time::Duration::ZERO..group.election)).await;
        if group.misses_primary()
            && let Some(promised) = group.ask_all(None).await
            && group.ask_all(Some(promised + 1)).await.is_some()
        {
            group.lead(promised + 1);
        }
    }
}

impl Group {
    fn misses_primary(&self) -> bool {
        match self.state().role {
            Role::Primary(_) => false,
            Role::Standby { heard, .. } => heard.elapsed() > self.lease,
        }
    }

    /// Asks all nodes, this one first. If a majority consents, returns the latest epoch that any who
    /// answered has promised.
    async fn ask_all(&self, epoch: Option<u64>) -> Option<u64> {
        let question = Question { end: self.state().ledger.end(), epoch };
        let mut answers = JoinSet::new();
        let mine = self.consent(question).await;
        if !mine.consents {
            return None;
        }
        for peer in self.peers.others() {
            let (peers, limit) = (self.peers.clone(), 2 * self.heartbeat);
            answers.spawn(async move {
                peers.ask::<_, Answer>(peer, CONSENT, &question, limit).await.ok()
            });
        }
        let (mut consenting, mut promised) = (1, mine.promised);
        while consenting < self.majority() {
            if let Some(answer) = answers.join_next().await?.ok().flatten() {
                consenting += usize::from(answer.consents);
                promised = promised.max(answer.promised);
            }
        }
        Some(promised)
    }

    async fn consent(&self, Question { end, epoch }: Question) -> Answer {
        let durable = {
            let mut state = self.state();
            let promised = state.ledger.promised();
            let misses = match &state.role {
                Role::Primary(_) => self.leads(&state).is_err(),
                Role::Standby { heard, .. } => heard.elapsed() > self.lease,
            };
            let lags = end < state.ledger.end();
            let consents = misses && (!lags || self.mistake == Some(Mistake::LaggingFailoverRead));
            let Some(epoch) = epoch.filter(|epoch| consents && *epoch > promised) else {
                return Answer { consents: consents && epoch.is_none(), promised };
            };
            let role = Role::Standby { primary: None, heard: Instant::now(), last: (0, 0) };
            self.step_down(&mut state, role);
            self.promise(&mut state, epoch)
        };
        Answer { consents: durable.await.is_ok(), promised: epoch.unwrap_or_default() }
    }
}
