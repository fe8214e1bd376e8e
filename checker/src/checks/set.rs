//! Sets that only grow and are read whole in the end: what was acknowledged is there, and what is
//! there was added (Jepsen's `set`).

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Check, Finding, Object, Report, elements, precedes, unexplained};
use crate::history::{Datum, Operation};

/// `add` of an element, and `read`, answered with all of them. What counts is what each node
/// answered last in the final phase, or where that was not recorded the last read.
pub(super) struct Set;

impl Check for Set {
    fn name(&self) -> &'static str {
        "set"
    }

    fn operations(&self) -> &'static str {
        "add of an element; read, answered with an array"
    }

    /// A read may see what was being added before it was over; it has to see what was acknowledged, or
    /// seen by another of these reads, before it began.
    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&["add", "read"])?;
        let adds = object.attempts("add");
        let mut reads = object.final_reads();
        if reads.is_empty() {
            reads.extend(object.ok("read").last());
        }
        let Some(last) = reads.last().copied() else {
            return Ok(Report::unknown("the set was never read"));
        };
        let mut there: Vec<(&'h Operation, FxHashSet<&'h Datum>)> = Vec::new();
        for read in &reads {
            there.push((*read, elements(read)?.iter().collect()));
        }
        let initial: Vec<Datum> = object.initial_elements().collect();
        let begins_with: FxHashSet<&Datum> = initial.iter().collect();
        let of = |element: &Datum| adds.get(element).map_or(&[][..], Vec::as_slice);
        let mut shown = Vec::new();
        let mut first_seen: FxHashMap<&Datum, &Operation> = FxHashMap::default();
        for read in &reads {
            for element in elements(read)? {
                shown.push((element, *read));
                let first = first_seen.entry(element).or_insert(read);
                if read.completed() < first.completed() {
                    *first = read;
                }
            }
        }
        let unexpected = unexplained(object, &adds, shown);
        let strange: FxHashSet<&Datum> = unexpected.iter().map(|(element, _)| *element).collect();
        let acknowledged = |element: &Datum, read: &Operation| {
            of(element).iter().copied().find(|add| add.is_ok() && precedes(add, read))
        };
        // It is known by an acknowledgement or by a read that saw it, and a later read misses it.
        let missed = |element: &Datum| {
            there.iter().filter(|(_, set)| !set.contains(element)).find_map(|(read, _)| {
                let seen = first_seen.get(element).copied().filter(|seen| precedes(seen, read));
                let known = acknowledged(element, read).or(seen);
                (known.is_some() || begins_with.contains(element)).then_some((known, *read))
            })
        };
        let candidates = (adds.keys().copied().chain(begins_with.iter().copied()))
            .filter(|element| !strange.contains(element))
            .collect::<FxHashSet<&Datum>>();
        let mut lost: Vec<(&Datum, (Option<&Operation>, &Operation))> = (candidates.into_iter())
            .filter_map(|element| Some((element, missed(element)?)))
            .collect();
        lost.sort_by_cached_key(|(element, _)| {
            (of(element).first().map(|add| add.invoked.index), element.to_string())
        });
        let gone: FxHashSet<&Datum> = lost.iter().map(|(element, _)| *element).collect();
        let stays = || first_seen.keys().filter(|e| !strange.contains(*e) && !gone.contains(*e));
        let mut report = Report::valid();
        report.set("attempt-count", adds.len());
        report.set(
            "acknowledged-count",
            adds.keys().filter(|e| acknowledged(e, last).is_some()).count(),
        );
        report.set("ok-count", stays().count());
        let unanswered =
            |e: &&&Datum| !begins_with.contains(**e) && acknowledged(e, last).is_none();
        report.set("recovered-count", stays().filter(unanswered).count());
        report.list("lost", lost.iter().map(|(element, _)| *element));
        report.list("unexpected", unexpected.iter().map(|(element, _)| *element));
        if let Some((element, (known, read))) = lost.first() {
            let how = match known {
                Some(known) if known.f() == "add" => "its add was acknowledged",
                Some(_) => "it was seen before",
                None => "it was there at first",
            };
            report.find(Finding {
                name: "lost-element",
                count: lost.len(),
                witness: known.iter().copied().chain([*read]).collect(),
                why: format!("{element} is not there, though {how}"),
            });
        }
        if let Some((element, read)) = unexpected.first() {
            report.find(Finding {
                name: "unexpected-element",
                count: unexpected.len(),
                witness: of(element).first().copied().into_iter().chain([*read]).collect(),
                why: format!("no add of {element} can have happened, and it is there"),
            });
        }
        Ok(report)
    }
}
