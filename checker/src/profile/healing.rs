//! Convergence: how long after a partition had healed nodes still differed.

use serde::Serialize;

use super::measured::ms;
use super::rounds::{KeyRounds, Round, within};
use crate::faults::Fault;
use crate::history::History;

/// How long after a fault of the network had been verified undone nodes still differed.
#[derive(Clone, Debug, Serialize)]
pub struct Healing {
    /// The number of the fault.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// To the start of the last round in which nodes differed for certain, and no write since can be
    /// why; 0 if there was none. At least.
    pub at_least_ms: Option<f64>,
    /// To the start of the first round of reads from which on all agree, the latest over all keys. At
    /// most.
    pub at_most_ms: Option<f64>,
    /// Why one of them cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One for each fault that cut links and was undone. Looked at are the rounds up to the next fault.
pub(crate) fn healings(history: &History, faults: &[Fault], rounds: &[KeyRounds]) -> Vec<Healing> {
    let cuts = faults.iter().filter(|fault| !fault.cut.is_empty() && fault.installed.is_some());
    cuts.map(|fault| healing(history, faults, rounds, fault)).collect()
}

fn healing(history: &History, faults: &[Fault], rounds: &[KeyRounds], fault: &Fault) -> Healing {
    let (id, name) = (fault.id, fault.name.clone());
    let unknown = |reason: &str| Healing {
        id,
        name: name.clone(),
        at_least_ms: None,
        at_most_ms: None,
        reason: Some(reason.to_owned()),
    };
    let Some(healed) = fault.healed else { return unknown("it was not verified undone") };
    let felt = faults.iter().filter_map(|other| Some((other.id, other.felt(history)?)));
    let mut others = felt.filter(|(other, _)| *other != fault.id).map(|(_, felt)| felt);
    if others.clone().any(|(from, until)| from < healed && healed < until) {
        return unknown("another fault was in force when it was undone");
    }
    let next_ns = others.by_ref().map(|(from, _)| from).filter(|from| *from > healed).min();
    let next_ns = next_ns.map_or(u64::MAX, |next| next.time_ns);
    let since = |round: &Round| round.begun_ns - healed.time_ns;
    let (mut differed_ns, mut agreed_ns, mut any, mut all_agreed) = (0, 0, false, true);
    // What was first written later never differed because of the fault.
    for rounds in rounds.iter().filter(|rounds| rounds.written_ns.0 < healed.time_ns) {
        let (mut first_ns, mut last_ns, mut then_ns, mut agreed) = (None, None, None, false);
        for round in within(&rounds.all, healed.time_ns, next_ns) {
            match round.distinct(None) {
                None => continue,
                // What the others answered was of writes that were under way.
                Some(1) if round.agreeing(None).is_none() => {}
                Some(1) => (then_ns, agreed) = (then_ns.or(Some(since(round))), true),
                Some(_) => {
                    (last_ns, then_ns) = (Some(since(round)), None);
                    // Once they have agreed, a later write that is on its way may be why.
                    if !agreed || rounds.written_ns.1 < healed.time_ns {
                        first_ns = last_ns;
                    }
                }
            }
            any = true;
        }
        differed_ns = first_ns.unwrap_or(0).max(differed_ns);
        agreed_ns = then_ns.unwrap_or(0).max(agreed_ns);
        all_agreed &= last_ns.is_none() || then_ns.is_some();
    }
    if !any {
        return unknown("no round of reads could be compared before the next fault");
    }
    let reason = (!all_agreed).then(|| "nodes still differed when that ended".to_owned());
    let at_most_ms = all_agreed.then(|| ms(agreed_ns));
    Healing { id, name, at_least_ms: Some(ms(differed_ns)), at_most_ms, reason }
}
