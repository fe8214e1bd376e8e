//! A queue that gives out its least element first.

use super::elements::{Container, Element, Elements, Op};
use super::sweep::Order;
use super::{NoSuchOperation, Values};
use crate::history::Datum;

/// `insert` of whole numbers and `delete-min`; one that is answered with null found the queue
/// empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct PriorityQueue;

/// In ascending order; an element may be there more than once.
impl Container for PriorityQueue {
    type Next = Option<Elements>;

    const NAME: &'static str = "priority-queue";
    const VERBS: [&'static str; 2] = ["insert", "delete-min"];
    const OPERATIONS: &'static str =
        "insert of a whole number; delete-min, answered with one, or with null if there is none";
    const ORDER: Order = Order::LeastFirst;

    fn step(&self, queue: &Elements, op: &Op) -> Option<Elements> {
        match (op, queue.split_first()) {
            (Op::Put(element), _) => {
                let (less, more) = queue.split_at(queue.partition_point(|e| e <= element));
                Some([less, &[*element], more].concat().into())
            }
            (Op::Take(element), Some((least, rest))) if element == least => Some(rest.into()),
            (Op::TakeUnknown, Some((_, rest))) => Some(rest.into()),
            (Op::Empty | Op::TakeUnknown, None) => Some(Elements::default()),
            (Op::Take(_) | Op::Empty, _) => None,
        }
    }

    fn of_value(value: &Datum, _: &mut Values) -> Result<Element, NoSuchOperation> {
        value.as_i64().map(Element).ok_or(NoSuchOperation)
    }
}
