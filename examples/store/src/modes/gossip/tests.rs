//! One gossip node without a network, against its disk.

use serde_json::json;

use super::*;
use crate::journal::{self, Mount};

fn node(folder: &std::path::Path, mount: Mount) -> (Gossip, mpsc::UnboundedReceiver<String>) {
    let id = "n1".parse().unwrap();
    let data = DataDir::open(folder, id, "gossip").unwrap();
    let (journal, _) = Journal::open(&data.file("gossip.log"), mount).unwrap();
    let local = Local { clock: Clock::new(id), table: Table::new(), rewritten_bytes: 0 };
    let (alarm, alarms) = Alarm::new();
    let gossip =
        Gossip { local: Mutex::new(local), journal, alarm, outboxes: Vec::new(), _data: data };
    (gossip, alarms)
}

async fn put(gossip: &Gossip, key: &str, value: Value) -> Outcome {
    let key = Key::new(key.to_owned()).unwrap();
    gossip.write(key, Write::Put { value }, Instant::now()).await
}

#[tokio::test]
async fn a_write_that_cannot_be_made_durable_is_not_acknowledged_and_stops_the_node() {
    struct Broken;
    impl journal::Medium for Broken {
        fn append(&mut self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn sync(&mut self) -> std::io::Result<()> {
            Err(std::io::Error::other("no space left"))
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (gossip, mut alarms) = node(folder.path(), |_| Box::new(Broken));
    let outcome = put(&gossip, "k", json!(1)).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert!(alarms.recv().await.unwrap().contains("no space left"));
}

#[tokio::test]
async fn the_journal_does_not_grow_without_end_and_loses_nothing_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (gossip, mut alarms) = node(folder.path(), journal::plain);
    let filler = "x".repeat(200_000);
    for round in 0..60 {
        let key = if round % 10 == 0 { format!("kept{round}") } else { "busy".to_owned() };
        assert_eq!(put(&gossip, &key, json!([round, filler])).await, Outcome::Ok);
    }
    assert!(alarms.try_recv().is_err());
    let size = std::fs::metadata(folder.path().join("gossip.log")).unwrap().len();
    assert!(size < 9_000_000, "60 writes of 200 kB left {size} bytes");

    let (_, records) = Journal::open(&folder.path().join("gossip.log"), journal::plain).unwrap();
    let mut table = Table::new();
    for record in records {
        table.merge(serde_json::from_slice(&record).unwrap());
    }
    assert!(table.entries().eq(gossip.local.lock().unwrap().table.entries()));
    assert_eq!(table.len(), 7);
}
