//! The text protocol of NATS, as far as requests and their answers go.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use splitbrain_workloads::OpError;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};

use crate::databases::login;
use crate::databases::wire::{self, Stream, Wire};

/// The longest message that is read.
const LONGEST_BYTES: usize = 64 << 20;
/// The longest line in which a server tells of itself.
const INFO_MOST_BYTES: u64 = 1 << 20;
/// How many connections there have been: answers to each come under a name of its own.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The headers as they came, with the line before them; empty if there are none.
    pub headers: String,
    /// The content.
    pub payload: Vec<u8>,
}

impl Message {
    /// The status in its headers, such as 503 where nobody was there to answer.
    pub fn status(&self) -> Option<u16> {
        let status = self.headers.strip_prefix("NATS/1.0 ")?;
        status.split_whitespace().next()?.parse().ok()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// A way to one server, over which questions are asked.
pub struct Requests {
    wire: Wire,
    /// What answers over the present connection are addressed to.
    inbox: String,
    asked: u64,
}

impl Requests {
    /// The way to `HOST:PORT`; nothing is connected yet.
    pub fn new(address: &str) -> Requests {
        Requests { wire: Wire::new(address), inbox: String::new(), asked: 0 }
    }

    /// A connection over which we have said who we are.
    async fn connection(&mut self) -> Result<Stream, OpError> {
        if let Some(idle) = self.wire.idle() {
            return Ok(idle);
        }
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        self.inbox = format!("_INBOX.splitbrain-{}-{number}", std::process::id());
        let address = self.wire.address().to_owned();
        let mut stream = open(&address).await.map_err(wire::unconnected)?;
        greet(&mut stream, &self.inbox).await.map_err(wire::unconnected)?;
        Ok(stream)
    }

    /// Whether we are let in.
    ///
    /// # Errors
    /// There is no connection, or it was ended for who we are.
    pub async fn log_in(&mut self) -> Result<(), OpError> {
        let stream = self.connection().await?;
        self.wire.give_back(stream);
        Ok(())
    }

    /// Publishes a message and waits for the answer to it. `headers` are lines that end in `\r\n`.
    ///
    /// # Errors
    /// There is no connection, or it broke before the answer came.
    pub async fn ask(
        &mut self,
        subject: &str,
        headers: &str,
        payload: &str,
    ) -> Result<Message, OpError> {
        let mut stream = self.connection().await?;
        self.asked += 1;
        let inbox = format!("{}.{}", self.inbox, self.asked);
        let message = if headers.is_empty() {
            format!("PUB {subject} {inbox} {}\r\n{payload}\r\n", payload.len())
        } else {
            let headers = format!("NATS/1.0\r\n{headers}\r\n");
            let (own, all) = (headers.len(), headers.len() + payload.len());
            format!("HPUB {subject} {inbox} {own} {all}\r\n{headers}{payload}\r\n")
        };
        let answer = exchange(&mut stream, &message, &inbox).await;
        let answer = answer.map_err(|error| wire::broken(&error))?;
        self.wire.give_back(stream);
        Ok(answer)
    }
}

/// A new connection. A server speaks first, in the clear; what comes after that is secret, if this run's
/// connections are.
async fn open(address: &str) -> io::Result<Stream> {
    let mut socket = wire::connect(address).await?;
    wire::in_time(async {
        let Some(tls) = &login::of_run().tls else {
            let mut stream = wire::stream(socket);
            return match introduction(&mut stream).await?["tls_required"] == true {
                true => Err(io::Error::other("the server wants TLS (tls://HOST:PORT)")),
                false => Ok(stream),
            };
        };
        // What somebody between could add in the clear is not heard.
        let info = introduction(&mut BufReader::new(&mut socket)).await?;
        if ["tls_required", "tls_available"].iter().all(|name| info[name] != true) {
            return Err(io::Error::other("the server does not speak TLS"));
        }
        Ok(wire::stream(tls.secret(address, socket).await?))
    })
    .await
}

/// What a server tells of itself first.
async fn introduction(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Value> {
    let mut told = String::new();
    stream.take(INFO_MOST_BYTES).read_line(&mut told).await?;
    let info = told.strip_prefix("INFO ").and_then(|info| serde_json::from_str(info).ok());
    info.ok_or_else(|| io::Error::other("no server of NATS answers"))
}

/// Says who we are, and to what answers will be addressed.
async fn greet(stream: &mut Stream, inbox: &str) -> io::Result<()> {
    let login = login::of_run();
    let mut connect = json!({
        "verbose": false, "pedantic": false, "headers": true, "no_responders": true,
        "lang": "rust", "name": "splitbrain",
    });
    for (name, said) in [("user", &login.user), ("pass", &login.password)] {
        if let Some(said) = said {
            connect[name] = said.as_str().into();
        }
    }
    let greeting = format!("CONNECT {connect}\r\nSUB {inbox}.* 1\r\nPING\r\n");
    stream.write_all(greeting.as_bytes()).await?;
    loop {
        match line(stream).await?.as_str() {
            "PONG" => return Ok(()),
            told if told.starts_with("-ERR") => return Err(io::Error::other(told.to_owned())),
            _ => {}
        }
    }
}

async fn exchange(stream: &mut Stream, message: &str, inbox: &str) -> io::Result<Message> {
    stream.write_all(message.as_bytes()).await?;
    loop {
        let line = line(stream).await?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["PING"] => stream.write_all(b"PONG\r\n").await?,
            ["MSG", to, _, ref rest @ ..] | ["HMSG", to, _, ref rest @ ..] => {
                let has_headers = words[0] == "HMSG";
                let number = |word: Option<&&str>| -> io::Result<usize> {
                    let number = word.and_then(|word| word.parse().ok());
                    let number = number.filter(|number| *number <= LONGEST_BYTES);
                    number.ok_or_else(|| io::Error::other(format!("a message {line:?}")))
                };
                let all = number(rest.last())?;
                let own = if has_headers { number(rest.iter().nth_back(1))?.min(all) } else { 0 };
                let mut bytes = vec![0; all + 2];
                stream.read_exact(&mut bytes).await?;
                bytes.truncate(all);
                let payload = bytes.split_off(own);
                if to == inbox {
                    let headers = String::from_utf8_lossy(&bytes).into_owned();
                    return Ok(Message { headers, payload });
                }
            }
            _ if line.starts_with("-ERR") => return Err(io::Error::other(line)),
            // What it tells of itself.
            _ => {}
        }
    }
}

async fn line(stream: &mut Stream) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What a client sends and understands when a server says `answer` to its request, with `@` for
    /// what it is addressed to.
    async fn converse(headers: &str, answer: &str) -> (Result<Message, OpError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut requests = Requests::new(&listener.local_addr().unwrap().to_string());
        let server = async {
            let mut stream = wire::stream(listener.accept().await.unwrap().0);
            stream.write_all(b"INFO {}\r\n").await.unwrap();
            while line(&mut stream).await.unwrap() != "PING" {}
            stream.write_all(b"PONG\r\n").await.unwrap();
            let asked = line(&mut stream).await.unwrap();
            let inbox = asked.split(' ').nth(2).unwrap().to_owned();
            stream.write_all(answer.replace('@', &inbox).as_bytes()).await.unwrap();
            asked.replace(&inbox, "@")
        };
        tokio::join!(requests.ask("a.b", headers, "hello"), server)
    }

    #[tokio::test]
    async fn the_answer_to_a_request_is_found_among_what_comes() {
        let (answer, asked) =
            converse("", "PING\r\nMSG other 1 2\r\nno\r\nMSG @ 1 3\r\nyes\r\n").await;
        assert_eq!(asked, "PUB a.b @ 5");
        assert_eq!(answer.unwrap(), Message { headers: String::new(), payload: b"yes".into() });
        let with = "HMSG @ 1 25 28\r\nNATS/1.0\r\nSequence: 7\r\n\r\nyes\r\n";
        let (answer, asked) = converse("A: 1\r\n", with).await;
        assert_eq!(asked, "HPUB a.b @ 18 23");
        let answer = answer.unwrap();
        assert_eq!((answer.header("Sequence"), answer.status()), (Some("7"), None));
        assert_eq!(answer.payload, b"yes");
        let (answer, _) = converse("", "HMSG @ 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n").await;
        assert_eq!(answer.unwrap().status(), Some(503));
        for broken in ["-ERR 'no'\r\n", "MSG @ 1 x\r\n", "MSG @ 1 9\r\nyes\r\n", ""] {
            let (answer, _) = converse("", broken).await;
            assert!(matches!(answer, Err(OpError::Info(_))), "{broken:?}: {answer:?}");
        }
    }
}
