//! Clocks against slower ways, on histories whose sessions follow each other: what is legal at a glance is legal,
//! also with reads that are soon forgotten, and patterns are found in the causal order.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::facts::{Answer, Facts};
use super::super::glance::legal_with;
use super::super::kept::Kept;
use super::super::order::topological;
use super::super::rung::Rung;
use super::super::rungs::ALL;
use super::super::rungs::causal::Causal;
use super::super::rungs::monotonic_writes::MonotonicWrites;
use super::super::rungs::pram::Pram;
use super::super::sessions::{Access, INITIAL, Kind, Sessions};
use super::super::slots::Slots;
use super::super::view::View;

/// Three replicas that learn of writes late and keep the latest; at most four sessions at a time, one of which
/// now and then is followed by another.
fn replicas(random: &mut ChaCha8Rng) -> Sessions {
    let (keys, lag) = (random.random_range(1..4_u32), random.random_range(1..12_u32));
    let (stray, ends) = (random.random_range(0.0..0.1), random.random_range(0.0..0.3));
    let mut held: Vec<Vec<(u32, u32)>> = vec![Vec::new(); 3 * keys as usize];
    let mut open: Vec<u32> = (0..4).collect();
    let mut next = 4;
    let mut accesses = Vec::new();
    for operation in 0..random.random_range(10..80_u32) {
        let client = random.random_range(0..4_usize);
        let key = random.random_range(0..keys);
        // Old keys make room for new ones.
        let key = key + operation / 30 * keys;
        held.resize(held.len().max(3 * (key as usize + 1)), Vec::new());
        let replica = match random.random_bool(stray) {
            true => random.random_range(0..3),
            false => client % 3,
        };
        let kind = match random.random_bool(0.5) {
            true => {
                for (at, known) in held[3 * key as usize..][..3].iter_mut().enumerate() {
                    let late = if at == replica { 0 } else { random.random_range(0..=lag) };
                    known.push((operation + late, operation));
                }
                Kind::Write { tentative: false }
            }
            false => {
                let known = held[3 * key as usize + replica].iter();
                let known = known.filter(|(at, _)| *at <= operation).map(|(_, write)| *write);
                Kind::Read { from: known.max().unwrap_or(INITIAL) }
            }
        };
        accesses.push(Access { session: open[client], key, operation, kind });
        if random.random_bool(ends) {
            open[client] = next;
            next += 1;
        }
    }
    Sessions::new(super::super::sessions::dense(accesses))
}

/// How many sessions' views are legal, and how many of them at a glance with so many reads known.
fn compare(sessions: &Sessions, kept: impl Kept, reads: usize, tally: &mut [usize; 2]) {
    let order =
        topological(sessions, Causal, 0, None).expect("nothing is read before it is written");
    let legal = legal_with(sessions, kept, &order, reads);
    let mut view = View::new(sessions);
    for (at_a_glance, reader) in legal.into_iter().zip(0..) {
        view.rank(kept, reader, &order, u64::MAX).expect("enough visits");
        let is_legal = view.serialize(kept, reader, &order).is_ok();
        assert!(is_legal || !at_a_glance, "session {reader}: {:#?}", sessions.accesses);
        tally[0] += usize::from(is_legal);
        tally[1] += usize::from(at_a_glance);
    }
}

#[test]
fn what_is_legal_at_a_glance_is_legal() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut tallies = [[[0; 2]; 3]; 2];
    let mut broken = 0;
    for _ in 0..3_000 {
        let sessions = replicas(&mut random);
        for (tally, reads) in tallies.iter_mut().zip([2, 64]) {
            compare(&sessions, Causal, reads, &mut tally[0]);
            compare(&sessions, Pram, reads, &mut tally[1]);
            compare(&sessions, MonotonicWrites, reads, &mut tally[2]);
        }
        broken += sessions.sessions();
    }
    for [few, many] in [[0, 1, 2].map(|kept| [tallies[0][kept], tallies[1][kept]])].concat() {
        eprintln!("{few:?} {many:?} of {broken}");
        assert!(few[0] < broken && few[1] < many[1], "{few:?} {many:?} of {broken}");
        assert!(many[1] * 10 > many[0] * 9, "{many:?}");
    }
}

/// The bad patterns of weak causality and causal convergence, looked for in the whole causal order.
fn patterns(sessions: &Sessions) -> (bool, bool) {
    let count = sessions.len();
    let nodes = || 0..count as u32;
    let mut order = vec![vec![false; count]; count];
    for node in nodes() {
        Causal.before(sessions, 0, node, |before| order[before as usize][node as usize] = true);
    }
    let close = |order: &mut Vec<Vec<bool>>| {
        for via in 0..count {
            let after = order[via].clone();
            for row in order.iter_mut().filter(|row| row[via]) {
                row.iter_mut().zip(&after).for_each(|(held, after)| *held |= after);
            }
        }
    };
    close(&mut order);
    let causal = order.clone();
    let comes = |one: u32, other: u32| causal[one as usize][other as usize];
    let (mut weak, mut convergent) = (true, true);
    for read in nodes().filter(|node| !sessions.is_write(*node)) {
        let (key, source) = (sessions[read].key, sessions[read].source);
        let hidden = |write: &u32| {
            sessions.is_write(*write) && sessions[*write].key == key && *write != source
        };
        for write in nodes().filter(hidden).filter(|write| comes(*write, read)) {
            weak &= source != INITIAL && !comes(source, write);
            if source == INITIAL {
                convergent = false;
            } else {
                order[write as usize][source as usize] = true;
            }
        }
    }
    close(&mut order);
    convergent &= nodes().all(|node| !order[node as usize][node as usize]);
    (weak, convergent)
}

#[test]
fn patterns_in_the_causal_order_are_found_where_sessions_follow_each_other() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut tally = [[0; 2]; 2];
    let mut follow = 0;
    for _ in 0..1_500 {
        let sessions = replicas(&mut random);
        let order = topological(&sessions, Causal, 0, None).expect("an order");
        follow += usize::from(Slots::new(&sessions, &order).count < sessions.sessions());
        let (weak, convergent) = patterns(&sessions);
        let facts = Facts::of(&sessions);
        let found = |at: usize| ALL[at].decide(&facts) == Answer::Valid;
        let at = |rung: Rung| ALL.iter().position(|one| one.rung() == rung).expect("listed");
        assert_eq!(found(at(Rung::WeakCausal)), weak, "{:#?}", sessions.accesses);
        assert_eq!(found(at(Rung::CausalConvergence)), convergent, "{:#?}", sessions.accesses);
        tally[0][usize::from(weak)] += 1;
        tally[1][usize::from(convergent)] += 1;
    }
    eprintln!("{tally:?}, {follow} with places that were taken again");
    assert!(tally.iter().flatten().all(|times| *times > 50), "{tally:?}");
    assert!(follow > 300, "{follow}");
}
