//! The list of databases, alphabetical.

use super::{
    Entry, bind, command, etcd, galera, http::table, maelstrom, mariadb, memcached, nats, patroni,
    postgres, rabbitmq, redis_cluster, redis_sentinel, store, zookeeper,
};

/// Every database there is.
pub const ALL: &[&Entry] = &[
    &bind::ENTRY,
    &command::ENTRY,
    &etcd::ENTRY,
    &galera::ENTRY,
    &table::ENTRY,
    &maelstrom::ENTRY,
    &mariadb::ENTRY,
    &memcached::ENTRY,
    &nats::ENTRY,
    &patroni::ENTRY,
    &postgres::ENTRY,
    &rabbitmq::ENTRY,
    &redis_cluster::ENTRY,
    &redis_sentinel::ENTRY,
    &store::ENTRY,
    &zookeeper::ENTRY,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What is no database, or belongs to several.
    const SHARED: &[&str] = &[
        "mod",
        "all",
        "given",
        "installed",
        "login",
        "no-tls",
        "options",
        "redis",
        "sql",
        "tls",
        "wire",
    ];

    #[test]
    fn every_file_is_listed_and_every_entry_keeps_the_rules() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/databases");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-"))
            .filter(|name| !SHARED.contains(&name.as_str()))
            .collect();
        files.sort();
        // A file may have a folder for its parts.
        files.dedup();
        let names: Vec<&str> = ALL.iter().map(|entry| entry.name).collect();
        assert_eq!(names, files, "databases/ and ALL differ, or ALL is not alphabetical");
        for entry in ALL {
            assert!(entry.about.ends_with('.'), "{}: one sentence", entry.name);
        }
    }
}
