//! One function for each thing that is to be true of the local environment.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use splitbrain::environments::{EnvError, LocalCluster, Sandbox, SandboxError, doctor};
use splitbrain_nemesis::conformance::{Witness, cases, shaping_cases};
use splitbrain_nemesis::faults::{Action, Break};
use splitbrain_nemesis::grudge::Grudge;
use splitbrain_nemesis::node::Processes;
use splitbrain_nemesis::shaping::{Quality, Shaping};
use splitbrain_nemesis::{Capability, Cluster, Effect, Link, Nemesis};

use crate::looks::eventually;
use crate::sabotage::opened_links_are_noticed;
use crate::user_mode_linux::PARTS;
use crate::witness::{Talkers, provisioned, run_name, script, talker};

/// Every case of the conformance suite, on one cluster.
pub fn conforms() {
    let talkers = Talkers::start(5);
    for (name, case) in cases() {
        case(&talkers.erased(), &talkers);
        assert!(talkers.cluster.exited().is_empty(), "after {name:?}");
    }
    assert_eq!(talkers.cluster.tear_down().0, [""; 0]);
}

/// Limits by control groups of version 2, where the machine's controllers are not all bound to
/// version 1, in a mount namespace that shows nothing else.
pub fn control_groups_of_version_2() {
    let none: Option<&str> = None;
    let (folder, no_flags) = ("/sys/fs/cgroup", MsFlags::empty());
    let mounted = unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none))
        .and_then(|()| mount(Some("cgroup2"), folder, Some("cgroup2"), no_flags, none));
    if let Err(error) = mounted {
        return println!("SKIPPED: no control groups of version 2 can be mounted: {error}");
    }
    let controllers = fs::read_to_string(format!("{folder}/cgroup.controllers")).expect("readable");
    if !["cpu", "memory"].iter().all(|needed| controllers.split_whitespace().any(|c| c == *needed))
    {
        let bound = fs::read_to_string("/proc/cgroups").expect("readable");
        return println!(
            "SKIPPED: version 2 has the controllers [{}] only; cpu and memory are bound to \
             version 1:\n{bound}",
            controllers.trim()
        );
    }
    let talkers = Talkers::start(4);
    assert!(
        talkers.cluster.has(Capability::Limits),
        "{}",
        talkers.cluster.lacks(Capability::Limits)
    );
    for (name, case) in cases().filter(|(name, _)| name.starts_with("a node short of")) {
        println!("{name}, by version 2");
        case(&talkers.erased(), &talkers);
    }
    assert_eq!(talkers.cluster.tear_down().0, [""; 0]);
}

/// One of so many parts of those of them that are about bad links, with which engine makes them.
pub fn bad_links_conform(part: usize) {
    let engine = doctor().into_iter().find(|finding| finding.what == "links of bad quality");
    println!("{}", engine.expect("the doctor knows").detail);
    let talkers = Talkers::start(3);
    for (name, case) in shaping_cases().skip(part).step_by(PARTS) {
        println!("{name}");
        case(&talkers.erased(), &talkers);
    }
}

/// As many nodes as anybody asks for come up, and can be cut and healed.
pub fn fifty_nodes() {
    let begun = Instant::now();
    let cluster = Arc::new(provisioned(50));
    println!("50 nodes wired in {:?}", begun.elapsed());
    let erased: Arc<dyn Cluster> = cluster.clone();
    let mut nemesis = Nemesis::new(erased).with_verify_limit(Duration::from_secs(10));
    let begun = Instant::now();
    let effect = nemesis.install(1, &Action::Cut(Grudge::halves(50)));
    println!("cut in halves within {:?}", begun.elapsed());
    assert_eq!(effect.proof().map(|proof| (proof.blocked, proof.passed)), Some((1250, 1250)));
    assert!(matches!(nemesis.undo(1), Effect::Healed(_)));
}

pub fn node_counts() {
    for asked in [0, 101] {
        let sandbox = Sandbox::enter(&run_name("test")).unwrap_or_else(|error| panic!("{error}"));
        let error = LocalCluster::provision(sandbox, asked).err().expect("refused");
        assert!(matches!(error, EnvError::NodeCount { most: 100, .. }), "{error}");
    }
}

/// Rules flushed behind the nemesis's back are not believed to be in force.
pub fn flushed_rules_are_noticed() {
    opened_links_are_noticed(Arc::new(provisioned(5)));
}

/// Links that became good again behind the nemesis's back are not believed to be bad.
pub fn links_mended_in_secret_are_noticed() {
    let cluster = Arc::new(provisioned(3));
    let mut nemesis = Nemesis::new(cluster.clone());
    let links: Vec<Link> = Link::all(3).collect();
    let quality = Quality { delay_us: 20_000, ..Quality::default() };
    let effect = nemesis.install(1, &Action::Shape { links: links.clone(), quality });
    assert_eq!(effect.proof().map(|proof| proof.shaped), Some(6), "{effect:?}");
    assert_eq!(nemesis.still_in_force(1), Ok(()));
    cluster.shape(&[(links[0], quality)], 1).expect("mended, all but one");
    let why = nemesis.still_in_force(1).expect_err("five are good");
    println!("noticed: {why}");
    assert!(why.contains("n1->n3: nothing shapes its packets"), "{why}");
    cluster.shape(&[], 1).expect("mended");
    assert!(matches!(nemesis.undo(1), Effect::Healed(_)));
}

