//! The frames of AMQP 0-9-1, and how arguments are written in them.

use std::io;

use tokio::io::AsyncReadExt as _;

use crate::databases::wire::Stream;

/// Class and number of a method.
pub type Name = (u16, u16);

/// Types of frames.
pub const METHOD: u8 = 1;
pub const HEADER: u8 = 2;
pub const BODY: u8 = 3;
pub const HEARTBEAT: u8 = 8;
/// What each frame ends with.
pub const END: u8 = 0xce;
/// The longest frame that is read.
pub const LONGEST_BYTES: u32 = 1 << 20;

/// The content of the next frame, which must be of this type.
pub async fn payload(stream: &mut Stream, expected: u8) -> io::Result<Vec<u8>> {
    loop {
        let kind = stream.read_u8().await?;
        let _channel = stream.read_u16().await?;
        let size = stream.read_u32().await?;
        if size > LONGEST_BYTES {
            return Err(garbage("a frame that is too long"));
        }
        let mut payload = vec![0; size as usize];
        stream.read_exact(&mut payload).await?;
        if stream.read_u8().await? != END {
            return Err(garbage("a frame that does not end"));
        }
        match kind {
            HEARTBEAT => {}
            kind if kind == expected => return Ok(payload),
            kind => return Err(garbage(&format!("a frame of type {kind}, not {expected}"))),
        }
    }
}

/// What came is not AMQP, or not what was due.
pub fn garbage(what: &str) -> io::Error {
    io::Error::other(format!("the server sent {what}"))
}

/// A frame of a method and its arguments.
pub fn method(channel: u16, (class, number): Name, args: Args) -> Vec<u8> {
    let name = Args::default().short(class).short(number);
    frame(METHOD, channel, &[name.0, args.0].concat())
}

/// A frame of a type, with its content.
pub fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let head = Args::default().octet(kind).short(channel).long_text(payload);
    head.octet(END).0
}

/// Arguments as they are written.
#[derive(Default)]
pub struct Args(pub Vec<u8>);

impl Args {
    pub fn octet(mut self, value: u8) -> Args {
        self.0.push(value);
        self
    }

    pub fn short(mut self, value: u16) -> Args {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub fn long_long(mut self, value: u64) -> Args {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// At most 255 bytes.
    pub fn short_text(mut self, text: &str) -> Args {
        let text = &text.as_bytes()[..text.len().min(255)];
        self.0.push(text.len() as u8);
        self.0.extend(text);
        self
    }

    pub fn long_text(mut self, bytes: &[u8]) -> Args {
        self.0.extend((bytes.len() as u32).to_be_bytes());
        self.0.extend(bytes);
        self
    }

    /// Of texts only.
    pub fn table(self, entries: &[(&str, &str)]) -> Args {
        let entry = |table: Args, (name, value): &(&str, &str)| {
            table.short_text(name).octet(b'S').long_text(value.as_bytes())
        };
        let table = entries.iter().fold(Args::default(), entry);
        self.long_text(&table.0)
    }
}
