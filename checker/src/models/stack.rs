//! A stack: the element that came in last goes out first.

use super::elements::{Container, Elements, Op};
use super::sweep::Order;

/// `push` and `pop`; a pop that is answered with null found the stack empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stack;

/// The top last.
impl Container for Stack {
    type Next = Option<Elements>;

    const NAME: &'static str = "stack";
    const VERBS: [&'static str; 2] = ["push", "pop"];
    const OPERATIONS: &'static str =
        "push of an element; pop, answered with one, or with null if there is none";
    const ORDER: Order = Order::LastInFirstOut;

    fn step(&self, stack: &Elements, op: &Op) -> Option<Elements> {
        match (op, stack.split_last()) {
            (Op::Put(value), _) => Some([stack, &[*value][..]].concat().into()),
            (Op::Take(value), Some((top, rest))) if value == top => Some(rest.into()),
            (Op::TakeUnknown, Some((_, rest))) => Some(rest.into()),
            (Op::Empty | Op::TakeUnknown, None) => Some(Elements::default()),
            (Op::Take(_) | Op::Empty, _) => None,
        }
    }
}
