//! The tables in `examples/http` on servers that speak CouchDB's and DynamoDB's interfaces, as npm has them.

use std::process::Command;

use crate::world::World;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/http");

/// Installs programs into the world's folder, or says loudly that it cannot.
fn install(world: &World) -> Option<String> {
    if std::env::var_os("SPLITBRAIN_NIGHTLY").is_none() {
        println!("SKIPPED: npm gets some hundred packages; set SPLITBRAIN_NIGHTLY");
        return None;
    }
    let flags = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", "npm"];
    let packages = ["pouchdb-server@4.2.0", "dynalite@4.0.0"];
    let npm = Command::new("npm").args(flags).args(packages).current_dir(world.path(".")).output();
    match npm {
        Ok(said) => assert!(said.status.success(), "{said:?}"),
        Err(error) => {
            eprintln!("SKIPPED: npm: {error}: apt-get install npm");
            assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
            return None;
        }
    }
    Some(world.path("npm/node_modules/.bin").display().to_string())
}

#[test]
fn tables_of_requests_fit_servers_of_couchdb_and_dynamodb() {
    let Some(world) = World::new() else { return };
    let Some(programs) = install(&world) else { return };
    let run = |name: &str, start: &str, flags: &[&str]| {
        let spec = format!("{EXAMPLES}/{name}.toml");
        let start = format!("sh {EXAMPLES}/{name}-node.sh {programs}/{start}");
        let table = ["--db", "http", "--spec", &spec, "--start", &start];
        let usual = ["--rate", "50", "--seed", "1", "--json"];
        let ran = world.run(&[&table[..], &usual, flags].concat());
        assert_eq!(ran.exit, Some(0), "{}", ran.said);
        let verdict = ran.json();
        let faults = verdict["faults"].as_array().unwrap();
        assert!(faults.iter().any(|fault| fault["effect"] == "installed"), "{}", ran.said);
        verdict
    };
    // Each takes writes while it is cut off, and then one of two that met wins.
    let halves = ["--nodes", "2", "--faults", "halves", "--time-limit", "14s", "--expect", "weak"];
    let couch = run("couchdb", "pouchdb-server {node} {address} {peers} {data}", &halves);
    assert_eq!(couch["ladder"]["converged"], "valid", "{couch}");
    assert_eq!(couch["ladder"]["linearizable"], "invalid", "{couch}");
    let kills = ["--nodes", "1", "--faults", "kill,pause", "--time-limit", "10s"];
    let dynamo = run("dynamodb", "dynalite {address} {data}", &kills);
    assert_eq!(dynamo["class"], "linearizable", "{dynamo}");
    world.assert_clean();
}
