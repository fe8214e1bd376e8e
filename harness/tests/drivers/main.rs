//! The clients of every driver against the real servers that it starts: what is to be true of all of
//! them, and what each server's own refusals are taken for. Each in a process of its own, because a
//! sandbox is entered by a whole process.
//!
//! Servers that take seconds to start are tried with `SPLITBRAIN_NIGHTLY` set.

mod rules;
#[path = "../environment_local/runner.rs"]
mod runner;
mod running;
mod tables;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use nix::unistd::geteuid;
use runner::{Test, Who};
use running::Running;
use splitbrain::environments::{Sandbox, SandboxError};

/// A driver, and what is particular to it.
pub struct Driver {
    /// As after `--db`.
    target: &'static str,
    /// What the server says to a compare-and-set that is stopped there; empty if it is not told from one
    /// that found another value before.
    stopped: &'static str,
    /// Of compare-and-sets at once more than one may be carried out.
    lets_more_through: bool,
    /// Of transactions that meet, one may be refused where another system has it wait.
    refuses_rivals: bool,
    /// Clients of other nodes go to the first one, which leads.
    redirects: bool,
    /// Its own refusals.
    table: fn(&Running),
    /// What becomes of a write that a server was sent before it was killed.
    in_flight: &'static str,
    /// It takes seconds to start.
    is_slow: bool,
}

const USUAL: Driver = Driver {
    target: "",
    stopped: "",
    lets_more_through: false,
    refuses_rivals: false,
    redirects: false,
    table: |_| (),
    in_flight: "info connection: ",
    is_slow: false,
};

const DRIVERS: &[Driver] = &[
    Driver { target: "bind", table: tables::bind, ..USUAL },
    Driver { target: "etcd", table: tables::etcd, ..USUAL },
    Driver {
        target: "galera@sync-wait=7",
        refuses_rivals: true,
        table: tables::galera,
        // Its transaction began, and was not committed.
        in_flight: "fail connection: ",
        is_slow: true,
        ..USUAL
    },
    Driver {
        target: "mariadb",
        table: tables::mariadb,
        in_flight: "fail connection: ",
        is_slow: true,
        ..USUAL
    },
    Driver { target: "memcached", stopped: "EXISTS", table: tables::memcached, ..USUAL },
    Driver {
        target: "nats@read-mode=leader",
        stopped: "wrong last sequence",
        // The leader compares with what is stored before it proposes (nats-server#4320).
        lets_more_through: true,
        table: tables::nats,
        ..USUAL
    },
    Driver {
        target: "patroni@isolation=read-committed",
        in_flight: "fail connection: ",
        is_slow: true,
        ..USUAL
    },
    Driver {
        // A stricter level stops the losers with an error of its own.
        target: "postgres@isolation=read-committed",
        redirects: true,
        table: tables::postgres,
        // Its transaction began, and was not committed.
        in_flight: "fail connection: ",
        is_slow: true,
        ..USUAL
    },
    Driver { target: "rabbitmq", table: tables::rabbitmq, is_slow: true, ..USUAL },
    Driver { target: "redis-cluster", table: tables::redis_cluster, ..USUAL },
    Driver { target: "redis-sentinel", redirects: true, table: tables::redis_sentinel, ..USUAL },
    Driver { target: "zookeeper", table: tables::zookeeper, is_slow: true, ..USUAL },
];

const TESTS: &[Test] = &[
    Test { name: "bind", run: || keeps_the_rules("bind") },
    Test { name: "etcd", run: || keeps_the_rules("etcd") },
    Test { name: "galera", run: || keeps_the_rules("galera") },
    Test { name: "mariadb", run: || keeps_the_rules("mariadb") },
    Test { name: "memcached", run: || keeps_the_rules("memcached") },
    Test { name: "nats", run: || keeps_the_rules("nats") },
    Test { name: "patroni", run: || keeps_the_rules("patroni") },
    Test { name: "postgres", run: || keeps_the_rules("postgres") },
    Test { name: "rabbitmq", run: || keeps_the_rules("rabbitmq") },
    Test { name: "redis_cluster", run: || keeps_the_rules("redis-cluster") },
    Test { name: "redis_sentinel", run: || keeps_the_rules("redis-sentinel") },
    Test { name: "zookeeper", run: || keeps_the_rules("zookeeper") },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(exit) = splitbrain::environments::play_helper(&args) {
        return exit;
    }
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["probe"] => match Sandbox::enter(&format!("probe-{}", std::process::id())) {
            Err(SandboxError::Denied { why, .. }) => {
                println!("{why}");
                ExitCode::FAILURE
            }
            _ => ExitCode::SUCCESS,
        },
        ["case", name] => {
            let test = TESTS.iter().find(|test| test.name == name).expect("a test of this name");
            (test.run)();
            ExitCode::SUCCESS
        }
        _ => {
            let who = if geteuid().is_root() { Who::Root } else { Who::OrdinaryUser };
            // These mostly wait for the servers' own time-outs.
            let beside = ["etcd", "nats", "redis_cluster", "redis_sentinel"];
            runner::run_all(TESTS, &beside, &[who], &args)
        }
    }
}

/// A machine that stands still for a second can cost a leader, and with it an operation. So a rule is tried
/// three times, each time on other objects; a driver that does not keep it never does.
fn in_a_calm_moment(rule: impl Fn(&str)) {
    let calm = |trial: &str| catch_unwind(AssertUnwindSafe(|| rule(trial))).is_ok();
    assert!(["first", "second", "third"].into_iter().any(calm), "three times");
}

fn keeps_the_rules(name: &str) {
    let is_it = |driver: &&Driver| driver.target.split('@').next() == Some(name);
    let driver = DRIVERS.iter().find(is_it).expect("a driver of this name");
    if driver.is_slow && std::env::var_os("SPLITBRAIN_NIGHTLY").is_none() {
        return println!("SKIPPED: {name} takes long to start; set SPLITBRAIN_NIGHTLY");
    }
    let running = match Running::start(driver.target) {
        Ok(running) => running,
        Err(why) => {
            println!("SKIPPED: {why}");
            assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
            return;
        }
    };
    rules::nobody_there(&running);
    in_a_calm_moment(|trial| rules::objects_are_apart(&running, trial));
    in_a_calm_moment(|trial| rules::alone(&running, trial));
    in_a_calm_moment(|trial| rules::one_of_many_changes(&running, driver, trial));
    (driver.table)(&running);
    rules::killed_in_flight(&running, driver);
    drop(running.runtime);
    assert_eq!(running.cluster.tear_down().0, [""; 0]);
}
