//! A fault as a person asks for it: `NAME[:TARGETS][@ARGUMENT=VALUE[+ARGUMENT=VALUE...]]`.

use std::fmt;
use std::str::FromStr;

use super::{ALL, ArgError, Args, Fault, Takes, Targets};

/// A fault, whom it is to hit, and what else it is told.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The fault.
    pub fault: &'static Fault,
    /// Whom to hit.
    pub targets: Targets,
    /// What else it is told.
    pub args: Args,
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
    /// The fault does not let one choose whom to hit, or not in this way.
    #[error("the fault {name} takes no {what}")]
    NoTargets {
        /// The fault.
        name: &'static str,
        /// What it does not take.
        what: &'static str,
    },
    /// A node that is asked to be hit is not there.
    #[error("there is no node {node:?} to be hit by {name}; there are {nodes}")]
    NoSuchNode {
        /// The fault.
        name: &'static str,
        /// The name that no node has.
        node: String,
        /// The names that nodes have.
        nodes: String,
    },
    /// What it was told is wrong.
    #[error("the fault {name}: {source}")]
    Arg {
        /// The fault.
        name: &'static str,
        /// Why.
        source: ArgError,
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
    /// A fault as it usually is.
    pub fn usual(fault: &'static Fault) -> Choice {
        Choice { fault, targets: Targets::Usual, args: Args::usual(fault.args) }
    }

    /// The fault of this name as it usually is.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Choice, ChoiceError> {
        let fault = find(name).ok_or_else(|| ChoiceError::Unknown { name: name.to_owned() })?;
        Ok(Choice::usual(fault))
    }

    /// Says whom it is to hit.
    ///
    /// # Errors
    /// It does not let one say so.
    pub fn hitting(self, targets: Targets) -> Result<Choice, ChoiceError> {
        let what = match (self.fault.takes, &targets) {
            (_, Targets::Usual) | (Takes::Links, _) => None,
            (Takes::Nothing, _) => Some("targets"),
            (Takes::Nodes, Targets::Links(_)) => Some("links as targets, but nodes"),
            (Takes::Nodes, _) => None,
        };
        match what {
            Some(what) => Err(ChoiceError::NoTargets { name: self.fault.name, what }),
            None => Ok(Choice { targets, ..self }),
        }
    }

    /// Tells it something; an empty name stands for its first argument.
    ///
    /// # Errors
    /// See [`ArgError`].
    pub fn told(mut self, name: &str, value: &str) -> Result<Choice, ChoiceError> {
        let fault = self.fault.name;
        let told = self.args.give(name, value);
        told.map_err(|source| ChoiceError::Arg { name: fault, source })?;
        Ok(self)
    }

    /// Looks whether the nodes that are named are there.
    ///
    /// # Errors
    /// One is not.
    pub fn check(&self, nodes: &[String]) -> Result<(), ChoiceError> {
        let missing = |node: &str| ChoiceError::NoSuchNode {
            name: self.fault.name,
            node: node.to_owned(),
            nodes: nodes.join(", "),
        };
        self.targets.unknown(nodes).map_or(Ok(()), |node| Err(missing(node)))
    }
}

impl FromStr for Choice {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Choice, ChoiceError> {
        let (text, told) = text.split_once('@').map_or((text, None), |(t, args)| (t, Some(args)));
        let (name, targets) = match text.split_once(':') {
            Some((name, targets)) => (name, Targets::parse(targets)),
            None => (text, Targets::Usual),
        };
        let choice = Choice::named(name)?.hitting(targets)?;
        told.into_iter().flat_map(|args| args.split('+')).try_fold(choice, |choice, arg| {
            let (name, value) = arg.split_once('=').unwrap_or(("", arg));
            choice.told(name, value)
        })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.name)?;
        if self.targets != Targets::Usual {
            write!(f, ":{}", self.targets)?;
        }
        for (mark, (name, value)) in
            ["@"].iter().chain(std::iter::repeat(&"+")).zip(self.args.given())
        {
            write!(f, "{mark}{name}={value}")?;
        }
        Ok(())
    }
}
