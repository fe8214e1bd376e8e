//! Plans as people write them, and the timelines that come of them.

use super::*;

fn nodes() -> Vec<String> {
    (1..=5).map(|number| format!("n{number}")).collect()
}

/// The timeline of a plan in TOML, or the message that it is refused with.
fn check(toml: &str, expected: &str) {
    let shown = Plan::from_toml(toml)
        .and_then(|plan| plan.timeline(&nodes(), 1))
        .map(|timeline| {
            let step = |step: &Step| match step.for_ms {
                Some(for_ms) => format!("{}..{} {}", step.at_ms, step.at_ms + for_ms, step.choice),
                None => format!("{}.. {}", step.at_ms, step.choice),
            };
            timeline.iter().map(step).collect::<Vec<_>>().join(", ")
        })
        .unwrap_or_else(|error| format!("{error:#}"));
    assert!(shown.contains(expected), "{shown}\ndoes not contain\n{expected}");
}

#[test]
fn faults_at_a_time_and_again_and_again() {
    check(
        r#"
        phases = { main = "10s" }
        faults = [
            { name = "halves", every = "4s", for = "1s" },
            { name = "kill", at = "1500ms", targets = "majority" },
            { name = "pause", at = "5s", for = "1s", targets = ["n1", "n3"] },
        ]"#,
        "1500.. kill:majority, 4000..5000 halves, 5000..6000 pause:n1+n3, 8000..9000 halves",
    );
    check("faults = []", "");
}

#[test]
fn a_wrong_plan_is_refused_with_the_place_and_what_is_allowed() {
    let fault = |rest: &str| format!("faults = [{{ {rest} }}]");
    check(&fault(r#"name = "meteor", at = "1s""#), "there is no fault \"meteor\"; there are ");
    check(&fault(r#"name = "kill", at = "1s", targets = ["n9"]"#), "there is no node \"n9\"");
    check(&fault(r#"name = "halves", at = "1s", targets = "all""#), "takes no targets");
    check(&fault(r#"name = "halves""#), "needs either `at` or `every`");
    check(&fault(r#"name = "halves", at = "1s", every = "1s""#), "needs either `at` or `every`");
    check(&fault(r#"name = "halves", at = "1h""#), "begins at 3600s");
    check(&fault(r#"name = "halves", at = "5""#), "write a number with its unit");
    check(&fault(r#"name = "halves", at = "1s", size = 3"#), "unknown field `size`");
    let told = |args: &str| fault(&format!(r#"name = "flapping", at = "1s", args = {{ {args} }}"#));
    check(&told(r#"on = "5""#), "on is \"5\"; it must be a duration with its unit");
    check(&told(r#"onn = "5s""#), "no argument is named \"onn\"; there are: on, off");
    check(&told(r#"on = "1s""#), "1000.. flapping@on=1s");
    check("\n[[faults]]\nname = \"halves\"\nat = \"1s\"\n\n[[faults]]\nname = \"x\"\n", "line 6");
    check(
        r#"faults = [
            { name = "kill", at = "1s", targets = ["n1"] },
            { name = "pause", at = "2s", targets = "all" },
        ]"#,
        "kill:n1 at 1s (line 2) and pause:all at 2s (line 3) hit the same at the same time",
    );
    check("sed = 3", "unknown field `sed`");
    check("[workload]\nrates = 3", "line 2");
    check(
        "[workload]\nkey_choice = \"hottest\"",
        "unknown variant `hottest`, expected one of `uniform`, `zipf`, `exponential`, `hot`",
    );
}

/// A plan reads the same after it was written, and its workload is told what it says.
#[test]
fn the_parameters_of_a_workload_reach_it() {
    let text = "[workload]\nname = \"append\"\nkeys = 7\nops_per_key = 9\nkey_choice = \"zipf\"\nmin_txn_length = 2\n\
                max_txn_length = 6\nvalues = 3";
    let plan = Plan::from_toml(text).unwrap();
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    let database = databases::open("store/raft", &Given::default()).unwrap();
    let settings = plan.workload.settings(&*database);
    assert_eq!((settings.keys, settings.ops_per_key), (Some(7), Some(9)));
    assert_eq!((settings.min_txn_length, settings.max_txn_length), (Some(2), Some(6)));
    assert_eq!((settings.values, settings.choice.is_some()), (Some(3), true));
}

#[test]
fn the_plan_of_a_run_repeats_it() {
    for faults in [None, Some("halves,kill,pause:minority")] {
        let mut plan = Plan { seed: Some(7), ..Plan::default() };
        if let Some(faults) = faults {
            plan.faults = Some(plan.faults_in_turn(faults, 7).unwrap());
        }
        let first = plan.timeline(&nodes(), 7).unwrap();
        assert!(!first.is_empty());
        plan.faults = Some(first.iter().map(FaultPlan::from).collect());
        let json = serde_json::to_string(&plan).unwrap();
        let again: Plan = serde_json::from_str(&json).unwrap();
        assert_eq!(again, plan);
        let second = again.timeline(&nodes(), 7).unwrap();
        let show = |timeline: &Timeline| format!("{timeline:?}");
        assert_eq!(show(&first), show(&second));
        let other = again.timeline(&nodes(), 8).unwrap();
        assert_ne!(show(&first), show(&other), "the seed decides what is drawn by lot");
    }
}

#[test]
fn a_time_limit_is_shared_out() {
    let shares = |text: &str| {
        let phases = Phases::for_time_limit(text.parse().unwrap());
        [phases.baseline.ms(), phases.main.ms(), phases.after.ms()]
    };
    assert_eq!(shares("30s"), [3_000, 24_000, 3_000]);
    assert_eq!(shares("15s"), [3_000, 9_000, 3_000]);
    assert_eq!(shares("5s"), [1_000, 3_000, 1_000]);
}
