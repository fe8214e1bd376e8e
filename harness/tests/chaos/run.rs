//! One run, hit by its trouble, and what is there after it.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;

use crate::exits::{Hit, Told};
use crate::leftovers::{Leftover, MARK, Watch};
use crate::plans::program;
use crate::trouble::{Drawn, Kind, keeper, send};

/// A run that takes longer hangs: it is planned for 6 s, and it may wait for a lot, such as each of its
/// faults to be verified that never is, but not for ever.
const HANGS_AFTER: Duration = Duration::from_secs(180);
/// When nothing may be left any more, from the end of the harness.
const CLEAN_WITHIN: Duration = Duration::from_secs(5);
/// How often a run is looked at while it goes on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What became of a run.
pub struct Ran {
    pub seed: u64,
    pub kind: Kind,
    pub end: ExitStatus,
    pub told: Told,
    /// Whether the trouble came while the harness was there to have it.
    pub hit: bool,
    pub left: Vec<Leftover>,
    pub clean_after: Duration,
    /// Where nobody but `heal` was there to clean up: how much there was for it to do.
    pub unhealed: Option<usize>,
    wrong: Option<String>,
    plan: String,
    said: String,
}

/// Runs it to its end, and until nothing is left.
pub fn run(drawn: &Drawn) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir(&path).expect("made");
        path
    };
    let (work, outside, tmp) = (place("work"), place("state"), place("tmp"));
    let on_small_disk = drawn.kind == Kind::DiskFull && shrink(&work, drawn.disk.kib);
    let state = match on_small_disk && drawn.disk.journal_too {
        true => work.join("state"),
        false => outside,
    };
    let plan = serde_json::to_string(&drawn.plan).expect("a plan is JSON");
    fs::write(folder.path().join("plan.json"), &plan).expect("written");
    let said = folder.path().join("said");
    let output = File::create(&said).expect("made");
    let mut watch = Watch::begin(folder.path(), &work, &state, &tmp);
    let mut harness = Command::new(program())
        .args(["run", "--quiet", "--plan"])
        .arg(folder.path().join("plan.json"))
        .current_dir(&work)
        .env("SPLITBRAIN_STATE_DIR", &state)
        .env("TMPDIR", &tmp)
        .env(MARK, watch.mark())
        .env_remove("CARGO")
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a copy"))
        .stderr(output)
        .process_group(0)
        .spawn()
        .expect("started");
    let mut hits = Hits { drawn, state: &state, work: &work, begun: Instant::now(), hit: None };
    let end = hits.follow(&mut harness, &mut watch, on_small_disk);
    let unhealed = (drawn.kind == Kind::BothKilled).then(|| heal(&watch, harness.id(), &state));
    let (left, clean_after) = until_clean(&watch, harness.id());
    watch.end_what_is_left();
    let told = Told::read(&work);
    let wrong = match end {
        Some(end) => told.judge(drawn.kind, hits.hit, end).err(),
        None => Some(format!("it hangs: it had not ended after {HANGS_AFTER:?}")),
    };
    let end = end.unwrap_or_else(|| harness.wait().expect("waited for"));
    let said = fs::read_to_string(said).unwrap_or_default();
    let (seed, kind, hit) = (drawn.seed, drawn.kind, hits.hit.is_some());
    Ran { seed, kind, end, told, hit, left, clean_after, unhealed, wrong, plan, said }
}

/// Puts the folder on a disk of this size, which only this thread and what it starts can see.
/// False, and a loud word, where that cannot be had.
fn shrink(folder: &Path, kib: u64) -> bool {
    if !geteuid().is_root() {
        eprintln!("SKIPPED: only root can have a disk that is full; the run has a usual one");
        return false;
    }
    unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS).expect("a mount namespace");
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("made private");
    let size = format!("size={kib}k,mode=0755");
    mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), Some(&*size)).expect("mounted");
    true
}

/// A run that goes on, and its trouble.
struct Hits<'a> {
    drawn: &'a Drawn,
    state: &'a Path,
    work: &'a Path,
    begun: Instant,
    hit: Option<Hit>,
}

