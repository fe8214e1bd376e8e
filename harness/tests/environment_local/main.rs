//! The local environment, tried out for real: each case in a process of its own, because a
//! sandbox is entered by a whole process, and each as root and as an ordinary user.
//!
//! `SPLITBRAIN_KILLS=100` raises the number of times that a run is killed by SIGKILL.

mod cases;
mod ends;
mod killed;
mod looks;
mod node_program;
mod runner;
mod sabotage;
mod speed;
mod stream;
mod user_mode_linux;
mod witness;

use std::process::ExitCode;

use runner::{Test, Who};

const TESTS: &[Test] = &[
    Test { name: "conforms", run: cases::conforms },
    Test { name: "control_groups_of_version_2", run: cases::control_groups_of_version_2 },
    Test { name: "fifty_nodes", run: cases::fifty_nodes },
    Test { name: "node_counts", run: cases::node_counts },
    Test { name: "flushed_rules_are_noticed", run: cases::flushed_rules_are_noticed },
    Test {
        name: "links_mended_in_secret_are_noticed",
        run: cases::links_mended_in_secret_are_noticed,
    },
    Test { name: "netem_conforms", run: user_mode_linux::netem_conforms },
    Test { name: "children_are_hit_too", run: cases::children_are_hit_too },
    Test { name: "ends_are_told", run: cases::ends_are_told },
    Test { name: "missing_program", run: cases::missing_program },
    Test { name: "no_way_out", run: cases::no_way_out },
    Test { name: "tear_down_leaves_nothing", run: ends::tear_down_leaves_nothing },
    Test { name: "keeper_killed", run: ends::keeper_killed },
    Test { name: "keeper_killed_while_setting_up", run: ends::keeper_killed_while_setting_up },
    Test {
        name: "heal_undoes_what_the_keeper_could_not",
        run: ends::heal_undoes_what_the_keeper_could_not,
    },
    Test { name: "a_refusal_says_why", run: cases::a_refusal_says_why },
    Test { name: "a_second_thread_is_refused", run: cases::a_second_thread_is_refused },
    Test { name: "output_ends_with_the_harness", run: ends::output_ends_with_the_harness },
    Test { name: "doctor_agrees", run: cases::doctor_agrees },
    Test { name: "in_force_in_time", run: speed::in_force_in_time },
    Test { name: "killed_at_random_moments", run: killed::killed_at_random_moments },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(exit) = splitbrain::environments::play_helper(&args) {
        return exit;
    }
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["node", number] => node_program::run(number),
        ["victim", run] => killed::victim(run),
        ["holder", run] => ends::hold_until_end(run),
        ["bad-links", part] => {
            cases::bad_links_conform(part.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        ["probe"] => witness::probe(),
        ["case", name] => {
            let test = TESTS.iter().find(|test| test.name == name).expect("a test of this name");
            (test.run)();
            ExitCode::SUCCESS
        }
        _ => runner::run_all(TESTS, &["netem_conforms"], &[Who::Root, Who::OrdinaryUser], &args),
    }
}
