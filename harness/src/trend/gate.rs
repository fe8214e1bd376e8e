//! Conditions under which a night is not good enough: `rto_p95 > 10s`, `class < linearizable`.

use std::str::FromStr;

use splitbrain_checker::Class;

use super::Night;
use super::measure::{Metric, rank};
use crate::plan::Span;

/// One condition.
#[derive(Clone, Debug)]
pub struct Gate {
    text: String,
    metric: Metric,
    compare: Compare,
    than: f64,
}

type Compare = fn(&f64, &f64) -> bool;

/// The longer ones first, since the shorter ones begin them.
const COMPARISONS: [(&str, Compare); 6] = [
    ("<=", f64::le),
    (">=", f64::ge),
    ("==", f64::eq),
    ("!=", f64::ne),
    ("<", f64::lt),
    (">", f64::gt),
];

/// What a gate says of a night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The condition holds, so the night fails.
    Fails,
    /// It does not.
    Passes,
    /// What it asks for was not measured.
    NotMeasured,
}

impl Gate {
    /// What it says of a night.
    pub fn ask(&self, night: &Night) -> Answer {
        match night.measured.figure(self.metric) {
            None => Answer::NotMeasured,
            Some(figure) if (self.compare)(&figure, &self.than) => Answer::Fails,
            Some(_) => Answer::Passes,
        }
    }

    /// It as it was written, with what the night has instead.
    pub fn told(&self, night: &Night) -> String {
        let measured = night.measured.shown(self.metric);
        format!("{} {}: {} (it is {measured})", night.target, night.workload, self.text)
    }

    /// It as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Gate, String> {
        let names: Vec<&str> = Metric::ALL.iter().map(|(name, _)| *name).collect();
        let wrong = |what: &str| {
            format!(
                "{text:?}: {what}; write METRIC < VALUE (also <=, >, >=, ==, !=) with a metric of {}",
                names.join(", ")
            )
        };
        let at = text.find(['<', '>', '=', '!']).ok_or_else(|| wrong("it compares nothing"))?;
        let (name, rest) = (text[..at].trim(), &text[at..]);
        let (_, metric) = Metric::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| wrong(&format!("there is no metric {name:?}")))?;
        let (symbol, compare) = COMPARISONS
            .into_iter()
            .find(|(symbol, _)| rest.starts_with(symbol))
            .ok_or_else(|| wrong("it compares in no known way"))?;
        let value = rest[symbol.len()..].trim();
        let than = match metric {
            Metric::Class => {
                let classes = [Class::Corrupt, Class::Weak, Class::Eventual, Class::Linearizable];
                let class = classes.into_iter().find(|class| class.name() == value);
                class.map(rank).ok_or_else(|| {
                    wrong("the classes are corrupt, weak, eventual and linearizable")
                })?
            }
            time if time.is_time() => {
                value.parse::<Span>().map_err(|error| wrong(&error))?.ms() as f64
            }
            Metric::Success => match value.strip_suffix('%') {
                Some(percent) => number(percent).map(|percent| percent / 100.0),
                None => number(value),
            }
            .ok_or_else(|| wrong("a share is 99.9% or 0.999"))?,
            _ => number(value).ok_or_else(|| wrong("it needs a number"))?,
        };
        Ok(Gate { text: text.trim().to_owned(), metric, compare, than })
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
