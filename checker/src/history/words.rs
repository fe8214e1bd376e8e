//! Texts eight bytes at a time, as one number each.
//!
//! Such a number has the first byte lowest. In the masks that are made here the highest bit of a
//! byte says something of that byte; what borrows and carries do to it they do to bytes behind the
//! first one that is marked, and only the first one is looked at.

/// As many times in a word as there is room.
const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The length of what has no marked byte before it; `marks` marks bytes of a word, `is_marked` says
/// the same of one.
fn length_before(text: &[u8], marks: impl Fn(u64) -> u64, is_marked: impl Fn(u8) -> bool) -> usize {
    let mut length = 0;
    while let Some(word) = text[length..].first_chunk() {
        let marked = marks(u64::from_le_bytes(*word)) & all(0x80);
        if marked != 0 {
            return length + marked.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = &text[length..];
    length + rest.iter().position(|byte| is_marked(*byte)).unwrap_or(rest.len())
}

/// How many digits a text begins with.
pub(super) fn digits_in(text: &[u8]) -> usize {
    let others = |word: u64| {
        let digits = word ^ all(b'0');
        digits.wrapping_add(all(0x7f - 9)) | digits
    };
    length_before(text, others, |byte| !byte.is_ascii_digit())
}

/// The length of what needs no escape in JSON and is ASCII.
pub(super) fn plain_in(text: &[u8]) -> usize {
    let is = |word: u64, byte| {
        let difference = word ^ all(byte);
        difference.wrapping_sub(all(1)) & !difference
    };
    let others = |word: u64| {
        let control = word.wrapping_sub(all(b' ')) & !word;
        word | control | is(word, b'"') | is(word, b'\\') | is(word, 0x7f)
    };
    length_before(text, others, |byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))
}

/// The number that at most 19 digits stand for.
pub(super) fn number_of(digits: &[u8]) -> u64 {
    let (eights, rest) = digits.as_chunks::<8>();
    let number = eights.iter().fold(0, |number, eight| number * 100_000_000 + number_of_8(*eight));
    rest.iter().fold(number, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// Joins neighbours to numbers of two digits, these to numbers of four, and these to one of eight.
fn number_of_8(digits: [u8; 8]) -> u64 {
    let ones = u64::from_le_bytes(digits) & all(0xf);
    let twos = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos * 100 + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_at_every_place() {
        for at in 0..20 {
            for byte in 0..=255 {
                let mut text = [b'7'; 20];
                text[at] = byte;
                let digits = if byte.is_ascii_digit() { 20 } else { at };
                assert_eq!(digits_in(&text), digits, "{byte} at {at}");
                let is_plain = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
                assert_eq!(plain_in(&text), if is_plain { 20 } else { at }, "{byte} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_one_counts(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let digits = text.iter().position(|byte| !byte.is_ascii_digit());
            prop_assert_eq!(digits_in(&text), digits.unwrap_or(text.len()));
            let special = |byte: &u8| {
                !byte.is_ascii() || byte.is_ascii_control() || matches!(byte, b'"' | b'\\')
            };
            let plain = text.iter().position(special);
            prop_assert_eq!(plain_in(&text), plain.unwrap_or(text.len()));
        }

        #[test]
        fn a_number_is_what_its_digits_say(number in 0..10_u64.pow(19), length in 0..20_u32) {
            let number = number % 10_u64.pow(length);
            let digits = format!("{number:0length$}", length = length as usize);
            prop_assert_eq!(number_of(&digits.as_bytes()[..length as usize]), number);
        }
    }
}
