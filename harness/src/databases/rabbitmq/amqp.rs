//! AMQP 0-9-1, as far as one channel goes on which one thing is done after another.

use std::io;

use tokio::io::AsyncWriteExt as _;

use super::frames::{
    Args, BODY, HEADER, LONGEST_BYTES, METHOD, Name, frame, garbage, method, payload,
};
use crate::databases::login;
use crate::databases::wire::Stream;

const CONNECTION_START: Name = (10, 10);
const CONNECTION_START_OK: Name = (10, 11);
const CONNECTION_TUNE: Name = (10, 30);
const CONNECTION_TUNE_OK: Name = (10, 31);
const CONNECTION_OPEN: Name = (10, 40);
const CONNECTION_OPEN_OK: Name = (10, 41);
const CONNECTION_CLOSE: Name = (10, 50);
const CHANNEL_OPEN: Name = (20, 10);
const CHANNEL_OPEN_OK: Name = (20, 11);
const CHANNEL_CLOSE: Name = (20, 40);
const QUEUE_DECLARE: Name = (50, 10);
const QUEUE_DECLARE_OK: Name = (50, 11);
const BASIC_PUBLISH: Name = (60, 40);
const BASIC_RETURN: Name = (60, 50);
const BASIC_GET: Name = (60, 70);
const BASIC_GET_OK: Name = (60, 71);
const BASIC_GET_EMPTY: Name = (60, 72);
const BASIC_ACK: Name = (60, 80);
const BASIC_NACK: Name = (60, 120);
const CONFIRM_SELECT: Name = (85, 10);
const CONFIRM_SELECT_OK: Name = (85, 11);

/// The only channel; methods of the connection itself are on channel 0.
const CHANNEL: u16 = 1;

/// Why an exchange was not completed. The connection is of no use afterwards.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It broke, or what came is not AMQP.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server has closed the channel or the connection, with this code and these words.
    #[error("{0} {1}")]
    Closed(u16, String),
}

/// What became of a message that was published.
#[derive(Debug, PartialEq, Eq)]
pub enum Published {
    /// The server answers for it.
    Confirmed,
    /// The server does not (`basic.nack`); it may be there all the same.
    Unconfirmed,
    /// There is no queue for it (`basic.return`), in these words.
    Returned(String),
}

/// A message that the server holds for us until it is acknowledged.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number on the channel.
    pub tag: u64,
    /// Its content.
    pub body: Vec<u8>,
}

/// Who we are, and the password: of this run, or whom every new server knows.
pub fn user() -> (&'static str, &'static str) {
    let login = login::of_run();
    (login.user.as_deref().unwrap_or("guest"), login.password.as_deref().unwrap_or("guest"))
}

/// Introduces ourselves, opens the channel and asks for confirms.
///
/// # Errors
/// See [`Error`].
pub async fn open(stream: &mut Stream) -> Result<(), Error> {
    stream.write_all(b"AMQP\0\0\x09\x01").await?;
    expect(stream, CONNECTION_START).await?;
    let (user, password) = user();
    let plain = format!("\0{user}\0{password}");
    let who = Args::default().table(&[]).short_text("PLAIN");
    let who = who.long_text(plain.as_bytes()).short_text("en_US");
    say(stream, 0, CONNECTION_START_OK, who).await?;
    let limits = expect(stream, CONNECTION_TUNE).await?;
    // Channels and size as the server has them, and no heartbeats: nobody is here to send them
    // between operations.
    let limits = limits.get(..6).unwrap_or(&[0; 6]);
    say(stream, 0, CONNECTION_TUNE_OK, Args(limits.to_vec()).short(0)).await?;
    let host = Args::default().short_text("/").short_text("").octet(0);
    ask(stream, 0, CONNECTION_OPEN, host, CONNECTION_OPEN_OK).await?;
    let nothing = Args::default().short_text("");
    ask(stream, CHANNEL, CHANNEL_OPEN, nothing, CHANNEL_OPEN_OK).await?;
    ask(stream, CHANNEL, CONFIRM_SELECT, Args::default().octet(0), CONFIRM_SELECT_OK).await?;
    Ok(())
}

/// Makes a durable queue of this type, or finds that it is there.
///
/// # Errors
/// See [`Error`]. There is another one of this name, for example.
pub async fn declare(stream: &mut Stream, queue: &str, kind: &str) -> Result<(), Error> {
    const DURABLE: u8 = 0b10;
    let args = Args::default().short(0).short_text(queue).octet(DURABLE);
    let args = args.table(&[("x-queue-type", kind)]);
    ask(stream, CHANNEL, QUEUE_DECLARE, args, QUEUE_DECLARE_OK).await?;
    Ok(())
}

