//! Makes histories as Jepsen's generators do: keys of an exponential distribution that retire after 256
//! writes.

use std::fmt::Write;

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SESSIONS: usize = 10;
const KEYS: usize = 10;
const WRITES_MOST: usize = 256;

/// Transactions of one to eight accesses on lists, each at one moment of its interval; with a read that
/// misses the last element near the end if it is to be broken.
pub fn lists(accesses: usize, broken: bool) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut text = String::new();
    let mut keys: Vec<(usize, Vec<usize>)> = (0..KEYS).map(|key| (key, Vec::new())).collect();
    let (mut done, mut next_key, mut index) = (0, KEYS, 0);
    let mut to_break = broken;
    while done < accesses {
        let process = rng.random_range(0..SESSIONS);
        let (mut asked, mut answered) = (String::new(), String::new());
        for place in 0..rng.random_range(1..=8) {
            let chosen = (0..KEYS - 1).find(|_| rng.random_bool(0.5)).unwrap_or(KEYS - 1);
            let (key, list) = &mut keys[chosen];
            let space = if place > 0 { " " } else { "" };
            if rng.random_bool(0.5) {
                list.push(list.len() + 1);
                let step = format!("{space}[:append {key} {}]", list.len());
                asked += &step;
                answered += &step;
            } else {
                let mut end = list.len();
                if to_break && place == 0 && done > accesses * 9 / 10 && end > 2 {
                    to_break = false;
                    end -= 1;
                }
                let _ = write!(asked, "{space}[:r {key} nil]");
                let elements: Vec<String> = list[..end].iter().map(usize::to_string).collect();
                let _ = write!(answered, "{space}[:r {key} [{}]]", elements.join(" "));
            }
            if list.len() == WRITES_MOST {
                keys[chosen] = (next_key, Vec::new());
                next_key += 1;
            }
            done += 1;
        }
        for (kind, steps) in [("invoke", &asked), ("ok", &answered)] {
            let time = index * 1_000;
            let _ = writeln!(
                text,
                "{{:index {index}, :time {time}, :type :{kind}, :process {process}, :f :txn, :value [{steps}]}}"
            );
            index += 1;
        }
    }
    text
}
