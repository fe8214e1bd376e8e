//! The way to one node's gateway, which speaks JSON over HTTP.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use splitbrain_workloads::OpError;

use super::super::http::{self, Answer, Connection};
use super::super::login;
use super::refusal;

/// The code of an answer to somebody who is not known, or not any more.
pub(super) const UNAUTHENTICATED: u64 = 16;

/// How long a node may take to let us in: passwords are compared slowly on purpose.
const LOG_IN_WITHIN: Duration = Duration::from_secs(5);

/// The way to one node.
#[derive(Clone)]
pub(super) struct Gateway {
    http: Connection,
    url: String,
    /// What users are known by for a while.
    token: Arc<Mutex<Option<String>>>,
}

impl Gateway {
    /// Nothing is connected yet.
    pub fn new(url: &str) -> Gateway {
        Gateway { http: http::client(None), url: url.to_owned(), token: Arc::default() }
    }

    /// Sends a request, as the user of this run if there is one.
    ///
    /// # Errors
    /// Of the connection, or the user is not let in: then nothing was asked.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, OpError> {
        let mut request = self.http.post(format!("{}/v3/{path}", self.url)).json(body);
        if let Some(token) = self.token().await? {
            request = request.header("authorization", token);
        }
        let answer = http::send(request).await?;
        if answer.body["code"] == UNAUTHENTICATED {
            // It was too old; the next request asks for another.
            *self.kept() = None;
        }
        Ok(answer)
    }

    /// Whether the user of this run is let in, if there is one.
    ///
    /// # Errors
    /// In words why not.
    pub async fn log_in(&self) -> Result<(), String> {
        match tokio::time::timeout(LOG_IN_WITHIN, self.token()).await {
            Ok(token) => token.map(drop).map_err(|error| error.error().text),
            Err(_) => Err(format!("whether we are let in is not told within {LOG_IN_WITHIN:?}")),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn token(&self) -> Result<Option<String>, OpError> {
        let login = login::of_run();
        let (Some(user), kept) = (&login.user, self.kept().clone()) else { return Ok(None) };
        if kept.is_some() {
            return Ok(kept);
        }
        let who = json!({ "name": user, "password": login.password });
        let request = self.http.post(format!("{}/v3/auth/authenticate", self.url)).json(&who);
        let answer = http::send(request).await.map_err(OpError::before_anything)?;
        let token = answer.body["token"].as_str().map(str::to_owned);
        if token.is_none() {
            return Err(refusal(&answer).before_anything());
        }
        self.kept().clone_from(&token);
        Ok(token)
    }
}
