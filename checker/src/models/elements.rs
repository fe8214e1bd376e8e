//! What queues and stacks have in common: elements are put in and taken out.

use rustc_hash::FxHashSet;

use super::sweep::{Lives, Order};
use super::{Answer, Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::{Datum, Operation};

/// An element: the number of its value, or the value itself where that is a number whose size
/// matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Element(pub i64);

/// What was done with the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// This one was put in.
    Put(Element),
    /// This one was taken out.
    Take(Element),
    /// There was none to take.
    Empty,
    /// One may have been taken out, if there was one; nobody learnt which.
    TakeUnknown,
}

/// A container of elements: it differs from others in its names, and in which element comes out.
pub trait Container: Sync {
    /// The containers that there may be after an operation.
    type Next: IntoIterator<Item = Elements>;

    /// Its name as a model.
    const NAME: &'static str;
    /// The names of putting in and taking out.
    const VERBS: [&'static str; 2];
    /// What can be done with it, in words.
    const OPERATIONS: &'static str;
    /// In which order elements come out.
    const ORDER: Order;

    /// What an operation leaves of these elements, if it is possible at all.
    fn step(&self, elements: &Elements, op: &Op) -> Self::Next;

    /// An element by its value.
    ///
    /// # Errors
    /// If the container cannot hold it.
    fn of_value(value: &Datum, values: &mut Values) -> Result<Element, NoSuchOperation> {
        Ok(Element(values.id(value).0.into()))
    }
}

/// Elements in an order that is the container's own affair.
pub type Elements = Box<[Element]>;

impl<C: Container> Model for C {
    type Op = Op;
    type State = Elements;
    type Next = C::Next;

    fn name(&self) -> &'static str {
        C::NAME
    }

    fn operations(&self) -> &'static str {
        C::OPERATIONS
    }

    /// An answer of null to taking says that there was nothing to take.
    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        let [put, take] = C::VERBS;
        let f = operation.f();
        Ok(Some(if f == put {
            Op::Put(C::of_value(operation.argument(), values)?)
        } else if f != take {
            return Err(NoSuchOperation);
        } else if !answered {
            Op::TakeUnknown
        } else if operation.result().is_null() {
            Op::Empty
        } else {
            Op::Take(C::of_value(operation.result(), values)?)
        }))
    }

    fn init(&self) -> Elements {
        Elements::default()
    }

    fn step(&self, elements: &Elements, op: &Op) -> C::Next {
        Container::step(self, elements, op)
    }

    fn is_read(&self, op: &Op) -> bool {
        *op == Op::Empty
    }

    fn needless(&self, ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
        needless(ops, among)
    }

    /// Without one of its elements a run is a run still, since the others keep their order.
    fn element(&self, op: &Op) -> Option<Element> {
        match op {
            Op::Put(value) | Op::Take(value) => Some(*value),
            Op::Empty | Op::TakeUnknown => None,
        }
    }

    fn shortcut(&self, ops: &[Timed<Op>]) -> Option<Shortcut> {
        Some(Shortcut {
            procedure: "sweep: every element was put in once",
            answer: Answer::whole(Lives::of(ops)?.decide(C::ORDER)?),
        })
    }

    fn heap_bytes(&self, elements: &Elements) -> usize {
        size_of_val(&**elements)
    }
}

/// Elements that were put in and that no answer shows; who took one without learning which need not
/// have done so.
fn needless(ops: &[Timed<Op>], among: &[usize]) -> Vec<usize> {
    let taken: FxHashSet<Element> = ops
        .iter()
        .filter_map(|op| match op.op {
            Op::Take(value) => Some(value),
            _ => None,
        })
        .collect();
    let untaken = |at: &usize| matches!(ops[*at].op, Op::Put(value) if !taken.contains(&value));
    among.iter().copied().filter(untaken).collect()
}
