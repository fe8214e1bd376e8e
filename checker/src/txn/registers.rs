//! Transactions on registers: the whole way from a history to the levels.
//!
//! Nobody tells in which order the versions of a register came, so that to find one that explains
//! everything is NP-hard from snapshots on (Papadimitriou 1979; Biswas and Enea 2019). What every
//! explanation has to agree on is found first, and a cycle in that rules levels out; read committed, read
//! atomic and causal are decided by that alone. Then an order of all transactions is searched for that
//! explains everything, which is the proof.

use super::append::Repeated;
use super::found::{Found, Instance};
use super::graph::{Kinds, REAL_TIME, SESSIONS};
use super::guess::is_explained_as_it_stands;
use super::judge::{Decided, unknown};
use super::levels::implies;
use super::material::Material;
use super::register_graph::{Judge, One};
use super::register_reads::Registers;
use super::register_tell::Words;
use super::register_weak::decided_by_graph;
use super::sessions::Sessions;
use super::trusted::Trusted;
use super::{Question, Transactional, tell, unserializable};
use crate::history::History;
use crate::history::steps::{Action, AtomOwned, Content};
use crate::judgement::Misfit;
use crate::ladder::Rung;

/// What such a transaction is.
const OPERATIONS: &str = "a transaction [[\"w\", key, value], [\"r\", key, value]]";

/// Of more transactions than this only the level that is asked for is decided, if it is a weak one.
const ALL_LEVELS_MOST: u32 = 50_000;

/// Why a level is open.
const NOT_ASKED: &str = "not asked: of so many transactions the stronger levels are looked at only if one of \
                         them is expected";

/// Why a level is open.
const NO_ORDER: &str = "no cycle rules it out, and the orders that were tried do not prove it";

/// Why a level is open.
const NOT_SEARCHED_ALL: &str = "budget: no cycle rules it out, and the search for an order of all transactions \
                                that explains everything ended before all were tried";

/// Judges a history of transactions on registers.
pub(super) fn check(history: &History, question: &Question) -> Result<Transactional, Misfit> {
    let may_be = |action, content: Content<'_>| match action {
        Action::Write => matches!(content, Content::One(value) if !value.is_null()),
        Action::Read => true,
        Action::Append => false,
    };
    let material = Material::of(history, may_be)
        .map_err(|operation| Misfit::of(operation, "rw-register", OPERATIONS))?;
    let mut found = Found::default();
    let initial = AtomOwned::of(&question.initial);
    let registers = match Registers::of(&material, &initial, &mut found) {
        Ok(registers) => registers,
        Err(repeated) => return Ok(unknown(history, &repeated.why(&material, "written"))),
    };
    let mut decided = Decided::default();
    let sessions = Sessions::of(&material, &registers);
    let trusted = Trusted::of(&material, &registers, &sessions, question.keys);
    let judge = Judge { material: &material, sessions, registers: &registers, trusted };
    let words = Words { material: &material, registers: &registers };
    let tell = |found: Found, decided: &Decided| Transactional {
        violations: tell::violations(&material, &words, found),
        ladder: decided.ladder(history),
    };
    judge.by_trust_alone(&mut found);
    // Weak levels are fast by themselves.
    if let Some(asked) = question.level.filter(|level| decided_by_graph(*level))
        && material.len() > ALL_LEVELS_MOST
    {
        let weak = judge.weak(asked);
        let nothing = (!weak.found.is_empty() || !found.0.is_empty())
            .then(|| judge.one(Kinds::of(&[]), false));
        nothing.into_iter().for_each(|one| one.tell(&mut found, &mut decided));
        weak.tell(&mut found, &mut decided);
        decided.rule_out(&found);
        let others = [Rung::ReadAtomic, Rung::Causal].into_iter();
        let not_asked = others.filter(|level| *level != asked && !implies(asked, *level));
        decided.open.extend(not_asked.map(|level| (level, NOT_ASKED)));
        decided.leave_open(&[], NOT_ASKED);
        return Ok(tell(found, &decided));
    }
    // Whatever is wrong so far, no order explains it, and no snapshots do.
    let explain = found.0.is_empty();
    if explain && is_explained_as_it_stands(&registers) {
        return Ok(tell(found, &decided));
    }
    let (with, strongest) = match history.has_real_time() {
        true => (REAL_TIME, Rung::StrictSerializable),
        false => (SESSIONS, Rung::StrongSessionSerializable),
    };
    let strong = judge.one(with, explain);
    if strong.is_explained() {
        return Ok(tell(found, &decided));
    }
    let with_sessions = strongest != Rung::StrongSessionSerializable;
    let (session, weak) = rayon::join(
        || with_sessions.then(|| judge.one(SESSIONS, explain)),
        || judge.weak(Rung::Causal),
    );
    // What keeps the sessions' orders keeps none too.
    let is_serializable = session.as_ref().is_some_and(One::is_explained);
    let plain = (!is_serializable).then(|| judge.one(Kinds::of(&[]), explain));
    let strongest_of_snapshots = match history.has_real_time() {
        true => Rung::StrongSnapshotIsolation,
        false => Rung::StrongSessionSnapshotIsolation,
    };
    let levels = [
        (Kinds::of(&[]), Rung::Serializable, Rung::SnapshotIsolation),
        (SESSIONS, Rung::StrongSessionSerializable, Rung::StrongSessionSnapshotIsolation),
        (with, strongest, strongest_of_snapshots),
    ];
    let all = [plain, session, Some(strong)].into_iter().zip(levels);
    let mut proven = Vec::new();
    let mut weak = Some(weak);
    for (one, (kept, serial, of_snapshots)) in all.filter_map(|(one, levels)| Some((one?, levels)))
    {
        proven.extend(one.is_explained().then_some(serial));
        proven.extend(one.is_of_snapshots().then_some(of_snapshots));
        decided.open.extend(one.is_exhausted().then_some((serial, NOT_SEARCHED_ALL)));
        let (no_order, no_snapshots) = (one.is_unserializable(), one.is_of_no_snapshots());
        one.tell(&mut found, &mut decided);
        if no_order && !found.rules_out(serial) {
            let transactions = unserializable::part(&judge, kept, false);
            found.add(Instance::Unserializable { level: serial, transactions });
        }
        if no_snapshots && !found.rules_out(of_snapshots) {
            let transactions = unserializable::part(&judge, kept, true);
            found.add(Instance::NoSnapshots { level: of_snapshots, transactions });
        }
        // What needs no inference goes before what does.
        weak.take().into_iter().for_each(|weak| weak.tell(&mut found, &mut decided));
    }
    decided.rule_out(&found);
    proven.retain(|level| decided.may_hold(*level));
    decided.leave_open(&proven, NO_ORDER);
    Ok(tell(found, &decided))
}

impl Repeated {
    /// That nothing can be said.
    pub(super) fn why(&self, material: &Material<'_>, done: &str) -> String {
        let access = &material.accesses[self.0 as usize];
        let index = |at: u32| material.operation(material.owner[at as usize]).invoked.index;
        format!(
            "assumption: {} was {done} to {} by events {} and {}, so that nobody knows whose it is when it \
             is read",
            access.content.value(),
            material.keys[access.key as usize].value(),
            index(self.0),
            index(self.1)
        )
    }
}