impl Hits<'_> {
    /// Waits for the end of the harness and hits it on the way; nothing if it hangs.
    fn follow(
        &mut self,
        harness: &mut Child,
        watch: &mut Watch,
        on_small_disk: bool,
    ) -> Option<ExitStatus> {
        let mut looked = Instant::now();
        loop {
            if let Some(end) = harness.try_wait().expect("a child") {
                return Some(end);
            }
            if self.begun.elapsed() > HANGS_AFTER {
                let _ = harness.kill();
                return None;
            }
            if looked.elapsed() > LOOK_EVERY {
                watch.look();
                looked = Instant::now();
            }
            let due = self.begun.elapsed() >= self.drawn.after;
            let pid = harness.id().cast_signed();
            match self.drawn.kind {
                Kind::Killed if due => self.once(&[pid], Signal::SIGKILL, watch),
                Kind::Terminated if due => self.terminate(pid, watch),
                Kind::Unguarded | Kind::BothKilled if due => {
                    let harness = (self.drawn.kind == Kind::BothKilled).then_some(pid);
                    if let Some(keeper) = keeper(self.state) {
                        let both: Vec<i32> = [keeper].into_iter().chain(harness).collect();
                        self.once(&both, Signal::SIGKILL, watch);
                    }
                }
                Kind::DiskFull if on_small_disk && is_full(self.work) => self.mark(1),
                _ => {}
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn mark(&mut self, times: u32) {
        if self.hit.is_none_or(|hit| hit.times < times) {
            let at = self.hit.map_or_else(SystemTime::now, |hit| hit.at);
            self.hit = Some(Hit { at, times });
        }
    }

    fn once(&mut self, whom: &[i32], signal: Signal, watch: &mut Watch) {
        if self.hit.is_some() {
            return;
        }
        // What is there at this very moment is what has to go.
        watch.look();
        self.mark(1);
        whom.iter().for_each(|pid| send(*pid, signal));
    }

    fn terminate(&mut self, pid: i32, watch: &mut Watch) {
        match (self.hit, self.drawn.again) {
            (None, _) => self.once(&[pid], Signal::SIGTERM, watch),
            (Some(Hit { times: 1, .. }), Some(again))
                if self.begun.elapsed() >= self.drawn.after + again =>
            {
                self.mark(2);
                send(pid, Signal::SIGTERM);
            }
            _ => {}
        }
    }
}

fn is_full(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|disk| disk.blocks_available() == 0)
}

/// Has `splitbrain heal` undo what is left; how much was.
fn heal(watch: &Watch, harness: u32, state: &Path) -> usize {
    let left = watch.left(harness).len();
    let healed = Command::new(program()).arg("heal").env("SPLITBRAIN_STATE_DIR", state).output();
    let healed = healed.expect("it runs");
    assert!(healed.status.success(), "{}", String::from_utf8_lossy(&healed.stdout));
    left
}

/// Waits until nothing is left; what is, after 5 s, and how long it took.
fn until_clean(watch: &Watch, harness: u32) -> (Vec<Leftover>, Duration) {
    let ended = Instant::now();
    loop {
        let begun_to_look = ended.elapsed();
        let left = watch.left(harness);
        if left.is_empty() || begun_to_look > CLEAN_WITHIN {
            return (left, begun_to_look);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

impl Ran {
    /// How it ended, in a word: its exit code, or `none`.
    pub fn exit(&self) -> String {
        match (self.end.code(), self.end.signal()) {
            (Some(code), _) => code.to_string(),
            (None, Some(9)) => "none".to_owned(),
            (None, signal) => format!("signal {}", signal.unwrap_or_default()),
        }
    }

    /// The run in a line.
    pub fn line(&self) -> String {
        let Ran { seed, clean_after, told, .. } = self;
        let left = self.left.iter().map(|left| format!("{} {}", left.kind, left.what));
        let bad: Vec<String> = self.wrong.clone().into_iter().chain(left).collect();
        let verdict = if bad.is_empty() { "ok".to_owned() } else { bad.join("; left: ") };
        format!(
            "seed {seed:<7} {:<19} exit {:<5} {:>4} ok, {:>2} faults in force, clean after \
             {:>4} ms: {verdict}",
            self.kind.name(),
            self.exit(),
            told.ok,
            told.installed,
            clean_after.as_millis()
        )
    }

    /// What is wrong with it, and how to see that again.
    pub fn complaint(&self) -> Option<String> {
        if self.wrong.is_none() && self.left.is_empty() {
            return None;
        }
        let tail: Vec<&str> = self.said.lines().rev().take(6).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n    ");
        Some(format!(
            "{}\n  again: SPLITBRAIN_CHAOS=1 SPLITBRAIN_CHAOS_SEED={} make chaos\n  plan: {}\n  \
             it said:\n    {tail}",
            self.line(),
            self.seed,
            self.plan
        ))
    }
}
