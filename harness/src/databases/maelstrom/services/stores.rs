//! The services' state and what they answer, as pure functions of what they were asked before.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::super::message::{NO_KEY, NOT_SUPPORTED, PRECONDITION};

/// The names of the services.
pub(super) const NAMES: [&str; 4] = ["lin-kv", "seq-kv", "lww-kv", "lin-tso"];

/// How many changes behind the newest a read of `seq-kv` may be.
const STALE_MOST: usize = 16;
/// Replicas of `lww-kv`.
const REPLICAS: usize = 5;

/// Keys are compared as they are written.
type Map = BTreeMap<String, Value>;

/// All services.
pub(super) struct Stores {
    linear: Map,
    sequential: Sequential,
    last_writer: LastWriter,
    timestamp: u64,
    rng: ChaCha8Rng,
}

/// What its states were, oldest first, and which each client has seen: it sees none that is older.
#[derive(Default)]
struct Sequential {
    states: Vec<Map>,
    /// Number of the oldest state that is kept.
    begin: usize,
    seen: BTreeMap<String, usize>,
}

/// Replicas that learn of each other now and then; the highest stamp wins.
#[derive(Default)]
struct LastWriter {
    replicas: [BTreeMap<String, (u64, Value)>; REPLICAS],
    stamp: u64,
}

impl Default for Stores {
    fn default() -> Stores {
        Stores {
            linear: Map::new(),
            sequential: Sequential { states: vec![Map::new()], ..Sequential::default() },
            last_writer: LastWriter::default(),
            timestamp: 0,
            rng: ChaCha8Rng::seed_from_u64(0),
        }
    }
}

impl Stores {
    /// The body of the answer of a service to a client, which may be any node.
    pub(super) fn ask(&mut self, service: &str, client: &str, body: &Value) -> Value {
        match service {
            "lin-kv" => act(&mut self.linear, body),
            "seq-kv" => self.sequential.ask(client, body, &mut self.rng),
            "lww-kv" => self.last_writer.ask(body, &mut self.rng),
            _ if body["type"] == "ts" => {
                self.timestamp += 1;
                json!({ "type": "ts_ok", "ts": self.timestamp })
            }
            _ => error(NOT_SUPPORTED, "there is only ts"),
        }
    }
}

fn error(code: u64, text: &str) -> Value {
    json!({ "type": "error", "code": code, "text": text })
}

/// Carries out a read, write or compare-and-set on a map.
fn act(map: &mut Map, body: &Value) -> Value {
    let key = body["key"].to_string();
    let found = map.get(&key);
    match (body["type"].as_str(), found) {
        (Some("read"), Some(value)) => json!({ "type": "read_ok", "value": value }),
        (Some("write"), _) => {
            map.insert(key, body["value"].clone());
            json!({ "type": "write_ok" })
        }
        (Some("cas"), None) if body["create_if_not_exists"] == true => {
            map.insert(key, body["to"].clone());
            json!({ "type": "cas_ok" })
        }
        (Some("cas"), Some(value)) if *value == body["from"] => {
            map.insert(key, body["to"].clone());
            json!({ "type": "cas_ok" })
        }
        (Some("cas"), Some(value)) => error(PRECONDITION, &format!("found {value}")),
        (Some("read" | "cas"), None) => error(NO_KEY, "there is no such key"),
        _ => error(NOT_SUPPORTED, "there are read, write and cas"),
    }
}

impl Sequential {
    /// Updates act on the newest state; a read on any that is not older than what the client has seen.
    fn ask(&mut self, client: &str, body: &Value, rng: &mut ChaCha8Rng) -> Value {
        let newest = self.begin + self.states.len() - 1;
        let seen = self.seen.get(client).copied().unwrap_or(0).max(self.begin);
        if body["type"] == "read" {
            let at = rng.random_range(seen..=newest);
            self.seen.insert(client.to_owned(), at);
            return act(&mut self.states[at - self.begin], body);
        }
        let mut next = self.states[newest - self.begin].clone();
        let answer = act(&mut next, body);
        self.states.push(next);
        self.seen.insert(client.to_owned(), newest + 1);
        if self.states.len() > STALE_MOST {
            self.states.remove(0);
            self.begin += 1;
        }
        answer
    }
}

