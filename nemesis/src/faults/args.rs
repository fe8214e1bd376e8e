//! What a fault can be told beside whom to hit: amounts, always with their units.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One thing that a fault can be told.
#[derive(Debug, PartialEq)]
pub struct Arg {
    /// Its name: lower case, words joined by `-`.
    pub name: &'static str,
    /// What it is an amount of.
    pub kind: Kind,
    /// What holds if nothing is said, as a person would write it.
    pub usual: &'static str,
    /// What it means, in a few words.
    pub about: &'static str,
}

/// What an argument is an amount of, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `250us`, `10ms`, `1.5s`, `2m`, `1h`; not negative.
    Duration,
    /// The same, negative ones too: `-500ms`.
    Shift,
    /// `0.5%` to `100%`.
    Percent,
    /// Bits a second: `64kbit`, `10mbit`, `1gbit`.
    Rate,
    /// `4096b`, `64kb`, `16mb`, `1gb`, with 1024 bytes to a `kb`.
    Bytes,
    /// Millionths, of either sign: `200ppm`, `-50ppm`.
    PartsPerMillion,
    /// A whole number without a unit, at least 1.
    Count,
    /// One of these words.
    Word(&'static [&'static str]),
}

const DURATIONS: &[(&str, f64)] =
    &[("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
const RATES: &[(&str, f64)] = &[("bit", 1.0), ("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9)];
const BYTES: &[(&str, f64)] =
    &[("b", 1.0), ("kb", 1024.0), ("mb", 1_048_576.0), ("gb", 1_073_741_824.0)];
/// A year of nanoseconds: more than any run needs, and exact as a floating-point number.
const MOST: f64 = 3.2e16;

impl Kind {
    /// The amount in its smallest unit: nanoseconds, percent, bits a second, bytes, millionths, or
    /// the number of the word.
    fn read(self, text: &str) -> Option<f64> {
        let (units, least, most): (&[(&str, f64)], f64, f64) = match self {
            Kind::Duration => (DURATIONS, 0.0, MOST),
            Kind::Shift => (DURATIONS, -MOST, MOST),
            Kind::Percent => (&[("%", 1.0)], 0.0, 100.0),
            Kind::Rate => (RATES, 1.0, 1e12),
            Kind::Bytes => (BYTES, 1.0, 1e15),
            Kind::PartsPerMillion => (&[("ppm", 1.0)], -1e6, 1e6),
            Kind::Count => (&[("", 1.0)], 1.0, 1e6),
            Kind::Word(words) => {
                return words.iter().position(|word| *word == text).map(|at| at as f64);
            }
        };
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
        let plain = digits.strip_prefix('-').unwrap_or(digits);
        if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return None; // no `inf`, no exponent
        }
        let (_, unit) = units.iter().find(|(unit, _)| *unit == &text[digits.len()..])?;
        let amount = digits.parse::<f64>().ok()? * unit;
        let whole = self == Kind::Count && amount.fract() != 0.0;
        ((least..=most).contains(&amount) && !whole).then_some(amount)
    }
}

impl fmt::Display for Kind {
    /// How it is written, for a person who wrote it wrongly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Duration => "a duration with its unit, such as 250us, 10ms or 1.5s",
            Kind::Shift => "a duration with its unit, such as 500ms, 2h or -3s",
            Kind::Percent => "a percentage from 0% to 100%",
            Kind::Rate => "bits a second with their unit, such as 64kbit or 10mbit",
            Kind::Bytes => "an amount with its unit, such as 64kb or 16mb",
            Kind::PartsPerMillion => "millionths with their unit, such as 200ppm or -50ppm",
            Kind::Count => "a whole number from 1 on",
            Kind::Word(words) => return write!(f, "one of {}", words.join(", ")),
        })
    }
}

/// Why an argument is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgError {
    /// The fault has no such argument.
    #[error("no argument is named {name:?}; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The fault has no arguments.
    #[error("it takes no arguments")]
    None,
    /// The text is not an amount of the right kind.
    #[error("{name} is {text:?}; it must be {kind}")]
    Wrong {
        /// The argument.
        name: &'static str,
        /// What was written.
        text: String,
        /// What it is an amount of.
        kind: Kind,
    },
    /// The same argument twice.
    #[error("{name} is given twice")]
    Twice {
        /// The argument.
        name: &'static str,
    },
}

/// The arguments of a fault: those that were given, and the usual ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    known: &'static [Arg],
    given: BTreeMap<&'static str, String>,
}

impl Args {
    /// The usual ones.
    pub fn usual(known: &'static [Arg]) -> Args {
        Args { known, given: BTreeMap::new() }
    }

