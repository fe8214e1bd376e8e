//! Damages files the way that knows their structure: lines and tokens are moved, repeated, left
//! out and exchanged for those of other files, and now and then a few bytes are changed.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Tokens that readers stumble over.
const TOKENS: &[&str] = &[
    "0",
    "-1",
    "1",
    "01",
    "1.5",
    "1e400",
    "-0",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "null",
    "nil",
    "true",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"k\"",
    ":ok",
    ":info",
    "\"info\"",
    "\"fail\"",
    "\"ok\"",
    "\"invoke\"",
    ":nemesis",
    "\"nemesis\"",
    "\"harness\"",
    "\"phase\"",
    "\"main\"",
    "read",
    "write",
    "cas",
    "txn",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "#{",
    "#_",
    "^",
    "\\",
    "##NaN",
    "1/2",
    ";",
    "#inst",
    "[[]]",
    "[1 nil]",
    "[1,null]",
    "{}",
    "\"splitbrain\":1,",
    "\"time\":0,",
    "\"index\":0,",
    ";; splitbrain {}",
    ";; independent: each value is [key value]",
    "\u{e9}",
    "\u{feff}",
    "\r\n",
    ",",
    "-1)",
    "=====",
    "-----",
    "INFO  jepsen.util - 0\t:ok\t:read\tnil",
];

/// Makes inputs from seeds.
pub struct Mutator<'s> {
    seeds: &'s [Vec<u8>],
    binary: bool,
}

impl<'s> Mutator<'s> {
    /// A binary format has no lines and no tokens.
    pub fn new(seeds: &'s [Vec<u8>], binary: bool) -> Mutator<'s> {
        Mutator { seeds, binary }
    }

    /// The next input: a few changes to one of the seeds.
    pub fn next(&self, random: &mut ChaCha8Rng, input: &mut Vec<u8>) {
        input.clear();
        input.extend_from_slice(self.seed(random));
        for _ in 0..random.random_range(0..4) {
            match random.random_range(0..10) {
                0..4 if !self.binary => self.lines(random, input),
                4..8 if !self.binary => self.tokens(random, input),
                _ => self.bytes(random, input),
            }
        }
    }

    fn seed(&self, random: &mut ChaCha8Rng) -> &'s [u8] {
        &self.seeds[random.random_range(0..self.seeds.len())]
    }

    fn lines(&self, random: &mut ChaCha8Rng, input: &mut Vec<u8>) {
        let lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
        if lines.is_empty() {
            return;
        }
        let mut lines: Vec<Vec<u8>> = lines.into_iter().map(<[u8]>::to_vec).collect();
        let at = later(random, lines.len());
        let other = random.random_range(0..lines.len());
        match random.random_range(0..5) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[other].clone()),
            2 => lines.swap(at, other),
            3 => lines.truncate(at + 1),
            _ => {
                let seed = self.seed(random).split_inclusive(|byte| *byte == b'\n');
                let theirs: Vec<&[u8]> = seed.collect();
                if !theirs.is_empty() {
                    lines.insert(at, theirs[random.random_range(0..theirs.len())].to_vec());
                }
            }
        }
        *input = lines.concat();
    }

    fn tokens(&self, random: &mut ChaCha8Rng, input: &mut Vec<u8>) {
        let all = tokens(input);
        if all.is_empty() {
            return;
        }
        let (from, to) = all[later(random, all.len())];
        let other = &all[random.random_range(0..all.len())];
        let with = match random.random_range(0..4) {
            0 => Vec::new(),
            1 => input[other.0..other.1].to_vec(),
            2 => TOKENS[random.random_range(0..TOKENS.len())].as_bytes().to_vec(),
            _ => random.random_range(0..5_u8).to_string().into_bytes(),
        };
        input.splice(from..to, with);
    }

    fn bytes(&self, random: &mut ChaCha8Rng, input: &mut Vec<u8>) {
        for _ in 0..random.random_range(1..4) {
            if input.is_empty() {
                return;
            }
            let at = later(random, input.len());
            match random.random_range(0..8) {
                0..3 => input[at] ^= 1 << random.random_range(0..8),
                3 => input[at] = random.random(),
                4 => input.insert(at, random.random()),
                5 => drop(input.remove(at)),
                6 => {
                    let end = (at + random.random_range(1..32)).min(input.len());
                    let piece = input[at..end].to_vec();
                    input.splice(at..at, piece);
                }
                _ => input.truncate(at + 1),
            }
        }
    }
}

/// A position, rather towards the end: what is wrong at the beginning hides all that follows.
fn later(random: &mut ChaCha8Rng, length: usize) -> usize {
    random.random_range(0..length).max(random.random_range(0..length))
}

/// Where the words, numbers, texts and signs are.
fn tokens(text: &[u8]) -> Vec<(usize, usize)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = match rest[0] {
            b'"' => rest[1..].iter().position(|byte| *byte == b'"').map_or(1, |end| end + 2),
            byte if is_word(byte) => rest.iter().take_while(|byte| is_word(**byte)).count(),
            _ => 1,
        };
        if !rest[0].is_ascii_whitespace() {
            tokens.push((at, at + length));
        }
        at += length;
    }
    tokens
}
