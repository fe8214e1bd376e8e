//! What the vocabularies say of one object or of a table, in SQL.

use serde_json::Value;
use splitbrain_workloads::BoxFuture;
use splitbrain_workloads::objects::bank::{self, Bank};
use splitbrain_workloads::objects::causal::{self, Causal};
use splitbrain_workloads::objects::causal_reverse::{self, Table};
use splitbrain_workloads::objects::counter::{self, Counter};
use splitbrain_workloads::objects::g2::{self, Insertion};
use splitbrain_workloads::objects::monotonic::{self, Tables};
use splitbrain_workloads::objects::register::{self, Action, Register};
use splitbrain_workloads::objects::set::{self, Set};
use splitbrain_workloads::objects::set_remove::{self, Element};

use super::{Connection, Datum, InSql, Row, Stop, Transaction};

const OTHER_VALUE: Stop = Stop::Mismatch("another value was found");

/// A value as it stands in a history.
fn value(datum: Datum) -> Value {
    match datum {
        Datum::Null => Value::Null,
        Datum::Int(number) => number.into(),
        Datum::Text(text) => text.into(),
    }
}

/// The values of all rows, in one.
fn values(rows: Vec<Row>) -> Vec<Value> {
    rows.into_iter().flatten().map(value).collect()
}

/// The only number of the first row.
fn number(rows: &[Row]) -> Option<i64> {
    match rows.first()?.first()? {
        Datum::Int(number) => Some(*number),
        _ => None,
    }
}

const REGISTERS: &str =
    "create table if not exists {register} (k varchar(100) primary key, v bigint)";
const READ: &str = "select v from {register} where k = ?";
const WRITE: &str = "insert into {register} (k, v) values (?, ?) {or-set} v = {new}";

impl InSql for Register {
    const SETUP: &'static [&'static str] = &[REGISTERS];

    fn reads_only(call: &register::Call) -> bool {
        call.action == Action::Read
    }

    fn carry_out<'a, C: Connection>(
        register::Call { key, action }: &'a register::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<register::Ret, Stop>> {
        let key: Datum = key.as_str().into();
        Box::pin(async move {
            match action {
                Action::Read => {
                    let found = transaction.query(READ, &[key]).await?;
                    Ok(register::Ret::Found(number(&found)))
                }
                Action::Write(value) => {
                    transaction.change(WRITE, &[key, value.into()]).await?;
                    Ok(register::Ret::Done)
                }
                Action::Cas { old, new } => {
                    let cas = "update {register} set v = ? where k = ? and v = ?";
                    match transaction.change(cas, &[new.into(), key, old.into()]).await? {
                        0 => Err(OTHER_VALUE),
                        _ => Ok(register::Ret::Done),
                    }
                }
            }
        })
    }
}

impl InSql for Causal {
    const SETUP: &'static [&'static str] = &[REGISTERS];

    fn reads_only(call: &causal::Call) -> bool {
        call.write.is_none()
    }

    fn carry_out<'a, C: Connection>(
        causal::Call { key, write }: &'a causal::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<Option<Value>, Stop>> {
        let key: Datum = key.as_str().into();
        Box::pin(async move {
            match *write {
                None => {
                    let found = transaction.query(READ, &[key]).await?;
                    Ok(Some(values(found).pop().unwrap_or_default()))
                }
                Some(value) => {
                    transaction.change(WRITE, &[key, value.into()]).await?;
                    Ok(None)
                }
            }
        })
    }
}

