//! Hosts to log in to: nodes of a local cluster, each of which runs `sshd` and has a `/proc`, a
//! `/run` and a `/var/lib` of its own. Nothing leaves the sandbox that they are in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use splitbrain::environments::{Access, Daemon, Host, LocalCluster, Sandbox, SandboxError};

/// A user of every host who is not root, and may become it without a password.
pub const USER: &str = "operator-1";
/// A lease that a test can wait for.
pub const LEASE: Duration = Duration::from_secs(4);

/// How long a host that lets somebody in may take for it on a busy machine.
const REACHED_WITHIN: Duration = Duration::from_secs(60);

pub struct Hosts {
    cluster: LocalCluster,
    pub access: Access,
    pub all: Vec<Host>,
}

impl Hosts {
    /// So many hosts that let root in by key.
    pub fn start(count: usize) -> Hosts {
        let sandbox = Sandbox::enter(&run_name("hosts")).unwrap_or_else(|error| panic!("{error}"));
        let cluster =
            LocalCluster::provision(sandbox, count).unwrap_or_else(|error| panic!("{error}"));
        let folder = cluster.directory().to_owned();
        let file = |name: &str| folder.join(name).display().to_string();
        for key in ["user", "host"] {
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &file(key)]);
        }
        let sshd = format!(
            "HostKey {}\nAuthorizedKeysFile /run/keys\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n\
             UseDNS no\nMaxStartups 100\nPort 2222\n",
            file("host"),
        );
        fs::write(folder.join("sshd_config"), sshd).expect("written");
        let key = fs::read_to_string(folder.join("host.pub")).expect("readable");
        let known: String = (1..=count).map(|n| format!("[10.77.0.{n}]:2222 {key}")).collect();
        fs::write(folder.join("known_hosts"), known).expect("written");
        let config = format!(
            "Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile none\n  \
             StrictHostKeyChecking yes\n",
            file("known_hosts")
        );
        fs::write(folder.join("ssh_config"), config).expect("written");
        cluster.install((0..count).map(|node| host_daemon(&folder, node)).collect());
        (0..count).for_each(|node| cluster.start(node).unwrap_or_else(|error| panic!("{error}")));
        let hosts = Hosts { cluster, access: access(&folder), all: hosts(count) };
        (0..count).for_each(|node| hosts.wait_up(node));
        hosts
    }

    fn wait_up(&self, node: usize) {
        let until = Instant::now() + REACHED_WITHIN;
        loop {
            let output = self.on(node, "true");
            if output.status.success() {
                return;
            }
            let ended = self.cluster.exited();
            assert!(Instant::now() < until && ended.is_empty(), "no sshd: {output:?} {ended:?}");
        }
    }

    /// Runs a line of shell on a host, over a connection of its own.
    pub fn on(&self, node: usize, line: &str) -> Output {
        let Host { destination, port, .. } = &self.all[node];
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(self.access.config.as_ref().expect("there is one"));
        ssh.arg("-i").arg(self.access.key.as_ref().expect("there is one"));
        ssh.args(["-o", "ConnectTimeout=5", "-p", &port.expect("given").to_string(), destination]);
        ssh.arg(line).stdin(Stdio::null()).output().expect("ssh is installed")
    }

    /// What a line of shell says on a host.
    pub fn said_on(&self, node: usize, line: &str) -> String {
        let output = self.on(node, line);
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What a run has left on a host: files of ours, rules of ours, processes of ours. Nothing if
    /// the host is not reached.
    pub fn left_on(&self, node: usize) -> Option<String> {
        let output = self.on(
            node,
            "ls -A /var/lib/splitbrain 2>/dev/null; iptables-save | grep SPLITBRAIN; \
             own=$(readlink /proc/self/ns/net); for p in /proc/[0-9]*; do \
             [ \"$(readlink $p/ns/net)\" = \"$own\" ] && tr '\\0' ' ' <$p/cmdline | \
             grep -e '__agen[t]' -e '^/var/lib/splitbrai[n]/'; done 2>/dev/null; true",
        );
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(said)
    }

    /// Waits until nothing is left on any host; panics if that takes longer. A host that is not reached has
    /// said nothing, and is asked again.
    #[track_caller]
    pub fn assert_clean_within(&self, limit: Duration) {
        let until = Instant::now() + limit;
        for node in 0..self.all.len() {
            loop {
                let asked = Instant::now();
                let left = self.left_on(node);
                if left.as_deref() == Some("") {
                    break;
                }
                let until = if left.is_some() { until } else { until + REACHED_WITHIN };
                assert!(asked < until, "left on host {node} after {limit:?}: {left:?}");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// Kills the `ssh` processes of `parent` that lead to a host; how many there were.
    pub fn interrupt(&self, parent: u32, node: usize) -> usize {
        let destination = &self.all[node].destination;
        let mut killed = 0;
        for process in fs::read_dir("/proc").expect("readable").flatten() {
            let Ok(pid) = process.file_name().to_string_lossy().parse::<i32>() else { continue };
            let read = |file: &str| fs::read_to_string(process.path().join(file));
            let (Ok(stat), Ok(cmdline)) = (read("stat"), read("cmdline")) else { continue };
            let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            let its_parent = after_name.split_whitespace().nth(1);
            let mut words = cmdline.split('\0');
            if its_parent == Some(&parent.to_string())
                && words.next() == Some("ssh")
                && words.any(|word| word == destination)
            {
                let pid = nix::unistd::Pid::from_raw(pid);
                nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("killed");
                killed += 1;
            }
        }
        killed
    }

    /// A folder that is removed at the end.
    pub fn folder(&self) -> &Path {
        self.cluster.directory()
    }

    /// Ends the hosts; nothing of them is left.
    pub fn end(self) {
        assert_eq!(self.cluster.tear_down().0, [""; 0]);
    }
}

/// How hosts are reached whose keys are in this folder.
pub fn access(folder: &Path) -> Access {
    Access {
        key: Some(folder.join("user")),
        config: Some(folder.join("ssh_config")),
        sudo: false,
        lease: LEASE,
    }
}

/// The first hosts.
pub fn hosts(count: usize) -> Vec<Host> {
    (1..=count).map(|n| format!("root@10.77.0.{n}:2222").parse().expect("a host")).collect()
}

/// Fails, with why, where there can be no hosts.
pub fn probe() -> ExitCode {
    if !Path::new("/usr/sbin/sshd").exists() {
        println!("openssh-server is not installed");
        return ExitCode::FAILURE;
    }
    match Sandbox::enter(&run_name("probe")) {
        Err(SandboxError::Denied { why, .. }) => {
            println!("{why}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn host_daemon(folder: &Path, node: usize) -> Daemon {
    let own = folder.join(format!("n{}", node + 1));
    let (lib, config, key) = (own.join("lib"), folder.join("sshd_config"), folder.join("user.pub"));
    let (lib, config, key) = (lib.display(), config.display(), key.display());
    // Its own users and what they may do, for this mount namespace only.
    let user = format!("{USER}:*:4242:65534::/:/bin/sh");
    let users = format!(
        "(cat /etc/passwd; echo '{user}') >/run/passwd && mount --bind /run/passwd /etc/passwd && \
         (! [ -e /etc/sudoers ] || (umask 337; echo '{USER} ALL=(root) NOPASSWD: ALL' >/run/sudoers && \
         mount --bind /run/sudoers /etc/sudoers))"
    );
    let script = format!(
        "mkdir -p {lib} && mount -t proc proc /proc && mount -t tmpfs tmpfs /run && \
         iptables -D INPUT -j SPLITBRAIN && iptables -X SPLITBRAIN && \
         mkdir /run/sshd && cp {key} /run/keys && chmod 644 /run/keys && {users} && mount --bind {lib} /var/lib && \
         exec /usr/sbin/sshd -D -e -f {config} -o ListenAddress=10.77.0.{}",
        node + 1
    );
    let args = ["--mount", "--propagation", "private", "sh", "-c", &script];
    Daemon {
        program: "unshare".into(),
        args: args.map(str::to_owned).to_vec(),
        env: Vec::new(),
        files: Vec::new(),
        log: own.join("sshd.log"),
        directory: own,
    }
}

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().expect("openssh is installed");
    assert!(output.status.success(), "{output:?}");
}

/// A name that no other run has.
pub fn run_name(what: &str) -> String {
    let now = std::time::SystemTime::now();
    let nanos = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    format!("{what}-{}-{nanos}", std::process::id())
}

/// A smaller copy of a program, where there is `strip`; it is copied to many hosts.
pub fn slim(program: &Path, folder: &Path) -> PathBuf {
    let slim = folder.join(program.file_name().expect("a file"));
    let stripped = Command::new("strip").arg("-o").arg(&slim).arg(program).status();
    if stripped.is_ok_and(|status| status.success()) { slim } else { program.to_owned() }
}

/// The `splitbrain` program.
pub fn splitbrain() -> PathBuf {
    env!("CARGO_BIN_EXE_splitbrain").into()
}
