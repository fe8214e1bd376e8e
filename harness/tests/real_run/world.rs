//! A folder to run in, the program, and what may be left of a run: nothing.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long something may take that surely comes: a busy machine may be very slow.
const SURELY: Duration = Duration::from_secs(60);

/// Waits until something is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + SURELY;
    while !is_so() {
        assert!(Instant::now() < until, "not within {SURELY:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Copies a program. Somebody else writes it: what was just forked by another test would hold a file that
/// this process had written open, and nobody could run it.
fn install(from: &Path, to: &Path) {
    let installed = Command::new("install").args(["-m", "755"]).args([from, to]).status();
    assert!(installed.unwrap().success(), "{}", to.display());
}

/// Makes a script that can be run.
pub fn write_script(path: &Path, text: &str) {
    let written = path.with_extension("txt");
    std::fs::write(&written, text).unwrap();
    install(&written, path);
}

/// Whether an operation of a history ended so, with the server's own words.
pub fn ended_with(history: &str, kind: &str, error: &str) -> bool {
    let kind = format!("\"type\":\"{kind}\"");
    history.lines().any(|line| line.contains(&kind) && line.contains(error))
}

/// One test's world.
pub struct World {
    folder: TempDir,
}

/// What a command did.
pub struct Ran {
    pub exit: Option<i32>,
    pub said: String,
    stdout: Vec<u8>,
}

impl Ran {
    /// Standard output as the one JSON object that it must be.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}, exit {:?}:\n{}", self.exit, self.said))
    }
}

/// A node of the bundled store that a test started by itself.
pub struct Node {
    pub url: String,
    child: Child,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl World {
    /// A world, or nothing and a loud word where nodes cannot be had.
    pub fn new() -> Option<World> {
        let world = World { folder: tempfile::tempdir().unwrap() };
        let doctor = world.command(&["doctor"]);
        if doctor.exit != Some(0) {
            eprintln!("SKIPPED: no nodes can be started here:\n{}", doctor.said);
            assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
            return None;
        }
        Some(world)
    }

    /// The same, where disks can be made to fail.
    pub fn with_disks() -> Option<World> {
        let world = World::new()?;
        if let Err(why) = splitbrain_nemesis::disk::available() {
            eprintln!("SKIPPED: {why}");
            assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
            return None;
        }
        Some(world)
    }

    /// The program with these arguments, in this world's folder; journals go there too.
    pub fn prepare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("SPLITBRAIN_STATE_DIR", self.state())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn command(&self, args: &[&str]) -> Ran {
        World::ended(&mut self.prepare(args))
    }

    /// What a command did that is made ready.
    pub fn ended(command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        let said = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
        Ran { exit: output.status.code(), said, stdout: output.stdout }
    }

    /// `splitbrain run`.
    pub fn run(&self, flags: &[&str]) -> Ran {
        self.command(&[&["run"], flags].concat())
    }

    /// Where the bundled store is; the doctor has built it.
    pub fn store() -> PathBuf {
        Path::new(env!("CARGO_BIN_EXE_splitbrain")).with_file_name("splitbrain-store")
    }

    /// `splitbrain run` with a script in place of the bundled store.
    pub fn run_with_store(&self, script: &str, flags: &[&str]) -> Ran {
        let folder = self.folder.path().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("splitbrain");
        install(Path::new(env!("CARGO_BIN_EXE_splitbrain")), &program);
        write_script(&folder.join("splitbrain-store"), script);
        let output = Command::new(program)
            .arg("run")
            .args(flags)
            .current_dir(self.folder.path())
            .env("SPLITBRAIN_STATE_DIR", self.state())
            .env_remove("CARGO")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ran { exit: output.status.code(), said, stdout: output.stdout }
    }

    /// The folder of the last run.
    pub fn latest(&self) -> PathBuf {
        self.folder.path().join("store/latest").canonicalize().unwrap()
    }

    /// Whether the history of the last run holds these words by now.
    pub fn has_recorded(&self, words: &str) -> bool {
        std::fs::read_to_string(self.path("store/latest/history.jsonl"))
            .is_ok_and(|history| history.contains(words))
    }

    /// Whether a process of a run of this world has these arguments by now.
    pub fn has_process(&self, args: &[&str]) -> bool {
        let line: String = args.iter().map(|arg| format!("{arg}\0")).collect();
        let is_it = |process: &Path| {
            std::fs::read(process.join("cmdline")).is_ok_and(|text| text == line.as_bytes())
        };
        self.processes().iter().any(|process| is_it(process))
    }

    /// The folders in `/proc` of all processes of runs of this world: nodes, keeper and harness all have
    /// its folder in their arguments or in their environment.
    fn processes(&self) -> Vec<PathBuf> {
        let own = std::process::id().to_string();
        let is_process = |name: &str| name != own && name.parse::<u32>().is_ok();
        let mentions = |file: &Path| {
            std::fs::read(file).is_ok_and(|bytes| contains(&bytes, self.folder.path()))
        };
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter(|entry| entry.file_name().to_str().is_some_and(is_process))
            .map(|entry| entry.path())
            .filter(|path| mentions(&path.join("environ")) || mentions(&path.join("cmdline")))
            .collect()
    }

    /// A file or folder in it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A short run of clients of a system that runs elsewhere, as whoever the environment says without its
    /// `SPLITBRAIN_DB_`, and the history of the last run.
    pub fn run_elsewhere(
        &self,
        node: &str,
        access: &[(&str, &str)],
        flags: &[&str],
    ) -> (Ran, String) {
        let usual = ["run", "--env", "external", "--nodes", node, "--seed", "1", "--json"];
        let mut command = self.prepare(&[&usual[..], flags].concat());
        for (name, value) in access {
            command.env(format!("SPLITBRAIN_DB_{name}"), value);
        }
        let ran = World::ended(&mut command);
        let history = std::fs::read_to_string(self.path("store/latest/history.jsonl"));
        (ran, history.unwrap_or_default())
    }

    /// Nothing that runs keep has these words in it.
    pub fn assert_kept_nowhere(&self, words: &str) {
        let mut folders = vec![self.path("store")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if let Ok(bytes) = std::fs::read(entry.path()) {
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!text.contains(words), "{} has {words}", entry.path().display());
                }
            }
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A single node of the bundled store on a free port of this machine, which serves.
    pub fn node_on_loopback(&self) -> Node {
        // The run before has built it and stands beside it.
        let doctor = self.command(&["doctor"]);
        let line = doctor.said.lines().find(|line| line.contains("splitbrain-store"));
        let line = line.expect("the doctor finds the store");
        let program = line.split_whitespace().find(|word| word.starts_with('/')).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(program)
            .args(["--id", "n1", "--mode", "raft", "--listen", &address])
            .args(["--peers", &format!("n1={address}")])
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Node { url: format!("http://{address}"), child }
    }

    /// Nothing of any run of this world is left: no journal, no process.
    #[track_caller]
    pub fn assert_clean(&self) {
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "left behind after 5 s: {left:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn left(&self) -> Vec<String> {
        let journals = std::fs::read_dir(self.state()).into_iter().flatten().flatten();
        let mut left: Vec<String> =
            journals.map(|entry| entry.path().display().to_string()).collect();
        left.extend(self.processes().iter().map(|process| process.display().to_string()));
        for node in ["n1", "n2", "n3", "n4", "n5"] {
            let runs = glob_runs(&self.folder.path().join("store"));
            left.extend(
                runs.into_iter()
                    .map(|run| run.join(node).join("data"))
                    .filter(|data| data.exists())
                    .map(|data| data.display().to_string()),
            );
        }
        left
    }
}

fn contains(bytes: &[u8], path: &Path) -> bool {
    let needle = path.as_os_str().as_encoded_bytes();
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The folders of all runs in a store.
fn glob_runs(store: &Path) -> Vec<PathBuf> {
    let below = |folder: PathBuf| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect()
    };
    below(store.to_owned()).into_iter().flat_map(below).collect()
}