/// An element is there if its row is.
impl InSql for Element {
    const SETUP: &'static [&'static str] =
        &["create table if not exists {element} (k varchar(100) primary key)"];

    fn reads_only(call: &set_remove::Call) -> bool {
        call.action == set_remove::Action::Read
    }

    fn carry_out<'a, C: Connection>(
        set_remove::Call { key, action }: &'a set_remove::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<set_remove::Ret, Stop>> {
        use set_remove::{Action, Ret};
        let key: [Datum; 1] = [key.as_str().into()];
        let change = match action {
            Action::Read => None,
            Action::Add => Some("insert into {element} (k) values (?) {or-leave}"),
            Action::Remove => Some("delete from {element} where k = ?"),
        };
        Box::pin(async move {
            let Some(change) = change else {
                let found = transaction.query("select k from {element} where k = ?", &key).await?;
                return Ok(Ret::There(!found.is_empty()));
            };
            transaction.change(change, &key).await?;
            Ok(Ret::Done)
        })
    }
}

/// Rows of numbers that have a key each, for sets and for tables that grow.
const MEMBERS: &str =
    "create table if not exists {member} (k varchar(100), e bigint, primary key (k, e))";

/// Adds a member, or returns all.
async fn members<C: Connection>(
    key: &str,
    add: Option<i64>,
    transaction: &mut Transaction<C>,
) -> Result<Option<Vec<Value>>, Stop> {
    let key: Datum = key.into();
    let Some(member) = add else {
        let rows = transaction.query("select e from {member} where k = ?", &[key]).await?;
        return Ok(Some(values(rows)));
    };
    let insert = "insert into {member} (k, e) values (?, ?) {or-leave}";
    transaction.change(insert, &[key, member.into()]).await?;
    Ok(None)
}

impl InSql for Set {
    const SETUP: &'static [&'static str] = &[MEMBERS];

    fn reads_only(call: &set::Call) -> bool {
        call.add.is_none()
    }

    fn carry_out<'a, C: Connection>(
        call: &'a set::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<Option<Vec<Value>>, Stop>> {
        Box::pin(members(&call.key, call.add, transaction))
    }
}

impl InSql for Table {
    const SETUP: &'static [&'static str] = &[MEMBERS];

    fn reads_only(call: &causal_reverse::Call) -> bool {
        call.insert.is_none()
    }

    fn carry_out<'a, C: Connection>(
        call: &'a causal_reverse::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<Option<Vec<Value>>, Stop>> {
        Box::pin(members(&call.key, call.insert.map(|row| row as i64), transaction))
    }
}

impl InSql for Counter {
    const SETUP: &'static [&'static str] =
        &["create table if not exists {counter} (k varchar(100) primary key, v bigint)"];

    fn reads_only(call: &counter::Call) -> bool {
        *call == counter::Call::Read
    }

    fn carry_out<'a, C: Connection>(
        call: &'a counter::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<Option<i64>, Stop>> {
        let read = "select v from {counter} where k = 'sum'";
        let add = "insert into {counter} (k, v) values ('sum', ?) {or-set} v = {counter}.v + {new}";
        Box::pin(async move {
            match *call {
                counter::Call::Read => {
                    Ok(Some(number(&transaction.query(read, &[]).await?).unwrap_or(0)))
                }
                counter::Call::Add(by) => {
                    transaction.change(add, &[by.into()]).await?;
                    Ok(None)
                }
            }
        })
    }
}

