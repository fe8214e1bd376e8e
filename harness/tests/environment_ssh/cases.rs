//! One function for each thing that is to be true of the environment itself.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use splitbrain::environments::{Access, Host, SshCluster};
use splitbrain_nemesis::conformance::{Witness, cases, shaping_cases};
use splitbrain_nemesis::faults::{Action, Break};
use splitbrain_nemesis::grudge::Grudge;
use splitbrain_nemesis::{Capability, Cluster, Effect, Nemesis, Processes};

use crate::hosts::{Hosts, LEASE, USER, access, hosts, run_name, splitbrain};
use crate::witness::{Talkers, installed};

/// Every case of the conformance suite that needs no more than links, processes and clocks.
pub fn conforms() {
    let hosts = Hosts::start(5);
    let begun = Instant::now();
    let talkers = Talkers::start(&hosts);
    println!("5 hosts taken over, and their programs started, in {:?}", begun.elapsed());
    let shaping = |name: &str| shaping_cases().any(|(other, _)| *other == name);
    assert!(!talkers.cluster.has(Capability::Shaping));
    assert!(
        talkers.cluster.has(Capability::Clocks),
        "{}",
        talkers.cluster.lacks(Capability::Clocks)
    );
    for (name, case) in cases().filter(|(name, _)| !shaping(name)) {
        case(&talkers.erased(), &talkers);
        assert!(talkers.cluster.exited().is_empty(), "after {name:?}");
    }
    let mut took: Vec<u64> = (1..=9)
        .map(|id| {
            let mut nemesis = Nemesis::new(talkers.erased());
            let effect = nemesis.install(id, &Action::Cut(Grudge::halves(5)));
            assert!(matches!(nemesis.undo(id), Effect::Healed(_)));
            effect.proof().expect("it is installed").took_us
        })
        .collect();
    took.sort_unstable();
    println!("decision to verified cut of 5 hosts: median {} ms", took[4] / 1000);
    assert_eq!(talkers.cluster.tear_down(), [""; 0]);
    assert_eq!(talkers.cluster.tear_down(), [""; 0], "again");
    hosts.assert_clean_within(Duration::ZERO);
    hosts.end();
}

/// What was broken stays so, and can be seen and undone, when every connection breaks.
pub fn interrupted() {
    let hosts = Hosts::start(3);
    let talkers = Talkers::start(&hosts);
    let life = talkers.life(0).expect("it runs");
    let mut nemesis = Nemesis::new(talkers.erased()).with_verify_limit(Duration::from_secs(10));
    let cut = Action::Cut(Grudge::isolate(3, &[2]));
    assert!(matches!(nemesis.install(1, &cut), Effect::Installed(_)));
    let down = Action::nodes(Break::Kill, vec![1]);
    assert!(matches!(nemesis.install(2, &down), Effect::Installed(_)));
    for node in 0..3 {
        assert_eq!(hosts.interrupt(std::process::id(), node), 1, "one connection each");
    }
    assert_eq!(nemesis.still_in_force(1), Ok(()));
    assert_eq!(nemesis.still_in_force(2), Ok(()));
    assert_eq!(hosts.interrupt(std::process::id(), 1), 1, "there is a new one");
    let effects = nemesis.heal_all();
    assert!(effects.iter().all(|(_, e)| matches!(e, Effect::Healed(_))), "{effects:?}");
    assert_eq!(talkers.life(0), Some(life), "it never noticed");
    assert!(talkers.life(1).is_some());
    hosts.interrupt(std::process::id(), 0);
    let logs = hosts.folder().join("logs");
    let failed = talkers.cluster.collect_logs(|name, _| logs.join(name));
    assert!(failed.is_empty() && logs.join("n3").exists(), "{failed:?}");
    hosts.interrupt(std::process::id(), 2);
    assert_eq!(talkers.cluster.tear_down(), [""; 0]);
    hosts.assert_clean_within(Duration::ZERO);
    hosts.end();
}

