//! The protocol of Redis, RESP2: a command is an array of strings, an answer one of five types.

use std::io;

use splitbrain_workloads::BoxFuture;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};

use crate::databases::wire::Stream;

/// The longest string that is read.
const LONGEST_BYTES: usize = 64 << 20;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A simple or a bulk string.
    Text(String),
    /// What went wrong: a word in capitals, then a sentence.
    Error(String),
    /// A number.
    Integer(i64),
    /// Nothing is there.
    Nil,
    /// Several answers.
    Array(Vec<Reply>),
}

impl Reply {
    /// The text that it is, if it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Reply::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The answers in it.
    pub fn items(&self) -> &[Reply] {
        match self {
            Reply::Array(items) => items,
            _ => &[],
        }
    }

    /// The value after a name, in an array of names and values.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut pairs = self.items().chunks_exact(2);
        pairs.find(|pair| pair[0].text() == Some(name)).and_then(|pair| pair[1].text())
    }
}

/// Sends commands, all at once, and reads the answer to each.
///
/// # Errors
/// The connection is broken, or what comes is not RESP2.
pub async fn ask<S: AsRef<str>>(stream: &mut Stream, commands: &[&[S]]) -> io::Result<Vec<Reply>> {
    let mut bytes = Vec::new();
    for command in commands {
        bytes.extend(format!("*{}\r\n", command.len()).bytes());
        for word in command.iter().map(AsRef::as_ref) {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
        }
    }
    stream.write_all(&bytes).await?;
    let mut replies = Vec::with_capacity(commands.len());
    for _ in commands {
        replies.push(read(stream).await?);
    }
    Ok(replies)
}

fn read(stream: &mut Stream) -> BoxFuture<'_, io::Result<Reply>> {
    Box::pin(async move {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let strange = || io::Error::new(io::ErrorKind::InvalidData, format!("an answer {line:?}"));
        let rest = line.strip_suffix("\r\n").and_then(|line| line.get(1..)).ok_or_else(strange)?;
        let number = || rest.parse::<i64>().map_err(|_| strange());
        match line.as_bytes()[0] {
            b'+' => Ok(Reply::Text(rest.to_owned())),
            b'-' => Ok(Reply::Error(rest.to_owned())),
            b':' => number().map(Reply::Integer),
            kind @ (b'$' | b'*') => match (kind, usize::try_from(number()?)) {
                (_, Err(_)) => Ok(Reply::Nil),
                (_, Ok(length)) if length > LONGEST_BYTES => Err(strange()),
                (b'$', Ok(length)) => {
                    let mut bytes = vec![0; length + 2];
                    stream.read_exact(&mut bytes).await?;
                    bytes.truncate(length);
                    Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
                }
                (_, Ok(length)) => {
                    let mut items = Vec::new();
                    for _ in 0..length {
                        items.push(read(stream).await?);
                    }
                    Ok(Reply::Array(items))
                }
            },
            _ => Err(strange()),
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::databases::wire::stream;

    /// What is made of bytes that come as an answer to `GET k`, and what was sent for that.
    async fn exchange(answer: &str) -> (io::Result<Vec<Reply>>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        far.write_all(answer.as_bytes()).await.unwrap();
        far.shutdown().await.unwrap();
        let mut near = stream(near);
        let reply = ask(&mut near, &[&["GET", "k"]]).await;
        drop(near);
        let mut sent = String::new();
        // What was not read of the answer resets the connection.
        let _ = far.read_to_string(&mut sent).await;
        (reply, sent)
    }

    #[tokio::test]
    async fn commands_and_answers_are_as_redis_writes_them() {
        let check = async |answer: &str, expect: Option<Reply>| {
            let (reply, _) = exchange(answer).await;
            assert_eq!(reply.ok().map(|mut replies| replies.remove(0)), expect, "{answer:?}");
        };
        let (_, sent) = exchange("+OK\r\n").await;
        assert_eq!(sent, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
        let text = |text: &str| Reply::Text(text.to_owned());
        check("+OK\r\n", Some(text("OK"))).await;
        check("$5\r\na\r\nbc\r\n", Some(text("a\r\nbc"))).await;
        check("$-1\r\n", Some(Reply::Nil)).await;
        check("*-1\r\n", Some(Reply::Nil)).await;
        check(":-7\r\n", Some(Reply::Integer(-7))).await;
        check("-READONLY no\r\n", Some(Reply::Error("READONLY no".to_owned()))).await;
        let pair = Reply::Array(vec![text("a"), Reply::Array(vec![Reply::Integer(1)])]);
        check("*2\r\n$1\r\na\r\n*1\r\n:1\r\n", Some(pair.clone())).await;
        assert_eq!((pair.field("a"), pair.field("b")), (None, None));
        for wrong in ["", "+OK", "$5\r\nabc", "hello\r\n", ":x\r\n", "*2\r\n:1\r\n", "\r\n"] {
            check(wrong, None).await;
        }
    }
}