/// Puts a persistent message into a queue and waits for the server's confirm.
///
/// # Errors
/// See [`Error`]. It may be in the queue.
pub async fn publish(stream: &mut Stream, queue: &str, body: &[u8]) -> Result<Published, Error> {
    // Otherwise what no queue takes would be confirmed and thrown away.
    const MANDATORY: u8 = 0b1;
    const HAS_DELIVERY_MODE: u16 = 1 << 12;
    const PERSISTENT: u8 = 2;
    let to = Args::default().short(0).short_text("").short_text(queue).octet(MANDATORY);
    let header = Args::default().short(BASIC_PUBLISH.0).short(0).long_long(body.len() as u64);
    let header = header.short(HAS_DELIVERY_MODE).octet(PERSISTENT);
    let mut frames = method(CHANNEL, BASIC_PUBLISH, to);
    frames.extend(frame(HEADER, CHANNEL, &header.0));
    frames.extend(frame(BODY, CHANNEL, body));
    stream.write_all(&frames).await?;
    let mut returned = None;
    loop {
        let (name, args) = hear(stream).await?;
        match name {
            BASIC_RETURN => {
                content(stream).await?;
                returned = Some(closing(&args).to_string());
            }
            // A message that is returned is acknowledged afterwards.
            BASIC_ACK => return Ok(returned.map_or(Published::Confirmed, Published::Returned)),
            BASIC_NACK => return Ok(Published::Unconfirmed),
            other => return Err(unexpected(other)),
        }
    }
}

/// Gets the next message of a queue, if there is one.
///
/// # Errors
/// See [`Error`]. What was got and not acknowledged goes back when the connection ends.
pub async fn get(stream: &mut Stream, queue: &str) -> Result<Option<Message>, Error> {
    const WITH_ACK: u8 = 0;
    let args = Args::default().short(0).short_text(queue).octet(WITH_ACK);
    say(stream, CHANNEL, BASIC_GET, args).await?;
    match hear(stream).await? {
        (BASIC_GET_EMPTY, _) => Ok(None),
        (BASIC_GET_OK, args) => {
            let tag = args.first_chunk().map(|tag| u64::from_be_bytes(*tag));
            let tag = tag.ok_or_else(|| garbage("a message without a number"))?;
            Ok(Some(Message { tag, body: content(stream).await? }))
        }
        (other, _) => Err(unexpected(other)),
    }
}

/// Acknowledges a message, and those before it if `multiple`. To this there is no answer.
///
/// # Errors
/// The connection broke; it may have arrived.
pub async fn ack(stream: &mut Stream, tag: u64, multiple: bool) -> io::Result<()> {
    let args = Args::default().long_long(tag).octet(multiple.into());
    say(stream, CHANNEL, BASIC_ACK, args).await
}

async fn say(stream: &mut Stream, channel: u16, name: Name, args: Args) -> io::Result<()> {
    stream.write_all(&method(channel, name, args)).await
}

async fn ask(
    stream: &mut Stream,
    channel: u16,
    name: Name,
    args: Args,
    answer: Name,
) -> Result<Vec<u8>, Error> {
    say(stream, channel, name, args).await?;
    expect(stream, answer).await
}

async fn expect(stream: &mut Stream, expected: Name) -> Result<Vec<u8>, Error> {
    match hear(stream).await? {
        (name, args) if name == expected => Ok(args),
        (other, _) => Err(unexpected(other)),
    }
}

/// The next method and its arguments.
async fn hear(stream: &mut Stream) -> Result<(Name, Vec<u8>), Error> {
    let mut payload = payload(stream, METHOD).await?;
    if payload.len() < 4 {
        return Err(garbage("a method without a name").into());
    }
    let args = payload.split_off(4);
    let name = (number(&payload), number(&payload[2..]));
    match name {
        CONNECTION_CLOSE | CHANNEL_CLOSE => Err(closing(&args)),
        name => Ok((name, args)),
    }
}

/// What follows a method that brings a message.
async fn content(stream: &mut Stream) -> Result<Vec<u8>, Error> {
    let header = payload(stream, HEADER).await?;
    let size = header.get(4..).and_then(|rest| rest.first_chunk());
    let size = size.map(|size| u64::from_be_bytes(*size));
    let size = size.filter(|size| *size <= LONGEST_BYTES.into());
    let size = size.ok_or_else(|| garbage("a message without a length, or too long"))?;
    let mut body = Vec::new();
    while (body.len() as u64) < size {
        body.extend(payload(stream, BODY).await?);
    }
    Ok(body)
}

/// The code and the words that a close and a return begin with.
fn closing(args: &[u8]) -> Error {
    let code = args.get(..2).map_or(0, number);
    let text = args.get(3..).unwrap_or_default();
    let length = args.get(2).copied().unwrap_or_default().into();
    let text = text.get(..length).unwrap_or(text);
    Error::Closed(code, String::from_utf8_lossy(text).into_owned())
}

fn unexpected((class, method): Name) -> Error {
    garbage(&format!("method {class}.{method} where another one was due")).into()
}

/// The number that bytes begin with, of which there are two.
fn number(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

#[cfg(test)]
pub mod tests;
