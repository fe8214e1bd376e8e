//! Vocabularies whose calls are lists of steps. A list is a text of numbers with commas between, to
//! which a database appends in one statement.

use serde_json::Value;
use splitbrain_workloads::BoxFuture;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::long_fork::LongFork;
use splitbrain_workloads::objects::wr::RwRegister;
use splitbrain_workloads::transaction::{Action, Step};

use super::{Connection, Datum, InSql, Stop, Transaction};

/// Lists stand in `list`, registers in `steps`.
macro_rules! as_steps {
    ($($vocabulary:ty),*) => {$(
        impl InSql for $vocabulary {
            const SETUP: &'static [&'static str] = &[
                "create table if not exists {list} (k varchar(100) primary key, v text)",
                "create table if not exists {steps} (k varchar(100) primary key, v bigint)",
            ];

            fn reads_only(call: &Vec<Step>) -> bool {
                call.iter().all(|step| step.action == Action::Read)
            }

            fn carry_out<'a, C: Connection>(
                call: &'a Vec<Step>,
                transaction: &'a mut Transaction<C>,
            ) -> BoxFuture<'a, Result<Vec<Step>, Stop>> {
                let is_list = <$vocabulary as splitbrain_workloads::Vocabulary>::NAME
                    == <ListAppend as splitbrain_workloads::Vocabulary>::NAME;
                Box::pin(async move {
                    let mut done = Vec::new();
                    for step in call {
                        done.push(carry_out(step, is_list, transaction).await?);
                    }
                    Ok(done)
                })
            }
        }
    )*};
}

as_steps!(ListAppend, LongFork, RwRegister);

async fn carry_out<C: Connection>(
    step: &Step,
    is_list: bool,
    transaction: &mut Transaction<C>,
) -> Result<Step, Stop> {
    let key: Datum = step.key.to_string().as_str().into();
    let value = match step.action {
        Action::Read => {
            let read = match is_list {
                true => "select v from {list} where k = ?",
                false => "select v from {steps} where k = ?",
            };
            let found = transaction.query(read, &[key]).await?;
            match found.into_iter().flatten().next() {
                Some(Datum::Int(value)) => value.into(),
                Some(Datum::Text(list)) => elements(&list),
                Some(Datum::Null) | None => Value::Null,
            }
        }
        Action::Append => {
            let append = "insert into {list} (k, v) values (?, ?) \
                          {or-set} v = concat({list}.v, ',', {new})";
            let element = step.value.to_string();
            transaction.change(append, &[key, element.as_str().into()]).await?;
            step.value.clone()
        }
        Action::Write => {
            let write = "insert into {steps} (k, v) values (?, ?) {or-set} v = {new}";
            let value = step.value.as_i64().map_or(Datum::Null, Datum::Int);
            transaction.change(write, &[key, value]).await?;
            step.value.clone()
        }
    };
    Ok(Step { value, ..step.clone() })
}

/// The elements of a list; what is no number is taken as it stands.
fn elements(list: &str) -> Value {
    list.split(',').map(|one| one.parse::<i64>().map_or_else(|_| one.into(), Value::from)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_its_elements() {
        assert_eq!(elements("1,12,3"), json!([1, 12, 3]));
        assert_eq!(elements("1,x"), json!([1, "x"]));
    }
}