/// A host that no longer answers: faults on it are indeterminate, the others are healed, and what
/// is not is told with the command that does it. Back again it heals itself.
pub fn silent_host() {
    let hosts = Hosts::start(3);
    let talkers = Talkers::start(&hosts);
    // Nobody gets in any more, until there is a file.
    let (rule, open) = ("INPUT -p tcp --dport 2222 -j DROP", hosts.folder().join("open"));
    let wait = format!("until [ -e {} ]; do sleep 0.2; done", open.display());
    let line = format!("iptables -I {rule}; {wait}; iptables -D {rule}");
    hosts.said_on(1, &format!("({line}) </dev/null >/dev/null 2>&1 &"));
    while hosts.on(1, "true").status.success() {}
    let mut nemesis = Nemesis::new(talkers.erased());
    let begun = Instant::now();
    let effect = nemesis.install(1, &Action::nodes(Break::Pause, vec![1]));
    println!("told after {:?}: {effect:?}", begun.elapsed());
    assert!(!matches!(effect, Effect::Installed(_)), "{effect:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let left = talkers.cluster.tear_down();
    assert_eq!(left.len(), 1, "{left:?}");
    for part in ["n2 (root@10.77.0.2)", "heals itself", "ssh -p 2222 root@10.77.0.2 /var/lib/"] {
        assert!(left[0].contains(part), "{part}: {left:?}");
    }
    std::fs::write(open, "").expect("written");
    hosts.assert_clean_within(LEASE + Duration::from_secs(5));
    hosts.end();
}

fn refusal(hosts: &Hosts, access: &Access, all: &[Host]) -> String {
    let agent = splitbrain();
    let run = run_name("test");
    let refused = SshCluster::provision(access, all, &run, &agent, &[]).err().expect("refused");
    hosts.assert_clean_within(Duration::from_secs(5));
    refused.to_string()
}

/// Whatever is wrong with one host, it is named, and nothing is left on the others.
pub fn wrong_hosts() {
    let hosts = Hosts::start(2);
    let good = &hosts.all[0];
    let check = |access: &Access, wrong: Host, parts: &[&str]| {
        let said = refusal(&hosts, access, &[good.clone(), wrong]);
        println!("{said}");
        parts.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
    };
    let access = &hosts.access;
    let nobody_there = "root@10.77.0.2:2223".parse().expect("a host");
    check(access, nobody_there, &["n2 (root@10.77.0.2)", "refused"]);
    let no_such_user = "nobody-of-that-name@10.77.0.2:2222".parse().expect("a host");
    check(access, no_such_user, &["n2", "nobody-of-that-name", "Permission denied"]);
    let without_key = Access { key: Some("/dev/null".into()), ..access.clone() };
    check(&without_key, hosts.all[1].clone(), &["n1 (root@10.77.0.1)"]);
    let sudo = Access { sudo: true, ..access.clone() };
    if !hosts.on(0, "command -v sudo").status.success() {
        check(&sudo, hosts.all[1].clone(), &["sudo"]);
    }
    // A host without iptables: it is hidden.
    hosts.said_on(1, "mount --bind /dev/null $(command -v iptables-save)");
    check(access, hosts.all[1].clone(), &["n2 (root@10.77.0.2)", "iptables-save is missing"]);
    hosts.end();
}

/// A user who is not root says so with `--sudo`, and everything is as for root.
pub fn sudo() {
    if !Path::new("/usr/bin/sudo").exists() {
        println!("SKIPPED: sudo is not installed");
        assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
        return;
    }
    let hosts = Hosts::start(2);
    let named = |n| format!("{USER}@10.77.0.{n}:2222").parse().expect("a host");
    let all: Vec<Host> = (1..=2).map(named).collect();
    let refused = refusal(&hosts, &hosts.access, &all);
    assert!(refused.contains(&format!("{USER}, not root (--sudo becomes it)")), "{refused}");
    let access = Access { sudo: true, ..hosts.access.clone() };
    let cluster = Arc::new(installed(&access, &all));
    (0..2).for_each(|node| cluster.start(node).expect("started"));
    assert_eq!(cluster.states(0).expect("it is asked").len(), 1);
    let mut nemesis = Nemesis::new(cluster.clone());
    let cut = Action::Cut(Grudge::isolate(2, &[1]));
    assert!(matches!(nemesis.install(1, &cut), Effect::Installed(_)));
    assert_eq!(hosts.interrupt(std::process::id(), 0), 0, "nobody goes there as root");
    let down = Action::nodes(Break::Kill, vec![1]);
    assert!(matches!(nemesis.install(2, &down), Effect::Installed(_)));
    assert!(nemesis.heal_all().iter().all(|(_, effect)| matches!(effect, Effect::Healed(_))));
    assert_eq!(cluster.tear_down(), [""; 0]);
    hosts.assert_clean_within(Duration::ZERO);
    hosts.end();
}

/// What others have in the firewall is left as it is; a second run on the same host is refused.
pub fn others_rules_stay() {
    let hosts = Hosts::start(2);
    hosts.said_on(0, "iptables -A INPUT -s 10.9.9.9 -j DROP; iptables -N MINE");
    let cluster = installed(&hosts.access, &hosts.all);
    let again =
        SshCluster::provision(&hosts.access, &hosts.all, &run_name("second"), &splitbrain(), &[]);
    let refused = again.err().expect("refused").to_string();
    assert!(refused.contains("another run is there"), "{refused}");
    cluster.start(0).expect("the first run is as it was");
    assert_eq!(cluster.states(0).expect("it is asked").len(), 1);
    assert_eq!(cluster.tear_down(), [""; 0]);
    hosts.assert_clean_within(Duration::ZERO);
    let rules = hosts.said_on(0, "iptables-save");
    for own in ["-A INPUT -s 10.9.9.9/32 -j DROP", ":MINE - "] {
        assert!(rules.contains(own), "{own}: {rules}");
    }
    hosts.end();
}

/// A guard that is killed is an error, not a pass, and its keeper cleans up behind it.
pub fn killed_guard() {
    let hosts = Hosts::start(2);
    let talkers = Talkers::start(&hosts);
    let mut nemesis = Nemesis::new(talkers.erased());
    let cut = Action::Cut(Grudge::isolate(2, &[1]));
    assert!(matches!(nemesis.install(1, &cut), Effect::Installed(_)));
    let guard = "for p in /proc/[0-9]*; do \
        [ \"$(readlink $p/ns/net)\" = \"$(readlink /proc/self/ns/net)\" ] && \
        tr '\\0' ' ' <$p/cmdline | grep -q '__agen[t] serve' && ! grep -q splitbrain-keep $p/comm && \
        [ \"$(cut -d' ' -f6 $p/stat)\" = \"${p#/proc/}\" ] && kill -9 ${p#/proc/}; done; true";
    hosts.said_on(1, guard);
    let begun = Instant::now();
    while !hosts.left_on(1).expect("reached").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", hosts.left_on(1));
    }
    println!("clean {:?} after the guard was killed", begun.elapsed());
    assert!(!talkers.cluster.is_guarded());
    assert!(nemesis.still_in_force(1).is_err());
    assert!(matches!(nemesis.undo(1), Effect::Indeterminate(_)));
    assert_eq!(talkers.cluster.tear_down(), [""; 0]);
    hosts.end();
}