/// A transfer looks at both balances and writes what they become, as programs do that think in
/// objects, so that it shows if another transaction changed them meanwhile.
impl InSql for Bank {
    const SETUP: &'static [&'static str] =
        &["create table if not exists {account} (k varchar(100) primary key, v bigint)"];

    fn opening(initial: &Value) -> Option<String> {
        let row = |(account, held): (String, i64)| format!("('{account}', {held})");
        let rows: Vec<String> = bank::opening(initial).into_iter().map(row).collect();
        Some(format!("insert into {{account}} (k, v) values {} {{or-leave}}", rows.join(", ")))
    }

    fn reads_only(call: &bank::Call) -> bool {
        *call == bank::Call::Read
    }

    fn carry_out<'a, C: Connection>(
        call: &'a bank::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<bank::Ret, Stop>> {
        Box::pin(async move {
            let bank::Call::Transfer { from, to, amount, overdraft } = call else {
                let rows = transaction.query("select k, v from {account}", &[]).await?;
                let balance = |row: Row| {
                    let mut row = row.into_iter();
                    match (row.next(), row.next()) {
                        (Some(Datum::Text(account)), Some(balance)) => {
                            Some((account, value(balance)))
                        }
                        _ => None,
                    }
                };
                return Ok(bank::Ret::Balances(rows.into_iter().filter_map(balance).collect()));
            };
            let mut balances = [0; 2];
            for (account, balance) in [from, to].into_iter().zip(&mut balances) {
                let read = "select v from {account} where k = ?";
                let found = transaction.query(read, &[account.as_str().into()]).await?;
                *balance = number(&found).ok_or(Stop::Mismatch("there is no such account"))?;
            }
            if balances[0] < *amount && !overdraft {
                return Err(Stop::Mismatch("there is not enough money"));
            }
            let after = [(from, balances[0] - amount), (to, balances[1] + amount)];
            for (account, balance) in after {
                let write = "update {account} set v = ? where k = ?";
                transaction.change(write, &[balance.into(), account.as_str().into()]).await?;
            }
            Ok(bank::Ret::Done)
        })
    }
}

/// Two numbers that are the same in one table are told by its key.
impl InSql for Tables {
    const SETUP: &'static [&'static str] = &[
        "create table if not exists {number0} (n bigint primary key)",
        "create table if not exists {number1} (n bigint primary key)",
    ];

    fn reads_only(call: &monotonic::Call) -> bool {
        *call == monotonic::Call::Read
    }

    fn carry_out<'a, C: Connection>(
        call: &'a monotonic::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<monotonic::Ret, Stop>> {
        Box::pin(async move {
            let monotonic::Call::Add { table } = call else {
                let mut all = Vec::new();
                for read in ["select n from {number0}", "select n from {number1}"] {
                    all.extend(values(transaction.query(read, &[]).await?));
                }
                return Ok(monotonic::Ret::All(all));
            };
            let mut greatest = 0;
            for look in ["select max(n) from {number0}", "select max(n) from {number1}"] {
                let found = transaction.query(look, &[]).await?;
                greatest = greatest.max(number(&found).unwrap_or(0));
            }
            let insert = match table {
                0 => "insert into {number0} (n) values (?)",
                _ => "insert into {number1} (n) values (?)",
            };
            transaction.change(insert, &[(greatest + 1).into()]).await?;
            Ok(monotonic::Ret::Added(greatest + 1))
        })
    }
}

impl InSql for Insertion {
    const SETUP: &'static [&'static str] = &[
        "create table if not exists {row0} (k varchar(100), id bigint, primary key (k, id))",
        "create table if not exists {row1} (k varchar(100), id bigint, primary key (k, id))",
    ];

    fn reads_only(_: &g2::Call) -> bool {
        false
    }

    fn carry_out<'a, C: Connection>(
        g2::Call { key, table, id }: &'a g2::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<(), Stop>> {
        let key: Datum = key.as_str().into();
        Box::pin(async move {
            for look in ["select id from {row0} where k = ?", "select id from {row1} where k = ?"] {
                if !transaction.query(look, std::slice::from_ref(&key)).await?.is_empty() {
                    return Err(Stop::Mismatch("there is a row with this key"));
                }
            }
            let insert = match table {
                0 => "insert into {row0} (k, id) values (?, ?)",
                _ => "insert into {row1} (k, id) values (?, ?)",
            };
            transaction.change(insert, &[key, (*id).into()]).await?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_account_is_opened_with_what_the_workload_says() {
        let opened = Bank::opening(&json!({"0": 4, "1": 3}));
        let rows = "insert into {account} (k, v) values ('0', 4), ('1', 3) {or-leave}";
        assert_eq!(opened.as_deref(), Some(rows));
    }
}
