//! Accounts between which money moves: every read shows the same total (Jepsen's `bank`, after
//! Fekete, O'Neil and O'Neil, 2004). A wrong one is read skew, or a write that was lost.

use serde_json::{Map, Value, json};

use super::{Check, Finding, Object, Report};
use crate::history::{Datum, Operation};

/// `transfer` of `{"from", "to", "amount"}`, and `read`, answered with the balance of each account
/// by its name. The initial value says what each account held. Without one that is what the first
/// read says: that two reads differ in the total shows an error whichever of them is right. A transfer
/// that says `"overdraft": true` may leave less than nothing.
pub(super) struct Bank;

/// What can be wrong with a read, by Jepsen's name and ours, in the order in which it is looked for.
const KINDS: [(&str, &str); 4] = [
    ("unexpected-key", "unexpected-account"),
    ("nil-balance", "nil-balance"),
    ("wrong-total", "wrong-total"),
    ("negative-value", "negative-balance"),
];

impl Check for Bank {
    fn name(&self) -> &'static str {
        "bank"
    }

    fn operations(&self) -> &'static str {
        "transfer of {\"from\", \"to\", \"amount\"}; read, answered with an object of balances"
    }

    fn is_safety(&self) -> bool {
        true
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["transfer", "read"])?;
        let first = object.ok("read").find_map(|read| match read.result() {
            Datum::Object(balances) => Some(&**balances),
            _ => None,
        });
        let Some(opening) = object.initial.as_object().or(first) else {
            let never = Report::unknown("the accounts were never read");
            return object.ok("read").next().map_or(Ok(never), Err);
        };
        let rules = Rules::of(opening, object);
        let mut wrong: [Vec<(&Operation, String, i128)>; 4] = Default::default();
        for read in object.ok("read") {
            let Datum::Object(balances) = read.result() else { return Err(read) };
            if let Some((kind, why, badness)) = rules.broken_by(balances).map_err(|()| read)? {
                wrong[kind].push((read, why, badness));
            }
        }
        let mut errors = Map::new();
        let mut report = Report::valid();
        for ((jepsen, name), reads) in KINDS.into_iter().zip(&wrong) {
            let Some(((first, why, _), (last, ..))) = reads.first().zip(reads.last()) else {
                continue;
            };
            let worst = reads.iter().max_by_key(|(.., badness)| *badness).unwrap_or(&reads[0]).0;
            let of = |read: &Operation| json!({"index": read.invoked.index, "value": Value::from(read.result())});
            errors.insert(jepsen.to_owned(), json!({"count": reads.len(), "first": of(first), "worst": of(worst), "last": of(last)}));
            report.find(Finding {
                name,
                count: reads.len(),
                witness: vec![first],
                why: why.clone(),
            });
        }
        report.set("read-count", object.ok("read").count());
        report.set("error-count", wrong.iter().map(Vec::len).sum::<usize>());
        report.set("errors", errors);
        Ok(report)
    }
}

/// What has to hold in each read.
struct Rules {
    accounts: Vec<String>,
    total: i128,
    may_be_negative: bool,
}

impl Rules {
    fn of(balances: &Map<String, Value>, object: &Object<'_>) -> Rules {
        let overdraws = |op: &&Operation| match op.argument() {
            Datum::Object(transfer) => transfer.get("overdraft") == Some(&true.into()),
            _ => false,
        };
        Rules {
            may_be_negative: object.options.negative_balances
                || object.operations.iter().any(overdraws),
            accounts: balances.keys().cloned().collect(),
            total: balances.values().filter_map(Value::as_i64).map(i128::from).sum(),
        }
    }

    /// The first kind of mistake in a read, a sentence about it, and how bad it is.
    fn broken_by(
        &self,
        balances: &Map<String, Value>,
    ) -> Result<Option<(usize, String, i128)>, ()> {
        if let Some(stranger) = balances.keys().find(|name| !self.accounts.contains(name)) {
            return Ok(Some((0, format!("there is no account {stranger}"), 1)));
        }
        if let Some(name) =
            self.accounts.iter().find(|name| balances.get(*name).is_none_or(Value::is_null))
        {
            return Ok(Some((1, format!("account {name} has no balance"), 1)));
        }
        let number = |value: &Value| value.as_i64().map(i128::from);
        let numbers: Option<Vec<i128>> = balances.values().map(number).collect();
        let numbers = numbers.ok_or(())?;
        let found: i128 = numbers.iter().sum();
        if found != self.total {
            let why = format!("the total is {found} where it always has to be {}", self.total);
            return Ok(Some((2, why, (found - self.total).abs())));
        }
        Ok(numbers
            .into_iter()
            .min()
            .filter(|least| *least < 0 && !self.may_be_negative)
            .map(|least| (3, format!("a balance is {least}, and none may be below 0"), -least)))
    }
}
