//! What the workload `log` draws: sends, polls of what a consumer was assigned, transactions of both; now and then
//! a consumer is assigned other logs, or crashes; and in the end one polls everything from the beginning.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};
use splitbrain_checker::history::{Event, Kind};

use crate::choice::KeyChoice;
use crate::generator::{Context, Generator, Invocation, Next, Repeat};
use crate::keys;
use crate::objects::log::{self, Log, Step, SubVia, Transactional};
use crate::objects::{self, CRASH_CLIENTS, KEY_CHOICE, Load, SUB_VIA, Settings, TXN};
use crate::objects::{MAX_TXN_LENGTH, MIN_TXN_LENGTH};
use crate::vocabulary::Vocabulary;

/// Messages that are sent in one, or steps of a transaction.
const LENGTHS: [usize; 2] = [1, 4];
/// One operation of so many says which logs its consumer polls.
const ASKS_ONE_IN: u32 = 16;
/// One of so many is a crash, where there are any: of ten clients, one in half a minute each at the usual
/// rate, as in Jepsen.
const CRASH_ONE_IN: u32 = 600;
/// So often each node begins with a consumer of all logs.
const FIRST_ROUNDS: usize = 2;
/// Most operations of who polls everything in the end.
const FINAL_TRIES: u32 = 60;
/// How long it waits after a failure.
const FINAL_PAUSE_NS: u64 = 200_000_000;

/// The load.
pub struct Messages {
    settings: Settings,
    /// How many messages there have been.
    sent: Arc<Mutex<i64>>,
}

impl Messages {
    /// Messages of which none is sent twice.
    pub fn new(settings: &Settings) -> Messages {
        Messages { settings: settings.clone(), sent: Arc::default() }
    }

    fn sub_via(&self) -> SubVia {
        self.settings.sub_via.unwrap_or(SubVia::Assign)
    }
}

fn logs(settings: &Settings) -> Vec<u64> {
    (0..settings.keys(keys::KEYS) as u64).collect()
}

/// Some of the logs, at least one.
fn some_logs(settings: &Settings, ctx: &mut Context) -> Vec<u64> {
    let all = logs(settings);
    let one = all[settings.choose(KeyChoice::Uniform, ctx, all.len())];
    all.into_iter().filter(|log| *log == one || ctx.rng.random_bool(0.5)).collect()
}

fn steps(settings: &Settings, ctx: &mut Context, sent: &mut i64) -> Vec<Step> {
    let [fewest, most] = settings.lengths(LENGTHS);
    let count = ctx.rng.random_range(fewest..=most);
    let mut send = |ctx: &mut Context| {
        *sent += 1;
        let log = settings.choose(KeyChoice::Uniform, ctx, settings.keys(keys::KEYS));
        Step::Send(log as u64, *sent)
    };
    let mut step = |ctx: &mut Context| match ctx.rng.random_bool(0.5) {
        true => send(ctx),
        false => Step::Poll(None),
    };
    let first = step(ctx);
    match (settings.txn, first) {
        (true, first) => std::iter::once(first).chain((1..count).map(|_| step(ctx))).collect(),
        (false, Step::Poll(logs)) => vec![Step::Poll(logs)],
        (false, first) => std::iter::once(first).chain((1..count).map(|_| send(ctx))).collect(),
    }
}

impl Load for Messages {
    fn vocabulary(&self) -> &'static str {
        match (self.settings.txn, self.sub_via()) {
            (false, SubVia::Assign) => Log::NAME,
            _ => Transactional::NAME,
        }
    }

    fn model(&self) -> &'static str {
        Log::NAME
    }

    fn heeds(&self) -> &'static [&'static str] {
        &[objects::KEYS, KEY_CHOICE, MIN_TXN_LENGTH, MAX_TXN_LENGTH, SUB_VIA, TXN, CRASH_CLIENTS]
    }

    fn main(&mut self) -> Box<dyn Generator> {
        let (settings, sent, via) = (self.settings.clone(), self.sent.clone(), self.sub_via());
        let mut begun = 0;
        Box::new(Repeat(move |ctx: &mut Context| {
            let mut node = ctx.rng.random_range(0..ctx.nodes);
            let is_first = begun < FIRST_ROUNDS * ctx.nodes;
            let invocation = if is_first || ctx.rng.random_range(0..ASKS_ONE_IN) == 0 {
                let f = match via {
                    SubVia::Both if ctx.rng.random_bool(0.5) => "subscribe",
                    SubVia::Subscribe => "subscribe",
                    SubVia::Assign | SubVia::Both => "assign",
                };
                if is_first {
                    node = begun % ctx.nodes;
                    begun += 1;
                    Invocation::keyless(f, logs(&settings))
                } else {
                    Invocation::keyless(f, some_logs(&settings, ctx))
                }
            } else if settings.crash_clients && ctx.rng.random_range(0..CRASH_ONE_IN) == 0 {
                Invocation::keyless("crash", Value::Null)
            } else {
                let mut sent = sent.lock().expect("no one panics here");
                let steps = steps(&settings, ctx, &mut sent);
                Invocation::keyless(log::named(&steps), log::argument(&steps))
            };
            Invocation { node: Some(node), ..invocation }
        }))
    }

    fn finals(&self, _keys: Vec<String>, _converge_within: Duration) -> Box<dyn Generator> {
        let all = log::argument(&[Step::Poll(Some(logs(&self.settings)))]);
        Box::new(Everything {
            all,
            node: 0,
            is_new: false,
            open: false,
            left: FINAL_TRIES,
            not_before: 0,
        })
    }
}

