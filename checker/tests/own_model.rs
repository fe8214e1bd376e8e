//! A model that a user of the library wrote: an odometer, which can only be advanced and read.

use splitbrain_checker::history::{History, Operation};
use splitbrain_checker::linearizable::Budget;
use splitbrain_checker::models::{Model, NoSuchOperation, Outcome, Values, check};

struct Odometer;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Op {
    Advance,
    Read(u64),
}

impl Model for Odometer {
    type Op = Op;
    type State = u64;
    type Next = Option<u64>;

    fn name(&self) -> &'static str {
        "odometer"
    }

    fn op(
        &self,
        operation: &Operation,
        answered: bool,
        _: &mut Values,
    ) -> Result<Option<Op>, NoSuchOperation> {
        match operation.f() {
            "advance" => Ok(Some(Op::Advance)),
            "read" if !answered => Ok(None),
            "read" => {
                operation.result().as_u64().map(|seen| Some(Op::Read(seen))).ok_or(NoSuchOperation)
            }
            _ => Err(NoSuchOperation),
        }
    }

    fn init(&self) -> u64 {
        0
    }

    fn step(&self, miles: &u64, op: &Op) -> Option<u64> {
        match op {
            Op::Advance => Some(miles + 1),
            Op::Read(seen) => (seen == miles).then_some(*miles),
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Read(_))
    }
}

/// Two advances, of which the second never returned, and a read after them.
fn linearizable(seen: &str) -> bool {
    let text = format!(
        r#"{{"process":0,"type":"invoke","f":"advance","time":1}}
{{"process":0,"type":"ok","f":"advance","time":2}}
{{"process":1,"type":"invoke","f":"advance","time":3}}
{{"process":2,"type":"invoke","f":"read","value":null,"time":4}}
{{"process":2,"type":"ok","f":"read","value":{seen},"time":5}}"#
    );
    let history = History::read(text.as_bytes()).unwrap();
    let keys = check(&Odometer, &history, &Budget::default()).unwrap();
    keys.iter().all(|key| matches!(key.outcome, Outcome::Linearizable))
}

#[test]
fn is_checked_like_one_of_ours() {
    assert!(linearizable("1"), "the open advance has not happened yet");
    assert!(linearizable("2"), "it has");
    assert!(!linearizable("0"), "the first had returned");
    assert!(!linearizable("3"), "there were only two");
}