/// A harness that is killed with faults in force: when the lease is over, every host is as it was.
pub fn killed_harness() {
    let hosts = Hosts::start(2);
    let mut victim = Command::new(std::env::current_exe().expect("own path"))
        .args([OsStr::new("victim"), hosts.folder().as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut said = String::new();
    let stdout = victim.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut said).expect("readable");
    assert_eq!(said, "broken\n");
    assert!(hosts.left_on(0).expect("reached").contains("DROP"), "it is in force");
    victim.kill().expect("killed");
    victim.wait().expect("waited for");
    let begun = Instant::now();
    hosts.assert_clean_within(LEASE + Duration::from_secs(5));
    println!("clean {:?} after the harness was killed; the lease is {LEASE:?}", begun.elapsed());
    hosts.end();
}

/// A harness that breaks two hosts and then waits to be killed.
pub fn victim(folder: &Path) -> ExitCode {
    let cluster = Arc::new(installed(&access(folder), &hosts(2)));
    (0..2).for_each(|node| cluster.start(node).expect("started"));
    let mut nemesis = Nemesis::new(cluster);
    let cut = Action::Cut(Grudge::isolate(2, &[1]));
    assert!(matches!(nemesis.install(1, &cut), Effect::Installed(_)));
    let pause = Action::nodes(Break::Pause, vec![0]);
    assert!(matches!(nemesis.install(2, &pause), Effect::Installed(_)));
    println!("broken");
    thread::sleep(Duration::from_secs(600));
    ExitCode::FAILURE
}
