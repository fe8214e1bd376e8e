//! What a node of a group answers: the primary serves, the others hand requests to it, or answer reads
//! by what they have.

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::{Group, Role};
use crate::forward::{self, Led, Server};
use crate::mistakes::Mistake;
use crate::modes::{BoxFuture, Replica, Status};
use crate::peers::Peers;
use crate::request::{Command, Key, Outcome, Write};

impl Led for Group {
    fn peers(&self) -> &Peers {
        &self.peers
    }

    fn mistake(&self) -> Option<Mistake> {
        self.mistake
    }

    fn server(&self) -> Result<Server, String> {
        let state = self.state();
        match &state.role {
            Role::Primary(_) => self.serves(&state).map(|()| Server::Me),
            // Nobody hears of a primary that feeds nobody.
            _ if !self.shape.copies => Ok(Server::Other(self.first())),
            Role::Standby { primary: Some(primary), heard, .. }
                if heard.elapsed() <= self.lease =>
            {
                Ok(Server::Other(*primary))
            }
            Role::Standby { primary: Some(primary), .. } => {
                Err(format!("nothing was heard of primary {primary} lately"))
            }
            Role::Standby { primary: None, .. } => Err("no primary is known".into()),
        }
    }

    async fn read_here(&self, key: Key, _: Instant) -> Result<Value, String> {
        let state = self.state();
        let value = match self.mistake {
            Some(Mistake::DirtyRead) => state.ledger.get_uncommitted(&key),
            _ => state.ledger.get(&key),
        };
        // If the lease is good now, it was when the value was read.
        self.serves(&state).map(|()| value)
    }

    async fn write_here(&self, command: Command, deadline: Instant) -> Outcome {
        let (tell, told) = oneshot::channel();
        {
            let mut state = self.state();
            if let Err(error) = self.serves(&state) {
                return Outcome::refused(error);
            }
            let index = self.append(&mut state, Some(command));
            state.waiting.insert(index, tell);
        }
        match timeout_at(deadline, told).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::unknown("this node is not the primary any more"),
            Err(_) => Outcome::unknown("the write was not done in time"),
        }
    }
}

impl Replica for Group {
    fn read(&self, key: Key, deadline: Instant) -> BoxFuture<'_, Result<Value, String>> {
        if self.shape.reads_own_copy {
            return Box::pin(async move { Ok(self.read_own_copy(&key)) });
        }
        Box::pin(forward::read(self, key, deadline))
    }

    fn write(&self, key: Key, write: Write, deadline: Instant) -> BoxFuture<'_, Outcome> {
        Box::pin(forward::write(self, Command { key, write }, deadline))
    }

    fn ready(&self) -> Result<(), String> {
        match self.state().role {
            Role::Standby { .. } if self.shape.reads_own_copy => return Ok(()),
            _ => {}
        }
        self.server().map(|_| ())
    }

    fn status(&self) -> Status {
        let leader = self.server().ok().map(|server| match server {
            Server::Me => self.peers.me(),
            Server::Other(id) => id,
        });
        let state = self.state();
        let (role, term) = match &state.role {
            Role::Primary(primary) => ("leader", primary.epoch),
            Role::Standby { .. } => ("follower", state.ledger.promised()),
        };
        Status { role, leader, term: Some(term), keys: state.ledger.len() }
    }
}
