//! The steps of a transaction, such as `[["append","x",3],["r","x",[1,2,3]]]`, in few bytes.
//!
//! A history has millions of elements in the lists that were read, so a step is a row of bytes: what
//! it does, its key, and its value. What is equal has equal bytes, so that lists are compared, and
//! looked for at the beginnings of others, without a look at their elements.

mod atom;
mod write;

pub use atom::{Atom, AtomOwned};
pub(in crate::history) use write::Writer;

use serde_json::{Value, json};

/// The bytes that begin a value that is a list.
pub(super) const LIST: u8 = 0xe3;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// `r`: what it found is its value; null in an invocation.
    Read,
    /// `w`: the value is the register's new one.
    Write,
    /// `append`: the value is a new last element of the list.
    Append,
}

impl Action {
    /// The name in a history.
    pub fn name(self) -> &'static str {
        match self {
            Action::Read => "r",
            Action::Write => "w",
            Action::Append => "append",
        }
    }

    fn named(name: &str) -> Option<Action> {
        [Action::Read, Action::Write, Action::Append].into_iter().find(|one| one.name() == name)
    }
}

/// One access of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// What it does.
    pub action: Action,
    /// The object.
    pub key: Atom<'a>,
    /// What was written or read.
    pub content: Content<'a>,
}

/// The value of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A single one.
    One(Atom<'a>),
    /// A list of these.
    List(Elements<'a>),
}

impl Content<'_> {
    /// Whether it is null.
    pub fn is_null(self) -> bool {
        matches!(self, Content::One(atom) if atom.is_null())
    }

    /// As JSON.
    pub fn value(self) -> Value {
        match self {
            Content::One(atom) => atom.value(),
            Content::List(elements) => elements.iter().map(Atom::value).collect(),
        }
    }
}

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements<'a> {
    count: u32,
    bytes: &'a [u8],
}

impl<'a> Elements<'a> {
    /// How many there are.
    pub fn len(self) -> u32 {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// One after another.
    pub fn iter(self) -> impl Iterator<Item = Atom<'a>> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || (!rest.is_empty()).then(|| Atom::take(&mut rest)))
    }

    /// Whether the other list begins with this one.
    pub fn begins(self, other: Elements<'_>) -> bool {
        other.bytes.starts_with(self.bytes)
    }

    /// The bytes of the elements, for whoever compares parts of them.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }
}

/// The steps of one transaction, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Steps(Box<[u8]>);

impl Steps {
    /// One after another.
    pub fn iter(&self) -> impl Iterator<Item = Step<'_>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (action, after) = rest.split_first()?;
            rest = after;
            let action = match action {
                0 => Action::Read,
                1 => Action::Write,
                _ => Action::Append,
            };
            let key = Atom::take(&mut rest);
            let content = match rest.split_first() {
                Some((&LIST, after)) => {
                    rest = after;
                    let mut number = || Atom::take(&mut rest).natural().unwrap_or_default();
                    let (count, length) = (number() as u32, number() as usize);
                    let (bytes, after) = rest.split_at(length);
                    rest = after;
                    Content::List(Elements { count, bytes })
                }
                _ => Content::One(Atom::take(&mut rest)),
            };
            Some(Step { action, key, content })
        })
    }

    /// The steps that a JSON value stands for; `None` if it stands for something else.
    pub(super) fn of(elements: &[Value]) -> Option<Steps> {
        let mut writer = Writer::default();
        for step in elements {
            let [Value::String(action), key, value] = step.as_array()?.as_slice() else {
                return None;
            };
            writer.step(Action::named(action)?);
            writer.atom(key);
            match value {
                Value::Array(list) => {
                    let list_writer = writer.begin_list();
                    list.iter().for_each(|element| writer.atom(element));
                    writer.end_list(list_writer, list.len() as u32);
                }
                one => writer.atom(one),
            }
        }
        writer.finish()
    }

    /// As JSON.
    pub fn value(&self) -> Value {
        let step =
            |step: Step<'_>| json!([step.action.name(), step.key.value(), step.content.value()]);
        self.iter().map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steps(value: &Value) -> Option<Steps> {
        Steps::of(value.as_array().expect("an array"))
    }

    #[test]
    fn nothing_is_lost() {
        for value in [
            json!([["r", "x", null]]),
            json!([["append", 3, 1], ["r", 3, []], ["w", "", [null, 1.5, -3, true, "a", [1, {}]]]]),
            json!([["r", [1, 2], {"a": [1]}], ["w", {}, "é"], ["r", null, "x".repeat(300)]]),
            json!([["r", 191, [191, 192, 255, 256, 4095, 4096, 65_535, u64::MAX, i64::MIN, 1.0]]]),
        ] {
            assert_eq!(steps(&value).expect("steps").value(), value);
        }
    }

    #[test]
    fn what_is_no_transaction_is_none() {
        for value in
            [json!([]), json!([["r", 1]]), json!([["q", 1, 2]]), json!([1, 2]), json!([[]])]
        {
            assert_eq!(steps(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn equal_bytes_are_equal_values(one in list(), other in list()) {
            let of = |list: &Vec<Value>| steps(&json!([["r", 0, list]])).expect("steps");
            let (first, second) = (of(&one), of(&other));
            prop_assert_eq!(first == second, one == other);
            let list = |steps: &'_ Steps| match steps.iter().next().expect("a step").content {
                Content::List(elements) => (elements.len(), elements.bytes().to_vec()),
                Content::One(_) => unreachable!("a list was written"),
            };
            let ((_, short), (count, long)) = (list(&first), list(&second));
            prop_assert_eq!(long.starts_with(&short), other.starts_with(&one));
            prop_assert_eq!(count as usize, other.len());
        }
    }

    fn list() -> impl Strategy<Value = Vec<Value>> {
        let element = prop_oneof![
            (0_u64..3).prop_map(Value::from),
            (190_u64..194).prop_map(Value::from),
            (-2_i64..2).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
            Just(Value::Null),
            Just(json!([0, 1])),
        ];
        prop::collection::vec(element, 0..4)
    }
}
