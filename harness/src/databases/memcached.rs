//! memcached: servers that know nothing of each other. Clients share the keys out among them, and
//! what a server held is gone when it ends.

use std::path::Path;

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{self, Action, Register, Ret};
use splitbrain_workloads::objects::set_remove::{self, Element};
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};

use super::wire::{self, Stream, Wire};
use super::{Asker, Database, Entry, Missing, Program, Role, Seek, Told};
use crate::environments::{Daemon, Member};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "memcached",
    about: "memcached from Debian: caches without replicas, over which clients share out the keys.",
    options: &[],
    open: |rest| Told::parse("memcached", &[], rest).map(|_| Box::new(Memcached) as _),
};

const PORT: u16 = 11_211;

struct Memcached;

impl Database for Memcached {
    fn target(&self) -> String {
        ENTRY.name.to_owned()
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn find(&self) -> Result<Program, Missing> {
        Seek {
            name: "memcached",
            packages: "memcached",
            program: "memcached",
            flag: "--version",
            least: (1, 4),
            version: |text| text.trim().strip_prefix("memcached "),
        }
        .find()
    }

    fn ports(&self) -> &'static [u16] {
        &[PORT]
    }

    fn scheme(&self) -> &'static str {
        "memcached"
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let at = cluster[this].listens[0];
        let (ip, port) = (at.ip().to_string(), at.port().to_string());
        // It refuses to run as root unless it is told that this is meant; others it lets be.
        let args = ["-u", "root", "-l", &ip, "-p", &port, "-U", "0", "-m", "64", "-v"];
        Daemon {
            program: program.path.clone(),
            args: args.map(str::to_owned).to_vec(),
            env: Vec::new(),
            files: Vec::new(),
            directory: folder.to_owned(),
            log: folder.join("memcached.log"),
        }
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let asking = async {
                let mut stream = wire::open(wire::address(url)).await?;
                exchange(&mut stream, "version\r\n").await
            };
            let line = asker.wait(asking).await?;
            if line.starts_with("VERSION ") { Ok(()) } else { Err(format!("it said {line:?}")) }
        })
    }

    /// Nobody leads.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move { self.ready(asker, url).await.map(|()| Role::default()) })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        // Whatever node a client is bound to, a key is at one server only.
        let connect = move |_| MemcachedClient {
            wires: urls.iter().map(|url| Wire::new(wire::address(url))).collect(),
            prefix: prefix.clone(),
        };
        Clients::default()
            .serve::<Register, _>(connect.clone())
            .keep_texts::<Register>()
            .serve::<Element, _>(connect)
    }
}

/// Sends a command and reads the first line of the answer.
async fn exchange(stream: &mut Stream, command: &str) -> std::io::Result<String> {
    stream.write_all(command.as_bytes()).await?;
    line(stream).await
}

async fn line(stream: &mut Stream) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What is stored under a key, and by which number a later change is known.
struct Item {
    text: String,
    unique: String,
}

struct MemcachedClient {
    wires: Vec<Wire>,
    prefix: String,
}

impl MemcachedClient {
    /// The server of a key, by a hash of it (FNV-1a).
    fn wire(&mut self, key: &str) -> &mut Wire {
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let at = (hash % self.wires.len() as u64) as usize;
        &mut self.wires[at]
    }

    /// One command that is answered by one line.
    async fn tell(&mut self, key: &str, command: &str) -> Result<String, OpError> {
        let wire = self.wire(key);
        let (mut stream, _) = wire.take().await?;
        let line = exchange(&mut stream, command).await.map_err(|error| wire::broken(&error))?;
        // Where the command was not understood, its data are taken for another one, which is answered too.
        if !line.contains("ERROR") {
            wire.give_back(stream);
        }
        Ok(line)
    }

    async fn find(&mut self, key: &str) -> Result<Option<Item>, OpError> {
        let wire = self.wire(key);
        let (mut stream, _) = wire.take().await?;
        let found = read_item(&mut stream, key).await.map_err(|error| wire::broken(&error))?;
        if found.is_ok() {
            wire.give_back(stream);
        }
        found.map_err(|line| failure(&line))
    }

    async fn put(&mut self, key: &str, text: &str) -> Result<(), OpError> {
        let command = format!("set {key} 0 0 {}\r\n{text}\r\n", text.len());
        match self.tell(key, &command).await?.as_str() {
            "STORED" => Ok(()),
            line => Err(failure(line)),
        }
    }
}

