//! A lock that gives each holder a token, which a later holder's exceeds.

use rustc_hash::FxHashMap;

use super::alternate::{self, Turn};
use super::{Model, NoSuchOperation, Shortcut, Timed, Values};
use crate::history::{Datum, Operation};

/// `acquire`, answered with a token, a whole number, and `release`, of a token or of whatever was
/// held. Tokens grow from holder to holder, so that whoever was fenced off can be told by its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct FencedMutex;

/// What was done with the lock; a token that is not known is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The free lock was taken.
    Acquire(Option<u64>),
    /// The held lock was freed, by the holder of this token.
    Release(Option<u64>),
}

/// The holder and the tokens so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    held: bool,
    /// The last token is not less than this, and is this if it is known; -1 before the first, and
    /// wide enough for one more than any token.
    at_least: i128,
    is_known: bool,
}

impl Model for FencedMutex {
    type Op = Op;
    type State = State;
    type Next = Option<State>;

    fn name(&self) -> &'static str {
        "fenced-mutex"
    }

    fn operations(&self) -> &'static str {
        "acquire, answered with a whole number; release of that, or of null"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        _values: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        let token = |value: &Datum| match value {
            Datum::Null => Ok(None),
            value => value.as_u64().map(Some).ok_or(NoSuchOperation),
        };
        match operation.f() {
            "acquire" if answered => Ok(Some(Op::Acquire(token(operation.result())?))),
            "acquire" => Ok(Some(Op::Acquire(None))),
            "release" => Ok(Some(Op::Release(token(operation.argument())?))),
            _ => Err(NoSuchOperation),
        }
    }

    fn init(&self) -> State {
        State { held: false, at_least: -1, is_known: false }
    }

    fn step(&self, state: &State, op: &Op) -> Option<State> {
        match *op {
            Op::Acquire(Some(token)) => {
                let token = i128::from(token);
                let grows = token > state.at_least;
                let held = State { held: true, at_least: token, is_known: true };
                (!state.held && grows).then_some(held)
            }
            Op::Acquire(None) => (!state.held).then(|| State {
                held: true,
                at_least: state.at_least + 1,
                is_known: false,
            }),
            Op::Release(token) => {
                let token = token.map(i128::from);
                let fits = token.is_none_or(|token| match state.is_known {
                    true => token == state.at_least,
                    false => token >= state.at_least,
                });
                let at_least = token.unwrap_or(state.at_least);
                let is_known = state.is_known || token.is_some();
                (state.held && fits).then_some(State { held: false, at_least, is_known })
            }
        }
    }

    fn is_read(&self, _op: &Op) -> bool {
        false
    }

    fn shortcut(&self, ops: &[Timed<Op>]) -> Option<Shortcut> {
        let fits = |op: &Timed<Op>| match op.op {
            Op::Acquire(token) => token.is_some(),
            Op::Release(token) => token.is_none(),
        };
        ops.iter().all(fits).then(|| Shortcut {
            procedure: "turns: in the order of the tokens",
            answer: alternate::decide(ops, turn, |op| match op {
                Op::Acquire(token) => *token,
                Op::Release(_) => None,
            }),
        })
    }

    fn witness(&self, ops: &[Timed<Op>], at: Option<usize>) -> Option<Vec<usize>> {
        out_of_order(ops).or_else(|| alternate::too_many(ops, turn, at?))
    }
}

/// Two operations that happened, whose tokens contradict each other: two acquisitions with the same
/// one, or an acquisition or release with one that is too small after what came before. Tokens grow
/// whatever else happened, so the two are a violation by themselves. Ascending.
fn out_of_order(ops: &[Timed<Op>]) -> Option<Vec<usize>> {
    let token = |at: usize| match ops[at].op {
        Op::Acquire(token) | Op::Release(token) => token.filter(|_| ops[at].returned.is_some()),
    };
    let mut invoked: Vec<usize> = (0..ops.len()).filter(|at| token(*at).is_some()).collect();
    let mut completed = invoked.clone();
    invoked.sort_unstable_by_key(|at| ops[*at].invoked);
    completed.sort_unstable_by_key(|at| ops[*at].deadline());
    let mut completed = completed.into_iter().peekable();
    let mut greatest: Option<usize> = None;
    let mut acquired: FxHashMap<u64, usize> = FxHashMap::default();
    let ascending = |one: usize, other: usize| Some(vec![one.min(other), one.max(other)]);
    for at in invoked {
        while let Some(before) = completed.next_if(|op| ops[*op].deadline() < ops[at].invoked) {
            greatest =
                greatest.filter(|greatest| token(*greatest) >= token(before)).or(Some(before));
        }
        let is_acquired = matches!(ops[at].op, Op::Acquire(_));
        if let Some(greatest) = greatest
            && (token(greatest) > token(at) || is_acquired && token(greatest) == token(at))
        {
            return ascending(greatest, at);
        }
        if let Some(token) = token(at).filter(|_| is_acquired)
            && let Some(other) = acquired.insert(token, at)
        {
            return ascending(other, at);
        }
    }
    None
}

fn turn(op: &Op) -> Turn {
    match op {
        Op::Acquire(_) => Turn::Acquire,
        Op::Release(_) => Turn::Release,
    }
}
