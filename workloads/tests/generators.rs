//! Generators in virtual time, against exact schedules.

use std::time::Duration;

use serde_json::{Value, json};
use splitbrain_checker::history::Kind;
use splitbrain_workloads::generator::simulate::{Simulated, simulate};
use splitbrain_workloads::generator::{
    Alongside, Closed, Limit, Mix, Probes, Repeat, Rounds, Sequence, Stagger, TimeLimit, each,
};
use splitbrain_workloads::objects::{self, Settings};
use splitbrain_workloads::{Context, Generator, Invocation, KeyChoice};

fn run(generator: &mut dyn Generator, clients: usize, most: usize) -> Vec<Simulated> {
    let mut ctx = Context::new(1, 0, 1);
    simulate(generator, &mut ctx, clients, most, |_| (10, Kind::Ok, Value::Null))
}

/// Runs with 10 ns operations and compares the exact schedule.
fn check(mut generator: impl Generator, clients: usize, expected: &[&str]) {
    let schedule: Vec<String> =
        run(&mut generator, clients, 1_000).iter().map(Simulated::to_string).collect();
    assert_eq!(schedule, expected);
}

fn reads(name: &'static str) -> Repeat<impl FnMut(&mut Context) -> Invocation> {
    Repeat(move |_: &mut Context| Invocation::new("read", name, Value::Null))
}

#[test]
fn a_closed_loop_keeps_every_client_busy() {
    let expected = ["0..10 c0 read x null", "0..10 c1 read x null", "10..20 c0 read x null"];
    check(Limit::new(3, reads("x")), 2, &expected);
}

#[test]
fn a_closed_loop_spreads_its_clients_over_the_nodes_and_keeps_them_there() {
    let mut ctx = Context::new(1, 0, 3);
    let mut four = Closed::new(4, Limit::new(40, reads("x")));
    // The second node is slow, so its one client asks less often.
    let answer =
        |one: &Invocation| (if one.node == Some(1) { 100 } else { 10 }, Kind::Ok, Value::Null);
    let schedule = simulate(&mut four, &mut ctx, 6, 1_000, answer);
    let most_open = |node: usize| {
        let mine: Vec<_> =
            schedule.iter().filter(|one| one.invocation.node == Some(node)).collect();
        let open_at = |at: u64| mine.iter().filter(|one| one.began <= at && at < one.ended).count();
        (mine.iter().map(|one| open_at(one.began)).max(), mine.len())
    };
    assert_eq!([0, 1, 2].map(|node| most_open(node).0), [Some(2), Some(1), Some(1)]);
    assert!(most_open(1).1 * 5 < most_open(2).1, "{} of {}", most_open(1).1, most_open(2).1);
    assert!(schedule.iter().all(|one| one.invocation.due.is_none()));
    assert_eq!(schedule.len(), 40);
}

#[test]
fn a_sequence_goes_on_when_the_first_has_ended() {
    let first = each(vec![Invocation::new("write", "x", 1), Invocation::new("write", "x", 2)]);
    let both = Sequence::new(vec![Box::new(first), Box::new(Limit::new(1, reads("y")))]);
    let expected = ["0..10 c0 write x 1", "10..20 c0 write x 2", "20..30 c0 read y null"];
    check(both, 1, &expected);
}

#[test]
fn a_time_limit_starts_nothing_at_or_after_its_end() {
    let expected = ["0..10 c0 read x null", "10..20 c0 read x null"];
    check(TimeLimit::new(Duration::from_nanos(20), reads("x")), 1, &expected);
}

#[test]
fn a_stagger_keeps_its_schedule_when_the_system_is_slow() {
    let rate = 1e9 / 50.0;
    let mut fast = Stagger::new(rate, Limit::new(200, reads("x")));
    let mut slow = Stagger::new(rate, Limit::new(200, reads("x")));
    let dues = |schedule: &[Simulated]| -> Vec<u64> {
        schedule.iter().map(|one| one.invocation.due.unwrap()).collect()
    };
    let quick = run(&mut fast, 4, 1_000);
    let mut ctx = Context::new(1, 0, 1);
    let late = simulate(&mut slow, &mut ctx, 1, 1_000, |_| (10_000, Kind::Ok, Value::Null));
    assert_eq!(dues(&quick), dues(&late), "the intended times do not depend on the answers");
    assert!(late.iter().all(|one| one.began >= one.invocation.due.unwrap()));
    let last = *dues(&quick).last().unwrap();
    assert!((199 * 40..199 * 60).contains(&last), "mean gap near 50 ns, last due at {last}");
}

