//! Values of a size: between a workload, whose values are small numbers, and a database, which is to keep
//! large ones. What is written of a key is padded on the way there with letters that follow from key and
//! value alone; what comes back is compared with that, letter by letter, and is a small number again. So the
//! history stays small, and a value that was cut, mixed up or belongs elsewhere is read as a text that nobody
//! wrote, which every check takes for the corruption that it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use splitbrain_checker::history::Kind;

use crate::client::{BoxFuture, Completion, ErasedClient};
use crate::generator::Invocation;

/// Of what sizes values can be: room for key and value, and no more than a client waits for.
const LEAST: usize = 64;
const MOST: usize = 65_536;
/// The letters of the padding.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";

/// How large values are, in bytes: `1024`, or `64..4096` for any size between, drawn for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct ValueBytes {
    least: usize,
    most: usize,
}

/// As it stands in a plan.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(usize),
    Text(String),
}

impl TryFrom<Written> for ValueBytes {
    type Error = String;

    fn try_from(written: Written) -> Result<ValueBytes, String> {
        match written {
            Written::Number(bytes) => bytes.to_string().parse(),
            Written::Text(text) => text.parse(),
        }
    }
}

impl FromStr for ValueBytes {
    type Err = String;

    fn from_str(text: &str) -> Result<ValueBytes, String> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let sizes = least.trim().parse().ok().zip(most.trim().parse().ok());
        sizes
            .filter(|(least, most)| LEAST <= *least && least <= most && *most <= MOST)
            .map(|(least, most)| ValueBytes { least, most })
            .ok_or_else(|| {
                format!(
                    "value_bytes is {text:?}; allowed are {LEAST} to {MOST}, or two such numbers \
                     with .. between, the smaller first"
                )
            })
    }
}

impl fmt::Display for ValueBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.least == self.most {
            true => write!(f, "{}", self.least),
            false => write!(f, "{}..{}", self.least, self.most),
        }
    }
}

impl From<ValueBytes> for String {
    fn from(bytes: ValueBytes) -> String {
        bytes.to_string()
    }
}

impl ValueBytes {
    /// What is kept for a value of a key.
    fn padded(self, key: &Value, value: &Value) -> String {
        let mut text = format!("{key}.{value}.");
        // FNV-1a (Fowler, Noll and Vo), and from there xorshift (Marsaglia 2003).
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut state = text.bytes().fold(0xcbf2_9ce4_8422_2325, hash) | 1;
        let size = self.least + (state >> 8) as usize % (self.most - self.least + 1);
        while text.len() < size {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push(char::from(LETTERS[(state >> 40) as usize % LETTERS.len()]));
        }
        text
    }

    /// The value that a text of a key was made of, or what is wrong with it.
    fn read(self, key: &Value, found: &Value) -> Value {
        if found.is_null() {
            return Value::Null;
        }
        let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        let value = text.strip_prefix(&format!("{key}.")).and_then(|rest| rest.split_once('.'));
        let value = value.and_then(|(value, _)| serde_json::from_str(value).ok());
        let Some(value) = value else {
            return format!("corrupt: {} bytes that begin with no value of this key", text.len())
                .into();
        };
        let expected = self.padded(key, &value);
        if text == expected {
            return value;
        }
        let same =
            text.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
        let (is, was) = (text.len(), expected.len());
        format!("corrupt: {is} bytes of {value}, which was {was}; the same up to byte {same}")
            .into()
    }

    /// Reads what the steps of a transaction found, and has of those that wrote what was asked of them.
    fn read_all(self, asked: &Value, done: &mut Value) {
        for (at, step) in steps(done).enumerate() {
            let key = step[1].clone();
            step[2] = match (&asked[at], &step[2]) {
                (asked, _) if asked[0] != "r" => asked[2].clone(),
                (_, Value::Array(all)) => all.iter().map(|one| self.read(&key, one)).collect(),
                (_, one) => self.read(&key, one),
            };
        }
    }
}

/// A client whose values are padded on the way to the database, which keeps a text as it is: one of
/// transactions, `["r", KEY, null]` and others, or of a register, whose `read` alone finds anything.
struct Padded {
    client: Box<dyn ErasedClient>,
    bytes: ValueBytes,
}

/// Gives values this size.
pub fn padded(client: Box<dyn ErasedClient>, bytes: ValueBytes) -> Box<dyn ErasedClient> {
    Box::new(Padded { client, bytes })
}

impl ErasedClient for Padded {
    fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
        Box::pin(async move {
            let bytes = self.bytes;
            let Invocation { f, value, .. } = invocation;
            let register = invocation.key.as_deref().map(Value::from);
            let mut asked = invocation.clone();
            match &register {
                Some(key) => written(&mut asked.value)
                    .for_each(|value| *value = bytes.padded(key, value).into()),
                None => steps(&mut asked.value)
                    .filter(|step| step[0] != "r")
                    .for_each(|step| step[2] = bytes.padded(&step[1], &step[2]).into()),
            }
            let mut done = self.client.invoke(&asked).await;
            match &register {
                _ if done.kind != Kind::Ok => done.value = value.clone(),
                Some(key) if **f == *"read" => done.value = bytes.read(key, &done.value),
                Some(_) => done.value = value.clone(),
                None => bytes.read_all(value, &mut done.value),
            }
            done
        })
    }
}

