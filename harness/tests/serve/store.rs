//! A store with a run in it, and the program that serves it.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The run that is in the store.
pub const RUN: &str = "etcd-register/20261121T203300Z";
/// What lies where nobody may look.
pub const SECRET: &str = "a secret that stays where it is";

/// A server and its store.
pub struct Served {
    folder: TempDir,
    child: Child,
    pub address: SocketAddr,
}

impl Served {
    /// A store with one run, whose verdict is that of the program, and a server on a free port.
    pub fn new() -> Served {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("store").join(RUN);
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(folder.path().join("secret.txt"), SECRET).unwrap();
        std::fs::write(run.join("inside.txt"), SECRET).unwrap();
        std::os::unix::fs::symlink("../../../secret.txt", run.join("leak.txt")).unwrap();
        std::os::unix::fs::symlink("../../../secret.txt", run.join("report.txt")).unwrap();
        let plan = r#"{"target":"etcd","workload":{"name":"register"},"seed":7}"#;
        std::fs::write(run.join("plan.json"), plan).unwrap();
        std::fs::write(run.join("history.jsonl"), history(400)).unwrap();
        let check = command().arg("check").arg("--json").arg(&run).output().unwrap();
        std::fs::write(run.join("verdict.json"), &check.stdout).unwrap();
        let mut child = command()
            .arg("serve")
            .arg(folder.path().join("store"))
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.path().join("said")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        Served { folder, child, address }
    }

    /// The folder that is served.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Lets the run go on.
    pub fn append(&self, line: &str) {
        let path = self.store().join(RUN).join("history.jsonl");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    /// Nothing has panicked, and it runs.
    #[track_caller]
    pub fn assert_quiet(&self) {
        let said = std::fs::read_to_string(self.folder.path().join("said")).unwrap();
        assert_eq!(said, "");
        assert!(Path::new(&format!("/proc/{}", self.child.id())).exists());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_splitbrain"))
}

/// Five nodes, a partition and so many operations, one of which read what had been overwritten.
pub fn history(operations: u64) -> String {
    let mut text = r#"{"splitbrain":1,"run":"store/etcd-register/20261121T203300Z","started":"2026-11-21T20:33:00.000Z","seed":7,"target":"etcd","vocabulary":"register","initial":null,"unique_writes":true,"nodes":["n1","n2","n3"],"deadline_ms":1000,"op_timeout_ms":10000,"versions":{},"plan":{"target":"etcd","workload":{"name":"register"},"expect":"linearizable"}}
{"index":0,"time":1000000,"type":"info","process":"harness","f":"phase","value":"main"}
{"index":1,"time":900000000,"type":"info","process":"nemesis","f":"roles","value":{"leader":["n1"],"down":[],"term":3}}
{"index":2,"time":1000000000,"type":"info","process":"nemesis","f":"start","fault":"halves","id":1,"value":{"cut":[["n1","n2"],["n2","n1"],["n1","n3"],["n3","n1"]],"sides":[["n1"],["n2","n3"]],"targets":[]}}
{"index":3,"time":1050000000,"type":"info","process":"nemesis","f":"start","fault":"halves","id":1,"effect":"installed","value":{}}
"#.to_owned();
    let mut index = 4;
    let mut event = |time_ms: u64, kind: &str, process: u64, f: &str, value: &str| {
        let node = process % 3 + 1;
        text += &format!(
            "{{\"index\":{index},\"time\":{},\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\
             \"key\":\"k{process}\",\"value\":{value},\"client\":{process},\"node\":\"n{node}\"}}\n",
            time_ms * 1_000_000
        );
        index += 1;
    };
    for turn in 0..operations / 2 {
        let (process, at) = (turn % 6, 1_100 + turn * 5);
        let value = turn.to_string();
        event(at, "invoke", process, "write", &value);
        event(at + 1, "ok", process, "write", &value);
        event(at + 2, "invoke", process, "read", "null");
        // The last one reads what was there before.
        let read = if turn + 1 == operations / 2 { (turn - 6).to_string() } else { value };
        event(at + 3, "ok", process, "read", &read);
    }
    text
}
