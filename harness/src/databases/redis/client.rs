//! A client of Redis: what it sends, and what the answers mean.

use std::io;

use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::register::{self, Register};
use splitbrain_workloads::objects::set_remove::{self, Element};
use splitbrain_workloads::transaction::{self, Step};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use super::resp::{self, Reply};
use crate::databases::login;
use crate::databases::wire::{self, Stream, Wire};

/// How long a client waits for them.
const WAIT_MS: &str = "1000";

/// Sets if the value is as expected, in one step.
const CAS: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 end return 0";

/// Sends commands over a connection that is kept, if all goes well.
pub async fn exchange(wire: &mut Wire, commands: &[&[String]]) -> Result<Vec<Reply>, OpError> {
    let (mut stream, new) = wire.take().await?;
    if new {
        greet(&mut stream).await.map_err(wire::unconnected)?;
    }
    let replies = resp::ask(&mut stream, commands).await.map_err(|error| wire::broken(&error))?;
    wire.give_back(stream);
    Ok(replies)
}

/// Says who we are, if we are somebody. Whoever wants no password has no need of it.
pub async fn greet(stream: &mut Stream) -> io::Result<()> {
    let login = login::of_run();
    let Some(password) = &login.password else { return Ok(()) };
    let words = ["AUTH"].into_iter().chain(login.user.as_deref()).chain([password.as_str()]);
    let words: Vec<&str> = words.collect();
    match resp::ask(stream, &[&words]).await?.pop() {
        Some(Reply::Error(text)) if !text.contains("without any password configured") => {
            Err(io::Error::other(text))
        }
        _ => Ok(()),
    }
}

/// How a client finds the server for an operation.
pub trait Route: Send {
    /// Sends commands, one after another over one connection, to the server that is right for
    /// them.
    fn ask<'a>(
        &'a mut self,
        writes: bool,
        commands: &'a [&'a [String]],
    ) -> BoxFuture<'a, Result<Vec<Reply>, OpError>>;
}

/// A client, for a way to find servers.
pub struct RedisClient<R> {
    /// How it finds servers.
    pub route: R,
    /// What every key begins with.
    pub prefix: String,
    /// How many replicas must have a write.
    pub wait: u32,
}

impl<R: Route> RedisClient<R> {
    /// Carries one command out, and waits for replicas if it writes.
    async fn command(&mut self, writes: bool, command: &[String]) -> Result<Reply, OpError> {
        let wait = ["WAIT".to_owned(), self.wait.to_string(), WAIT_MS.to_owned()];
        let both = [command, &wait];
        let waits = writes && self.wait > 0;
        let sent = if waits { &both[..] } else { &both[..1] };
        let mut replies = self.route.ask(writes, sent).await?.into_iter();
        let reply = replies.next().ok_or_else(|| strange(&Reply::Nil))?;
        match (&reply, replies.next()) {
            (Reply::Error(text), _) => Err(refusal(text)),
            (_, Some(Reply::Integer(have))) if have < i64::from(self.wait) => {
                Err(OpError::info(ErrorKind::Timeout, format!("{have} replicas have it")))
            }
            _ => Ok(reply),
        }
    }

    fn key(&self, key: impl std::fmt::Display) -> String {
        format!("{}{key}", self.prefix)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl<R: Route> Client<Register> for RedisClient<R> {
    fn invoke<'a>(
        &'a mut self,
        call: &'a register::Call,
    ) -> BoxFuture<'a, Result<Outcome<register::Ret>, OpError>> {
        use register::{Action, Ret};
        Box::pin(async move {
            let key = self.key(&call.key);
            let (writes, command) = match &call.action {
                Action::Read => (false, words(&["GET", &key])),
                Action::Write(value) => (true, words(&["SET", &key, &value.to_string()])),
                Action::Cas { old, new } => {
                    let (old, new) = (old.to_string(), new.to_string());
                    (true, words(&["EVAL", CAS, "1", &key, &old, &new]))
                }
            };
            match (&call.action, self.command(writes, &command).await?) {
                (Action::Read, Reply::Nil) => Ok(Ret::Found(None).into()),
                (Action::Read, Reply::Text(text)) => Ok(text
                    .parse()
                    .map_or_else(|_| Ret::Foreign(text.into()), |value| Ret::Found(Some(value)))
                    .into()),
                (Action::Write(_), Reply::Text(_)) | (Action::Cas { .. }, Reply::Integer(1)) => {
                    Ok(Ret::Done.into())
                }
                (Action::Cas { .. }, Reply::Integer(_)) => {
                    Err(OpError::fail(ErrorKind::Mismatch, "the comparison failed"))
                }
                (_, other) => Err(strange(&other)),
            }
        })
    }
}

