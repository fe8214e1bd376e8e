//! The list of workloads, alphabetical.

use super::{
    Workload, append, bank, causal, causal_reverse, counter, echo, fenced_set, g2, lock, lock_set,
    log, long_fork, monotonic, pn_counter, queue, register, sequential, session, set, set_full,
    set_remove, total_queue, unique_ids, watch, wr,
};

/// Every workload there is.
pub const ALL: &[&Workload] = &[
    &append::WORKLOAD,
    &bank::WORKLOAD,
    &causal::WORKLOAD,
    &causal_reverse::WORKLOAD,
    &counter::WORKLOAD,
    &echo::WORKLOAD,
    &fenced_set::WORKLOAD,
    &g2::WORKLOAD,
    &lock::WORKLOAD,
    &lock_set::WORKLOAD,
    &log::WORKLOAD,
    &long_fork::WORKLOAD,
    &monotonic::WORKLOAD,
    &pn_counter::WORKLOAD,
    &queue::WORKLOAD,
    &register::WORKLOAD,
    &sequential::WORKLOAD,
    &session::WORKLOAD,
    &set::WORKLOAD,
    &set_full::WORKLOAD,
    &set_remove::WORKLOAD,
    &total_queue::WORKLOAD,
    &unique_ids::WORKLOAD,
    &watch::WORKLOAD,
    &wr::WORKLOAD,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_and_every_entry_keeps_the_rules() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/objects");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".rs").map(|name| name.replace('_', "-")))
            .filter(|name| name != "mod" && name != "all")
            .collect();
        files.sort();
        let names: Vec<&str> = ALL.iter().map(|workload| workload.name).collect();
        assert_eq!(names, files, "objects/ and ALL differ, or ALL is not alphabetical");
        for workload in ALL {
            assert!(workload.about.ends_with('.'), "{}: one sentence", workload.name);
        }
    }
}
