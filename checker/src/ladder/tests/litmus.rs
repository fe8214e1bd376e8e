//! Histories from the literature, by hand.

use super::super::rung::Rung;
use super::super::sessions::{Access, INITIAL, Kind};
use super::check;

/// Sessions as text: `w1x r2y c12x`, a session a line, values unique for each key, 0 the initial one.
pub(super) fn accesses(text: &str) -> Vec<Access> {
    let mut calls = Vec::new();
    for (line, session) in text.lines().filter(|line| !line.trim().is_empty()).zip(0..) {
        for word in line.split_whitespace() {
            calls.push((session, word.as_bytes()));
        }
    }
    let written = |call: &[u8]| match call[0] {
        b'w' => Some(call[1]),
        b'c' => Some(call[2]),
        _ => None,
    };
    let key = |call: &[u8]| call[call.len() - 1];
    let from = |value: u8, of: &[u8]| match value {
        b'0' => INITIAL,
        _ => {
            let is_it =
                |(_, call): &(u32, &[u8])| key(call) == key(of) && written(call) == Some(value);
            calls.iter().position(is_it).expect("a source") as u32
        }
    };
    let mut found = Vec::new();
    for ((session, call), operation) in calls.iter().zip(0..) {
        let access =
            |kind| Access { session: *session, key: u32::from(key(call) - b'x'), operation, kind };
        if call[0] != b'w' {
            found.push(access(Kind::Read { from: from(call[1], call) }));
        }
        if call[0] != b'r' {
            found.push(access(Kind::Write { tentative: false }));
        }
    }
    found
}

/// Which rungs a history breaks, the strongest first.
#[track_caller]
fn breaks(text: &str, expected: &[Rung]) {
    let mut broken: Vec<Rung> = check(&accesses(text))
        .into_iter()
        .filter(|(_, holds)| !holds)
        .map(|(rung, _)| rung)
        .collect();
    broken.sort_unstable();
    assert_eq!(broken, expected, "{text}");
}

use Rung::{
    Causal, CausalConvergence, MonotonicReads, MonotonicWrites, Pram, ReadYourWrites, Sequential,
    WeakCausal, WritesFollowReads,
};

#[test]
fn figure_3_of_bouajjani_et_al() {
    // (a) Two sessions apply each other's writes in opposite orders.
    breaks("w1x r2x\nw2x r1x", &[Sequential, CausalConvergence]);
    // (b) One order for all, but a session's view must put a write where its reads do not allow it.
    breaks("w1z w1x w1y\nw2x r0z r1y r2x", &[Sequential, Causal, Pram]);
    // (c) Neither.
    breaks("w1x\nw2x r1x r2x", &[Sequential, Causal, CausalConvergence, Pram]);
    // (d) Both, and still no order for everything.
    breaks("w1x r0y\nw1y r0x", &[Sequential]);
    // (e) Not even weak.
    breaks("w1x w1y\nr1y w2x\nr2x r1x", &[Sequential, Causal, CausalConvergence, WeakCausal]);
}

/// Each breaks just one of the four (and what the definitions make of it), its twin none.
#[test]
fn session_guarantees_and_their_twins() {
    let weak = [Sequential, Causal, CausalConvergence, WeakCausal, Pram];
    let with = |more: &[Rung]| [&weak[..], more].concat();
    breaks("w1x r0x", &with(&[ReadYourWrites]));
    breaks("w1x r1x", &[]);
    breaks("w1x\nr1x r0x", &with(&[WritesFollowReads, MonotonicWrites, MonotonicReads]));
    breaks("w1x\nr0x r1x", &[]);
    breaks("w1x w1y\nr1y r0x", &with(&[MonotonicWrites]));
    breaks("w1x w1y\nr1x r0y", &[]);
    breaks("w1x\nr1x w1y\nr1y r0x", &[&weak[..4], &[WritesFollowReads]].concat());
    breaks("w1x\nr1x w1y\nr1x r0y", &[]);
}
