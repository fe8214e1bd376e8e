//! Each model but queues and stacks over a small alphabet of its operations.

use super::*;
use crate::linearizable::ValueId;

#[test]
fn mutex() {
    use crate::models::mutex::{Mutex, Op};
    exhaustive(&Mutex, &[Op::Acquire, Op::Release], 4, as_it_is);
    let tally = random(&Mutex, &[Op::Acquire, Op::Release], 150, as_it_is);
    assert_eq!(tally.shortcuts, [tally.not, tally.linearizable]);
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

#[test]
fn reentrant_mutex() {
    use crate::models::reentrant_mutex::{Op, ReentrantMutex};
    let both = |process| [Op::Acquire(process), Op::Release(process)];
    exhaustive(&ReentrantMutex, &[both(1), both(2)].concat(), 3, as_it_is);
    random(&ReentrantMutex, &[both(1), both(2), both(3)].concat(), 100, as_it_is);
}

/// What was not answered has no token.
fn without_token(mut ops: Vec<Timed<fenced_mutex::Op>>) -> Vec<Timed<fenced_mutex::Op>> {
    for op in ops.iter_mut().filter(|op| op.returned.is_none()) {
        if let fenced_mutex::Op::Acquire(token) = &mut op.op {
            *token = None;
        }
    }
    ops
}

#[test]
fn fenced_mutex() {
    use crate::models::fenced_mutex::{FencedMutex, Op};
    let few = [Op::Acquire(Some(1)), Op::Acquire(Some(2)), Op::Release(None)];
    exhaustive(&FencedMutex, &few, 4, without_token);
    let few = [Op::Acquire(Some(2)), Op::Release(Some(2)), Op::Release(Some(1))];
    exhaustive(&FencedMutex, &few, 3, without_token);
    // Tokens that do not jump too far at once, so that there are some left.
    let tokens = [1, 2, 3, 5, 8, 9, 10, 11].map(|token| Op::Acquire(Some(token)));
    let many = [&tokens[..], &[Op::Release(None); 8]].concat();
    let tally = random(&FencedMutex, &many, 150, without_token);
    assert!(tally.shortcuts.iter().all(|count| *count > cases(5)), "{tally:?}");
    random(
        &FencedMutex,
        &[&tokens[..], &[Op::Release(Some(3)), Op::Acquire(None)]].concat(),
        60,
        without_token,
    );
}

#[test]
fn list_append() {
    use crate::models::list_append::{ListAppend, Op};
    let read = |elements: &[u32]| Op::Read(elements.iter().copied().map(ValueId).collect());
    let append = |element| Op::Append(ValueId(element));
    let few = [append(0), append(1), read(&[]), read(&[0]), read(&[0, 1])];
    exhaustive(&ListAppend, &few, 3, as_it_is);
    let mut many: Vec<Op> = (0..6).map(append).collect();
    many.extend([read(&[]), read(&[0, 1, 2]), read(&[2, 1])]);
    many.extend((0..6).map(|one| read(&[one])));
    many.extend((0..36).map(|two| read(&[two / 6, two % 6])));
    let tally = random(&ListAppend, &many, 20, as_it_is);
    assert!(tally.shortcuts.iter().all(|count| *count > cases(1)), "{tally:?}");
}

#[test]
fn full_set() {
    use crate::models::set_full::{FullSet, Op};
    let read = |bits: u32| Op::Read((0..2).filter(|v| bits >> v & 1 == 1).map(ValueId).collect());
    let of = |element| {
        let element = ValueId(element);
        let [yes, no] = [true, false].map(|there| Op::Contains(element, there));
        [Op::Add(element), Op::Remove(element), yes, no]
    };
    exhaustive(&FullSet, &of(0), 3, as_it_is);
    exhaustive(&FullSet, &[&of(0)[..2], &[read(0), read(1)]].concat(), 3, as_it_is);
    let all = [&of(0)[..], &of(1), &of(2), &[0, 1, 2, 3].map(read)].concat();
    random(&FullSet, &all, 100, as_it_is);
}

/// What was not answered has no version.
fn without_version(
    mut ops: Vec<Timed<versioned_register::Op>>,
) -> Vec<Timed<versioned_register::Op>> {
    use crate::models::versioned_register::Op;
    for op in ops.iter_mut().filter(|op| op.returned.is_none()) {
        let (Op::Read(_, version) | Op::Write(_, version) | Op::Cas(_, _, version)) = &mut op.op;
        *version = None;
    }
    ops
}

#[test]
fn versioned_register() {
    use crate::models::versioned_register::{Op, VersionedRegister};
    let value = ValueId;
    let few = [
        Op::Write(value(1), Some(1)),
        Op::Write(value(1), Some(2)),
        Op::Read(value(1), Some(1)),
        Op::Read(value(0), Some(0)),
    ];
    exhaustive(&VersionedRegister, &few, 3, without_version);
    let mut many: Vec<Op> = vec![Op::Read(value(0), Some(0))];
    for version in 1..7 {
        many.push(Op::Write(value(1 + version % 2), Some(version.into())));
        many.extend([1, 2].map(|v| Op::Read(value(v), Some(version.into()))));
    }
    let tally = random(&VersionedRegister, &many, 150, without_version);
    assert!(tally.shortcuts.iter().all(|count| *count > cases(5)), "{tally:?}");
    many.extend([1, 2].map(|v| Op::Cas(value(v), value(3 - v), None)));
    many.push(Op::Cas(value(2), value(1), Some(3)));
    many.extend([1, 2].map(|v| Op::Read(value(v), None)));
    random(&VersionedRegister, &many, 60, without_version);
}

#[test]
fn failed_cas() {
    use crate::models::failed_cas::{ObservedRegister, Op};
    let register = ObservedRegister { initial: &crate::history::Datum::Null, nil_reads_any: false };
    let [unset, a, b, c] = [0, 1, 2, 3].map(ValueId);
    let few = [Op::Read(unset), Op::Mismatch(unset), Op::Mismatch(a), Op::Write(a)];
    exhaustive(&register, &few, 3, as_it_is);
    let values = [unset, a, b, c];
    let swaps = [(a, b), (b, a), (unset, c), (b, b)].map(|(old, new)| Op::Cas(old, new));
    let calls = [Op::Read, Op::Mismatch, Op::Write].iter().flat_map(|call| values.map(call));
    let all: Vec<Op> = calls.chain(swaps).collect();
    random(&register, &all, 60, as_it_is);
}

/// The files that are no models of their own.
const OTHERS: [&str; 15] = [
    "mod",
    "alternate",
    "answer",
    "check",
    "elements",
    "failed-cas",
    "front",
    "levels",
    "list",
    "open",
    "path",
    "plan",
    "search",
    "values",
    "witness",
];

#[test]
fn the_vocabularies_are_the_files_of_the_folder() {
    let mut listed: Vec<&str> = list::ALL.iter().map(|model| model.name()).collect();
    let without_model = crate::checks::ALL.iter().map(|check| check.name());
    let without_model: Vec<&str> = without_model.filter(|name| !listed.contains(name)).collect();
    let all =
        [&["register", "cas-register"][..], &listed, &without_model, &["rw-register"]].concat();
    assert_eq!(all, VOCABULARIES);
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
        // Transactions are judged as such.
        assert!(list::Objects::named(name).is_some() || *name == "rw-register");
    }
    assert_eq!(
        "blob".parse::<ModelName>().map_err(|error| error.to_string()[..22].to_owned()),
        Err("there is no model blob".to_owned())
    );
}
