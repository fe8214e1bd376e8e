//! Each model over a small alphabet of its operations.

use super::*;

#[test]
fn mutex() {
    use crate::models::mutex::{Mutex, Op};
    exhaustive(&Mutex, &[Op::Acquire, Op::Release], 4);
    random(&Mutex, &[Op::Acquire, Op::Release], 60);
}

#[test]
fn kv_append() {
    use crate::models::kv_append::{KvAppend, Op};
    let [get, put, append] = [Op::Get, Op::Put, Op::Append];
    let few = [get("".into()), get("a".into()), put("a".into()), append("a".into())];
    exhaustive(&KvAppend, &few, 3);
    let mut many: Vec<Op> = ["", "a", "b", "ab", "ba", "aa", "aab"].map(|t| get(t.into())).into();
    many.extend(["a", "b"].map(|t| put(t.into())));
    many.extend(["a", "b", "c"].map(|t| append(t.into())));
    random(&KvAppend, &many, 60);
}

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
        .filter(|name| {
            !["mod", "check", "front", "list", "search", "values", "witness"].contains(&&**name)
        })
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
