//! Clients of the bundled store's bank. An account that nobody has touched yet holds what it was to be
//! opened with.

use serde_json::Value;
use splitbrain_workloads::objects::bank::{Bank, Call, Ret, opening};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};

use super::client::StoreClient;
use super::transactions::step;

/// Knows what each account is opened with.
pub struct Teller {
    store: StoreClient,
    opened: Vec<(String, i64)>,
}

impl Teller {
    /// Of accounts that hold `initial` at first.
    pub fn new(store: StoreClient, initial: &Value) -> Teller {
        Teller { store, opened: opening(initial) }
    }

    async fn read(&self) -> Result<Ret, OpError> {
        let accounts = self.opened.iter();
        let steps = accounts.map(|(account, _)| step("r", account, Value::Null)).collect();
        let found = self.store.transact(steps).await?.into_iter();
        let balance = |((account, opened), found): (&(String, i64), Value)| {
            (account.clone(), if found.is_null() { (*opened).into() } else { found })
        };
        Ok(Ret::Balances(self.opened.iter().zip(found).map(balance).collect()))
    }
}

impl Client<Bank> for Teller {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let Call::Transfer { from, to, amount, overdraft } = call else {
                return Ok(self.read().await?.into());
            };
            let both = self.opened.iter().filter(|(account, _)| [from, to].contains(&account));
            let opens = both.map(|(account, held)| step("init", account, *held));
            let take = match overdraft {
                true => step("add", from, -amount),
                false => step("debit", from, *amount),
            };
            let moves = [take, step("add", to, *amount)];
            self.store.transact(opens.chain(moves).collect()).await?;
            Ok(Ret::Done.into())
        })
    }
}
