//! The environment `ssh`, tried out for real against `sshd`: each case in a process of its own,
//! as root, in a sandbox of its own that holds the hosts too.

mod cases;
mod hosts;
#[path = "../environment_local/node_program.rs"]
mod node_program;
#[path = "../environment_local/runner.rs"]
mod runner;
mod runs;
#[allow(dead_code, reason = "only the node program's part is needed: no links are shaped here")]
#[path = "../environment_local/stream.rs"]
mod stream;
mod witness;

use std::process::ExitCode;

use runner::{Test, Who};

const TESTS: &[Test] = &[
    Test { name: "conforms", run: cases::conforms },
    Test { name: "an_interrupted_connection_is_taken_up_again", run: cases::interrupted },
    Test { name: "a_silent_host_is_an_error_and_no_hang", run: cases::silent_host },
    Test { name: "wrong_hosts_are_refused_by_name", run: cases::wrong_hosts },
    Test { name: "an_ordinary_user_becomes_root_by_sudo", run: cases::sudo },
    Test { name: "others_rules_stay_and_one_run_at_a_time", run: cases::others_rules_stay },
    Test { name: "a_killed_guard_leaves_nothing", run: cases::killed_guard },
    Test { name: "without_a_harness_hosts_heal_themselves", run: cases::killed_harness },
    Test { name: "a_real_run_with_an_interruption", run: runs::interrupted_run },
    Test { name: "faults_need_leave_and_hosts_a_name", run: runs::faults_need_leave },
    Test { name: "a_killed_run_leaves_nothing", run: runs::killed_run },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["node", number] => node_program::run(number),
        ["victim", folder] => cases::victim(folder.as_ref()),
        ["probe"] => hosts::probe(),
        ["case", name] => {
            let test = TESTS.iter().find(|test| test.name == name).expect("a test of this name");
            (test.run)();
            ExitCode::SUCCESS
        }
        // `sshd` serves other users than its own only as root.
        _ => runner::run_all(TESTS, &[], &[Who::Root], &args),
    }
}
