//! Sequential consistency of one client's writes: who sees a later one sees all before it (the
//! `sequential` workload of Jepsen's CockroachDB tests).

use super::{Check, Finding, Object, Report, elements};
use crate::history::{Datum, Operation};

/// `write`, by which a client writes the parts of the object one after another, and `read`, which
/// reads them from the last to the first and is answered with an array: null for each that is not
/// there.
pub(super) struct Sequential;

impl Check for Sequential {
    fn name(&self) -> &'static str {
        "sequential"
    }

    fn operations(&self) -> &'static str {
        "write; read, answered with an array of all parts, the last first, or null for a part"
    }

    fn is_safety(&self) -> bool {
        true
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["write", "read"])?;
        let [mut all, mut some, mut none] = [0; 3];
        let mut bad = Vec::new();
        for read in object.ok("read") {
            let parts = elements(read)?;
            let there = parts.iter().filter(|part| !part.is_null()).count();
            all += usize::from(there == parts.len());
            none += usize::from(there == 0);
            some += usize::from(there > 0 && there < parts.len());
            if parts.iter().skip_while(|part| part.is_null()).any(Datum::is_null) {
                bad.push(read);
            }
        }
        let mut report = Report::valid();
        report.set("all-count", all);
        report.set("some-count", some);
        report.set("none-count", none);
        report.set("bad-count", bad.len());
        report.set(
            "bad",
            bad.iter()
                .take(48)
                .map(|read| read.result().into())
                .collect::<Vec<serde_json::Value>>(),
        );
        if let Some(read) = bad.first() {
            report.find(Finding {
                name: "trailing-gap",
                count: bad.len(),
                witness: vec![read],
                why: "a later part was there, and one before it was not, although the later was \
                      looked for first"
                    .to_owned(),
            });
        }
        Ok(report)
    }
}
