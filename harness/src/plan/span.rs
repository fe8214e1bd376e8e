//! Durations with their unit: `250ms`, `30s`, `2m`, `1h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration that is always written with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// So many milliseconds.
    pub const fn from_ms(ms: u64) -> Span {
        Span(Duration::from_millis(ms))
    }

    /// In whole milliseconds.
    pub fn ms(self) -> u64 {
        self.0.as_millis() as u64
    }

    /// In nanoseconds.
    pub fn ns(self) -> u64 {
        self.0.as_nanos() as u64
    }
}

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let wrong =
            || format!("{text:?} is not a duration; write a number with its unit: 250ms, 30s, 2m");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let (_, unit_ms) =
            UNITS.iter().find(|(unit, _)| *unit == &text[digits.len()..]).ok_or_else(wrong)?;
        let number: f64 = digits.parse().map_err(|_| wrong())?;
        let ms = number * *unit_ms as f64;
        // A year is more than any run needs, and far from where arithmetic could overflow.
        if !(0.0..=3.2e10).contains(&ms) {
            return Err(wrong());
        }
        Ok(Span::from_ms(ms.round() as u64))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ms() {
            ms if ms % 1_000 == 0 => write!(f, "{}s", ms / 1_000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_units() {
        for (text, ms) in
            [("250ms", 250), ("30s", 30_000), ("1.5s", 1_500), ("2m", 120_000), ("0s", 0)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.ms(), ms);
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
        for text in ["30", "s", "", "-1s", "1 s", "nans", "infs", "1e300s", "5d", "12µ", "1s2"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
