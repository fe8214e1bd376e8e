//! The list of checks, alphabetical.

use super::{
    Check, bank, causal, causal_reverse, counter, echo, g2, log, long_fork, monotonic, pn_counter,
    sequential, set, set_full, stats, total_queue, unique_ids, watch,
};

/// Every check there is.
pub(crate) const ALL: &[&dyn Check] = &[
    &bank::Bank,
    &causal::Causal,
    &causal_reverse::CausalReverse,
    &counter::Counter,
    &echo::Echo,
    &g2::G2,
    &log::Log,
    &long_fork::LongFork,
    &monotonic::Monotonic,
    &pn_counter::PnCounter,
    &sequential::Sequential,
    &set::Set,
    &set_full::SetFull,
    &stats::Stats,
    &total_queue::TotalQueue,
    &unique_ids::UniqueIds,
    &watch::Watch,
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
            .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
            .filter(|name| !["mod", "list", "report"].contains(&name.as_str()))
            .collect();
        files.sort_unstable();
        let listed: Vec<&str> = ALL.iter().map(|check| check.name()).collect();
        assert_eq!(listed, files);
    }
}
