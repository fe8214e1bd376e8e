//! The list of checks, alphabetical.

use super::{
    Check, bank, causal_reverse, counter, long_fork, pn_counter, sequential, set, set_full,
    total_queue, unique_ids,
};

/// Every check there is.
pub(crate) const ALL: &[&dyn Check] = &[
    &bank::Bank,
    &causal_reverse::CausalReverse,
    &counter::Counter,
    &long_fork::LongFork,
    &pn_counter::PnCounter,
    &sequential::Sequential,
    &set::Set,
    &set_full::SetFull,
    &total_queue::TotalQueue,
    &unique_ids::UniqueIds,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/checks");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("a folder")
            .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".rs").map(|name| name.replace('_', "-")))
            .filter(|name| !["mod", "list", "report"].contains(&name.as_str()))
            .collect();
        files.sort_unstable();
        let listed: Vec<&str> = ALL.iter().map(|check| check.name()).collect();
        assert_eq!(listed, files);
    }
}
