//! What must be known about a history before a procedure can be chosen: which values anyone can
//! have observed, and until when.

use rustc_hash::FxHashMap;

use super::{Ambiguity, Call, Procedure, RegisterOp, ValueId};

/// Facts about a history whose value ids are dense.
pub(super) struct Survey {
    /// For each value, the first position from which on no operation that took effect for certain
    /// can find it in the register; 0 if none ever can.
    wanted_before: Vec<u64>,
    swaps: bool,
    ambiguity: Option<Ambiguity>,
}

impl Survey {
    pub(super) fn new(initial: ValueId, ops: &[RegisterOp]) -> Survey {
        let values = 1 + ops.iter().map(|op| largest(op.call)).fold(initial.0, u32::max) as usize;
        let mut survey = Survey { wanted_before: vec![0; values], swaps: false, ambiguity: None };
        let mut crashed_swaps = Vec::new();
        for op in ops {
            let Some(value) = op.call.expects() else { continue };
            match (op.returned, op.call.installs()) {
                (Some(returned), installed) => {
                    survey.swaps |= installed.is_some();
                    let before = &mut survey.wanted_before[value.index()];
                    *before = (returned + 1).max(*before);
                }
                (None, Some(to)) => crashed_swaps.push((value, to, op.invoked)),
                (None, None) => {}
            }
        }
        survey.spread(&crashed_swaps);
        survey.ambiguity = survey.find_ambiguity(initial, ops);
        survey
    }

    /// A crashed compare-and-set whose new value is wanted wants its old value.
    fn spread(&mut self, crashed_swaps: &[(ValueId, ValueId, u64)]) {
        let mut installing: FxHashMap<ValueId, Vec<(ValueId, u64)>> = FxHashMap::default();
        for &(from, to, invoked) in crashed_swaps {
            installing.entry(to).or_default().push((from, invoked));
        }
        let mut work: Vec<ValueId> = installing.keys().copied().collect();
        while let Some(to) = work.pop() {
            let before = self.wanted_before(to);
            for &(from, invoked) in installing.get(&to).into_iter().flatten() {
                self.swaps |= invoked < before;
                if invoked < before && self.wanted_before(from) < before {
                    self.wanted_before[from.index()] = before;
                    work.push(from);
                }
            }
        }
    }

    fn find_ambiguity(&self, initial: ValueId, ops: &[RegisterOp]) -> Option<Ambiguity> {
        let mut installed = vec![false; self.values()];
        for op in ops {
            let Some(value) = op.call.installs() else { continue };
            if self.observable(op.invoked, value) {
                if value == initial {
                    return Some(Ambiguity::InitialInstalled(value));
                }
                if std::mem::replace(&mut installed[value.index()], true) {
                    return Some(Ambiguity::InstalledTwice(value));
                }
            }
        }
        None
    }

    /// Number of value ids.
    pub(super) fn values(&self) -> usize {
        self.wanted_before.len()
    }

    /// The first position from which on nobody can find `value`.
    pub(super) fn wanted_before(&self, value: ValueId) -> u64 {
        self.wanted_before[value.index()]
    }

    /// Whether anyone can find `value` if it is put in at `invoked` or later.
    pub(super) fn observable(&self, invoked: u64, value: ValueId) -> bool {
        invoked < self.wanted_before(value)
    }

    /// Whether the operation can matter. One that may never have happened does not if nobody can
    /// have seen it: leaving it out of an order leaves every answer of the others as it was.
    pub(super) fn matters(&self, op: &RegisterOp) -> bool {
        op.returned.is_some()
            || op.call.installs().is_some_and(|value| self.observable(op.invoked, value))
    }

    pub(super) fn procedure(&self) -> Procedure {
        match self.ambiguity {
            Some(ambiguity) => Procedure::Search(ambiguity),
            None if self.swaps => Procedure::ChainedZones,
            None => Procedure::Zones,
        }
    }
}

fn largest(call: Call) -> u32 {
    match call {
        Call::Read(value) | Call::Write(value) => value.0,
        Call::Cas(from, to) => from.0.max(to.0),
    }
}

/// The history with dense value ids, if its own are so sparse that tables over them would cost
/// more than the check.
pub(super) fn renumbered(
    initial: ValueId,
    ops: &[RegisterOp],
) -> Option<(ValueId, Vec<RegisterOp>)> {
    let max = ops.iter().map(|op| largest(op.call)).fold(initial.0, u32::max);
    if (max as usize) < 64 + 2 * ops.len() {
        return None;
    }
    let mut ids = FxHashMap::default();
    let mut id = |value: ValueId| {
        let next = ids.len() as u32;
        ValueId(*ids.entry(value).or_insert(next))
    };
    let initial = id(initial);
    let call = |op: &RegisterOp| match op.call {
        Call::Read(value) => Call::Read(id(value)),
        Call::Write(value) => Call::Write(id(value)),
        Call::Cas(from, to) => Call::Cas(id(from), id(to)),
    };
    let calls: Vec<Call> = ops.iter().map(call).collect();
    let dense = ops.iter().zip(calls).map(|(op, call)| RegisterOp { call, ..*op }).collect();
    Some((initial, dense))
}
