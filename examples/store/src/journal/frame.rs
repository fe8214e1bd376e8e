//! How records lie in a journal file.
//!
//! A file is a sequence of frames, one for each write(2): magic (4 bytes), length of the body and
//! crc32 over length and body (both little-endian u32), then the body: each record as its length and
//! its bytes. A frame is fsynced before the next is written, so a crash can damage the last frame
//! only. That is what tells a torn tail (dropped: nobody was promised it) from damage in the middle
//! (refused: it would lose what was promised).

use thiserror::Error;

/// No JSON text contains the byte 0xff, so a value cannot be mistaken for the start of a frame.
const MAGIC: [u8; 4] = *b"\xffSB1";
const HEADER: usize = 12;

/// A frame that is damaged although whole frames follow it.
#[derive(Debug, Error, PartialEq)]
#[error(
    "the record at byte {damaged_at} is damaged, yet whole records follow at byte {whole_at}: \
     this is not a torn write but lost data, and starting from it could break promises"
)]
pub struct Damage {
    damaged_at: usize,
    whole_at: usize,
}

/// What a file held.
#[derive(Debug, PartialEq)]
pub struct Contents {
    /// The records in order.
    pub records: Vec<Vec<u8>>,
    /// Where the last whole frame ends; what lies behind is a torn write.
    pub whole_bytes: usize,
}

/// One frame with these records.
pub fn encode<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut frame = MAGIC.to_vec();
    frame.extend([0; HEADER - MAGIC.len()]);
    for record in records {
        frame.extend(length(record.len()));
        frame.extend(record);
    }
    let body_bytes = length(frame.len() - HEADER);
    frame[4..8].copy_from_slice(&body_bytes);
    let sum = checksum(&frame[4..8], &frame[HEADER..]);
    frame[8..HEADER].copy_from_slice(&sum.to_le_bytes());
    frame
}

/// Reads all frames of a file.
pub fn decode(file: &[u8]) -> Result<Contents, Damage> {
    let mut contents = Contents { records: Vec::new(), whole_bytes: 0 };
    while let Some(body) = frame_at(file, contents.whole_bytes) {
        let mut rest = body;
        while let Some((record, behind)) = split_record(rest) {
            contents.records.push(record.to_vec());
            rest = behind;
        }
        contents.whole_bytes += HEADER + body.len();
    }
    let damaged_at = contents.whole_bytes;
    match (damaged_at + 1..file.len()).find(|at| frame_at(file, *at).is_some()) {
        Some(whole_at) => Err(Damage { damaged_at, whole_at }),
        None => Ok(contents),
    }
}

/// The body of the frame that starts `at`, if a whole one does.
fn frame_at(file: &[u8], at: usize) -> Option<&[u8]> {
    let (header, behind) = file.get(at..)?.split_at_checked(HEADER)?;
    if header[..4] != MAGIC {
        return None;
    }
    let body = behind.get(..number(&header[4..8]))?;
    (checksum(&header[4..8], body) as usize == number(&header[8..])).then_some(body)
}

fn split_record(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, behind) = body.split_at_checked(4)?;
    behind.split_at_checked(number(size))
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a frame is far smaller than 4 GiB").to_le_bytes()
}

fn number(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes.try_into().expect("4 bytes")) as usize
}

fn checksum(length: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (Vec<u8>, usize) {
        let mut file = encode([b"one".as_slice(), b""]);
        let first = file.len();
        file.extend(encode([b"three".as_slice()]));
        (file, first)
    }

    #[test]
    fn what_was_written_is_read() {
        let (file, _) = file();
        let contents = decode(&file).unwrap();
        assert_eq!(contents.records, [b"one".to_vec(), vec![], b"three".to_vec()]);
        assert_eq!(contents.whole_bytes, file.len());
        assert_eq!(decode(b"").unwrap().whole_bytes, 0);
    }

    #[test]
    fn a_tail_torn_at_any_byte_costs_the_last_frame_only() {
        let (file, first) = file();
        for end in first..file.len() {
            let contents = decode(&file[..end]).unwrap();
            assert_eq!((contents.records.len(), contents.whole_bytes), (2, first), "cut at {end}");
        }
        let mut zeros = file[..first].to_vec();
        zeros.extend([0; 4096]);
        assert_eq!(decode(&zeros).unwrap().whole_bytes, first);
    }

    #[test]
    fn a_flipped_bit_before_a_whole_frame_is_refused_wherever_it_is() {
        let (whole, first) = file();
        for bit in 0..first * 8 {
            let mut file = whole.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                decode(&file),
                Err(Damage { damaged_at: 0, whole_at: first }),
                "bit {bit} flipped"
            );
        }
    }
}