    /// Gives one; an empty name stands for the first.
    ///
    /// # Errors
    /// There is none of this name, it is given already, or the text is wrong.
    pub fn give(&mut self, name: &str, text: &str) -> Result<(), ArgError> {
        let mut known = self.known.iter();
        let arg = known.find(|arg| name.is_empty() || arg.name == name);
        let arg = arg.ok_or_else(|| match self.known {
            [] => ArgError::None,
            known => ArgError::Unknown {
                name: name.to_owned(),
                known: known.iter().map(|arg| arg.name).collect::<Vec<_>>().join(", "),
            },
        })?;
        if arg.kind.read(text).is_none() {
            let (name, text) = (arg.name, text.to_owned());
            return Err(ArgError::Wrong { name, text, kind: arg.kind });
        }
        match self.given.insert(arg.name, text.to_owned()) {
            None => Ok(()),
            Some(_) => Err(ArgError::Twice { name: arg.name }),
        }
    }

    /// Those that were given, as they were written.
    pub fn given(&self) -> &BTreeMap<&'static str, String> {
        &self.given
    }

    /// All, given or usual, as a person would write them.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.known.iter().map(|arg| (arg.name, self.text(arg)))
    }

    /// A length of time.
    pub fn duration(&self, name: &str) -> Duration {
        Duration::from_nanos(self.number(name) as u64)
    }

    /// A length of time of either sign, in nanoseconds.
    pub fn shift_ns(&self, name: &str) -> i64 {
        self.number(name) as i64
    }

    /// A word.
    pub fn word(&self, name: &str) -> &str {
        self.text(self.arg(name))
    }

    /// Any other amount in its smallest unit: percent, bits a second, bytes, millionths, or a
    /// plain number.
    ///
    /// # Panics
    /// The fault has no argument of this name.
    pub fn number(&self, name: &str) -> f64 {
        let arg = self.arg(name);
        arg.kind.read(self.text(arg)).expect("texts are read when they are given")
    }

    fn arg(&self, name: &str) -> &'static Arg {
        let found = self.known.iter().find(|arg| arg.name == name);
        found.unwrap_or_else(|| panic!("the fault has no argument {name}"))
    }

    fn text(&self, arg: &'static Arg) -> &str {
        self.given.get(arg.name).map_or(arg.usual, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Arg] = &[
        Arg { name: "delay", kind: Kind::Duration, usual: "50ms", about: "" },
        Arg { name: "loss", kind: Kind::Percent, usual: "20%", about: "" },
    ];

    #[test]
    fn amounts_carry_units() {
        let check = |kind: Kind, text: &str, amount: f64| {
            assert_eq!(kind.read(text), Some(amount), "{text}");
        };
        check(Kind::Duration, "1.5s", 1.5e9);
        check(Kind::Duration, "250us", 250e3);
        check(Kind::Shift, "-2m", -120e9);
        check(Kind::Percent, "0.5%", 0.5);
        check(Kind::Rate, "10mbit", 1e7);
        check(Kind::Bytes, "64kb", 65_536.0);
        check(Kind::PartsPerMillion, "-50ppm", -50.0);
        check(Kind::Count, "3", 3.0);
        check(Kind::Word(&["normal", "pareto"]), "pareto", 1.0);
        for (kind, text) in [
            (Kind::Duration, "50"),
            (Kind::Duration, "-1s"),
            (Kind::Duration, "infs"),
            (Kind::Duration, "1e3s"),
            (Kind::Duration, "s"),
            (Kind::Percent, "101%"),
            (Kind::Percent, "5"),
            (Kind::Rate, "0bit"),
            (Kind::Bytes, "64"),
            (Kind::Count, "1.5"),
            (Kind::Count, "0"),
            (Kind::Word(&["normal"]), "norm"),
        ] {
            assert_eq!(kind.read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_given_is_usual_and_the_first_needs_no_name() {
        let mut args = Args::usual(KNOWN);
        args.give("", "10ms").unwrap();
        assert_eq!(args.duration("delay"), Duration::from_millis(10));
        assert_eq!(args.number("loss"), 20.0);
        assert_eq!(args.all().collect::<Vec<_>>(), [("delay", "10ms"), ("loss", "20%")]);
    }

    #[test]
    fn wrong_arguments_are_refused_with_what_is_allowed() {
        let mut args = Args::usual(KNOWN);
        let error = args.give("lag", "1s").unwrap_err().to_string();
        assert!(error.contains("delay, loss"), "{error}");
        let error = args.give("delay", "50").unwrap_err().to_string();
        assert!(error.contains("with its unit"), "{error}");
        args.give("delay", "1s").unwrap();
        assert!(args.give("delay", "1s").unwrap_err().to_string().contains("twice"));
        assert_eq!(Args::usual(&[]).give("", "1s"), Err(ArgError::None));
    }
}
