//! What somebody expects, or claims, of a system.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::cap::Cap;
use crate::class::Class;
use crate::ladder::{Rung, rungs_of_registers};
use crate::txn::levels::LEVELS;

/// What a verdict answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The class is at least that.
    Class(Class),
    /// This consistency model holds.
    Rung(Rung),
    /// This is what the system gives up when it is partitioned.
    Cap(Cap),
}

impl Default for Expectation {
    fn default() -> Expectation {
        Expectation::Class(Class::default())
    }
}

impl From<Class> for Expectation {
    fn from(class: Class) -> Expectation {
        Expectation::Class(class)
    }
}

impl Expectation {
    /// All that can be expected. A word that stands for a class and a model alike is the class's.
    pub fn all() -> Vec<Expectation> {
        let classes = [Class::Linearizable, Class::Eventual, Class::Weak];
        let rungs = rungs_of_registers().filter(|rung| *rung != Rung::Linearizable);
        // One level has the name of a rung.
        let levels = LEVELS.into_iter().filter(|level| *level != Rung::Causal);
        classes
            .into_iter()
            .map(Expectation::Class)
            .chain(rungs.chain(levels).map(Expectation::Rung))
            .chain([Cap::Cp, Cap::Ap, Cap::Ca].map(Expectation::Cap))
            .collect()
    }

    /// The word for it on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Expectation::Class(class) => class.name(),
            Expectation::Rung(rung) => rung.name(),
            Expectation::Cap(Cap::Cp) => "cp",
            Expectation::Cap(Cap::Ap) => "ap",
            Expectation::Cap(Cap::Ca) => "ca",
            Expectation::Cap(Cap::Neither) => "neither",
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word for it.
impl Serialize for Expectation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A word that stands for nothing that can be expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is called {word:?}; there are: {known}")]
pub struct UnknownExpectation {
    word: String,
    known: String,
}

impl FromStr for Expectation {
    type Err = UnknownExpectation;

    fn from_str(word: &str) -> Result<Expectation, UnknownExpectation> {
        let all = Expectation::all();
        all.iter().find(|one| one.name().eq_ignore_ascii_case(word)).copied().ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|one| one.name()).collect();
            UnknownExpectation { word: word.to_owned(), known: known.join(", ") }
        })
    }
}
