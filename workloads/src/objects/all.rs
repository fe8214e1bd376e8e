//! The list of workloads, alphabetical.

use super::{Workload, register, set};

/// Every workload there is.
pub const ALL: &[&Workload] = &[&register::WORKLOAD, &set::WORKLOAD];

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