#[test]
fn a_mix_follows_its_weights_and_ends_with_its_last_choice() {
    let mix = Mix::new(vec![
        (3, Box::new(Limit::new(300, reads("x")))),
        (1, Box::new(Limit::new(300, reads("y")))),
        (0, Box::new(reads("never"))),
    ]);
    let schedule = run(&mut { mix }, 1, 10_000);
    assert_eq!(schedule.len(), 600);
    let early = schedule[..200].iter().filter(|one| one.invocation.key.as_deref() == Some("x"));
    assert!((120..180).contains(&early.count()));
    assert!(schedule.iter().all(|one| one.invocation.key.as_deref() != Some("never")));
}

#[test]
fn probes_ask_all_nodes_at_once_and_beside_everything_else() {
    let main = Stagger::new(1e9 / 40.0, Limit::new(3, reads("x")));
    let probes = Probes::new("read", "p", Duration::from_nanos(100));
    let mut ctx = Context::new(1, 0, 2);
    let mut both = TimeLimit::new(Duration::from_nanos(250), Alongside::new(main, probes));
    let schedule = simulate(&mut both, &mut ctx, 6, 100, |_| (10, Kind::Ok, Value::Null));
    let probed: Vec<_> = schedule
        .iter()
        .filter(|one| one.invocation.probe)
        .map(|one| (one.invocation.due.unwrap(), one.began, one.invocation.node.unwrap()))
        .collect();
    // The third operation of the other is the last, and the rounds end with it.
    let last = schedule.iter().rfind(|one| !one.invocation.probe).unwrap().began;
    let expected: Vec<_> = [0, 100, 200]
        .into_iter()
        .filter(|due| *due <= last)
        .flat_map(|due| [(due, due, 0), (due, due, 1)])
        .collect();
    assert_eq!(probed, expected);
    assert!(probed.len() >= 2);
}

/// Final reads of two keys at two nodes, answered by `answer(round-independent time, invocation)`.
fn rounds(answer: impl FnMut(&Invocation) -> (u64, Kind, Value)) -> Vec<Simulated> {
    let keys = vec![Some("a".to_owned()), Some("b".to_owned())];
    let mut generator =
        Rounds::new("read", keys, Duration::from_nanos(200), Duration::from_nanos(1_000));
    let mut ctx = Context::new(1, 0, 2);
    simulate(&mut generator, &mut ctx, 4, 1_000, answer)
}

#[test]
fn final_reads_end_after_two_rounds_in_agreement() {
    let schedule = rounds(|_| (10, Kind::Ok, json!(7)));
    let begins: Vec<u64> = schedule.iter().map(|one| one.began).collect();
    assert_eq!(begins, [0, 0, 0, 0, 200, 200, 200, 200]);
}

#[test]
fn final_reads_go_on_until_the_limit_while_nodes_differ() {
    let schedule = rounds(|read| (10, Kind::Ok, json!(read.node)));
    let begins: Vec<u64> = schedule.iter().step_by(4).map(|one| one.began).collect();
    assert_eq!(begins, [0, 200, 400, 600, 800, 1_000]);
}

#[test]
fn final_reads_end_two_rounds_after_the_nodes_have_agreed() {
    let mut reads = 0;
    let schedule = rounds(|read| {
        reads += 1;
        (10, Kind::Ok, if reads <= 8 { json!(read.node) } else { json!(7) })
    });
    assert_eq!(schedule.len(), 16, "two rounds apart, then two in agreement");
}

#[test]
fn the_register_workload_is_fixed_by_its_seed() {
    let schedule = |seed, latency| {
        let settings = Settings { keys: Some(3), ops_per_key: Some(20), ..Settings::default() };
        let mut load = (objects::find("register").unwrap().load)(&settings);
        let mut main = Stagger::new(1e6, load.main());
        let mut ctx = Context::new(seed, 0, 5);
        simulate(&mut main, &mut ctx, 10, 2_000, |_| (latency, Kind::Ok, Value::Null))
            .into_iter()
            .map(|one| one.invocation)
            .collect::<Vec<_>>()
    };
    assert_eq!(schedule(42, 10), schedule(42, 1_000_000), "answers change nothing");
    assert_ne!(schedule(42, 10), schedule(43, 10));
}

