//! Reads JSON lines: pieces of a block are parsed in parallel, and joined in order while the next
//! ones are parsed.

use std::io::{self, BufRead, Read as _};

use rayon::prelude::*;
use serde_json::Value;

use super::build::Builder;
use super::line::Line;
use super::read::ReadError;
use super::strict::exact;
use super::{Event, Header, Malformed, SCHEMA_VERSION, shown_bytes};

/// Bytes that are held at once (and the rest of the line in which they end).
const BLOCK_BYTES: u64 = 4 << 20;
/// What one task parses.
const PIECE_BYTES: usize = 32 << 10;
/// Pieces that are parsed while those before them are joined.
const GROUP_PIECES: usize = 16;

/// The lines of one piece of a file, up to the first malformed one.
struct Piece<'a> {
    /// How many there are, blank ones included.
    count: u64,
    lines: PlainLines<'a>,
    others: Vec<Other>,
}

/// Plain lines with their numbers, which count within a piece from 0.
type PlainLines<'a> = Vec<(u64, Line<'a>)>;

/// A line that is neither blank nor plain.
struct Other {
    /// Plain lines before it.
    at: usize,
    number: u64,
    parsed: Parsed,
}

enum Parsed {
    Event(Box<Event>),
    /// The file ends in the middle of it.
    Truncated,
    Malformed(Box<Malformed>),
}

/// Reads the whole input.
pub(super) fn read_jsonl(mut input: impl BufRead, builder: &mut Builder) -> Result<(), ReadError> {
    let mut block = Vec::new();
    let mut number = read_first(&mut input, &mut block, builder)?;
    // What has held lines is used again: new memory costs more than what is put into it.
    let mut spare = Vec::new();
    loop {
        if !fill(&mut input, &mut block)? {
            return Ok(());
        }
        let pieces = split(&block);
        if let [only] = pieces[..] {
            // Waking another thread would take longer.
            join(&mut number, vec![parse(only, Vec::new())], builder)?;
            continue;
        }
        let mut parsed = Vec::new();
        let mut free: Vec<PlainLines<'_>> = spare.into_iter().map(emptied).collect();
        for group in pieces.chunks(GROUP_PIECES).map(Some).chain([None]) {
            let texts = group.unwrap_or_default();
            free.resize_with(texts.len().max(free.len()), Vec::new);
            let lines = free.split_off(free.len() - texts.len());
            let parse_all =
                || texts.par_iter().zip(lines).map(|(text, lines)| parse(text, lines)).collect();
            let (joined, next) = rayon::join(|| join(&mut number, parsed, builder), parse_all);
            free.extend(joined?);
            parsed = next;
        }
        spare = free.into_iter().map(emptied).collect();
    }
}

/// Reads up to the first line that is not blank, which may be a header, and returns the number of
/// the next line.
fn read_first(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    builder: &mut Builder,
) -> Result<u64, ReadError> {
    let mut number = 1;
    while input.read_until(b'\n', line)? > 0 {
        let text = line.trim_ascii();
        if is_header(text) {
            builder.header(header_of(text, number)?);
            return Ok(number + 1);
        }
        if !text.is_empty() {
            join(&mut number, vec![parse(line, Vec::new())], builder)?;
            return Ok(number);
        }
        line.clear();
        number += 1;
    }
    Ok(number)
}

/// Reads the next block; false at the end.
fn fill(input: &mut impl BufRead, block: &mut Vec<u8>) -> io::Result<bool> {
    block.clear();
    input.by_ref().take(BLOCK_BYTES).read_to_end(block)?;
    if !block.is_empty() && block.last() != Some(&b'\n') {
        input.read_until(b'\n', block)?;
    }
    Ok(!block.is_empty())
}

/// Cuts a block into pieces that end with a line.
fn split(mut block: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while block.len() > PIECE_BYTES {
        let rest = &block[PIECE_BYTES..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
        let (piece, rest) = block.split_at(PIECE_BYTES + end + 1);
        pieces.push(piece);
        block = rest;
    }
    pieces.push(block);
    pieces
}

/// The same memory for lines of another text.
fn emptied<'a>(mut lines: PlainLines<'_>) -> PlainLines<'a> {
    lines.clear();
    lines.into_iter().map(|_| unreachable!("there are none")).collect()
}

/// Parses a piece into empty `lines`.
fn parse<'a>(piece: &'a [u8], lines: PlainLines<'a>) -> Piece<'a> {
    // Where there is anything else no line is plain.
    let mut plain = std::str::from_utf8(piece).unwrap_or_default();
    let mut rest = piece;
    let mut piece = Piece { count: 0, lines, others: Vec::new() };
    // Few lines are shorter.
    piece.lines.reserve(rest.len() / 64);
    while !rest.is_empty() {
        let number = piece.count;
        piece.count += 1;
        if let Some((line, next)) = Line::scan(plain) {
            piece.lines.push((number, line));
            (plain, rest) = (next, next.as_bytes());
            continue;
        }
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (line, next) = rest.split_at(end);
        rest = next;
        plain = plain.get(end..).unwrap_or_default();
        if let Some(parsed) = parse_line(line) {
            let ends = matches!(parsed, Parsed::Malformed(_));
            piece.others.push(Other { at: piece.lines.len(), number, parsed });
            if ends {
                break;
            }
        }
    }
    piece
}

