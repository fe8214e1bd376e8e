//! Each model over a small alphabet of its operations.

use super::*;

#[test]
fn mutex() {
    use crate::models::mutex::{Mutex, Op};
    exhaustive(&Mutex, &[Op::Acquire, Op::Release], 4, as_it_is);
    random(&Mutex, &[Op::Acquire, Op::Release], 60, as_it_is);
}

#[test]
fn kv_append() {
    use crate::models::kv_append::{KvAppend, Op};
    let [get, put, append] = [Op::Get, Op::Put, Op::Append];
    let few = [get("".into()), get("a".into()), put("a".into()), append("a".into())];
    exhaustive(&KvAppend, &few, 3, as_it_is);
    let mut many: Vec<Op> = ["", "a", "b", "ab", "ba", "aa", "aab"].map(|t| get(t.into())).into();
    many.extend(["a", "b"].map(|t| put(t.into())));
    many.extend(["a", "b", "c"].map(|t| append(t.into())));
    random(&KvAppend, &many, 60, as_it_is);
}

/// Elements that are taken, and ways to take them.
fn elements(values: u32) -> Vec<elements::Op> {
    use elements::Op::{Empty, Put, Take, TakeUnknown};
    let both = |value| [Put(ValueId(value)), Take(ValueId(value))];
    [Empty, TakeUnknown].into_iter().chain((0..values).flat_map(both)).collect()
}

/// What was not answered cannot say what it took.
fn unanswered(mut ops: Vec<Timed<elements::Op>>) -> Vec<Timed<elements::Op>> {
    use elements::Op::{Empty, Put, TakeUnknown};
    for op in &mut ops {
        match (op.returned, op.op) {
            (_, Put(_)) => {}
            (None, _) => op.op = TakeUnknown,
            (Some(_), TakeUnknown) => op.op = Empty,
            (Some(_), _) => {}
        }
    }
    ops
}

/// Two elements go through the queue, their four operations in every arrangement.
#[test]
fn overtaking() {
    use elements::Op::{Put, Take};
    let ops = [Put(ValueId(0)), Put(ValueId(1)), Take(ValueId(0)), Take(ValueId(1))];
    let mut tally = Tally::default();
    for order in orders(4) {
        for word in 0..256 {
            let letters = [0, 2, 4, 6].map(|shift| word >> shift & 3);
            if (0..4).all(|letter| letters.contains(&letter)) {
                let timed = letters.iter().zip(&order);
                let timed = timed.map(|(letter, &(invoked, returned))| Timed {
                    op: ops[*letter],
                    invoked,
                    returned,
                });
                compare(&fifo_queue::FifoQueue, &unanswered(timed.collect()), &mut tally);
            }
        }
    }
    assert!(tally.shortcuts.iter().all(|count| *count > 1000), "{tally:?}");
}

#[test]
fn fifo_queue() {
    let queue = fifo_queue::FifoQueue;
    exhaustive(&queue, &elements(1), 3, unanswered);
    let tally = random(&queue, &elements(5), 60, unanswered);
    assert!(tally.shortcuts.iter().all(|count| *count > cases(1)), "{tally:?}");
}

#[test]
fn unordered_queue() {
    let queue = unordered_queue::UnorderedQueue;
    exhaustive(&queue, &elements(1), 3, unanswered);
    let tally = random(&queue, &elements(5), 30, unanswered);
    assert!(tally.shortcuts.iter().all(|count| *count > cases(1)), "{tally:?}");
}

#[test]
fn stack() {
    exhaustive(&stack::Stack, &elements(1), 3, unanswered);
    random(&stack::Stack, &elements(3), 60, unanswered);
}

#[test]
fn set() {
    use crate::models::set::{GrowOnlySet, Op};
    let read = |bits: u32| Op::Read((0..4).filter(|v| bits >> v & 1 == 1).map(ValueId).collect());
    let add = |value| Op::Add(ValueId(value));
    exhaustive(&GrowOnlySet, &[add(0), add(1), read(0), read(1), read(3)], 3, as_it_is);
    let all: Vec<Op> = (0..4).map(add).chain((0..16).map(read)).collect();
    let tally = random(&GrowOnlySet, &all, 60, as_it_is);
    assert!(tally.shortcuts.iter().all(|count| *count > cases(1)), "{tally:?}");
}

#[test]
fn counter() {
    use crate::models::counter::{Counter, Op};
    let few = [Op::Add(1), Op::Add(-1), Op::Read(0), Op::Read(1)];
    exhaustive(&Counter, &few, 3, as_it_is);
    let reads = (-2..6).map(Op::Read);
    let many: Vec<Op> = [1, 2, 3, 0, -1].map(Op::Add).into_iter().chain(reads).collect();
    random(&Counter, &many, 60, as_it_is);
}

#[test]
fn multi_register() {
    use crate::models::multi_register::{Access, MultiRegister};
    let [one, two, a, b] = [1, 2, 3, 4].map(ValueId);
    let [read, write] = [Access::Read, Access::Write];
    let few = [
        vec![write(one, a), write(two, a)],
        vec![read(one, a), read(two, Values::NULL)],
        vec![read(one, a), write(two, b)],
        vec![read(two, b)],
    ];
    exhaustive(&MultiRegister, &few.clone().map(Into::into), 3, as_it_is);
    let mut many = few.to_vec();
    many.extend([Values::NULL, a, b].map(|value| vec![read(one, value), read(two, value)]));
    many.extend([Values::NULL, a].map(|value| vec![write(one, value), read(one, value)]));
    let many: Vec<_> = many.into_iter().map(Into::into).collect();
    random(&MultiRegister, &many, 60, as_it_is);
}

/// The files that are no models.
const OTHERS: [&str; 10] =
    ["mod", "check", "elements", "front", "list", "open", "search", "sweep", "values", "witness"];

#[test]
fn the_vocabularies_are_the_files_of_the_folder() {
    let mut listed: Vec<&str> = list::ALL.iter().map(|model| model.name()).collect();
    assert_eq!([&["register", "cas-register"][..], &listed].concat(), VOCABULARIES);
    listed.sort_unstable();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/models");
    let mut files: Vec<String> = std::fs::read_dir(source)
        .expect("a folder")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rs").map(|name| name.replace('_', "-")))
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .collect();
    files.sort_unstable();
    assert_eq!(listed, files);
    for name in VOCABULARIES {
        assert_eq!(name.parse::<ModelName>().map(ModelName::name), Ok(*name));
        assert!(list::Objects::named(name).is_some());
    }
    assert_eq!(
        "bank".parse::<ModelName>().map_err(|error| error.to_string()[..22].to_owned()),
        Err("there is no model bank".to_owned())
    );
}
