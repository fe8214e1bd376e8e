//! The proxy environment, tried out for real: each case in a process of its own, because a run
//! stands in a whole process, and each as root and as an ordinary user. No rights are needed.
//!
//! `SPLITBRAIN_KILLS=100` raises the number of times that a run is killed by SIGKILL.

mod cases;
mod ends;
#[path = "../environment_local/looks.rs"]
mod looks;
mod node_program;
#[path = "../environment_local/runner.rs"]
mod runner;
#[path = "../environment_local/sabotage.rs"]
mod sabotage;
mod stream;
mod witness;

use std::process::ExitCode;

use runner::{Test, Who};

const TESTS: &[Test] = &[
    Test { name: "conforms", run: cases::conforms },
    Test { name: "conforms_with_one_address_for_all", run: cases::conforms_with_one_address },
    Test { name: "fifty_nodes", run: cases::fifty_nodes },
    Test { name: "links_opened_by_others_are_noticed", run: cases::opened_links_are_noticed },
    Test { name: "children_are_hit_too", run: cases::children_are_hit_too },
    Test { name: "ends_are_told", run: cases::ends_are_told },
    Test { name: "tear_down_leaves_nothing", run: ends::tear_down_leaves_nothing },
    Test { name: "keeper_killed", run: ends::keeper_killed },
    Test {
        name: "heal_undoes_what_the_keeper_could_not",
        run: ends::heal_undoes_what_the_keeper_could_not,
    },
    Test { name: "killed_at_random_moments", run: ends::killed_at_random_moments },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["node", number, listens, ref others @ ..] => node_program::run(number, listens, others),
        ["victim", run] => ends::victim(run),
        ["holder", run] => ends::hold_until_end(run),
        // Nothing is needed that a machine could lack.
        ["probe"] => ExitCode::SUCCESS,
        ["case", name] => {
            let test = TESTS.iter().find(|test| test.name == name).expect("a test of this name");
            (test.run)();
            ExitCode::SUCCESS
        }
        _ => runner::run_all(TESTS, &[], &[Who::Root, Who::OrdinaryUser], &args),
    }
}
