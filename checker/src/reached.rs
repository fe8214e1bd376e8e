//! How far the operations of a violation can be explained.

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::Value;

use crate::history::{Datum, Operation};
use crate::linearizable::live::{self, unexplained};
use crate::linearizable::{Call, RegisterOp, ValueId};

/// More ways than this are not told.
const TOLD: usize = 4;

/// The last moment up to which some order explains every answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// The operation, by the index of its invocation, whose answer nothing explains.
    pub unexplained: u64,
    /// What can be the case just before that answer, in no particular order.
    pub configurations: Vec<Configuration>,
    /// The answers before it, in their order.
    pub steps: Vec<Step>,
}

/// An answer that can still be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The operation, by the index of its invocation.
    pub answered: u64,
    /// What can be the case just after, in no particular order.
    pub configurations: Vec<Configuration>,
}

/// One way in which everything before can have happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// What the register holds.
    pub holds: Value,
    /// Open operations, by the indices of their invocations, that must still take effect.
    pub to_come: Vec<u64>,
}

impl Reached {
    /// Of a register that began as `initial`, and operations that are a violation by themselves.
    pub(crate) fn of(initial: &Datum, operations: &[&Operation]) -> Option<Reached> {
        let mut values = vec![initial];
        let mut ids = FxHashMap::from_iter([(initial, ValueId(0))]);
        let mut id = |value| {
            *ids.entry(value).or_insert_with(|| {
                values.push(value);
                ValueId(values.len() as u32 - 1)
            })
        };
        let ops: Vec<RegisterOp> = operations
            .iter()
            .map(|operation| {
                let call = match operation.f() {
                    "write" => Call::Write(id(operation.argument())),
                    "cas" => Call::Cas(id(&operation.argument()[0]), id(&operation.argument()[1])),
                    _ => Call::Read(id(operation.result())),
                };
                let returned = operation.completed().filter(|_| operation.is_ok());
                let returned = returned.map(|moment| moment.index);
                RegisterOp { call, invoked: operation.invoked.index, returned }
            })
            .collect();
        let index = |at: usize| operations[at].invoked.index;
        let found = unexplained(ValueId(0), &ops)?;
        let configuration = |reached: &live::Reached| Configuration {
            holds: values[reached.state.0 as usize].into(),
            to_come: reached.to_come.iter().map(|at| index(*at)).collect(),
        };
        let all = |ways: &[live::Reached]| ways.iter().map(configuration).collect();
        let step =
            |(at, ways): &(usize, Vec<_>)| Step { answered: index(*at), configurations: all(ways) };
        Some(Reached {
            unexplained: index(found.op),
            configurations: all(&found.reached),
            steps: found.answered.iter().map(step).collect(),
        })
    }

    /// The same in a sentence, if there is little to say.
    pub(crate) fn sentence(&self) -> Option<String> {
        let Reached { unexplained, configurations, .. } = self;
        if configurations.len() > TOLD {
            return None;
        }
        let ways = configurations.iter().map(|Configuration { holds, to_come }| {
            match to_come.iter().filter(|index| *index != unexplained).collect::<Vec<_>>() {
                open if open.is_empty() => holds.to_string(),
                open => format!("{holds} with {open:?} still to take effect"),
            }
        });
        let ways: Vec<String> = ways.collect();
        Some(format!(
            "until the answer to event {unexplained} all can be explained: the register then holds \
             {}; none of that allows the answer",
            ways.join(", or ")
        ))
    }
}
