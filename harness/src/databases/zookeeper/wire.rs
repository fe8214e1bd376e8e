//! The protocol between ZooKeeper's clients and servers: numbers in network order, strings with
//! their length before them, a length before each message (its `jute` records).

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::databases::wire::Stream;

/// A session ends after so long without a word. Servers grant at most twenty ticks.
const SESSION_MS: u32 = 10_000;
/// The longest message that is read.
const LONGEST_BYTES: u32 = 4 << 20;
/// Any version will do.
pub const ANY_VERSION: i32 = -1;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// Makes a node with these data.
    Create(&'a str, &'a [u8]),
    /// Removes a node.
    Delete(&'a str),
    /// Reads a node.
    Get(&'a str),
    /// Replaces the data of a node of this version.
    Set(&'a str, &'a [u8], i32),
    /// Has the server catch up with the leader before what comes next.
    Sync(&'a str),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Zero, or what went wrong (`KeeperException.Code`).
    pub code: i32,
    /// What follows the header.
    body: Vec<u8>,
}

impl Answer {
    /// Data and version, in an answer to [`Request::Get`].
    pub fn data(&self) -> Option<(&[u8], i32)> {
        let length = u32::from_be_bytes(self.body.get(..4)?.try_into().ok()?) as usize;
        let data = self.body.get(4..4 + length)?;
        // Before the version stand four numbers of eight bytes.
        let version = self.body.get(4 + length + 32..4 + length + 36)?;
        Some((data, i32::from_be_bytes(version.try_into().ok()?)))
    }
}

fn buffer(bytes: &mut Vec<u8>, data: &[u8]) {
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend(data);
}

impl Request<'_> {
    /// The message, without the length before it.
    fn bytes(&self, number: i32) -> Vec<u8> {
        let (kind, path) = match *self {
            Request::Create(path, _) => (1, path),
            Request::Delete(path) => (2, path),
            Request::Get(path) => (4, path),
            Request::Set(path, ..) => (5, path),
            Request::Sync(path) => (9, path),
        };
        let mut bytes = Vec::new();
        bytes.extend(number.to_be_bytes());
        bytes.extend(i32::to_be_bytes(kind));
        buffer(&mut bytes, path.as_bytes());
        match *self {
            Request::Create(_, data) => {
                buffer(&mut bytes, data);
                // One entry: everybody may do everything.
                bytes.extend([0, 0, 0, 1, 0, 0, 0, 31]);
                buffer(&mut bytes, b"world");
                buffer(&mut bytes, b"anyone");
                // It stays.
                bytes.extend([0; 4]);
            }
            Request::Delete(_) => bytes.extend(ANY_VERSION.to_be_bytes()),
            // No watch.
            Request::Get(_) => bytes.push(0),
            Request::Set(_, data, version) => {
                buffer(&mut bytes, data);
                bytes.extend(version.to_be_bytes());
            }
            Request::Sync(_) => {}
        }
        bytes
    }
}

async fn send(stream: &mut Stream, message: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(message.len() + 4);
    buffer(&mut bytes, message);
    stream.write_all(&bytes).await
}

async fn receive(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    if length > LONGEST_BYTES {
        return Err(io::Error::other(format!("a message of {length} bytes")));
    }
    let mut message = vec![0; length as usize];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// Begins a session over a new connection.
///
/// # Errors
/// The server does not serve, and hangs up.
pub async fn begin(stream: &mut Stream) -> io::Result<()> {
    let mut hello = vec![0; 12];
    hello.extend(SESSION_MS.to_be_bytes());
    hello.extend([0; 8]);
    buffer(&mut hello, &[0; 16]);
    hello.push(0);
    send(stream, &hello).await?;
    let answer = receive(stream).await?;
    let granted = answer.get(4..8).is_some_and(|timeout| timeout != [0; 4]);
    if granted { Ok(()) } else { Err(io::Error::other("no session is granted")) }
}

/// Asks for one thing after another, and reads the answer to each.
///
/// # Errors
/// The connection is broken, or what comes is no answer.
pub async fn ask(stream: &mut Stream, requests: &[Request<'_>]) -> io::Result<Vec<Answer>> {
    for (request, number) in requests.iter().zip(1..) {
        send(stream, &request.bytes(number)).await?;
    }
    let mut answers = Vec::new();
    while answers.len() < requests.len() {
        let message = receive(stream).await?;
        let number =
            |at: usize| Some(i32::from_be_bytes(message.get(at..at + 4)?.try_into().ok()?));
        let (Some(answered), Some(code)) = (number(0), number(12)) else {
            return Err(io::Error::other("an answer that is too short"));
        };
        if answered != answers.len() as i32 + 1 {
            return Err(io::Error::other("no answer to what was asked"));
        }
        answers.push(Answer { code, body: message[16..].to_vec() });
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_jute_writes_them() {
        let set = Request::Set("/k", b"42", 7).bytes(1);
        assert_eq!(set, b"\0\0\0\x01\0\0\0\x05\0\0\0\x02/k\0\0\0\x0242\0\0\0\x07");
        let get = Request::Get("/k").bytes(2);
        assert_eq!(get, b"\0\0\0\x02\0\0\0\x04\0\0\0\x02/k\0");
        let create = Request::Create("/k", b"1").bytes(3);
        let acl = b"\0\0\0\x01\0\0\0\x1f\0\0\0\x05world\0\0\0\x06anyone\0\0\0\0";
        assert_eq!(create, [&b"\0\0\0\x03\0\0\0\x01\0\0\0\x02/k\0\0\0\x011"[..], acl].concat());
    }

    #[test]
    fn data_and_version_are_found_or_nothing() {
        let mut body = b"\0\0\0\x0242".to_vec();
        body.extend([0; 32]);
        body.extend(7_i32.to_be_bytes());
        for length in 0..body.len() {
            let torn = Answer { code: 0, body: body[..length].to_vec() };
            assert_eq!(torn.data(), None, "{length} bytes");
        }
        assert_eq!(Answer { code: 0, body }.data(), Some((&b"42"[..], 7)));
    }
}
