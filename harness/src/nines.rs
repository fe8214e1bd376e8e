//! Availability as people say it: a number of nines, and the downtime that it allows.
//!
//! The arithmetic is kept in *unavailability*, the part of the time in which a system is down,
//! because that is the small number of the two and nothing of it is lost.

mod measured;

use std::fmt;
use std::str::FromStr;

pub use measured::Measured;
use serde::{Serialize, Serializer};

/// Seconds of a mean Gregorian year: 365.2425 days.
const YEAR_S: f64 = 365.2425 * DAY_S;
const DAY_S: f64 = 86_400.0;

/// The periods for which downtime is told, and their seconds. A month is a twelfth of a year.
pub const PERIODS: [(&str, f64); 4] =
    [("year", YEAR_S), ("month", YEAR_S / 12.0), ("week", 7.0 * DAY_S), ("day", DAY_S)];

/// The part of the time in which a system serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Availability {
    /// Between 0 and 1.
    down: f64,
}

impl Availability {
    /// Of a system that was down for this part of the time; `None` unless between 0 and 1.
    pub fn of_unavailability(down: f64) -> Option<Availability> {
        (0.0..=1.0).contains(&down).then_some(Availability { down })
    }

    /// Of a system that needs all of these: their product.
    pub fn in_sequence(parts: impl IntoIterator<Item = Availability>) -> Availability {
        // 1 - (1 - a)(1 - b) = a + b - ab, without the loss of digits that the left side has.
        let down = parts.into_iter().fold(0.0, |all, part| all + part.down - all * part.down);
        Availability { down }
    }

    /// Of a system that needs any one of these: all of them have to be down together.
    pub fn in_parallel(parts: impl IntoIterator<Item = Availability>) -> Availability {
        Availability { down: parts.into_iter().map(|part| part.down).product() }
    }

    /// The part of the time in which it is down, between 0 and 1.
    pub fn unavailability(self) -> f64 {
        self.down
    }

    /// How many nines: 3 for 99.9 %, 3.3 for 99.95 %; `None` if it is never down.
    pub fn nines(self) -> Option<f64> {
        (self.down > 0.0).then(|| -self.down.log10())
    }

    /// Seconds down in a period of so many seconds.
    pub fn downtime_s(self, period_s: f64) -> f64 {
        self.down * period_s
    }
}

/// In per cent, with as many digits as tell it from always.
impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let down_percent = self.down * 100.0;
        // Four digits of the unavailability, wherever they begin.
        let digits = match down_percent {
            0.0 => 0,
            down => (3 - down.log10().floor() as i32).clamp(0, 15) as usize,
        };
        let percent = format!("{:.digits$}", 100.0 - down_percent);
        let short = match percent.contains('.') {
            true => percent.trim_end_matches('0').trim_end_matches('.'),
            false => &percent,
        };
        write!(f, "{short}%")
    }
}

impl FromStr for Availability {
    type Err = String;

    fn from_str(text: &str) -> Result<Availability, String> {
        let wrong = || {
            format!(
                "'{text}' is not an availability: a number of per cent from 0 to 100, such as 99.9"
            )
        };
        let digits = text.trim().trim_end_matches('%').trim_end();
        let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        let percent: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
        Availability::of_unavailability((100.0 - percent) / 100.0).ok_or_else(wrong)
    }
}

impl Serialize for Availability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(100.0 - self.down * 100.0)
    }
}

/// A length of time as people write it: `8h 45m 57s`, `4m 23s`, `8.6s`, `86.4ms`; a tenth of the
/// last unit at most.
pub fn length(seconds: f64) -> String {
    let tenths = |value: f64| format!("{value:.1}").trim_end_matches(".0").to_owned();
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    for (unit, scale) in [("us", 1e6), ("ms", 1e3)] {
        if seconds * scale < 999.95 {
            return format!("{}{unit}", tenths(seconds * scale));
        }
    }
    // Rounded first, so that no part shows 60; what takes hours is told in whole seconds.
    let steps = if seconds < 3599.95 { 10.0 } else { 1.0 };
    let rounded = (seconds * steps).round() / steps;
    let (days, rest) = ((rounded / DAY_S).floor(), rounded % DAY_S);
    let (hours, rest) = ((rest / 3600.0).floor(), rest % 3600.0);
    let (minutes, rest) = ((rest / 60.0).floor(), rest % 60.0);
    let mut parts = vec![(days, "d"), (hours, "h"), (minutes, "m")];
    parts.retain(|(count, _)| *count > 0.0);
    let mut text: String = parts.iter().map(|(count, unit)| format!("{count:.0}{unit} ")).collect();
    text += &format!("{}s", tenths(rest));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn availability(percent: &str) -> Availability {
        percent.parse().unwrap()
    }

    #[track_caller]
    fn downtime(percent: &str, year: &str, month: &str, week: &str, day: &str) {
        let one = availability(percent);
        let told = PERIODS.map(|(_, period_s)| length(one.downtime_s(period_s)));
        assert_eq!(told, [year, month, week, day], "{percent}");
    }

    #[test]
    fn downtime_is_that_of_the_usual_table() {
        downtime("99.9", "8h 45m 57s", "43m 49.7s", "10m 4.8s", "1m 26.4s");
        // The table that is copied everywhere has 1m 5s for the week: 604800 s / 10000 = 60.48 s.
        downtime("99.99", "52m 35.7s", "4m 23s", "1m 0.5s", "8.6s");
        downtime("100", "0s", "0s", "0s", "0s");
        downtime("0", "365d 5h 49m 12s", "30d 10h 29m 6s", "7d 0s", "1d 0s");
        downtime("99.9999999", "31.6ms", "2.6ms", "604.8us", "86.4us");
    }

    #[test]
    fn sequences_multiply_and_parallels_multiply_what_is_missing() {
        let three = availability("99.9");
        let both = Availability::in_sequence([three, three]);
        assert_eq!(both.to_string(), "99.8001%");
        assert_eq!(format!("{:.1}", 100.0 - both.unavailability() * 100.0), "99.8");
        assert_eq!(Availability::in_parallel([three, three]).to_string(), "99.9999%");
        assert_eq!(Availability::in_parallel([three; 4]).to_string(), "99.9999999999%");
        assert_eq!(Availability::in_sequence([availability("0"), three]).to_string(), "0%");
        assert_eq!(Availability::in_sequence([availability("100"), three]).to_string(), "99.9%");
    }

    #[test]
    fn nines_are_counted() {
        let nines =
            |percent| availability(percent).nines().map(|nines| (nines * 10.0).round() / 10.0);
        assert_eq!(nines("99.9"), Some(3.0));
        assert_eq!(nines("99.95%"), Some(3.3));
        assert_eq!(nines("90"), Some(1.0));
        assert_eq!(nines("100"), None);
    }

    #[test]
    fn lengths_never_show_sixty() {
        assert_eq!(length(59.96), "1m 0s");
        assert_eq!(length(3599.97), "1h 0s");
        assert_eq!(length(0.99999), "1s");
        assert_eq!(length(0.0432), "43.2ms");
    }

    #[test]
    fn what_is_no_availability_is_refused() {
        for wrong in ["", "x", "-1", "100.1", "NaN", "inf", "1e2", "99,9", "99.9.9"] {
            assert!(wrong.parse::<Availability>().is_err(), "{wrong}");
        }
    }
}
