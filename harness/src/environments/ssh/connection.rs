//! A guard that is asked over a connection that may break: a question is answered once, late or
//! never, and nobody waits for ever.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::bootstrap::back_to;
use super::host::{Access, Host};
use super::line::Line;
use super::lock;
use super::protocol::{Ask, Reply, Request, WORD};

/// How often a lease is renewed while it lasts.
const RENEWALS: u32 = 5;
/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// The same for healing, which kills, waits and removes.
const HEAL_LIMIT: Duration = Duration::from_secs(15);
/// How long a broken connection is tried again for one question.
const RECONNECT_WITHIN: Duration = Duration::from_secs(6);
/// The first pause between two tries; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The way to one host's guard, whose lease is renewed as long as this is there.
pub(super) struct Guard {
    connection: Arc<Mutex<Connection>>,
    /// Dropped when the lease is no longer to be renewed.
    renewing: Mutex<Option<mpsc::Sender<()>>>,
}

impl Guard {
    pub(super) fn new(connection: Connection, lease: Duration) -> Guard {
        let connection = Arc::new(Mutex::new(connection));
        let (stop, stopped) = mpsc::channel();
        let renewed = Arc::clone(&connection);
        thread::spawn(move || {
            while stopped.recv_timeout(lease / RENEWALS) == Err(RecvTimeoutError::Timeout) {
                // One that is not reached now is asked again next time, or heals itself.
                let _ = lock(&renewed).ask::<()>(Ask::Renew);
            }
        });
        Guard { connection, renewing: Mutex::new(Some(stop)) }
    }

    pub(super) fn ask<T: DeserializeOwned>(&self, ask: Ask) -> io::Result<T> {
        lock(&self.connection).ask(ask)
    }

    /// The run's folder on the host.
    pub(super) fn folder(&self) -> PathBuf {
        lock(&self.connection).folder.clone()
    }

    /// What is left after it has undone everything.
    pub(super) fn heal(&self) -> io::Result<Vec<String>> {
        lock(&self.renewing).take();
        match self.ask(Ask::Heal) {
            // The guard removes its folder last, and then itself.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            left => left,
        }
    }
}

/// The connection itself.
pub(super) struct Connection {
    access: Access,
    host: Host,
    folder: PathBuf,
    line: Option<Line>,
    last_id: u64,
}

impl Connection {
    pub(super) fn new(access: Access, host: Host, folder: PathBuf, line: Line) -> Connection {
        Connection { access, host, folder, line: Some(line), last_id: 0 }
    }

    /// Asks, and asks again over a new connection if the one that there was breaks.
    ///
    /// # Errors
    /// The guard says no; or it is gone ([`ErrorKind::NotFound`]); or it was not reached in time,
    /// and then it may have done what it was asked for.
    fn ask<T: DeserializeOwned>(&mut self, ask: Ask) -> io::Result<T> {
        self.last_id += 1;
        let limit = if matches!(ask, Ask::Heal) { HEAL_LIMIT } else { ANSWER_LIMIT };
        let request = Request { id: self.last_id, ask };
        let text = serde_json::to_string(&request)?;
        let until = Instant::now() + RECONNECT_WITHIN;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.exchange(&text, request.id, limit) {
                Ok(Reply { answer, .. }) => {
                    let value = answer.map_err(io::Error::other)?;
                    return Ok(serde_json::from_value(value)?);
                }
                Err(error) => {
                    self.line = None;
                    if error.kind() == ErrorKind::NotFound || Instant::now() + pause > until {
                        let place = &self.host.destination;
                        return Err(io::Error::new(error.kind(), format!("{place}: {error}")));
                    }
                }
            }
            thread::sleep(pause);
            pause *= 2;
        }
    }

    fn exchange(&mut self, text: &str, id: u64, limit: Duration) -> io::Result<Reply> {
        let line = match &mut self.line {
            Some(line) => line,
            none => {
                let mut command = self.access.command(&self.host, &back_to(&self.folder));
                none.insert(Line::open(&mut command)?)
            }
        };
        // Being told that there is no guard comes before the end of a line that cannot be said.
        let said = line.say(text);
        let until = Instant::now() + limit;
        loop {
            let heard =
                line.hear(until).map_err(|error| said.as_ref().err().map_or(error, copy))?;
            if heard.strip_prefix(WORD).is_some_and(|rest| rest == " no guard") {
                return Err(io::Error::new(ErrorKind::NotFound, "its guard is gone"));
            }
            match serde_json::from_str::<Reply>(&heard) {
                Ok(reply) if reply.id == id => return Ok(reply),
                // An answer that came after the limit, or what a login shell says.
                _ => {}
            }
        }
    }
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