/// A consumer that crashes first, so that another one begins that has been given nothing, which then polls all
/// logs until nothing is left. What fails it begins again at another node.
struct Everything {
    /// What polls all logs.
    all: Value,
    node: usize,
    /// Whether it has crashed.
    is_new: bool,
    open: bool,
    left: u32,
    not_before: u64,
}

impl Generator for Everything {
    fn next(&mut self, ctx: &mut Context) -> Next {
        if self.open {
            return Next::Pending(None);
        }
        if self.left == 0 {
            return Next::Done;
        }
        if ctx.now < self.not_before {
            return Next::Pending(Some(self.not_before));
        }
        (self.left, self.open) = (self.left - 1, true);
        let next = match self.is_new {
            true => Invocation::keyless("poll", self.all.clone()),
            false => Invocation::keyless("crash", Value::Null),
        };
        Next::Invoke(Invocation { node: Some(self.node % ctx.nodes), ..next })
    }

    fn update(&mut self, ctx: &mut Context, invocation: &Invocation, completion: &Event) {
        self.open = false;
        let is_crash = invocation.f == "crash";
        if is_crash {
            self.is_new = true;
        } else if completion.kind != Kind::Ok {
            (self.node, self.is_new) = (self.node + 1, false);
            self.not_before = ctx.now + FINAL_PAUSE_NS;
        } else {
            let logs = completion.value[0][1].as_object();
            let is_all = logs.is_some_and(|logs| logs.values().all(|new| *new == json!([])));
            self.left = if is_all { 0 } else { self.left };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generator::simulate::simulate;

    /// What is done in the first operations, by its name.
    fn done(settings: &Settings) -> BTreeSet<String> {
        let mut main = Messages::new(settings).main();
        let mut ctx = Context::new(3, 0, 3);
        let all = simulate(&mut *main, &mut ctx, 4, 4_000, |_| (1, Kind::Ok, Value::Null));
        all.iter().map(|one| one.invocation.f.to_string()).collect()
    }

    fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn consumers_and_transactions_are_as_they_are_set() {
        let usual = Settings::default();
        assert_eq!(done(&usual), set(["assign", "poll", "send"]));
        assert_eq!(Messages::new(&usual).vocabulary(), Log::NAME);
        let shared = Settings { sub_via: Some(SubVia::Subscribe), ..Settings::default() };
        assert_eq!(done(&shared), set(["poll", "send", "subscribe"]));
        assert_eq!(Messages::new(&shared).vocabulary(), Transactional::NAME);
        let both = Some(SubVia::Both);
        let all = Settings { sub_via: both, txn: true, crash_clients: true, ..Settings::default() };
        assert_eq!(done(&all), set(["assign", "crash", "poll", "send", "subscribe", "txn"]));
    }

    #[test]
    fn everything_is_polled_by_a_consumer_that_begins_anew() {
        let mut finals = Messages::new(&Settings::default()).finals(Vec::new(), Duration::ZERO);
        let mut polls = 0;
        let answers = |one: &Invocation| {
            polls += usize::from(one.f == "poll");
            match (&*one.f, polls) {
                ("crash", _) => (1, Kind::Info, Value::Null),
                (_, 2) => (1, Kind::Info, one.value.clone()),
                (_, 1 | 3) => (1, Kind::Ok, json!([["poll", {"0": [[0, 1]]}]])),
                _ => (1, Kind::Ok, json!([["poll", {}]])),
            }
        };
        let all = simulate(&mut *finals, &mut Context::new(3, 0, 3), 4, 100, answers);
        let told = |one: &Invocation| format!("{} {}", one.f, one.node.unwrap());
        let told: Vec<String> = all.iter().map(|one| told(&one.invocation)).collect();
        assert_eq!(told, ["crash 0", "poll 0", "poll 0", "crash 1", "poll 1", "poll 1"]);
        assert_eq!(all[1].invocation.value, json!([["poll", [0, 1, 2, 3, 4]]]));
    }
}