/// The values of a call on a register: of a write one, of a compare-and-set two, of a read none.
fn written(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    let all = match value {
        Value::Array(pair) => pair.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    all.iter_mut().filter(|value| !value.is_null())
}

/// The steps, each an array of three.
fn steps(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    let steps = value.as_array_mut().into_iter().flatten();
    steps.filter(|step| step.as_array().is_some_and(|parts| parts.len() == 3))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use serde_json::json;
    use splitbrain_checker::history::History;
    use splitbrain_checker::{Options, judge};

    use super::*;

    /// Keeps lists in memory, and of every element only so many bytes.
    struct Lists {
        kept: BTreeMap<String, Vec<Value>>,
        most_bytes: usize,
    }

    impl ErasedClient for Lists {
        fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
            let mut value = invocation.value.clone();
            for step in steps(&mut value) {
                let list = self.kept.entry(step[1].to_string()).or_default();
                match step[0].as_str() {
                    Some("r") => step[2] = list.clone().into(),
                    _ => {
                        let text = step[2].as_str().expect("a text");
                        assert!((64..=128).contains(&text.len()), "{text}");
                        list.push(text[..text.len().min(self.most_bytes)].into());
                    }
                }
            }
            let done = Completion { kind: Kind::Ok, value, version: None, error: None };
            Box::pin(std::future::ready(done))
        }
    }

    fn now(client: &mut dyn ErasedClient, invocation: &Invocation) -> Completion {
        let mut work = pin!(client.invoke(invocation));
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("it waits"),
        }
    }

    /// The verdict on two transactions with a database that keeps so many bytes, and what the second read.
    fn verdict(most_bytes: usize) -> (String, Value) {
        let lists = Lists { kept: BTreeMap::new(), most_bytes };
        let mut client = padded(Box::new(lists), "64..128".parse().unwrap());
        let mut lines = vec![json!({"splitbrain": 1, "vocabulary": "list-append"})];
        let mut read = Value::Null;
        for steps in [json!([["append", 1, 7], ["append", 1, 8]]), json!([["r", 1, null]])] {
            let done = now(&mut *client, &Invocation::keyless("txn", steps.clone()));
            for (kind, value) in [("invoke", &steps), ("ok", &done.value)] {
                lines.push(json!({"process": 0, "type": kind, "f": "txn", "value": value}));
            }
            read = done.value[0][2].clone();
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let history = History::read(text.as_bytes()).unwrap();
        (judge(&history, &Options::default()).verdict.name().to_owned(), read)
    }

    #[test]
    fn a_value_that_was_cut_is_found_and_one_that_is_whole_is_the_number_again() {
        assert_eq!(verdict(usize::MAX), ("valid".to_owned(), json!([7, 8])));
        let (verdict, read) = verdict(63);
        assert_eq!(verdict, "invalid");
        assert!(
            read[0].as_str().unwrap().starts_with("corrupt: 63 bytes of 7, which was "),
            "{read}"
        );
    }

    /// Keeps one register in memory, and of its value only so many bytes.
    struct One {
        kept: Value,
        most_bytes: usize,
    }

    impl ErasedClient for One {
        fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
            let value = &invocation.value;
            let kind = match &*invocation.f {
                "cas" if value[0] != self.kept => Kind::Fail,
                _ => Kind::Ok,
            };
            let new = match &*invocation.f {
                "write" => Some(value),
                "cas" if kind == Kind::Ok => Some(&value[1]),
                _ => None,
            };
            if let Some(new) = new {
                let text = new.as_str().expect("a text");
                self.kept = text[..text.len().min(self.most_bytes)].into();
            }
            let done = Completion { kind, value: self.kept.clone(), version: None, error: None };
            Box::pin(std::future::ready(done))
        }
    }

    #[test]
    fn registers_are_padded_compared_and_read() {
        let done = |most_bytes: usize| {
            let one = One { kept: Value::Null, most_bytes };
            let mut client = padded(Box::new(one), "64..128".parse().unwrap());
            let calls = [
                ("read", Value::Null),
                ("write", json!(1)),
                ("cas", json!([1, 2])),
                ("cas", json!([1, 3])),
                ("read", Value::Null),
            ];
            calls.map(|(f, value)| {
                let done = now(&mut *client, &Invocation::new(f, "k", value));
                (done.kind, done.value)
            })
        };
        let whole = [
            (Kind::Ok, Value::Null),
            (Kind::Ok, json!(1)),
            (Kind::Ok, json!([1, 2])),
            (Kind::Fail, json!([1, 3])),
            (Kind::Ok, json!(2)),
        ];
        assert_eq!(done(usize::MAX), whole);
        let cut = done(63);
        assert_eq!(cut[2].0, Kind::Fail, "what was cut is not what was written");
        let read = cut[4].1.as_str().unwrap();
        assert!(read.starts_with("corrupt: 63 bytes of 1, which was "), "{read}");
    }

    #[test]
    fn only_the_whole_value_of_the_same_key_is_taken_for_it() {
        let bytes: ValueBytes = "100".parse().unwrap();
        let text = bytes.padded(&json!(3), &json!(5));
        assert_eq!((text.len(), bytes.read(&json!(3), &json!(text))), (100, json!(5)));
        assert_eq!(bytes.read(&json!(3), &Value::Null), Value::Null);
        let mixed = format!("{}?{}", &text[..50], &text[51..]);
        for wrong in [json!(text[..99]), json!(format!("{text}x")), json!(mixed), json!(5)] {
            let read = bytes.read(&json!(3), &wrong);
            assert!(read.as_str().is_some_and(|read| read.starts_with("corrupt: ")), "{read}");
        }
        assert!(bytes.read(&json!(4), &json!(text)).is_string(), "of another key");
    }

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (plan, text) in [(json!(64), "64"), (json!("64..4096"), "64..4096")] {
            let bytes: ValueBytes = serde_json::from_value(plan).unwrap();
            assert_eq!(serde_json::to_value(bytes).unwrap(), json!(text));
        }
        for wrong in ["63", "65537", "200..100", "64..", "many"] {
            assert!(wrong.parse::<ValueBytes>().unwrap_err().contains("allowed are 64 to 65536"));
        }
    }
}
