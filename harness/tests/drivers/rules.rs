//! What is to be true of the clients of every driver, tried on the real server.

use std::time::Duration;

use serde_json::{Value, json};
use splitbrain::databases::command::rules::{self, Outcome};
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::objects::total_queue::TotalQueue;
use splitbrain_workloads::objects::{self, Settings};
use splitbrain_workloads::{ErasedClient, Invocation, Vocabulary};

use crate::Driver;
use crate::running::{Running, told};

/// So many clients change the same value at once.
const RIVALS: usize = 8;
/// So often they do at most.
const ROUNDS_MOST: i64 = 60;

/// Alone, a client sees what the object would do one operation after another: of every workload that
/// is served.
pub fn alone(running: &Running, trial: &str) {
    let served = running.served();
    let mut tried = 0;
    for workload in objects::ALL {
        let cas = running.database.has_cas();
        let settings =
            Settings { keys: Some(3), ops_per_key: Some(20), cas, ..Settings::default() };
        let mut load = (workload.load)(&settings);
        if !served.contains(&load.vocabulary()) {
            continue;
        }
        let operations = rules::drawn(&mut *load);
        let prefix = format!("{trial}-alone-{}-", workload.name);
        let mut client = running.client(load.vocabulary(), 0, &prefix).unwrap();
        let became = running.runtime.block_on(rules::alone(&mut *client, &*load, &operations));
        assert!(!matches!(became, Outcome::Broken(_)), "{}: {became:?}", workload.name);
        tried += 1;
    }
    assert!(tried > 0, "no workload is served");
}

/// What is done to one object is not seen at another one, nor by another run.
pub fn objects_are_apart(running: &Running, trial: &str) {
    let (first, second) = (format!("{trial}-one-"), format!("{trial}-two-"));
    if let Some(mut one) = running.client(Register::NAME, 0, &first) {
        let mut other = running.client(Register::NAME, 0, &second).unwrap();
        let say = |client: &mut Box<dyn ErasedClient>, f: &'static str, key: &str, value: Value| {
            running.tell(&mut **client, &Invocation::new(f, key, value))
        };
        assert_eq!(say(&mut one, "write", "a", 1.into()), "ok 1");
        assert_eq!(say(&mut one, "read", "b", Value::Null), "ok null");
        assert_eq!(say(&mut other, "read", "a", Value::Null), "ok null");
        assert_eq!(say(&mut other, "write", "a", 2.into()), "ok 2");
        assert_eq!(say(&mut one, "read", "a", Value::Null), "ok 1");
        let said = say(&mut other, "cas", "a", json!([1, 3]));
        assert!(!running.database.has_cas() || said.starts_with("fail mismatch: "), "{said}");
        assert_eq!(say(&mut other, "read", "a", Value::Null), "ok 2");
    }
    if let Some(mut one) = running.client(TotalQueue::NAME, 0, &first) {
        let mut other = running.client(TotalQueue::NAME, 0, &second).unwrap();
        let say = |client: &mut Box<dyn ErasedClient>, f: &'static str, value: Value| {
            running.tell(&mut **client, &Invocation::keyless(f, value))
        };
        assert_eq!(say(&mut one, "enqueue", 1.into()), "ok 1");
        assert_eq!(say(&mut other, "dequeue", Value::Null), "ok null");
        assert_eq!(say(&mut one, "dequeue", Value::Null), "ok 1");
        assert_eq!(say(&mut one, "dequeue", Value::Null), "ok null");
    }
}

