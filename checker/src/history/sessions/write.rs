//! Writes transactions on registers in the notations of other checkers, which know numbers and sessions only.

use std::io::{self, Write};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::history::steps::{Action, Atom, AtomOwned, Content, Step};
use crate::history::{Completion, Datum, History, Malformed, Operation};

/// A transaction in numbers.
struct Numbered {
    session: u64,
    committed: bool,
    /// Whether each writes, its key, and its value.
    steps: Vec<(bool, u64, u64)>,
}

/// Numbers for what a history calls by other names: numbers stay what they are if all are.
struct Numbers<'h> {
    ids: FxHashMap<Atom<'h>, u64>,
    are_kept: bool,
}

impl<'h> Numbers<'h> {
    /// From `first` on, which is the least that may be used.
    fn of(atoms: impl Iterator<Item = Atom<'h>> + Clone, first: u64) -> Numbers<'h> {
        // Others read them as signed.
        let fits = |atom: Atom<'_>| {
            atom.natural().is_some_and(|number| number >= first && i64::try_from(number).is_ok())
        };
        let are_kept = atoms.clone().all(fits);
        let mut ids = FxHashMap::default();
        for atom in atoms.filter(|_| !are_kept) {
            let next = first + ids.len() as u64;
            ids.entry(atom).or_insert(next);
        }
        Numbers { ids, are_kept }
    }

    fn number(&self, atom: Atom<'_>) -> u64 {
        match self.are_kept {
            true => atom.natural().unwrap_or_default(),
            false => self.ids.get(&atom).copied().unwrap_or_default(),
        }
    }
}

fn one(content: Content<'_>) -> Atom<'_> {
    match content {
        Content::One(atom) => atom,
        Content::List(_) => unreachable!("lists were refused"),
    }
}

/// The steps of an operation that are known: of one that did not end well what it was to write.
fn known<'h>(operation: &'h Operation) -> Result<Vec<Step<'h>>, Malformed> {
    let answered = operation.is_ok() && !operation.result().is_null();
    let value = if answered { operation.result() } else { operation.argument() };
    let no_transaction = || {
        let found = format!("event {}, {} {value}", operation.invoked.index, operation.f());
        Malformed::new(1, "transactions on registers only", found)
    };
    let steps = match value {
        Datum::Steps(steps) => steps,
        Datum::List(none) if none.is_empty() => return Ok(Vec::new()),
        _ => return Err(no_transaction()),
    };
    let is_of_registers =
        |step: &Step<'_>| step.action != Action::Append && matches!(step.content, Content::One(_));
    if !steps.iter().all(|step| is_of_registers(&step)) {
        return Err(no_transaction());
    }
    Ok(steps.iter().filter(|step| answered || step.action == Action::Write).collect())
}

/// The transactions in the order of their invocations. What may have happened is committed if somebody read
/// of it, and left out else.
fn numbered(history: &History) -> Result<Vec<Numbered>, Malformed> {
    let all: Vec<(&Operation, Vec<Step<'_>>)> = history
        .operations()
        .iter()
        .map(|operation| Ok((operation, known(operation)?)))
        .collect::<Result<_, Malformed>>()?;
    let initial = history.header().map(|header| AtomOwned::of(&header.initial));
    let steps = all.iter().flat_map(|(_, steps)| steps);
    let keys = Numbers::of(steps.clone().map(|step| step.key), 0);
    let is_initial = |value: Atom<'_>| {
        value.is_null() || initial.as_ref().is_some_and(|initial| initial.get() == value)
    };
    let values = steps.clone().map(|step| one(step.content));
    // 0 is what was there at first.
    let values = Numbers::of(values.filter(|value| !is_initial(*value)), 1);
    let reads = steps.filter(|step| step.action == Action::Read);
    let read: FxHashSet<(Atom<'_>, Atom<'_>)> =
        reads.map(|step| (step.key, one(step.content))).collect();
    let was_read = |steps: &[Step<'_>]| {
        steps.iter().any(|step| {
            step.action == Action::Write && read.contains(&(step.key, one(step.content)))
        })
    };
    let happened = |(operation, steps): &&(&Operation, Vec<Step<'_>>)| {
        operation.completion() != Completion::Info || was_read(steps)
    };
    let number = |(operation, steps): &(&Operation, Vec<Step<'_>>)| Numbered {
        session: operation.process,
        committed: operation.completion() != Completion::Fail,
        steps: steps
            .iter()
            .map(|step| {
                let value = one(step.content);
                let number = if is_initial(value) { 0 } else { values.number(value) };
                (step.action == Action::Write, keys.number(step.key), number)
            })
            .collect(),
    };
    Ok(all.iter().filter(happened).map(number).collect())
}

/// Whether a history is one of transactions on registers.
pub(in crate::history) fn fits(history: &History) -> Result<(), Malformed> {
    numbered(history).map(|_| ())
}

/// In the text of Plume and PolySI. A transaction that was rolled back has the number -1.
pub(in crate::history) fn write_plume(history: &History, out: &mut impl Write) -> io::Result<()> {
    for (number, one) in (1_i64..).zip(numbered(history).map_err(io::Error::other)?) {
        let number = if one.committed { number } else { -1 };
        for (writes, key, value) in one.steps {
            let name = if writes { 'w' } else { 'r' };
            writeln!(out, "{name}({key},{value},{},{number})", one.session)?;
        }
    }
    Ok(())
}

/// In the binary notation of dbcop.
pub(in crate::history) fn write_dbcop(history: &History, out: &mut impl Write) -> io::Result<()> {
    let mut sessions: Vec<(u64, Vec<Numbered>)> = Vec::new();
    let mut places: FxHashMap<u64, usize> = FxHashMap::default();
    for one in numbered(history).map_err(io::Error::other)? {
        let place = *places.entry(one.session).or_insert(sessions.len());
        if place == sessions.len() {
            sessions.push((one.session, Vec::new()));
        }
        sessions[place].1.push(one);
    }
    let steps = || sessions.iter().flat_map(|(_, all)| all).flat_map(|one| &one.steps);
    let variables = steps().map(|(_, key, _)| key + 1).max().unwrap_or_default();
    let transactions = sessions.iter().map(|(_, all)| all.len()).max().unwrap_or_default();
    let of_one = |(_, all): &(u64, Vec<Numbered>)| all.iter().map(|one| one.steps.len()).max();
    let events = sessions.iter().filter_map(of_one).max().unwrap_or_default();
    let header = history.header();
    let started = header.map_or("", |header| header.started.as_str());
    let started = if started.is_empty() { "1970-01-01T00:00:00Z" } else { started };
    let number = |out: &mut dyn Write, number: u64| out.write_all(&number.to_le_bytes());
    for of_header in [0, sessions.len() as u64, variables, transactions as u64, events as u64] {
        number(out, of_header)?;
    }
    for text in [header.map_or("", |header| header.run.as_str()), started, started] {
        number(out, text.len() as u64)?;
        out.write_all(text.as_bytes())?;
    }
    number(out, sessions.len() as u64)?;
    for (_, transactions) in sessions {
        number(out, transactions.len() as u64)?;
        for one in transactions {
            number(out, one.steps.len() as u64)?;
            for (writes, key, value) in one.steps {
                out.write_all(&[u8::from(writes)])?;
                number(out, key)?;
                number(out, value)?;
                out.write_all(&[1])?;
            }
            out.write_all(&[u8::from(one.committed)])?;
        }
    }
    Ok(())
}