impl LastWriter {
    fn ask(&mut self, body: &Value, rng: &mut ChaCha8Rng) -> Value {
        let [from, to, at] = [(); 3].map(|()| rng.random_range(0..REPLICAS));
        for (key, stamped) in self.replicas[from].clone() {
            let known = self.replicas[to].entry(key).or_insert_with(|| stamped.clone());
            if stamped.0 > known.0 {
                *known = stamped;
            }
        }
        let replica = &mut self.replicas[at];
        let mut map: Map =
            replica.iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect();
        let answer = act(&mut map, body);
        if matches!(answer["type"].as_str(), Some("write_ok" | "cas_ok")) {
            self.stamp += 1;
            let key = body["key"].to_string();
            let value = map[&key].clone();
            replica.insert(key, (self.stamp, value));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stores: &mut Stores, service: &str, client: &str) -> Value {
        let answer = stores.ask(service, client, &json!({ "type": "read", "key": 1 }));
        answer.get("value").or(answer.get("code")).cloned().unwrap()
    }

    fn write(stores: &mut Stores, service: &str, client: &str, value: i64) {
        let body = json!({ "type": "write", "key": 1, "value": value });
        assert_eq!(stores.ask(service, client, &body)["type"], "write_ok");
    }

    #[test]
    fn lin_kv_is_a_register_with_compare_and_set() {
        let mut stores = Stores::default();
        assert_eq!(read(&mut stores, "lin-kv", "n1"), NO_KEY);
        let cas = |from: i64, to: i64, create: bool| json!({ "type": "cas", "key": 1, "from": from, "to": to, "create_if_not_exists": create });
        assert_eq!(stores.ask("lin-kv", "n1", &cas(1, 2, false))["code"], NO_KEY);
        assert_eq!(stores.ask("lin-kv", "n1", &cas(1, 2, true))["type"], "cas_ok");
        assert_eq!(stores.ask("lin-kv", "n1", &cas(1, 3, true))["code"], PRECONDITION);
        assert_eq!(read(&mut stores, "lin-kv", "n2"), 2);
        assert_eq!(stores.ask("lin-kv", "n1", &json!({ "type": "nap" }))["code"], NOT_SUPPORTED);
        for expected in 1..3 {
            assert_eq!(stores.ask("lin-tso", "n1", &json!({ "type": "ts" }))["ts"], expected);
        }
    }

    #[test]
    fn seq_kv_is_stale_for_others_and_never_goes_back() {
        let mut stores = Stores::default();
        let (mut last, mut stale) = (0, false);
        for value in 1..200 {
            write(&mut stores, "seq-kv", "n1", value);
            assert_eq!(read(&mut stores, "seq-kv", "n1"), value, "own writes are seen");
            let seen = read(&mut stores, "seq-kv", "n2").as_i64().unwrap();
            stale |= seen < value && value > 1;
            // Nothing yet, at first, is the code of that.
            assert!(seen >= last || last == NO_KEY as i64, "{last}, then {seen}");
            last = seen;
        }
        assert!(stale);
    }

    #[test]
    fn lww_kv_goes_back_and_agrees_in_the_end() {
        let mut stores = Stores::default();
        let mut lost = false;
        for value in 100..200 {
            write(&mut stores, "lww-kv", "n1", value);
            lost |= read(&mut stores, "lww-kv", "n1") != value;
        }
        assert!(lost, "own writes are not always seen");
        for _ in 0..500 {
            read(&mut stores, "lww-kv", "n1");
        }
        for _ in 0..20 {
            assert_eq!(read(&mut stores, "lww-kv", "n1"), 199);
        }
    }
}
