//! Reads a file of lines: pieces of a block are parsed in parallel, and joined in order while the next
//! ones are parsed.

use std::io::{self, BufRead, Read as _};

use rayon::prelude::*;

use super::build::Builder;
use super::line::Line;
use super::read::ReadError;
use super::{Event, Malformed};

/// Bytes that are held at once (and the rest of the line in which they end).
pub(super) const BLOCK_BYTES: u64 = 4 << 20;
/// What one task parses.
const PIECE_BYTES: usize = 32 << 10;
/// Pieces that are parsed while those before them are joined.
const GROUP_PIECES: usize = 16;

/// How the lines of a format are read.
pub(super) trait Lines {
    /// The line of a client with which a text begins, if it is a plain one, and what follows it.
    fn plain(text: &str) -> Option<(Line<'_>, &str)>;

    /// Any other line, its end included; `None` if nothing is on it.
    fn other(line: &[u8]) -> Option<Parsed>;
}

/// A line that is not plain.
pub(super) enum Parsed {
    Event(Box<Event>),
    /// The file ends in the middle of it.
    Truncated,
    Malformed(Box<Malformed>),
    /// It is no line of its own: from here on the text is to be read in another way.
    Ragged,
}

/// Where lines that are read as such end.
pub(super) struct Ragged {
    /// The number of the line.
    pub line: u64,
    /// What was taken of the input and belongs to that line and those after it.
    pub taken: Vec<u8>,
}

/// The lines of one piece of a block, up to the first at which reading ends.
struct Piece<'a> {
    /// Where it begins in its block.
    at: usize,
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
    /// Where it begins in its piece.
    begins: usize,
    parsed: Parsed,
}

/// Why reading ends.
enum Stop {
    Malformed(Malformed),
    /// At this line, which begins here in the block.
    Ragged(u64, usize),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Stop {
        Stop::Malformed(malformed)
    }
}

/// Reads the whole input, of which line `number` begins a `block` that was taken already. Returns what
/// is to be read in another way.
pub(super) fn read_lines<L: Lines>(
    mut input: impl BufRead,
    mut block: Vec<u8>,
    mut number: u64,
    builder: &mut Builder,
) -> Result<Option<Ragged>, ReadError> {
    // What has held lines is used again: new memory costs more than what is put into it.
    let mut spare = Vec::new();
    while fill(&mut input, &mut block)? {
        match read_block::<L>(&block, &mut number, &mut spare, builder) {
            Ok(()) => block.clear(),
            Err(Stop::Malformed(malformed)) => return Err(malformed.into()),
            Err(Stop::Ragged(line, at)) => {
                return Ok(Some(Ragged { line, taken: block.split_off(at) }));
            }
        }
    }
    Ok(None)
}

fn read_block<L: Lines>(
    block: &[u8],
    number: &mut u64,
    spare: &mut Vec<PlainLines<'static>>,
    builder: &mut Builder,
) -> Result<(), Stop> {
    let pieces = split(block);
    if let [only] = pieces[..] {
        // Waking another thread would take longer.
        join(number, vec![parse::<L>(only, Vec::new())], builder)?;
        return Ok(());
    }
    let mut parsed = Vec::new();
    let mut free: Vec<PlainLines<'_>> = spare.drain(..).map(emptied).collect();
    for group in pieces.chunks(GROUP_PIECES).map(Some).chain([None]) {
        let texts = group.unwrap_or_default();
        free.resize_with(texts.len().max(free.len()), Vec::new);
        let lines = free.split_off(free.len() - texts.len());
        let parse_all =
            || texts.par_iter().zip(lines).map(|(text, lines)| parse::<L>(*text, lines)).collect();
        let (joined, next) = rayon::join(|| join(number, parsed, builder), parse_all);
        free.extend(joined?);
        parsed = next;
    }
    *spare = free.into_iter().map(emptied).collect();
    Ok(())
}

/// Reads the next block after what it has; false at the end.
fn fill(input: &mut impl BufRead, block: &mut Vec<u8>) -> io::Result<bool> {
    input.by_ref().take(BLOCK_BYTES).read_to_end(block)?;
    if !block.is_empty() && block.last() != Some(&b'\n') {
        input.read_until(b'\n', block)?;
    }
    Ok(!block.is_empty())
}

/// Cuts a block into pieces that end with a line, each with its place.
fn split(block: &[u8]) -> Vec<(usize, &[u8])> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while block.len() - at > PIECE_BYTES {
        let rest = &block[at + PIECE_BYTES..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
        let next = at + PIECE_BYTES + end + 1;
        pieces.push((at, &block[at..next]));
        at = next;
    }
    pieces.push((at, &block[at..]));
    pieces
}

/// The same memory for lines of another text.
fn emptied<'a>(mut lines: PlainLines<'_>) -> PlainLines<'a> {
    lines.clear();
    lines.into_iter().map(|_| unreachable!("there are none")).collect()
}

/// Parses a piece into empty `lines`.
fn parse<'a, L: Lines>((at, text): (usize, &'a [u8]), lines: PlainLines<'a>) -> Piece<'a> {
    // Where there is anything else no line is plain.
    let mut plain = std::str::from_utf8(text).unwrap_or_default();
    let mut rest = text;
    let mut piece = Piece { at, count: 0, lines, others: Vec::new() };
    // Few lines are shorter.
    piece.lines.reserve(rest.len() / 64);
    while !rest.is_empty() {
        let number = piece.count;
        piece.count += 1;
        if let Some((line, next)) = L::plain(plain) {
            piece.lines.push((number, line));
            (plain, rest) = (next, next.as_bytes());
            continue;
        }
        let begins = text.len() - rest.len();
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (line, next) = rest.split_at(end);
        rest = next;
        plain = plain.get(end..).unwrap_or_default();
        if let Some(parsed) = L::other(line) {
            let ends = matches!(parsed, Parsed::Malformed(_) | Parsed::Ragged);
            piece.others.push(Other { at: piece.lines.len(), number, begins, parsed });
            if ends {
                break;
            }
        }
    }
    piece
}

/// Hands the lines to the builder; the first piece begins with line `number`. Returns what held
/// them.
fn join<'a>(
    number: &mut u64,
    pieces: Vec<Piece<'a>>,
    builder: &mut Builder,
) -> Result<Vec<PlainLines<'a>>, Stop> {
    let mut held = Vec::with_capacity(pieces.len());
    for mut piece in pieces {
        let mut plain = piece.lines.iter_mut();
        let mut passed = 0;
        for Other { at, number: other, begins, parsed } in piece.others {
            for (line, client) in plain.by_ref().take(at - passed) {
                builder.client(*number + *line, client)?;
            }
            passed = at;
            let line = *number + other;
            match parsed {
                Parsed::Event(event) => builder.event(line, *event)?,
                Parsed::Truncated => builder.truncated(line),
                Parsed::Malformed(malformed) => return Err(malformed.at(line).into()),
                Parsed::Ragged => return Err(Stop::Ragged(line, piece.at + begins)),
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