/// Reads a line in the general way; `None` if it is blank.
fn parse_line(line: &[u8]) -> Option<Parsed> {
    let text = line.trim_ascii();
    if text.is_empty() {
        return None;
    }
    Some(match serde_json::from_slice::<Event>(text) {
        Ok(event) => match exact(&event.value, text) {
            Ok(()) => Parsed::Event(Box::new(event)),
            Err((expected, found)) => {
                Parsed::Malformed(Box::new(Malformed::new(0, expected, found)))
            }
        },
        // Only the last line of a file ends without a line feed.
        Err(error) if error.is_eof() && line.last() != Some(&b'\n') => Parsed::Truncated,
        Err(error) => Parsed::Malformed(Box::new(malformed(text, &error))),
    })
}

/// Hands the lines to the builder; the first piece begins with line `number`. Returns what held
/// them.
fn join<'a>(
    number: &mut u64,
    pieces: Vec<Piece<'a>>,
    builder: &mut Builder,
) -> Result<Vec<PlainLines<'a>>, Malformed> {
    let mut held = Vec::with_capacity(pieces.len());
    for mut piece in pieces {
        let mut plain = piece.lines.iter_mut();
        let mut passed = 0;
        for Other { at, number: other, parsed } in piece.others {
            for (line, client) in plain.by_ref().take(at - passed) {
                builder.client(*number + *line, client)?;
            }
            passed = at;
            let line = *number + other;
            match parsed {
                Parsed::Event(event) => builder.event(line, *event)?,
                Parsed::Truncated => builder.truncated(line),
                Parsed::Malformed(malformed) => return Err(malformed.at(line)),
            }
        }
        for (line, client) in plain {
            builder.client(*number + *line, client)?;
        }
        *number += piece.count;
        piece.lines.clear();
        held.push(piece.lines);
    }
    Ok(held)
}

fn is_header(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|value| value.get("splitbrain").is_some())
}

/// Reads a header, whose version has to be ours.
pub(crate) fn header_of(text: &[u8], line: u64) -> Result<Header, Malformed> {
    let header: Header = serde_json::from_slice(text).map_err(|e| malformed(text, &e).at(line))?;
    exact(&header.initial, text)
        .map_err(|(expected, found)| Malformed::new(line, expected, found))?;
    if header.splitbrain == SCHEMA_VERSION {
        return Ok(header);
    }
    let expected = format!("a header of schema version {SCHEMA_VERSION}");
    Err(Malformed::new(line, expected, format!("version {}", header.splitbrain)))
}

/// What is wrong with a line whose number is not known yet.
fn malformed(text: &[u8], error: &serde_json::Error) -> Malformed {
    // The position that serde_json adds counts from the line's own start.
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default();
    Malformed::new(0, format!("a JSON event ({why})"), shown_bytes(text))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use crate::history::History;

    /// More lines than fit into two blocks: some ordinary, some not, some blank.
    fn long() -> (String, u64) {
        let (mut text, mut lines) = (String::new(), 0);
        while text.len() as u64 <= 2 * super::BLOCK_BYTES {
            let process = lines % 7;
            for (kind, value) in [("invoke", "1"), ("ok", "[1.5]")] {
                let padding = "x".repeat(200);
                writeln!(
                    text,
                    "\n{{\"time\":{lines},\"process\":{process},\"type\":\"{kind}\",\"f\":\"write\",\
                     \"key\":\"{padding}\",\"value\":{value}}}"
                )
                .expect("a String takes everything");
                lines += 2;
            }
        }
        (text, lines)
    }

    #[test]
    fn blocks_and_pieces_are_joined_in_order() {
        let (text, lines) = long();
        let history = History::read(text.as_bytes()).expect("a history");
        let operations = history.operations();
        assert_eq!(operations.len() as u64, lines / 4);
        for (operation, at) in operations.iter().zip(0_u64..) {
            assert_eq!((operation.invoked.index, operation.invoked.time_ns), (2 * at, 4 * at));
            assert_eq!(operation.result().to_string(), "[1.5]");
        }
    }

    #[test]
    fn lines_are_counted_over_blocks_and_pieces() {
        let (text, lines) = long();
        let error = History::read((text.clone() + "\nwrong\n").as_bytes()).expect_err("an error");
        let expected = format!("line {}: expected a JSON event", lines + 2);
        assert!(error.to_string().starts_with(&expected), "{error}");
        // The first of two errors counts, wherever they lie.
        let twice = text.replacen("[1.5]", "[1.5", 1) + "wrong\n";
        let error = History::read(twice.as_bytes()).expect_err("an error");
        assert!(error.to_string().starts_with("line 4: "), "{error}");
        let history = History::read((text + "{\"type").as_bytes()).expect("a history");
        assert_eq!(history.truncated_line(), Some(lines + 1));
    }
}
