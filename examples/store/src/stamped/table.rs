//! The values of one node with their stamps, and a short digest of them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Stamp;
use crate::request::Key;

/// Into how many parts the keys fall. Nodes compare one number for each part, and then stamps only
/// in the parts that differ.
const PARTS: usize = 64;

/// A value that was written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Where.
    pub key: Key,
    /// What.
    pub value: Value,
    /// When, and by whom.
    pub stamp: Stamp,
}

/// One number for each part: equal tables have equal digests.
///
/// The hash may differ between versions of the program; then all parts seem to differ, which costs
/// bytes and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Digest(Vec<u64>);

/// Key and stamp of every entry in the parts where two digests differ.
#[derive(PartialEq, Debug, Serialize, Deserialize)]
pub struct Stamps {
    parts: Vec<usize>,
    stamps: HashMap<Key, Stamp>,
}

/// The last written value of every key.
pub struct Table {
    entries: BTreeMap<Key, (Value, Stamp)>,
    digest: Digest,
}

impl Table {
    /// An empty table.
    pub fn new() -> Self {
        Self { entries: BTreeMap::new(), digest: Digest(vec![0; PARTS]) }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value of `key`.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.entries.get(key).map(|(value, _)| value)
    }

    /// The value of `key` with its stamp.
    pub fn entry(&self, key: &Key) -> Option<Entry> {
        self.entries.get_key_value(key).map(entry)
    }

    /// All of it.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.iter().map(entry)
    }

    /// Takes `entry` over if it is newer than what is there, and says whether it was.
    pub fn merge(&mut self, entry: Entry) -> bool {
        let Entry { key, value, stamp } = entry;
        let before = self.stamp(&key);
        if before >= Some(stamp) {
            return false;
        }
        // Exclusive or: adding and removing an entry is the same step, in any order.
        let part = part(&key);
        for stamp in before.into_iter().chain([stamp]) {
            self.digest.0[part] ^= hash(&(&key, stamp));
        }
        self.entries.insert(key, (value, stamp));
        true
    }

    /// Drops the entry of `key` as if there had never been one, and says whether there was.
    pub fn forget(&mut self, key: &Key) -> bool {
        let Some((_, stamp)) = self.entries.remove(key) else { return false };
        self.digest.0[part(key)] ^= hash(&(key, stamp));
        true
    }

    /// What to tell a peer so that it can see whether its table is the same.
    pub fn digest(&self) -> Digest {
        self.digest.clone()
    }

    /// The stamps where this table differs from one with the digest `theirs`.
    pub fn stamps_where_differs(&self, theirs: &Digest) -> Stamps {
        let differs = |part: usize| theirs.0.get(part) != Some(&self.digest.0[part]);
        let parts: Vec<usize> = (0..PARTS).filter(|part| differs(*part)).collect();
        let stamps = self.stamps_in(&parts).collect();
        Stamps { parts, stamps }
    }

    /// The keys for which `theirs` is newer, and the entries for which this table is.
    pub fn compare(&self, theirs: &Stamps) -> (Vec<Key>, Vec<Entry>) {
        let wanted = theirs.stamps.iter().filter(|(key, stamp)| self.stamp(key) < Some(**stamp));
        let newer = self
            .stamps_in(&theirs.parts)
            .filter(|(key, stamp)| theirs.stamps.get(key) < Some(stamp))
            .filter_map(|(key, _)| self.entries.get_key_value(&key).map(entry));
        (wanted.map(|(key, _)| key.clone()).collect(), newer.collect())
    }

    /// The entries of these keys.
    pub fn entries_of(&self, keys: &[Key]) -> Vec<Entry> {
        keys.iter().filter_map(|key| self.entry(key)).collect()
    }

    fn stamp(&self, key: &Key) -> Option<Stamp> {
        self.entries.get(key).map(|(_, stamp)| *stamp)
    }

    fn stamps_in(&self, parts: &[usize]) -> impl Iterator<Item = (Key, Stamp)> {
        self.entries
            .iter()
            .filter(|_| !parts.is_empty())
            .filter(|(key, _)| parts.contains(&part(key)))
            .map(|(key, (_, stamp))| (key.clone(), *stamp))
    }
}

fn entry((key, (value, stamp)): (&Key, &(Value, Stamp))) -> Entry {
    Entry { key: key.clone(), value: value.clone(), stamp: *stamp }
}

fn part(key: &Key) -> usize {
    hash(key) as usize % PARTS
}

fn hash(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(key: usize, time_ns: u64, node: &str) -> Entry {
        let stamp = Stamp { time_ns, node: node.parse().unwrap() };
        Entry { key: Key::new(format!("k{key}")).unwrap(), value: json!([time_ns, node]), stamp }
    }

    fn table(entries: impl IntoIterator<Item = Entry>) -> Table {
        let mut table = Table::new();
        for entry in entries {
            table.merge(entry);
        }
        table
    }

    #[test]
    fn the_last_writer_wins_in_every_order_and_equal_tables_have_equal_digests() {
        let a =
            [written(1, 5, "n1"), written(1, 5, "n2"), written(1, 4, "n3"), written(2, 1, "n1")];
        let mut b = a.clone();
        b.reverse();
        let (a, b) = (table(a), table(b));
        assert_eq!(a.get(&Key::new("k1".into()).unwrap()), Some(&json!([5, "n2"])));
        assert!(a.entries().eq(b.entries()));
        assert_eq!(a.digest(), b.digest());
        assert!(a.stamps_where_differs(&b.digest()).parts.is_empty());
    }

    #[test]
    fn two_tables_become_equal_by_what_compare_says_and_it_says_no_more() {
        let common = || (0..500).map(|key| written(key, 1, "n1"));
        let mut a = table(common().chain([written(7, 2, "n2"), written(8, 3, "n2")]));
        let mut b = table(common().chain([
            written(8, 2, "n3"),
            written(9, 2, "n3"),
            written(900, 1, "n3"),
        ]));
        assert_ne!(a.digest(), b.digest());

        let theirs = b.stamps_where_differs(&a.digest());
        assert!(theirs.stamps.len() < 100, "only parts that differ: {}", theirs.stamps.len());
        let (mut wanted, newer) = a.compare(&theirs);
        wanted.sort();
        assert_eq!(wanted.iter().map(Key::to_string).collect::<Vec<_>>(), ["k9", "k900"]);
        assert_eq!(newer, [written(7, 2, "n2"), written(8, 3, "n2")]);

        b.entries_of(&wanted).into_iter().for_each(|entry| _ = a.merge(entry));
        newer.into_iter().for_each(|entry| _ = b.merge(entry));
        assert!(a.entries().eq(b.entries()));
        assert_eq!(a.digest(), b.digest());
    }
}
