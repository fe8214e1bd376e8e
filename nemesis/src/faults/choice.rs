//! A fault as a person asks for it: `NAME` or `NAME:TARGETS`.

use std::fmt;
use std::str::FromStr;

use super::{ALL, Fault, Targets};

/// A fault and the nodes that it is to hit.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The fault.
    pub fault: &'static Fault,
    /// Whom to hit.
    pub targets: Targets,
}

/// Why a text names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// There is no fault of this name.
    #[error("there is no fault {name:?}; there are {}", names())]
    Unknown {
        /// The name.
        name: String,
    },
    /// The fault does not let one choose nodes.
    #[error("the fault {name} takes no targets")]
    NoTargets {
        /// The fault.
        name: &'static str,
    },
    /// A node that is asked to be hit is not there.
    #[error("there is no node {node:?} to be hit by {name}")]
    NoSuchNode {
        /// The fault.
        name: &'static str,
        /// The name that no node has.
        node: String,
    },
}

/// The fault with this name or alias.
pub fn find(name: &str) -> Option<&'static Fault> {
    ALL.iter().copied().find(|fault| fault.name == name || fault.aliases.contains(&name))
}

fn names() -> String {
    ALL.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", ")
}

impl Choice {
    /// Looks whether the nodes that are named are there.
    ///
    /// # Errors
    /// One is not.
    pub fn check(&self, nodes: &[String]) -> Result<(), ChoiceError> {
        match self.targets.unknown(nodes) {
            None => Ok(()),
            Some(node) => {
                Err(ChoiceError::NoSuchNode { name: self.fault.name, node: node.to_owned() })
            }
        }
    }
}

impl FromStr for Choice {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Choice, ChoiceError> {
        let (name, targets) = match text.split_once(':') {
            Some((name, targets)) => (name, Targets::parse(targets)),
            None => (text, Targets::Usual),
        };
        let fault = find(name).ok_or_else(|| ChoiceError::Unknown { name: name.to_owned() })?;
        if targets != Targets::Usual && !fault.takes_targets {
            return Err(ChoiceError::NoTargets { name: fault.name });
        }
        Ok(Choice { fault, targets })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.targets {
            Targets::Usual => f.write_str(self.fault.name),
            targets => write!(f, "{}:{targets}", self.fault.name),
        }
    }
}
