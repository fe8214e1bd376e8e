//! Names of functions in a byte.

use std::borrow::Cow;

use super::Symbol;

/// Those of the vocabularies.
const KNOWN: [&str; 19] = [
    "read",
    "write",
    "cas",
    "get",
    "put",
    "append",
    "add",
    "remove",
    "enqueue",
    "dequeue",
    "push",
    "pop",
    "insert",
    "delete-min",
    "contains",
    "txn",
    "transfer",
    "acquire",
    "release",
];

/// The name of a function, if it is one of those that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function(u8);

impl Function {
    pub const OTHER: Function = Function(u8::MAX);

    pub fn of(name: &str) -> Function {
        match name {
            // The most frequent ones at once.
            "read" => Function(0),
            "write" => Function(1),
            _ => {
                let known = KNOWN.iter().position(|known| *known == name);
                known.map_or(Function::OTHER, |at| Function(at as u8))
            }
        }
    }

    /// `None` if it is none of those that are known.
    pub fn name(self) -> Option<&'static str> {
        KNOWN.get(usize::from(self.0)).copied()
    }

    /// The name as a symbol; `other` is that of a function that is not known.
    pub fn symbol(self, other: &str) -> Symbol {
        self.name().map_or_else(|| Cow::Owned(other.to_owned()), Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_kept() {
        for name in KNOWN.into_iter().chain(["", "reads", "swap"]) {
            assert_eq!(Function::of(name).symbol(name), name);
            assert_eq!(Function::of(name).name().is_some(), KNOWN.contains(&name));
        }
    }
}
