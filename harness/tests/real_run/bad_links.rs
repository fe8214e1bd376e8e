//! A run in which the links between nodes are bad in every way, one after another.

use crate::world::World;

const NAMES: [&str; 8] =
    ["delay", "jitter", "loss", "duplicate", "reorder", "corrupt", "bandwidth", "reset"];

#[test]
fn every_fault_of_quality_is_in_force_in_a_run_and_in_its_report() {
    let Some(world) = World::new() else { return };
    let faults: String = (0..)
        .zip(NAMES)
        .map(|(turn, name)| {
            format!(
                "[[faults]]\nname = \"{name}\"\nat = \"{}ms\"\nfor = \"2s\"\n",
                500 + turn * 2_500
            )
        })
        .collect();
    let plan = format!(
        "target = \"store/gossip\"\nseed = 4\n[phases]\nbaseline = \"1s\"\nmain = \"21s\"\nafter = \"1s\"\n{faults}"
    );
    let path = world.path("plan.toml");
    std::fs::write(&path, plan).unwrap();
    let run = world.run(&["--plan", path.to_str().unwrap(), "--json"]);
    // What a damaged packet does to the store is not the question here.
    assert!(matches!(run.exit, Some(0..=2)), "{}", run.said);
    let verdict = run.json();
    let faults = verdict["faults"].as_array().unwrap();
    let report = std::fs::read_to_string(world.latest().join("report.txt")).unwrap();
    for (fault, name) in faults.iter().zip(NAMES) {
        assert_eq!(fault["name"], name);
        assert_eq!(fault["effect"], "installed", "{fault}");
        assert!(report.contains(name), "{name} is not in the report:\n{report}");
    }
    assert_eq!(faults.len(), NAMES.len());
    world.assert_clean();
}
