//! A log on a real disk, opened again.

use serde_json::json;
use tokio::sync::oneshot;

use super::*;
use crate::journal;
use crate::request::{Command, Write};

fn put(epoch: u64, index: u64, value: u64) -> Entry {
    let key = Key::new(format!("k{}", index % 3)).unwrap();
    let write = Write::Put { value: json!(value) };
    Entry { at: Position { epoch, index }, command: Some(Command { key, write }) }
}

fn open(folder: &tempfile::TempDir) -> Ledger {
    Ledger::open(&folder.path().join("log"), journal::plain, 10, None, AppliedLog::default())
        .unwrap()
}

/// Waits until everything before is on disk.
async fn settle(ledger: &mut Ledger) {
    let (tell, told) = oneshot::channel();
    let promised = ledger.promised();
    ledger.promise(promised, |result| _ = tell.send(result));
    told.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_log_that_was_shortened_comes_back_with_the_same_values_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    ledger.promise(3, |_| ());
    for index in 1..=100 {
        ledger.append(vec![put(3, index, index)], |_| ());
        ledger.apply_to(index - 1);
    }
    assert!(ledger.base().at.index > 70 && ledger.entries.len() < 30);
    assert_eq!(ledger.position(5), None, "it is in the image");
    settle(&mut ledger).await;

    let mut again = open(&folder);
    assert_eq!((again.end(), again.promised()), (Position { epoch: 3, index: 100 }, 3));
    again.apply_to(100);
    for key in 0..3 {
        let key = Key::new(format!("k{key}")).unwrap();
        let last = (98..=100).find(|index| put(3, *index, 0).command.unwrap().key == key);
        assert_eq!(again.get(&key), json!(last.unwrap()));
    }
}

#[tokio::test]
async fn logs_that_hold_one_position_are_told_from_those_that_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    ledger.append(vec![put(1, 1, 1), put(1, 2, 2)], |_| ());
    ledger.apply_to(2);
    assert!(ledger.holds(Position::default()) && ledger.holds(Position { epoch: 1, index: 2 }));
    assert!(!ledger.holds(Position { epoch: 2, index: 2 }));
    assert!(!ledger.holds(Position { epoch: 1, index: 3 }));

    let image = Image { at: Position { epoch: 2, index: 2 }, values: Values::new() };
    ledger.install(image, vec![put(2, 3, 3)], |_| ());
    assert!(!ledger.holds(Position { epoch: 1, index: 2 }));
    assert_eq!(ledger.applied(), Position { epoch: 2, index: 2 });
    let key = Key::new("k1".into()).unwrap();
    assert_eq!(ledger.get(&key), json!(1), "what was there, until the new log is on disk");
    ledger.apply_to(2);
    assert_eq!(ledger.get(&key), json!(null));
    settle(&mut ledger).await;
    assert_eq!(open(&folder).end(), Position { epoch: 2, index: 3 });
}
