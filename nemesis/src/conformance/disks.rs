//! Failing disks, as the programs on them see it.

use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;

use super::{Case, Witness, healed, installed, lives};
use crate::Nemesis;
use crate::disk::{Condition, Damage};
use crate::faults::{Action, Break};
use crate::node::{Capability, Cluster, Signal};

/// The cases, in the order in which they are run. Where there are no disks they say so loudly.
pub(super) const CASES: &[(&str, Case)] = &[
    ("a full disk takes nothing more", |cluster, witness| {
        let full = Condition { full: true, ..Condition::default() };
        fails(cluster, witness, full, Errno::ENOSPC);
    }),
    ("a read-only disk cannot be changed", |cluster, witness| {
        let read_only = Condition { read_only: true, ..Condition::default() };
        fails(cluster, witness, read_only, Errno::EROFS);
    }),
    ("a slow disk is as slow as asked", slow),
    ("a bad disk gives as many errors as asked", errors),
    ("what ails a disk adds up and ends one by one", add_up),
    ("what was fsynced survives a loss of power and the rest does not", power),
    ("a torn write leaves its beginning", torn),
    ("damaged files differ and are mended", damaged),
    ("who dies of its disk starts again once that is well", dies),
];

const BAD: usize = 0;
const GOOD: usize = 1;
const TEXT: &str = "0123456789";

fn missing(cluster: &Arc<dyn Cluster>) -> bool {
    let missing = !cluster.has(Capability::Disks);
    if missing {
        eprintln!("SKIPPED: {}", cluster.lacks(Capability::Disks));
    }
    missing
}

fn disk(condition: Condition) -> Action {
    Action::nodes(Break::Disk(condition), vec![BAD])
}

/// A name that no other case uses.
fn name(what: &str) -> String {
    format!("conformance-{what}")
}

#[track_caller]
fn works(witness: &dyn Witness, node: usize, file: &str) -> Duration {
    let took = witness.append(node, file, TEXT, true);
    took.unwrap_or_else(|errno| panic!("node {node}: {}", Errno::from_raw(errno)))
}

#[track_caller]
fn fails(cluster: &Arc<dyn Cluster>, witness: &dyn Witness, condition: Condition, errno: Errno) {
    if missing(cluster) {
        return;
    }
    let file = name(errno.desc().split(' ').next().unwrap_or("error"));
    let mut nemesis = Nemesis::new(cluster.clone());
    works(witness, BAD, &file);
    installed(&nemesis.install(1, &disk(condition)));
    let failed = witness.append(BAD, &file, TEXT, false);
    assert_eq!(failed, Err(errno as i32));
    assert_eq!(witness.append(BAD, &name("new"), TEXT, false), Err(errno as i32));
    assert_eq!(witness.read(BAD, &file), Ok(Some(TEXT.to_owned())), "it can be read");
    works(witness, GOOD, &file);
    assert_eq!(nemesis.still_in_force(1), Ok(()));
    healed(&nemesis.undo(1));
    works(witness, BAD, &file);
}

/// The shortest of some writes: a busy machine makes any of them longer, and none of them shorter.
fn fastest(write: impl Fn() -> Duration) -> Duration {
    (0..5).map(|_| write()).min().expect("there are some")
}

fn slow(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let delay = Duration::from_millis(150);
    let file = name("slow");
    let append = |node| fastest(|| witness.append(node, &file, TEXT, false).expect("it works"));
    let mut nemesis = Nemesis::new(cluster.clone());
    for node in [BAD, GOOD] {
        works(witness, node, &file);
    }
    installed(&nemesis.install(1, &disk(Condition { delay, ..Condition::default() })));
    let (bad, good) = (append(BAD), append(GOOD));
    assert!((delay..delay * 2).contains(&bad), "{bad:?} with a delay of {delay:?}");
    assert!(good < delay / 2, "another node took {good:?}");
    healed(&nemesis.undo(1));
    let after = append(BAD);
    assert!(after < delay / 2, "{after:?} after the delay");
}

fn errors(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let file = name("eio");
    let mut nemesis = Nemesis::new(cluster.clone());
    for node in [BAD, GOOD] {
        works(witness, node, &file);
    }
    let failures = |node| {
        let failed = (0..200).filter(|_| match witness.append(node, &file, "x", false) {
            Ok(_) => false,
            Err(errno) => {
                assert_eq!(errno, Errno::EIO as i32);
                true
            }
        });
        failed.count()
    };
    installed(&nemesis.install(1, &disk(Condition { eio_percent: 30.0, ..Condition::default() })));
    let bad = failures(BAD);
    assert!((30..=90).contains(&bad), "{bad} of 200 at 30 %"); // 4.6 standard deviations
    assert_eq!(failures(GOOD), 0, "errors at another node");
    healed(&nemesis.undo(1));
    assert_eq!(failures(BAD), 0, "errors after they ended");
}

fn add_up(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let file = name("both");
    let mut nemesis = Nemesis::new(cluster.clone());
    works(witness, BAD, &file);
    let slow = Duration::from_millis(50);
    installed(&nemesis.install(1, &disk(Condition { full: true, ..Condition::default() })));
    installed(&nemesis.install(2, &disk(Condition { delay: slow, ..Condition::default() })));
    assert_eq!(witness.append(BAD, &file, TEXT, false), Err(Errno::ENOSPC as i32));
    healed(&nemesis.undo(1));
    assert!(works(witness, BAD, &file) >= slow);
    healed(&nemesis.undo(2));
    assert!(fastest(|| works(witness, BAD, &file)) < slow);
}