/// Asks for a key; the inner error is an answer that is neither an item nor that there is none.
async fn read_item(
    stream: &mut Stream,
    key: &str,
) -> std::io::Result<Result<Option<Item>, String>> {
    let first = exchange(stream, &format!("gets {key}\r\n")).await?;
    if first == "END" {
        return Ok(Ok(None));
    }
    let words: Vec<&str> = first.split(' ').collect();
    let ["VALUE", _, _, length, unique] = words[..] else { return Ok(Err(first)) };
    let Ok(length) = length.parse::<usize>() else { return Ok(Err(first.clone())) };
    let mut bytes = vec![0; length + 2];
    stream.read_exact(&mut bytes).await?;
    bytes.truncate(length);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(match line(stream).await?.as_str() {
        "END" => Ok(Some(Item { text, unique: unique.to_owned() })),
        other => Err(other.to_owned()),
    })
}

/// A command that was not understood has certainly done nothing; a server that ran out of memory
/// has dropped what was there before.
fn failure(line: &str) -> OpError {
    if line.starts_with("CLIENT_ERROR") {
        OpError::fail(ErrorKind::Other, line)
    } else {
        OpError::info(ErrorKind::Other, line)
    }
}

impl Client<Register> for MemcachedClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a register::Call,
    ) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let key = format!("{}{}", self.prefix, call.key);
            let mismatch = |why: &str| OpError::fail(ErrorKind::Mismatch, why);
            match &call.action {
                Action::Write(value) => {
                    self.put(&key, &value.to_string()).await.map(|()| Ret::Done.into())
                }
                Action::Read => Ok(match self.find(&key).await? {
                    None => Ret::Found(None).into(),
                    Some(Item { text, .. }) => match text.parse() {
                        Ok(value) => Ret::Found(Some(value)).into(),
                        Err(_) => Ret::Foreign(text.into()).into(),
                    },
                }),
                Action::Cas { old, new } => {
                    let found = self.find(&key).await?;
                    let item = found.filter(|item| item.text == old.to_string());
                    let item = item.ok_or_else(|| mismatch("another value was found"))?;
                    let (text, unique) = (new.to_string(), item.unique);
                    let command = format!("cas {key} 0 0 {} {unique}\r\n{text}\r\n", text.len());
                    match self.tell(&key, &command).await?.as_str() {
                        "STORED" => Ok(Ret::Done.into()),
                        changed @ ("EXISTS" | "NOT_FOUND") => Err(mismatch(changed)),
                        line => Err(failure(line)),
                    }
                }
            }
        })
    }
}

/// An element is there if its key has a value.
impl Client<Element> for MemcachedClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a set_remove::Call,
    ) -> BoxFuture<'a, Result<Outcome<set_remove::Ret>, OpError>> {
        Box::pin(async move {
            let key = format!("{}{}", self.prefix, call.key);
            match call.action {
                set_remove::Action::Read => {
                    Ok(set_remove::Ret::There(self.find(&key).await?.is_some()).into())
                }
                set_remove::Action::Add => {
                    self.put(&key, "1").await.map(|()| set_remove::Ret::Done.into())
                }
                set_remove::Action::Remove => {
                    match self.tell(&key, &format!("delete {key}\r\n")).await?.as_str() {
                        "DELETED" | "NOT_FOUND" => Ok(set_remove::Ret::Done.into()),
                        line => Err(failure(line)),
                    }
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn only_what_was_not_understood_has_certainly_not_happened() {
        let check = |line: &str, happened: bool| {
            assert_eq!(matches!(failure(line), OpError::Info(_)), happened, "{line}");
        };
        // What is sent are commands that there are, so nobody knows what this answers.
        check("ERROR", true);
        check("CLIENT_ERROR line too long", false);
        check("SERVER_ERROR out of memory storing object", true);
        check("NOT_STORED", true);
    }

    /// The data of a command that was not understood are answered later, as if they were one.
    #[tokio::test]
    async fn nothing_is_heard_after_an_answer_that_a_command_was_not_understood() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wires = vec![Wire::new(listener.local_addr().unwrap().to_string())];
        let mut client = MemcachedClient { wires, prefix: String::new() };
        let server = async {
            let mut first = wire::stream(listener.accept().await.unwrap().0);
            line(&mut first).await.unwrap();
            first.write_all(b"CLIENT_ERROR bad\r\n").await.unwrap();
            // Over the first one comes something else by now.
            let mut second = wire::stream(listener.accept().await.unwrap().0);
            first.write_all(b"ERROR\r\n").await.unwrap();
            line(&mut second).await.unwrap();
            second.write_all(b"STORED\r\n").await.unwrap();
        };
        let asking = async {
            assert!(matches!(client.put("a", "1").await, Err(OpError::Fail(_))));
            client.put("b", "2").await.unwrap();
        };
        let both = async { tokio::join!(asking, server) };
        tokio::time::timeout(Duration::from_secs(30), both).await.expect("a second connection");
    }
}