/// What a node's program has started is stopped and killed with it.
pub fn children_are_hit_too() {
    let cluster = Arc::new(provisioned(1));
    cluster.install(vec![script(&cluster, 0, "sleep 1000 & setsid sleep 1000 & wait")]);
    LocalCluster::start(&cluster, 0).expect("started");
    let states = || cluster.states(0).expect("readable");
    eventually("three processes", || states().len() == 3);
    let mut nemesis = Nemesis::new(cluster.clone());
    let effect = nemesis.install(1, &Action::nodes(Break::Pause, vec![0]));
    assert_eq!(effect.proof().map(|proof| proof.processes), Some(3), "{effect:?}");
    assert!(states().iter().all(|process| process.stopped));
    assert!(matches!(nemesis.undo(1), Effect::Healed(_)));
    assert!(states().iter().all(|process| !process.stopped));
    let effect = nemesis.install(2, &Action::nodes(Break::Kill, vec![0]));
    assert_eq!(effect.proof().map(|proof| proof.processes), Some(3), "{effect:?}");
    assert!(states().is_empty());
    assert!(cluster.exited().is_empty(), "it did not end by itself");
}

/// A program that ends by itself is told with how and its last words; a killed one is not.
pub fn ends_are_told() {
    let cluster = provisioned(3);
    cluster.install(vec![
        script(&cluster, 0, "echo out of luck >&2; exit 3"),
        script(&cluster, 1, "kill -TERM $$"),
        script(&cluster, 2, "sleep 1000"),
    ]);
    (0..3).for_each(|node| cluster.start(node).expect("started"));
    eventually("two have ended", || cluster.exited().len() == 2);
    let exited = cluster.exited();
    assert_eq!(exited[0], (0, "exited with code 3: out of luck".to_owned()));
    assert_eq!((exited[1].0, exited[1].1.contains("signal 15")), (1, true), "{exited:?}");
    assert!(cluster.start(2).expect_err("it runs").to_string().contains("runs already"));
    cluster.start(0).expect("one that has ended can be started again");
}

pub fn missing_program() {
    let cluster = provisioned(1);
    let mut daemon = talker(&cluster, 0);
    daemon.program = "no-such-database".into();
    cluster.install(vec![daemon.clone()]);
    let error = cluster.start(0).expect_err("there is no such program");
    assert!(matches!(error, EnvError::MissingProgram { .. }), "{error}");
    assert!(error.to_string().contains("no-such-database"), "{error}");

    // One that is there but cannot be executed, which only the kernel knows.
    daemon.program = cluster.directory().join("broken");
    fs::write(&daemon.program, "#!/no/such/interpreter\n").expect("written");
    fs::set_permissions(&daemon.program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("chmod");
    cluster.install(vec![daemon]);
    let error = cluster.start(0).expect_err("its interpreter is missing");
    assert!(error.to_string().contains("n1"), "{error}");
}

/// Nothing is reachable from inside but the nodes and the hub.
pub fn no_way_out() {
    let talkers = Talkers::start(2);
    assert!(talkers.life(0).is_some(), "nodes are reachable");
    let outside: SocketAddr = (IpAddr::from([192, 0, 2, 1]), 80).into();
    let error = TcpStream::connect_timeout(&outside, Duration::from_secs(1)).expect_err("no route");
    assert_eq!(error.raw_os_error(), Some(nix::errno::Errno::ENETUNREACH as i32), "{error}");
    let routes = fs::read_to_string("/proc/self/net/route").expect("readable");
    assert_eq!(routes.lines().count(), 2, "a title and the way to the nodes: {routes}");
}

/// Who is given no network namespace is told why, and what to do.
pub fn a_refusal_says_why() {
    // Limits on namespaces are each user namespace's own, so only this process is limited.
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    unshare(CloneFlags::CLONE_NEWUSER).expect("a user namespace");
    fs::write("/proc/self/setgroups", "deny").expect("written");
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).expect("written");
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).expect("written");
    fs::write("/proc/sys/user/max_net_namespaces", "0").expect("limited");
    let error = Sandbox::enter(&run_name("test")).expect_err("the limit is 0").to_string();
    assert!(error.contains("user.max_net_namespaces is 0"), "{error}");
    assert!(error.contains("sysctl -w user.max_net_namespaces="), "{error}");
    let finding = doctor().into_iter().next().expect("the first is about namespaces");
    assert!(!finding.ok && finding.detail.contains("max_net_namespaces"), "{finding:?}");
}

pub fn a_second_thread_is_refused() {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || ended.recv());
    let error = Sandbox::enter(&run_name("test")).expect_err("two threads");
    assert!(matches!(error, SandboxError::Threads(2)), "{error}");
    drop(end);
    let _ = thread.join().expect("it does not panic");
}

/// Where all the other cases pass, the doctor finds nothing wrong.
pub fn doctor_agrees() {
    for finding in doctor() {
        assert!(finding.ok, "{finding:?}");
    }
    // And where a tool cannot be found it says which package has it.
    let path = std::env::var_os("PATH");
    // SAFETY: this process has one thread.
    unsafe { std::env::set_var("PATH", "/nowhere") };
    let missing = doctor().into_iter().find(|finding| !finding.ok);
    if let Some(path) = path {
        // SAFETY: as above.
        unsafe { std::env::set_var("PATH", path) };
    }
    let missing = missing.expect("`true` is not in /usr/sbin");
    assert!(missing.remedy.is_some(), "{missing:?}");
}
