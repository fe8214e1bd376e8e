//! Runs each test in a process of its own, as this user and, if that is root, as an ordinary one.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

/// One test.
pub struct Test {
    pub name: &'static str,
    pub run: fn(),
}

/// As whom a test runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Root,
    OrdinaryUser,
}

/// An ordinary user that every machine has (`nobody`), for when the tests run as root.
const NOBODY: u32 = 65534;
/// After this a test hangs.
const LIMIT: Duration = Duration::from_secs(600);

enum Outcome {
    Passed(String),
    Failed(String),
    Skipped(String),
}

/// So many tests are run at once: they mostly wait. Those that measure times notice by themselves what
/// falsifies them.
const AT_ONCE: usize = 2;

/// Runs the tests whose full name holds one of the words among `args`, as test programs do, a few at
/// once. Those that are named in `beside` take long to wait, and run beside the others from the beginning.
pub fn run_all(tests: &[Test], beside: &[&str], everybody: &[Who], args: &[String]) -> ExitCode {
    let words: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let chosen: Vec<_> = everybody
        .iter()
        .flat_map(|who| tests.iter().map(move |test| (*who, test)))
        .map(|(who, test)| (format!("{}::{}", who.name(), test.name), who, test))
        .filter(|(name, ..)| words.is_empty() || words.iter().any(|word| name.contains(*word)))
        .collect();
    if args.iter().any(|arg| arg == "--list") {
        chosen.iter().for_each(|(name, ..)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let place = Place::new();
    let told = |(name, who, test): &(String, Who, &Test)| {
        let begun = Instant::now();
        let outcome = place.run(*who, test);
        let took_s = begun.elapsed().as_secs_f64();
        match &outcome {
            Outcome::Passed(said) => println!("{said}test {name} ... ok <{took_s:.1} s>"),
            Outcome::Skipped(why) => println!("test {name} ... SKIPPED: {why}"),
            Outcome::Failed(said) => println!("test {name} ... FAILED <{took_s:.1} s>\n{said}"),
        }
        outcome
    };
    let (waiting, others): (Vec<_>, Vec<_>) =
        chosen.iter().partition(|(.., test)| beside.contains(&test.name));
    let left = Mutex::new(others.into_iter());
    let next = || left.lock().expect("a runner does not panic").next();
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let waiting: Vec<_> =
            waiting.into_iter().map(|one| scope.spawn(move || told(one))).collect();
        let lane = || std::iter::from_fn(next).map(told).collect::<Vec<_>>();
        let lanes: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(lane)).collect();
        let lanes = lanes.into_iter().flat_map(|lane| lane.join().expect("nor does a lane"));
        let lanes: Vec<Outcome> = lanes.collect();
        let waited = waiting.into_iter().map(|one| one.join().expect("a runner does not panic"));
        lanes.into_iter().chain(waited).collect()
    });
    let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| of(outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let failed = outcomes.len() - passed - skipped;
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {result}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured\n",
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Who::Root => "root",
            Who::OrdinaryUser => "ordinary_user",
        }
    }
}

/// A folder that everybody can read, with a copy of this program.
struct Place {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("environment");
        std::fs::copy(std::env::current_exe().expect("own path"), &program).expect("a copy");
        readable_by_all(folder.path());
        readable_by_all(&program);
        Place { folder, program }
    }

    fn run(&self, who: Who, test: &Test) -> Outcome {
        if who == Who::Root && !geteuid().is_root() {
            return Outcome::Skipped("the tests do not run as root".to_owned());
        }
        if let Err(why) = self.run_role(who, &["probe"]) {
            return Outcome::Skipped(format!("not possible here: {}", why.trim()));
        }
        match self.run_role(who, &["case", test.name]) {
            Ok(said) => Outcome::Passed(said),
            Err(said) => Outcome::Failed(said),
        }
    }

    /// Runs this program in another role; what it said.
    fn run_role(&self, who: Who, role: &[&str]) -> Result<String, String> {
        // Journals of its own, which must be gone in the end.
        let state = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        let mut command = Command::new(&self.program);
        if who == Who::OrdinaryUser && geteuid().is_root() {
            chown(state.path(), Some(NOBODY), Some(NOBODY))
                .map_err(|error| format!("no other user can be had: {error}"))?;
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command
            .args(role)
            .env("SPLITBRAIN_STATE_DIR", state.path())
            .current_dir(state.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this program can be started");
        let pid = Pid::from_raw(child.id().cast_signed());
        let (done, watched) = mpsc::channel::<()>();
        let watchdog = thread::spawn(move || {
            if watched.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        });
        let begun = Instant::now();
        let output = child.wait_with_output().expect("it can be waited for");
        drop(done);
        watchdog.join().expect("the watchdog does not panic");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        if !output.status.success() {
            return Err(format!("{said}{} after {:?}", output.status, begun.elapsed()));
        }
        match leftovers(state.path()) {
            left if left.is_empty() => Ok(said),
            left => Err(format!("{said}files are left: {left:?}")),
        }
    }
}

fn leftovers(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).expect("readable").map(|e| e.expect("an entry").path()).collect()
}

fn readable_by_all(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
}
