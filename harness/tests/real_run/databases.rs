//! Real databases, for a few seconds each: they start, are broken, are judged, and are gone.

use serde_json::Value;

use crate::world::{Ran, World};

/// A run of a database, or nothing and a loud word where it is not installed.
fn run(world: &World, database: &str, flags: &[&str]) -> Option<(Ran, Value)> {
    let ran = world.run(&[&["--db", database, "--seed", "1", "--json"], flags].concat());
    if ran.exit == Some(70) && ran.said.contains("to get it: ") {
        eprintln!("SKIPPED: {}", ran.said);
        assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
        return None;
    }
    let verdict = ran.json();
    assert!(ran.exit.is_some_and(|exit| exit < 2), "{}", ran.said);
    assert!(verdict["operations"].as_u64().unwrap_or(0) > 200, "{}", ran.said);
    Some((ran, verdict))
}

/// Whether a compare-and-set was carried out.
fn has_cas(world: &World) -> bool {
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    let mut lines = history.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.any(|line| line["type"] == "ok" && line["f"] == "cas")
}

/// How many operations ended so, with words of the server's own that begin so.
fn ended(world: &World, kind: &str, error: &str, says: &str) -> usize {
    let history = std::fs::read_to_string(world.latest().join("history.jsonl")).unwrap();
    let lines = history.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["type"] == kind && line["process"].is_u64())
        .filter(|line| line["error"]["kind"] == error)
        .filter(|line| line["error"]["text"].as_str().is_some_and(|text| text.starts_with(says)))
        .count()
}

#[test]
fn an_old_primary_of_redis_refuses_when_it_misses_its_replicas() {
    let Some(world) = World::new() else { return };
    let plan = ["--faults", "primaries", "--time-limit", "9s", "--expect", "weak"];
    let database = "redis-sentinel@min-replicas=1";
    let Some((ran, verdict)) = run(&world, database, &plan) else { return };
    assert!(verdict["faults"][0]["effect"] == "installed", "{}", ran.said);
    assert!(ended(&world, "fail", "refused", "NOREPLICAS ") > 0, "{}", ran.said);
    assert!(has_cas(&world), "{}", ran.said);
    world.assert_clean();
}

#[test]
fn clients_of_redis_cluster_go_where_they_are_sent() {
    let Some(world) = World::new() else { return };
    let plan = ["--nodes", "3", "--faults", "none", "--time-limit", "3s"];
    let Some((ran, verdict)) = run(&world, "redis-cluster", &plan) else { return };
    assert_eq!((ran.exit, &verdict["class"]), (Some(0), &"linearizable".into()), "{}", ran.said);
    world.assert_clean();
}

#[test]
fn memcached_forgets_when_it_is_killed() {
    let Some(world) = World::new() else { return };
    let plan = ["--faults", "kill:all", "--time-limit", "4s"];
    let Some((ran, verdict)) = run(&world, "memcached", &plan) else { return };
    let violations = verdict["violations"].as_array().unwrap();
    assert!(violations.iter().any(|violation| violation["name"] == "lost-write"), "{}", ran.said);
    world.assert_clean();
}

#[test]
fn names_come_to_secondaries_later_and_are_the_same_in_the_end() {
    let Some(world) = World::new() else { return };
    let plan = ["--faults", "none", "--time-limit", "3s", "--expect", "eventual"];
    let Some((ran, verdict)) = run(&world, "bind", &plan) else { return };
    assert_eq!((ran.exit, &verdict["class"]), (Some(0), &"eventual".into()), "{}", ran.said);
    assert!(has_cas(&world), "{}", ran.said);
    world.assert_clean();
}

#[test]
fn a_bucket_of_nats_serves_at_every_node() {
    let Some(world) = World::new() else { return };
    let plan = ["--faults", "none", "--time-limit", "3s", "--expect", "eventual"];
    let database = "nats@read-mode=leader";
    let Some((ran, _)) = run(&world, database, &plan) else { return };
    assert_eq!(ran.exit, Some(0), "{}", ran.said);
    assert!(has_cas(&world), "{}", ran.said);
    world.assert_clean();
}

#[test]
fn reads_of_etcd_that_ask_nobody_are_stale_on_the_side_of_the_old_leader() {
    let Some(world) = World::new() else { return };
    let plan = ["--faults", "primaries", "--time-limit", "9s"];
    let database = "etcd@read-mode=serializable";
    let Some((ran, verdict)) = run(&world, database, &plan) else { return };
    assert_eq!(verdict["ladder"]["linearizable"], "invalid", "{}", ran.said);
    assert_eq!(verdict["ladder"]["converged"], "valid", "{}", ran.said);
}

/// What a cache loses is found, and a promise that it loses nothing is broken.
#[test]
fn a_track_says_what_was_found_again_and_what_is_not_as_it_is_known() {
    let Some(world) = World::new() else { return };
    let case = |name: &str, asked: &str| {
        let text = format!(
            "title = \"A cache forgets.\"\nliterature = \"Nobody (2026)\"\nruns = 3\n{asked}\n\
             [plan]\ntarget = \"store/cache\"\n\
             phases = {{ baseline = \"500ms\", main = \"3s\", after = \"500ms\" }}\n\
             faults = [{{ name = \"kill\", at = \"500ms\", for = \"200ms\", targets = \"all\" }}]\n"
        );
        std::fs::create_dir_all(world.path("cases")).unwrap();
        std::fs::write(world.path("cases").join(format!("{name}.toml")), text).unwrap();
    };
    case("forgets", "finds = \"lost-write\"");
    let track = world.command(&["track", "cases", "--json"]);
    assert_eq!(track.exit, Some(0), "{}", track.said);
    assert_eq!(track.json()["rows"][0]["standing"], "found");
    case("keeps", "never = \"lost-write\"");
    let track = world.command(&["track", "cases", "--only", "keeps", "--json"]);
    assert_eq!(track.exit, Some(1), "{}", track.said);
    assert_eq!(track.json()["rows"][0]["standing"], "broken");
    world.assert_clean();
}
