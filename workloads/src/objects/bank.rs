//! Accounts between which money moves (Jepsen's bank): every read shows the same total.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Map, Value, json};

use super::{ACCOUNTS, Load, MAX_TRANSFER, NEGATIVE_BALANCES, Settings, TOTAL, Workload};
use crate::generator::{Context, Generator, Invocation, Repeat};
use crate::keys;
use crate::vocabulary::{Malformed, Vocabulary};

/// The workload `bank`.
pub const WORKLOAD: Workload = Workload {
    name: "bank",
    about: "Transfers between accounts, and reads of all of them at once.",
    load: |settings| Box::new(Transfers::new(settings)),
};

/// Accounts, called `0`, `1`, ... and all there from the beginning: clients open them with what
/// [`Load::initial`] says.
pub struct Bank;

/// Jepsen's usual figures.
const USUAL_ACCOUNTS: usize = 8;
const USUAL_TOTAL: i64 = 100;
const USUAL_MAX_TRANSFER: i64 = 5;

/// What each account holds at first, by its name, as [`Load::initial`] says it.
pub fn opening(initial: &Value) -> Vec<(String, i64)> {
    let balances = initial.as_object().into_iter().flatten();
    balances.map(|(account, held)| (account.clone(), held.as_i64().unwrap_or(0))).collect()
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Return all balances.
    Read,
    /// Move money, if there is enough or overdrafts are allowed; otherwise
    /// [`splitbrain_checker::history::ErrorKind::Mismatch`].
    Transfer {
        /// Whose it was.
        from: String,
        /// Whose it becomes.
        to: String,
        /// How much.
        amount: i64,
        /// Whether it may leave less than nothing.
        overdraft: bool,
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
            let overdraft = value["overdraft"] == true;
            Some(Call::Transfer { from: name("from")?, to: name("to")?, amount, overdraft })
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
            (Call::Transfer { from, to, amount, overdraft: false }, Ret::Done) => {
                json!({"from": from, "to": to, "amount": amount})
            }
            (Call::Transfer { from, to, amount, overdraft: true }, Ret::Done) => {
                json!({"from": from, "to": to, "amount": amount, "overdraft": true})
            }
            (Call::Read, Ret::Done) => Value::Null,
        }
    }
}

#[derive(Clone, Copy)]
struct Transfers {
    accounts: usize,
    total: i64,
    most: i64,
    overdraft: bool,
}

impl Transfers {
    fn new(settings: &Settings) -> Transfers {
        Transfers {
            accounts: settings.accounts.unwrap_or(USUAL_ACCOUNTS).max(2),
            total: settings.total.unwrap_or(USUAL_TOTAL),
            most: settings.max_transfer.unwrap_or(USUAL_MAX_TRANSFER).max(1),
            overdraft: settings.negative_balances,
        }
    }

    fn operation(self, ctx: &mut Context) -> Invocation {
        let mut invocation = if ctx.rng.random_bool(0.5) {
            Invocation::keyless("read", Value::Null)
        } else {
            let from = ctx.rng.random_range(0..self.accounts);
            let to = (from + ctx.rng.random_range(1..self.accounts)) % self.accounts;
            let [from, to] = [from, to].map(|account| account.to_string());
            let amount = ctx.rng.random_range(1..=self.most);
            let call = Call::Transfer { from, to, amount, overdraft: self.overdraft };
            Invocation::keyless("transfer", Bank::encode(&call, Ret::Done))
        };
        invocation.node = Some(ctx.rng.random_range(0..ctx.nodes));
        invocation
    }
}

impl Load for Transfers {
    fn vocabulary(&self) -> &'static str {
        Bank::NAME
    }

    fn heeds(&self) -> &'static [&'static str] {
        &[ACCOUNTS, TOTAL, MAX_TRANSFER, NEGATIVE_BALANCES]
    }

    /// The total in even shares; what is left over is one more for each of the first accounts.
    fn initial(&self) -> Value {
        let accounts = self.accounts as i64;
        let share = |at: i64| self.total / accounts + i64::from(at < self.total % accounts);
        let account = |at: i64| (at.to_string(), share(at).into());
        (0..accounts).map(account).collect::<Map<String, Value>>().into()
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let this = *self;
        Box::new(Repeat(move |ctx: &mut Context| this.operation(ctx)))
    }

    fn finals(&self, _keys: Vec<String>, converge_within: Duration) -> Box<dyn Generator> {
        keys::finals_of_one(converge_within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(accounts: Option<usize>, total: Option<i64>) -> Value {
        let settings = Settings { accounts, total, ..Settings::default() };
        Transfers::new(&settings).initial()
    }

    #[test]
    fn the_total_is_there_from_the_beginning() {
        assert_eq!(shares(Some(3), Some(11)), json!({"0": 4, "1": 4, "2": 3}));
        assert_eq!(shares(Some(3), Some(1)), json!({"0": 1, "1": 0, "2": 0}));
        let usual = opening(&shares(None, None));
        assert_eq!((usual.len(), usual.iter().map(|(_, held)| held).sum()), (8, 100));
    }

    #[test]
    fn a_transfer_says_whether_it_may_overdraw() {
        for value in [
            json!({"from": "0", "to": "1", "amount": 3}),
            json!({"from": "0", "to": "1", "amount": 3, "overdraft": true}),
        ] {
            let call = Bank::decode("transfer", None, &value).unwrap();
            assert_eq!(Bank::encode(&call, Ret::Done), value);
        }
    }
}
