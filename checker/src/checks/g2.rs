//! Anti-dependency cycles over predicates: of transactions that each insert a row if they find none
//! with its key, at most one succeeds (Adya's G2, as Jepsen's `adya` looks for it).

use serde_json::Value;

use super::{Check, Finding, Object, Report};
use crate::history::Operation;

/// `insert` of a row into one of several tables, if none of them has a row with that key.
pub(super) struct G2;

impl Check for G2 {
    fn name(&self) -> &'static str {
        "g2"
    }

    fn operations(&self) -> &'static str {
        "insert of a row under a key, such as [1, null] or [null, 2]"
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["insert"])?;
        let inserted: Vec<&Operation> = object.ok("insert").collect();
        let is_illegal = inserted.len() > 1;
        let mut report = Report::valid();
        report.set("key-count", 1);
        report.set("legal-count", u64::from(inserted.len() == 1));
        report.set("illegal-count", u64::from(is_illegal));
        let rows = inserted.iter().filter(|_| is_illegal).map(|op| op.argument().into());
        report.set("illegal", rows.collect::<Vec<Value>>());
        if let [first, second, ..] = inserted[..] {
            report.find(Finding {
                name: "predicate-write-skew",
                count: 1,
                witness: vec![first, second],
                why: "each found no row with this key and inserted one, so each came before the \
                      other"
                    .to_owned(),
            });
        }
        Ok(report)
    }
}
