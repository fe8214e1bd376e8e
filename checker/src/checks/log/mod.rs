//! Logs to which messages are sent and which are polled (Jepsen's `kafka`): each message has one offset
//! and each offset one message, whoever polls is given all messages in their order, and what was
//! acknowledged is there.
//!
//! As in Jepsen, messages of others between those of one send are counted and allowed: no log promises that
//! sends do not interleave. So is where a consumer goes that subscribed: others take over from it and it
//! from them.

mod anomalies;
mod asked;
mod partition;
mod polls;
mod told;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Object, Report, precedes};
use crate::history::{Completion, NodeId, Operation};
use anomalies::Anomalies;
use asked::{Asked, Asker, assigns};
use partition::{Missing, Partition};
use polls::Consumers;
use told::{Step, steps};

/// So many of them are told.
const CAUSES_MOST: usize = 16;

/// `send` of `[["send", LOG, MESSAGE], ...]`, answered with `[["send", LOG, [OFFSET, MESSAGE]], ...]`;
/// `poll`, answered with `[["poll", {LOG: [[OFFSET, MESSAGE], ...]}]]`; `txn` of both; and `assign` or
/// `subscribe` of `[LOG, ...]`, after which a consumer may begin elsewhere in logs that it had not before. A
/// poll asks for the logs that it names (`["poll", [LOG, ...]]`), else for those that were assigned, else for
/// all, unless logs are assigned in this history at all. A consumer is a process at a node. Jepsen's `crash`
/// and `debug-topic-partitions` say nothing.
pub(super) struct Log;

impl Check for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn operations(&self) -> &'static str {
        "send of [[\"send\", LOG, MESSAGE], ...]; poll, answered with [[\"poll\", {LOG: [[OFFSET, MESSAGE], ...]}]]"
    }

    fn check<'h>(&self, object: &Object<'h>) -> Result<Report<'h>, &'h Operation> {
        object.only(&[
            "send",
            "poll",
            "txn",
            "assign",
            "subscribe",
            "crash",
            "debug-topic-partitions",
        ])?;
        let assigns = object.operations.iter().any(|op| assigns(op));
        let mut logs: BTreeMap<String, Partition<'h>> = BTreeMap::new();
        let mut askers: BTreeMap<(u64, Option<NodeId>), Asker> = BTreeMap::new();
        // Who was given nothing, and who may have been given anything, with what they asked for.
        let [mut emptied, mut silent]: [Vec<(&'h Operation, Asked)>; 2] = Default::default();
        let [mut send_count, mut poll_count] = [0; 2];
        for &op in &object.operations {
            let all = steps(op)?;
            let asker = askers.entry((op.process, op.node()));
            let asker = asker.or_insert_with(|| Asker::new(assigns));
            asker.hear(op, &all);
            for step in &all {
                match step {
                    Step::Send { log, offset, message } => {
                        send_count += 1;
                        logs.entry(log.clone()).or_default().sent(message, *offset, op);
                    }
                    Step::Poll(polled) => {
                        poll_count += 1;
                        for (log, messages) in polled {
                            let log = logs.entry(log.clone()).or_default();
                            for (offset, message) in messages {
                                log.given(message, *offset, op);
                            }
                        }
                    }
                    Step::Silent if op.completion() == Completion::Fail => {}
                    Step::Silent => silent.push((op, asker.asks(op))),
                }
            }
            let is_empty = |of: &(String, Vec<_>)| of.1.is_empty();
            if matches!(&all[..], [Step::Poll(polled)] if polled.iter().all(is_empty)) {
                emptied.push((op, asker.has_all_of(op)));
            }
        }
        let mut found = Anomalies::default();
        let [mut acknowledged, mut unseen_count, mut uncertain] = [0; 3];
        for (name, log) in &logs {
            log.offsets_and_messages(name, &mut found);
            acknowledged += log.acknowledged_count();
            unseen_count += log.unseen().count();
            let end = emptied.iter().rev().find(|(_, asked)| asked.surely(name));
            for Missing { name: kind, send, by, why } in log.missing(name, end.map(|(op, _)| *op)) {
                let mut takers = silent.iter().filter(|(_, asked)| asked.perhaps(name));
                match takers.any(|(poll, _)| !precedes(poll, send)) {
                    true => uncertain += 1,
                    false => found.wrong(kind, vec![send, by], why),
                }
            }
        }
        transactions::judge(&object.operations, &mut found)?;
        let mut consumers =
            Consumers::of(&logs, object.operations.iter().any(|op| op.f() == "subscribe"));
        for &op in &object.operations {
            consumers.hear(op, &steps(op)?, &mut found);
        }
        let mut report = match (poll_count, uncertain) {
            (0, _) => Report::unknown("nothing was polled"),
            (_, 0) => Report::valid(),
            _ => Report::unknown(format!(
                "acknowledged and given to nobody: {uncertain}, which polls that never answered may \
                 have been given"
            )),
        };
        report.set("log-count", logs.len());
        report.set("send-count", send_count);
        report.set("acknowledged-count", acknowledged);
        report.set("poll-count", poll_count);
        report.set("unseen-count", unseen_count);
        report.set("worst-realtime-lag", consumers.worst_lag());
        report.set("info-txn-causes", causes(object));
        found.tell(&mut report);
        Ok(report)
    }
}

/// Why nobody knows what became of operations, each reason once.
fn causes(object: &Object<'_>) -> Vec<String> {
    let unknown = object.operations.iter().filter(|op| op.completion() == Completion::Info);
    let texts = unknown.filter(|op| op.f() != "crash").filter_map(|op| op.error());
    let texts: BTreeSet<&str> = texts.map(|error| error.text.as_str()).collect();
    texts.into_iter().take(CAUSES_MOST).map(str::to_owned).collect()
}