/// Of many compare-and-sets of the same value at once one is carried out (unless it is known of the
/// server that it lets more through), and the others say that they
/// found another value: some of them in the words by which the server itself stopped them.
pub fn one_of_many_changes(running: &Running, driver: &Driver, trial: &str) {
    let prefix = format!("{trial}-rivals-");
    let Some(mut reader) = running.client(Register::NAME, 0, &prefix) else { return };
    let nodes = running.cluster.nodes().len();
    let mut rivals: Vec<_> = (0..RIVALS)
        .map(|rival| running.client(Register::NAME, rival % nodes, &prefix).unwrap())
        .collect();
    let mut now = 0;
    let mut heard = false;
    assert_eq!(running.tell(&mut *reader, &Invocation::new("write", "k", now)), "ok 0");
    for round in 1..=ROUNDS_MOST {
        let said = running.runtime.block_on(async {
            let mut tasks = Vec::new();
            for (number, mut rival) in std::mem::take(&mut rivals).into_iter().enumerate() {
                let new = 100 * round + number as i64;
                tasks.push(tokio::spawn(async move {
                    let change = Invocation::new("cas", "k", json!([now, new]));
                    (told(&mut *rival, &change).await, new, rival)
                }));
            }
            let mut said = Vec::new();
            for task in tasks {
                said.push(task.await.unwrap());
            }
            said
        });
        let words: Vec<&str> = said.iter().map(|(said, ..)| said.as_str()).collect();
        let won = said.iter().filter(|(said, ..)| said.starts_with("ok "));
        let won: Vec<i64> = won.map(|(_, new, _)| *new).collect();
        let has_lost = |word: &&&str| {
            let refused = driver.refuses_rivals && word.starts_with("fail refused: 40001: ");
            refused || word.starts_with("fail mismatch: ")
        };
        let lost = words.iter().filter(has_lost).count();
        assert_eq!(lost, RIVALS - won.len(), "round {round}: {words:?}");
        assert!(won.len() == 1 || driver.lets_more_through, "round {round}: {words:?}");
        heard |= words.iter().any(|word| word.contains(driver.stopped));
        let read = running.tell(&mut *reader, &Invocation::new("read", "k", Value::Null));
        let read_of = |new: &&i64| read == format!("ok {new}");
        now = *won.iter().find(read_of).unwrap_or_else(|| panic!("{read} after {words:?}"));
        rivals = said.into_iter().map(|(.., rival)| rival).collect();
        if heard && round >= 3 {
            return;
        }
    }
    panic!("in {ROUNDS_MOST} rounds the server never said {:?}", driver.stopped);
}

/// Where nobody listens, nothing has happened for certain.
pub fn nobody_there(running: &Running) {
    for vocabulary in running.served() {
        let operation = write_of(vocabulary);
        let mut client = running.stray_client(vocabulary).unwrap();
        let said = running.tell(&mut *client, &operation);
        assert!(said.starts_with("fail connection: "), "{vocabulary}: {said}");
    }
}

/// A write that a server was sent before it was killed may have happened, unless its transaction has only
/// begun.
pub fn killed_in_flight(running: &Running, driver: &Driver) {
    let nodes: Vec<usize> = (0..running.cluster.nodes().len()).collect();
    let killed = if driver.redirects { &nodes[..1] } else { &nodes[..] };
    let home = usize::from(driver.redirects);
    let served = running.served();
    let vocabulary = served.iter().find(|name| **name == Register::NAME).unwrap_or(&served[0]);
    let mut client = running.client(vocabulary, home, "flight-").unwrap();
    let write = write_of(vocabulary);
    running.until_told(&mut *client, &write, "ok ");
    running.stop(killed);
    let said = running.runtime.block_on(async {
        let sent = tokio::spawn(async move { told(&mut *client, &write).await });
        // The connection is there, so that this long after it is in the server's hands.
        tokio::time::sleep(Duration::from_millis(300)).await;
        running.kill_stopped(killed);
        sent.await.unwrap()
    });
    assert!(said.starts_with(driver.in_flight), "{said}");
}

fn write_of(vocabulary: &str) -> Invocation {
    let workload = objects::ALL.iter().find_map(|workload| {
        let settings =
            Settings { keys: Some(1), ops_per_key: Some(20), cas: false, ..Settings::default() };
        let mut load = (workload.load)(&settings);
        (load.vocabulary() == vocabulary).then(|| rules::drawn(&mut *load))
    });
    let operations = workload.expect("a workload of every vocabulary");
    let writes = operations.iter().find(|operation| !operation.value.is_null());
    let write = writes.or(operations.first()).expect("it has operations").clone();
    // At the client's own node.
    Invocation { node: None, ..write }
}