/// An element is there if its key has a value.
impl<R: Route> Client<Element> for RedisClient<R> {
    fn invoke<'a>(
        &'a mut self,
        call: &'a set_remove::Call,
    ) -> BoxFuture<'a, Result<Outcome<set_remove::Ret>, OpError>> {
        use set_remove::{Action, Ret};
        Box::pin(async move {
            let key = self.key(&call.key);
            let (writes, command) = match &call.action {
                Action::Read => (false, words(&["EXISTS", &key])),
                Action::Add => (true, words(&["SET", &key, "1"])),
                Action::Remove => (true, words(&["DEL", &key])),
            };
            match (&call.action, self.command(writes, &command).await?) {
                (Action::Read, Reply::Integer(number)) => Ok(Ret::There(number == 1).into()),
                (Action::Add, Reply::Text(_)) | (Action::Remove, Reply::Integer(_)) => {
                    Ok(Ret::Done.into())
                }
                (_, other) => Err(strange(&other)),
            }
        })
    }
}

/// A transaction is a `MULTI`, its steps and an `EXEC`, which Redis carries out at once.
impl<R: Route> Client<ListAppend> for RedisClient<R> {
    fn invoke<'a>(
        &'a mut self,
        steps: &'a Vec<Step>,
    ) -> BoxFuture<'a, Result<Outcome<Vec<Step>>, OpError>> {
        use transaction::Action;
        Box::pin(async move {
            let mut commands = vec![words(&["MULTI"])];
            for step in steps {
                let key = self.key(step.key);
                commands.push(match step.action {
                    Action::Read => words(&["LRANGE", &key, "0", "-1"]),
                    Action::Append => words(&["RPUSH", &key, &step.value.to_string()]),
                    Action::Write => {
                        return Err(OpError::fail(ErrorKind::Other, "a list cannot be written"));
                    }
                });
            }
            commands.push(words(&["EXEC"]));
            let commands: Vec<&[String]> = commands.iter().map(Vec::as_slice).collect();
            let writes = steps.iter().any(|step| step.action != Action::Read);
            let replies = self.route.ask(writes, &commands).await?;
            let answered = match replies.last() {
                Some(Reply::Array(answered)) if answered.len() == steps.len() => answered,
                // That a step was not taken up says why more exactly.
                Some(Reply::Error(text)) => {
                    let first = replies.iter().find_map(|reply| match reply {
                        Reply::Error(text) => Some(text),
                        _ => None,
                    });
                    return Err(refusal(first.unwrap_or(text)));
                }
                other => return Err(strange(other.unwrap_or(&Reply::Nil))),
            };
            let mut steps = steps.clone();
            for (step, reply) in steps.iter_mut().zip(answered) {
                match reply {
                    Reply::Array(items) if step.action == Action::Read => {
                        let value = |item: &Reply| -> Value {
                            let text = item.text().unwrap_or_default();
                            serde_json::from_str(text).unwrap_or_else(|_| text.into())
                        };
                        step.value = items.iter().map(value).collect();
                    }
                    Reply::Integer(_) if step.action == Action::Append => {}
                    other => return Err(strange(other)),
                }
            }
            Ok(steps.into())
        })
    }
}

/// What an error of Redis means: it answers so before it does anything. Which of them are refusals
/// is told by their first word.
pub(super) fn refusal(text: &str) -> OpError {
    match text.split(' ').next().unwrap_or_default() {
        "READONLY" | "NOREPLICAS" | "MASTERDOWN" | "LOADING" | "MISCONF" | "CLUSTERDOWN"
        | "ASK" | "BUSY" | "OOM" => OpError::fail(ErrorKind::Refused, text),
        "NOAUTH" | "NOPERM" | "WRONGTYPE" => OpError::fail(ErrorKind::Other, text),
        _ => OpError::info(ErrorKind::Other, text),
    }
}

fn strange(reply: &Reply) -> OpError {
    OpError::info(ErrorKind::Other, format!("an answer that is none: {reply:?}"))
}

#[cfg(test)]
mod tests;
