//! The netlink messages of the kernel's packet queue (linux/netfilter/nfnetlink_queue.h), as far
//! as a shaper needs them: pure encoding and decoding.
//!
//! Own code, since the crates for it judge one packet with one system call each.

use std::ops::Range;

/// `NFNL_SUBSYS_QUEUE`.
const SUBSYSTEM: u16 = 3 << 8;
const MSG_PACKET: u16 = SUBSYSTEM;
const MSG_VERDICT: u16 = SUBSYSTEM | 1;
const MSG_CONFIG: u16 = SUBSYSTEM | 2;
/// `NLMSG_ERROR`, which is also an acknowledgement.
const MSG_ERROR: u16 = 2;
const FLAG_REQUEST: u16 = 1;
const FLAG_ACK: u16 = 4;
/// `struct nlmsghdr` and `struct nfgenmsg`.
const HEADER_BYTES: usize = 16 + 4;

const PACKET_HDR: u16 = 1;
const VERDICT_HDR: u16 = 2;
const PAYLOAD: u16 = 10;
const CAP_LEN: u16 = 13;
const CFG_CMD: u16 = 1;
const CFG_PARAMS: u16 = 2;
const CFG_QUEUE_MAXLEN: u16 = 3;
const CMD_BIND: u8 = 1;
const COPY_PACKET: u8 = 2;

/// Number of a queue; a rule sends packets to it.
pub type Queue = u16;

/// What is to become of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `NF_DROP`.
    Drop = 0,
    /// `NF_ACCEPT`.
    Accept = 1,
}

/// A message from the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A packet waits for its verdict.
    Packet {
        /// In which queue.
        queue: Queue,
        /// Its number in that queue.
        id: u32,
        /// Its length, of which not all may have been copied.
        bytes: usize,
        /// Where in the buffer the part is that was copied, from its IP header on.
        copied: Range<usize>,
    },
    /// A request was carried out, or with which error number it was not.
    Answer(Result<(), i32>),
}

/// Appends the messages that make `queue` ours and as long as `packets`.
pub fn bind(out: &mut Vec<u8>, queue: Queue, packets: u32) {
    message(out, MSG_CONFIG, FLAG_REQUEST | FLAG_ACK, queue, |out| {
        attribute(out, CFG_CMD, &[CMD_BIND, 0, 0, 0]);
    });
    message(out, MSG_CONFIG, FLAG_REQUEST | FLAG_ACK, queue, |out| {
        attribute(out, CFG_QUEUE_MAXLEN, &packets.to_be_bytes());
    });
}

/// Appends the message that has the kernel copy `bytes` of each packet (0: as many as there are).
/// There is an answer only if it fails.
pub fn copy(out: &mut Vec<u8>, queue: Queue, bytes: u32) {
    message(out, MSG_CONFIG, FLAG_REQUEST, queue, |out| {
        let [a, b, c, d] = bytes.to_be_bytes();
        attribute(out, CFG_PARAMS, &[a, b, c, d, COPY_PACKET]);
    });
}

/// Appends a verdict, with another content of the packet if there is one.
pub fn verdict(out: &mut Vec<u8>, queue: Queue, id: u32, verdict: Verdict, content: Option<&[u8]>) {
    message(out, MSG_VERDICT, FLAG_REQUEST, queue, |out| {
        let mut header = [0; 8];
        header[..4].copy_from_slice(&(verdict as u32).to_be_bytes());
        header[4..].copy_from_slice(&id.to_be_bytes());
        attribute(out, VERDICT_HDR, &header);
        if let Some(content) = content {
            attribute(out, PAYLOAD, content);
        }
    });
}

fn message(
    out: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    queue: Queue,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let begin = out.len();
    out.extend([0; 4]);
    out.extend(kind.to_ne_bytes());
    out.extend(flags.to_ne_bytes());
    out.extend([0; 8]); // sequence number and port: the kernel needs neither
    out.extend([0, 0]); // family and version
    out.extend(queue.to_be_bytes());
    body(out);
    let length = (out.len() - begin) as u32;
    out[begin..begin + 4].copy_from_slice(&length.to_ne_bytes());
}

fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend((4 + value.len() as u16).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// The messages in what was received. What is not understood is left out.
pub fn parse(buffer: &[u8]) -> impl Iterator<Item = Message> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(length) = u32_ne(buffer, at).map(|length| length as usize) {
            let this = at..at.checked_add(length)?;
            if length < 16 || this.end > buffer.len() {
                return None;
            }
            at = this.end.next_multiple_of(4);
            if let Some(message) = parse_one(buffer, this) {
                return Some(message);
            }
        }
        None
    })
}

fn parse_one(buffer: &[u8], this: Range<usize>) -> Option<Message> {
    match u16_ne(buffer, this.start + 4)? {
        MSG_ERROR => {
            let error = u32_ne(buffer, this.start + 16)?.cast_signed();
            Some(Message::Answer(if error == 0 { Ok(()) } else { Err(-error) }))
        }
        MSG_PACKET => parse_packet(buffer, this),
        _ => None,
    }
}

fn parse_packet(buffer: &[u8], this: Range<usize>) -> Option<Message> {
    let body = this.start + HEADER_BYTES;
    let queue = u16::from_be_bytes([*buffer.get(body - 2)?, *buffer.get(body - 1)?]);
    let (mut id, mut bytes, mut copied) = (None, None, 0..0);
    let mut at = body;
    while at + 4 <= this.end {
        let length = usize::from(u16_ne(buffer, at)?);
        let value = at + 4..at + length;
        if length < 4 || value.end > this.end {
            return None;
        }
        match u16_ne(buffer, at + 2)? & 0x3fff {
            PACKET_HDR => id = u32_be(buffer, value.start),
            CAP_LEN => bytes = u32_be(buffer, value.start),
            PAYLOAD => copied = value,
            _ => {}
        }
        at = (at + length).next_multiple_of(4);
    }
    let bytes = bytes.map_or(copied.len(), |bytes| bytes as usize);
    Some(Message::Packet { queue, id: id?, bytes, copied })
}

fn four(buffer: &[u8], at: usize) -> Option<[u8; 4]> {
    buffer.get(at..at + 4)?.try_into().ok()
}

fn u32_ne(buffer: &[u8], at: usize) -> Option<u32> {
    four(buffer, at).map(u32::from_ne_bytes)
}

fn u32_be(buffer: &[u8], at: usize) -> Option<u32> {
    four(buffer, at).map(u32::from_be_bytes)
}

fn u16_ne(buffer: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(buffer.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_and_answers_are_understood() {
        let mut buffer = Vec::new();
        message(&mut buffer, MSG_PACKET, 0, 3, |out| {
            attribute(out, PACKET_HDR, &[0, 0, 0, 9, 8, 0, 1]);
            attribute(out, 99, b"unknown");
            attribute(out, PAYLOAD, &[0x45, 1, 2, 3, 4]);
            attribute(out, CAP_LEN, &1500_u32.to_be_bytes());
        });
        message(&mut buffer, 77, 0, 3, |_| {});
        let copied = buffer.windows(5).position(|w| w == [0x45, 1, 2, 3, 4]).unwrap();
        for error in [0, -22_i32] {
            let begin = buffer.len();
            message(&mut buffer, MSG_ERROR, 0, 0, |_| {});
            buffer[begin + 16..].copy_from_slice(&error.to_ne_bytes());
        }
        let packet = Message::Packet { queue: 3, id: 9, bytes: 1500, copied: copied..copied + 5 };
        assert!(parse(&buffer).eq([packet, Message::Answer(Ok(())), Message::Answer(Err(22))]));
    }

    #[test]
    fn what_is_cut_short_or_nonsense_ends_the_reading() {
        let mut buffer = Vec::new();
        verdict(&mut buffer, 1, 7, Verdict::Accept, Some(&[1, 2, 3]));
        assert_eq!(buffer.len(), HEADER_BYTES + 12 + 8);
        message(&mut buffer, MSG_PACKET, 0, 3, |out| out.extend([200, 0, 1, 0]));
        for length in 0..buffer.len() {
            assert_eq!(parse(&buffer[..length]).count(), 0);
        }
        assert_eq!(parse(&[0; 64]).count(), 0);
    }
}