fn power(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let before = lives(cluster.as_ref(), witness);
    let (kept, lost) = (name("kept"), name("lost"));
    for node in [BAD, GOOD] {
        witness.append(node, &kept, "synced", true).expect("it works");
        witness.append(node, &kept, " not", false).expect("it works");
        witness.append(node, &lost, TEXT, false).expect("it works");
    }
    let mut nemesis = Nemesis::new(cluster.clone());
    let cut = Action::nodes(Break::PowerCut { keep_percent: None }, vec![BAD]);
    installed(&nemesis.install(1, &cut));
    let during = lives(cluster.as_ref(), witness);
    assert_eq!((during[BAD], during[GOOD]), (None, before[GOOD]), "who is down");
    healed(&nemesis.undo(1));
    let after = lives(cluster.as_ref(), witness);
    assert!(after[BAD].is_some() && after[BAD] != before[BAD], "a new life");
    assert_eq!(witness.read(BAD, &kept), Ok(Some("synced".to_owned())));
    assert_eq!(witness.read(BAD, &lost), Ok(None));
    assert_eq!(witness.read(GOOD, &kept), Ok(Some("synced not".to_owned())));
    assert_eq!(witness.read(GOOD, &lost), Ok(Some(TEXT.to_owned())));
    // A process that dies takes nothing with it, as long as its machine has power.
    witness.append(BAD, &kept, " not", false).expect("it works");
    installed(&nemesis.install(2, &Action::nodes(Break::Kill, vec![BAD])));
    healed(&nemesis.undo(2));
    lives(cluster.as_ref(), witness);
    assert_eq!(witness.read(BAD, &kept), Ok(Some("synced not".to_owned())));
}

fn torn(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let file = name("torn");
    witness.append(BAD, &file, "synced,", true).expect("it works");
    witness.append(BAD, &file, "first,", false).expect("it works");
    witness.append(BAD, &file, TEXT, false).expect("it works");
    let mut nemesis = Nemesis::new(cluster.clone());
    let cut = Action::nodes(Break::PowerCut { keep_percent: Some(30) }, vec![BAD]);
    installed(&nemesis.install(1, &cut));
    healed(&nemesis.undo(1));
    lives(cluster.as_ref(), witness);
    assert_eq!(witness.read(BAD, &file), Ok(Some("synced,first,012".to_owned())));
}

fn damaged(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let file = name("damaged");
    for node in [BAD, GOOD] {
        works(witness, node, &file);
    }
    let whole = || [BAD, GOOD].map(|node| witness.read(node, &file).expect("readable"));
    let before = whole();
    // All bits of all small files: each of them certainly differs.
    for damage in [Damage::Flip { bits: 1_000_000 }, Damage::Truncate { bytes: 4 }] {
        let mut nemesis = Nemesis::new(cluster.clone());
        let action = Action::nodes(Break::Damage { damage, seed: 1 }, vec![BAD]);
        installed(&nemesis.install(1, &action));
        let during = whole();
        assert_ne!(during[BAD], before[BAD], "{damage:?}");
        assert_eq!(during[GOOD], before[GOOD], "{damage:?} at another node");
        if damage == (Damage::Truncate { bytes: 4 }) {
            assert_eq!(during[BAD].as_deref(), Some(&TEXT[..6]));
        }
        assert_eq!(nemesis.still_in_force(1), Ok(()));
        healed(&nemesis.undo(1));
        assert_eq!(whole(), before, "after {damage:?}");
    }
}

fn dies(cluster: &Arc<dyn Cluster>, witness: &dyn Witness) {
    if missing(cluster) {
        return;
    }
    let before = lives(cluster.as_ref(), witness);
    // To the nemesis it is the same whether a program ends by itself or by this.
    let dies = |node| {
        let processes = cluster.processes().expect("disks without processes are of no use");
        processes.signal(node, Signal::Kill).expect("it can be reached");
        assert_eq!(witness.life(node), None);
    };
    let full = |nodes| {
        let full = Condition { full: true, ..Condition::default() };
        Action::nodes(Break::Disk(full), nodes)
    };
    let mut nemesis = Nemesis::new(cluster.clone());
    installed(&nemesis.install(1, &full(vec![BAD, GOOD])));
    installed(&nemesis.install(2, &full(vec![BAD])));
    dies(BAD);
    healed(&nemesis.undo(1));
    assert_eq!(witness.life(BAD), None, "its disk is still full");
    assert_eq!(witness.life(GOOD), before[GOOD], "who has lived through it lives on");
    healed(&nemesis.undo(2));
    let after = lives(cluster.as_ref(), witness);
    assert!(after[BAD].is_some() && after[BAD] != before[BAD], "it was not started again");
    // Who is to be down stays down.
    installed(&nemesis.install(3, &full(vec![BAD])));
    installed(&nemesis.install(4, &Action::nodes(Break::Kill, vec![BAD])));
    healed(&nemesis.undo(3));
    assert_eq!(witness.life(BAD), None, "it is to be down");
    healed(&nemesis.undo(4));
    assert!(witness.life(BAD).is_some());
}