#[test]
fn the_register_workload_writes_unique_values_and_retires_keys() {
    let settings = Settings { keys: Some(3), ops_per_key: Some(20), ..Settings::default() };
    let mut load = (objects::find("register").unwrap().load)(&settings);
    let mut main = load.main();
    let schedule = run(&mut *main, 5, 3_000);
    let mut written = std::collections::HashSet::new();
    let mut per_key = std::collections::HashMap::<_, usize>::new();
    let (mut to_probed, mut once) = (0, std::collections::HashSet::new());
    let mut kinds = std::collections::HashMap::<_, usize>::new();
    for one in &schedule {
        match one.invocation.key.as_deref().unwrap() {
            "p" => to_probed += 1,
            key if key.starts_with('w') => {
                assert_eq!(one.invocation.f, "write");
                assert!(once.insert(key), "{key} is written twice");
            }
            key => *per_key.entry(key).or_default() += 1,
        }
        *kinds.entry(one.invocation.f.clone()).or_default() += 1;
        let value = &one.invocation.value;
        if let Some(value) = value.as_i64().or_else(|| value[1].as_i64()) {
            assert!(written.insert(value), "{value} is written twice");
        }
    }
    assert!(per_key.values().all(|count| *count <= 30));
    assert!(per_key.len() > 100, "{} keys", per_key.len());
    assert!((100..200).contains(&to_probed), "one in 20 goes to the probed key: {to_probed}");
    assert!((100..200).contains(&once.len()), "a tenth of the writes: {}", once.len());
    assert!(kinds["read"] > 1_300 && kinds["cas"] > 300 && kinds["write"] > 800, "{kinds:?}");
}

/// The transactions of a workload, each the keys of its steps and which of them write.
fn transactions(name: &str, settings: &Settings) -> Vec<Vec<(u64, bool)>> {
    let mut main = (objects::find(name).unwrap().load)(settings).main();
    let step = |step: &Value| (step[1].as_u64().unwrap(), step[0] != "r");
    let steps = |value: &Value| value.as_array().unwrap().iter().map(step).collect();
    run(&mut *main, 5, 3_000).iter().map(|one| steps(&one.invocation.value)).collect()
}

/// The shortest and the longest transaction, and the most writes of one key.
fn figures(name: &str, settings: &Settings) -> [usize; 3] {
    let all = transactions(name, settings);
    let lengths = || all.iter().map(Vec::len);
    let mut writes = std::collections::HashMap::<_, usize>::new();
    for (key, _) in all.iter().flatten().filter(|(_, writes)| *writes) {
        *writes.entry(*key).or_default() += 1;
    }
    let most = writes.into_values().max().unwrap();
    [lengths().min().unwrap(), lengths().max().unwrap(), most]
}

#[test]
fn transactions_are_as_long_as_they_are_to_be_and_keys_are_written_so_often() {
    for name in ["append", "wr"] {
        // As Jepsen draws them.
        assert_eq!(figures(name, &Settings::default()), [1, 4, 256]);
        let lengths = |min_txn_length, max_txn_length| Settings {
            min_txn_length,
            max_txn_length,
            ops_per_key: Some(10),
            ..Settings::default()
        };
        assert_eq!(figures(name, &lengths(Some(3), Some(3))), [3, 3, 10]);
        assert_eq!(figures(name, &lengths(Some(6), None)), [6, 6, 10]);
        assert_eq!(figures(name, &lengths(None, Some(9))), [1, 9, 10]);
    }
}

#[test]
fn transactions_work_on_so_many_keys() {
    let keys = |keys, choice| {
        let settings =
            Settings { keys, choice, ops_per_key: Some(1_000_000), ..Settings::default() };
        let all = transactions("append", &settings);
        all.iter().flatten().map(|(key, _)| *key).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(keys(None, None), 10);
    assert_eq!(keys(None, Some(KeyChoice::Uniform)), 3);
    assert_eq!(keys(Some(4), Some(KeyChoice::Uniform)), 4);
    assert_eq!(keys(Some(1), None), 1);
}

#[test]
fn values_of_registers_are_drawn_from_so_many() {
    let settings = Settings { values: Some(5), ..Settings::default() };
    let mut load = (objects::find("register").unwrap().load)(&settings);
    assert!(!load.unique_writes());
    let values =
        run(&mut *load.main(), 5, 1_000).into_iter().flat_map(|one| match one.invocation.value {
            Value::Array(pair) => pair,
            value => vec![value],
        });
    let written: std::collections::BTreeSet<i64> =
        values.filter_map(|value| value.as_i64()).collect();
    assert_eq!(written, (0..5).collect());
    assert!((objects::find("register").unwrap().load)(&Settings::default()).unique_writes());
}

#[test]
fn without_cas_there_is_none() {
    let settings =
        Settings { keys: Some(3), ops_per_key: Some(20), cas: false, ..Settings::default() };
    let mut load = (objects::find("register").unwrap().load)(&settings);
    let mut main = load.main();
    assert!(run(&mut *main, 5, 1_000).iter().all(|one| one.invocation.f != "cas"));
}
