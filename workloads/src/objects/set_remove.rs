//! Sets from which elements are removed too: elements are added, removed and looked for. A set is the sum of its
//! elements, so each is judged by itself, as a set that it alone can be in.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use super::{Load, Settings, Workload};
use crate::generator::{Context, Generator, Invocation, Probes, Repeat};
use crate::keys::{self, AFTER, MAIN, Names, Pool};
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `set-remove`.
pub const WORKLOAD: Workload = Workload {
    name: "set-remove",
    about: "Elements that are added to a set, removed from it and looked for.",
    load: |settings| Box::new(Elements { settings: settings.clone() }),
};

/// An element that is in the set or is not.
pub struct Element;

/// The element as it stands in a history; the key tells one from another.
const ELEMENT: i64 = 1;

/// A call on one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which element.
    pub key: String,
    /// What to do with it.
    pub action: Action,
}

/// What to do with an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look whether it is there.
    Read,
    /// Put it in, there or not.
    Add,
    /// Take it out, there or not.
    Remove,
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ret {
    /// Whether it is there.
    There(bool),
    /// It is in, or out, now.
    Done,
}

impl Vocabulary for Element {
    const NAME: &'static str = "set-element";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let action = match f {
            "read" if value.is_null() => Some(Action::Read),
            "add" if *value == ELEMENT => Some(Action::Add),
            "remove" if *value == ELEMENT => Some(Action::Remove),
            _ => None,
        };
        key.zip(action).map(|(key, action)| Call { key: key.to_owned(), action }).ok_or_else(|| {
            Malformed {
                found: format!("{f} {value} of key {key:?}"),
                expected: "a key and read null, add 1 or remove 1",
            }
        })
    }

    fn encode(_: &Call, ret: Ret) -> Value {
        match ret {
            Ret::There(true) => json!([ELEMENT]),
            Ret::There(false) => json!([]),
            Ret::Done => ELEMENT.into(),
        }
    }
}

struct Elements {
    settings: Settings,
}

impl Elements {
    fn operations(&self, names: &'static Names) -> Box<dyn Generator> {
        let mut elements = Pool::new(names, &self.settings);
        Box::new(Repeat(move |ctx: &mut Context| operation(&mut elements, ctx)))
    }
}

impl Load for Elements {
    fn vocabulary(&self) -> &'static str {
        Element::NAME
    }

    fn model(&self) -> &'static str {
        "set-full"
    }

    fn heeds(&self) -> &'static [&'static str] {
        keys::SETTINGS
    }

    fn main(&mut self) -> Box<dyn Generator> {
        self.operations(&MAIN)
    }

    fn after(&mut self) -> Box<dyn Generator> {
        self.operations(&AFTER)
    }

    fn probes(&self, after: bool) -> Option<Probes> {
        Some(keys::probes(after))
    }

    fn finals(&self, keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        keys::finals(keys, converge_within)
    }
}

/// Draws an operation from the seed alone, so that it fixes the whole schedule.
fn operation(elements: &mut Pool<()>, ctx: &mut Context) -> Invocation {
    let probed = elements.probed(ctx).map(str::to_owned);
    let key = probed.unwrap_or_else(|| elements.ordinary(ctx).name.clone());
    let node = ctx.rng.random_range(0..ctx.nodes);
    let (f, value) = match ctx.rng.random_range(0..10) {
        0..6 => ("read", Value::Null),
        6..8 => ("add", ELEMENT.into()),
        _ => ("remove", ELEMENT.into()),
    };
    let mut invocation = Invocation::new(f, key, value);
    invocation.node = Some(node);
    invocation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_returns_are_written_as_sets_with_removal_are() {
        let check = |f: &str, value: Value, action: Action, ret: Ret, expect: Value| {
            let call = Element::decode(f, Some("k"), &value).unwrap();
            assert_eq!(call, Call { key: "k".into(), action });
            assert_eq!(Element::encode(&call, ret), expect);
        };
        check("read", Value::Null, Action::Read, Ret::There(true), json!([1]));
        check("read", Value::Null, Action::Read, Ret::There(false), json!([]));
        check("add", json!(1), Action::Add, Ret::Done, json!(1));
        check("remove", json!(1), Action::Remove, Ret::Done, json!(1));
        for (f, key, value) in [
            ("add", None, json!(1)),
            ("add", Some("k"), json!(2)),
            ("contains", Some("k"), json!(1)),
        ] {
            assert!(Element::decode(f, key, &value).is_err(), "{f} {value}");
        }
    }
}
