//! A client of ZooKeeper, and what the answers mean.

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{self, Action, Register, Ret};
use splitbrain_workloads::objects::set_remove::{self, Element};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use super::wire::{self as protocol, ANY_VERSION, Answer, Request};
use crate::databases::wire::{self, Wire};

const NO_NODE: i32 = -101;
const BAD_VERSION: i32 = -103;
const NODE_EXISTS: i32 = -110;
/// How often a node may come and go while it is being written.
const TURNS_MOST: usize = 3;

/// A session at one node.
pub struct ZooKeeperClient {
    pub(super) wire: Wire,
    /// What every path begins with.
    pub(super) prefix: String,
    /// Before each read the server catches up with the leader.
    pub(super) syncs: bool,
}

impl ZooKeeperClient {
    async fn ask(&mut self, requests: &[Request<'_>]) -> Result<Answer, OpError> {
        let (mut stream, new) = self.wire.take().await?;
        if new {
            protocol::begin(&mut stream).await.map_err(wire::unconnected)?;
        }
        let answers = protocol::ask(&mut stream, requests).await;
        let answers = answers.map_err(|error| wire::broken(&error))?;
        self.wire.give_back(stream);
        let failed = answers.iter().find(|answer| answer.code != 0).cloned();
        let answer = failed.or_else(|| answers.last().cloned());
        answer.ok_or_else(|| OpError::info(ErrorKind::Other, "no answer"))
    }

    async fn find(&mut self, path: &str) -> Result<Option<(String, i32)>, OpError> {
        let both = [Request::Sync(path), Request::Get(path)];
        let answer = self.ask(if self.syncs { &both } else { &both[1..] }).await?;
        match answer.code {
            0 => {
                let odd = || OpError::info(ErrorKind::Other, "an answer without data");
                let (data, version) = answer.data().ok_or_else(odd)?;
                Ok(Some((String::from_utf8_lossy(data).into_owned(), version)))
            }
            NO_NODE => Ok(None),
            code => Err(failure(code)),
        }
    }

    /// Sets a node's data, whether it is there or not. An answer that it is there, or not, says
    /// that nothing has happened yet.
    async fn put(&mut self, path: &str, data: &[u8]) -> Result<(), OpError> {
        for _ in 0..TURNS_MOST {
            match self.ask(&[Request::Set(path, data, ANY_VERSION)]).await?.code {
                0 => return Ok(()),
                NO_NODE => {}
                code => return Err(failure(code)),
            }
            match self.ask(&[Request::Create(path, data)]).await?.code {
                0 => return Ok(()),
                NODE_EXISTS => {}
                code => return Err(failure(code)),
            }
        }
        Err(OpError::fail(ErrorKind::Refused, "it came and went too often"))
    }

    fn path(&self, key: &str) -> String {
        format!("/{}{key}", self.prefix)
    }
}

/// What a code means that is not of success (`KeeperException.Code`): what a server rejects by the
/// state of the tree or by the request has not happened.
fn failure(code: i32) -> OpError {
    const BAD_ARGUMENTS: i32 = -8;
    const NO_AUTH: i32 = -102;
    const SESSION_EXPIRED: i32 = -112;
    let text = format!("answered with the code {code}");
    match code {
        BAD_VERSION | NO_NODE => OpError::fail(ErrorKind::Mismatch, "another value was found"),
        // The leader looks for the session before it makes a transaction of the request.
        SESSION_EXPIRED => OpError::fail(ErrorKind::Refused, text),
        BAD_ARGUMENTS | NO_AUTH => OpError::fail(ErrorKind::Other, text),
        _ => OpError::info(ErrorKind::Other, text),
    }
}

impl Client<Register> for ZooKeeperClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a register::Call,
    ) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let path = self.path(&call.key);
            match &call.action {
                Action::Write(value) => {
                    self.put(&path, value.to_string().as_bytes()).await.map(|()| Ret::Done.into())
                }
                Action::Read => Ok(match self.find(&path).await? {
                    None => Ret::Found(None).into(),
                    Some((text, _)) => match text.parse() {
                        Ok(value) => Ret::Found(Some(value)).into(),
                        Err(_) => Ret::Foreign(text.into()).into(),
                    },
                }),
                Action::Cas { old, new } => {
                    let found = self.find(&path).await?;
                    let found = found.filter(|(text, _)| *text == old.to_string());
                    let different =
                        || OpError::fail(ErrorKind::Mismatch, "another value was found");
                    let (_, version) = found.ok_or_else(different)?;
                    let new = new.to_string();
                    match self.ask(&[Request::Set(&path, new.as_bytes(), version)]).await?.code {
                        0 => Ok(Ret::Done.into()),
                        code => Err(failure(code)),
                    }
                }
            }
        })
    }
}

/// An element is there if its node is.
impl Client<Element> for ZooKeeperClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a set_remove::Call,
    ) -> BoxFuture<'a, Result<Outcome<set_remove::Ret>, OpError>> {
        use set_remove::{Action, Ret};
        Box::pin(async move {
            let path = self.path(&call.key);
            let (request, already) = match call.action {
                Action::Read => return Ok(Ret::There(self.find(&path).await?.is_some()).into()),
                Action::Add => (Request::Create(&path, b"1"), NODE_EXISTS),
                Action::Remove => (Request::Delete(&path), NO_NODE),
            };
            match self.ask(&[request]).await?.code {
                0 => Ok(Ret::Done.into()),
                code if code == already => Ok(Ret::Done.into()),
                code => Err(failure(code)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_meaning() {
        let check = |code: i32, expect: &str| {
            let meaning = match failure(code) {
                OpError::Fail(error) => format!("fail {:?}", error.kind),
                OpError::Info(error) => format!("info {:?}", error.kind),
            };
            assert_eq!(meaning, expect, "{code}");
        };
        check(BAD_VERSION, "fail Mismatch");
        check(NO_NODE, "fail Mismatch");
        check(-112, "fail Refused");
        check(-8, "fail Other");
        // The connection was lost between servers, time was up, or what nobody has thought of.
        check(-4, "info Other");
        check(-7, "info Other");
        check(-1, "info Other");
    }
}
