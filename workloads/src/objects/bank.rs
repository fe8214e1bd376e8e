//! Accounts between which money moves (Jepsen's bank): every read shows the same total.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Map, Value, json};

use super::{Load, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::keys;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `bank`.
pub const WORKLOAD: Workload = Workload {
    name: "bank",
    about: "Transfers between accounts, and reads of all of them at once.",
    load: |_| Box::new(Transfers),
};

/// Accounts, all of which are there from the beginning.
pub struct Bank;

/// How many accounts there are, called `0`, `1`, ...
pub const ACCOUNTS: usize = 8;
/// What each of them holds at first.
pub const OPENING_BALANCE: i64 = 10;
const MOST: i64 = 5;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Return all balances.
    Read,
    /// Move money, if there is enough; otherwise
    /// [`splitbrain_checker::history::ErrorKind::Mismatch`].
    Transfer {
        /// Whose it was.
        from: String,
        /// Whose it becomes.
        to: String,
        /// How much.
        amount: i64,
    },
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// The balance of each account.
    Balances(Map<String, Value>),
    /// The money has moved.
    Done,
}

impl Vocabulary for Bank {
    const NAME: &'static str = "bank";
    type Call = Call;
    type Ret = Ret;

    fn decode(f: &str, _key: Option<&str>, value: &Value) -> Result<Call, Malformed> {
        let transfer = || {
            let name = |field: &str| value[field].as_str().map(str::to_owned);
            let amount = value["amount"].as_i64()?;
            Some(Call::Transfer { from: name("from")?, to: name("to")?, amount })
        };
        let call = match f {
            "read" => Some(Call::Read),
            "transfer" => transfer(),
            _ => None,
        };
        call.ok_or_else(|| Malformed {
            found: format!("{f} {value}"),
            expected: "read null or transfer {\"from\", \"to\", \"amount\"}",
        })
    }

    fn encode(call: &Call, ret: Ret) -> Value {
        match (call, ret) {
            (_, Ret::Balances(balances)) => balances.into(),
            (Call::Transfer { from, to, amount }, Ret::Done) => {
                json!({"from": from, "to": to, "amount": amount})
            }
            (Call::Read, Ret::Done) => Value::Null,
        }
    }
}

struct Transfers;

fn operations() -> Box<dyn Generator> {
    Box::new(Repeat(|ctx: &mut Context| {
        let mut invocation = if ctx.rng.random_bool(0.5) {
            Invocation::keyless("read", Value::Null)
        } else {
            let from = ctx.rng.random_range(0..ACCOUNTS);
            let to = (from + ctx.rng.random_range(1..ACCOUNTS)) % ACCOUNTS;
            let amount = ctx.rng.random_range(1..=MOST);
            let call = Call::Transfer { from: from.to_string(), to: to.to_string(), amount };
            Invocation::keyless("transfer", Bank::encode(&call, Ret::Done))
        };
        invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
        invocation
    }))
}

impl Load for Transfers {
    fn vocabulary(&self) -> &'static str {
        Bank::NAME
    }

    fn initial(&self) -> Value {
        let account = |at: usize| (at.to_string(), OPENING_BALANCE.into());
        (0..ACCOUNTS).map(account).collect::<Map<String, Value>>().into()
    }

    fn main(&mut self) -> Box<dyn Generator> {
        operations()
    }

    fn finals(&self, _keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        keys::finals_of_one(converge_within)
    }
}
