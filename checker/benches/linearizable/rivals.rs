//! The same histories given to other checkers, each in a process of its own that is ended if it takes
//! too long: an exhaustive search may need more than anyone has.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
use todc_utils::{Action, History, Specification, WGLChecker};

use super::simulated::Simulation;
use super::{Budget, Call, INITIAL, Outcome, RegisterOp, ValueId, check_register};

/// Longer than this nobody waits for one history.
const CAP: Duration = Duration::from_secs(10);

const RIVALS: [&str; 2] = ["todc-utils", "stateright"];

/// Unique writes or compare-and-set of five values, small enough for somebody else to finish.
const SIZES: [(Option<u32>, usize, usize); 5] =
    [(None, 20, 3), (None, 100, 5), (Some(5), 20, 3), (Some(5), 200, 5), (Some(5), 1000, 10)];

/// Prints what all need for the same small histories, and the ratios.
pub fn compare() {
    println!(
        "\n{:<12} {:>6} {:>8} {:>12} {:>22} {:>22}",
        "register", "ops", "clients", "ours", RIVALS[0], RIVALS[1]
    );
    for (at, (values, operations, clients)) in SIZES.into_iter().enumerate() {
        let ops = history(at);
        let ours = ours(&ops);
        let told = RIVALS.map(|rival| match in_a_process(rival, at) {
            Some(took) => format!("{took:.1?} ({:.0}x)", took.as_secs_f64() / ours.as_secs_f64()),
            None => format!("> {CAP:?} (> {:.0}x)", CAP.as_secs_f64() / ours.as_secs_f64()),
        });
        let name = values.map_or("unique".to_owned(), |values| format!("cas of {values}"));
        println!(
            "{name:<12} {operations:>6} {clients:>8} {:>12} {:>22} {:>22}",
            format!("{ours:.1?}"),
            told[0],
            told[1]
        );
    }
}

fn history(at: usize) -> Vec<RegisterOp> {
    let (values, operations, clients) = SIZES[at];
    Simulation { operations, clients, values, crashes: 0.0, seed: 1 }.run().operations
}

fn ours(ops: &[RegisterOp]) -> Duration {
    let once = || {
        let begun = Instant::now();
        assert_eq!(check_register(INITIAL, ops, &Budget::default()), Outcome::Linearizable);
        begun.elapsed()
    };
    (0..20).map(|_| once()).min().expect("some")
}

/// `None` if it is not done in time, or ends without an answer.
fn in_a_process(rival: &str, at: usize) -> Option<Duration> {
    let myself = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(myself)
        .args(["--rival", rival, &at.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child process starts");
    let until = Instant::now() + CAP;
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > until {
            child.kill().expect("a child can be killed");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("a child");
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// In that process: lets one rival decide one history and prints the nanoseconds.
pub fn measure(rival: &str, at: usize) {
    let ops = history(at);
    let events = events(&ops);
    let begun = Instant::now();
    let linearizable = match rival {
        "todc-utils" => todc(&ops, &events),
        _ => stateright(&ops, &events),
    };
    let took = begun.elapsed();
    assert!(linearizable, "{rival} refuses a valid history");
    println!("{}", took.as_nanos());
}

/// Operation and whether it completes, in order.
fn events(ops: &[RegisterOp]) -> Vec<(usize, bool)> {
    let mut events: Vec<(u64, usize, bool)> = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        events.push((op.invoked, at, false));
        events.push((op.returned.expect("no crashes"), at, true));
    }
    events.sort_unstable();
    events.into_iter().map(|(_, at, completes)| (at, completes)).collect()
}

/// What a call leaves, if the register can answer it so.
fn after(state: ValueId, call: Call) -> Option<ValueId> {
    match call {
        Call::Read(value) => (value == state).then_some(state),
        Call::Write(value) => Some(value),
        Call::Cas(from, to) => (from == state).then_some(to),
    }
}

struct Register;

impl Specification for Register {
    type State = ValueId;
    type Operation = Call;

    fn init() -> ValueId {
        INITIAL
    }

    fn apply(call: &Call, state: &ValueId) -> (bool, ValueId) {
        after(*state, *call).map_or((false, *state), |state| (true, state))
    }
}

fn todc(ops: &[RegisterOp], events: &[(usize, bool)]) -> bool {
    let action = |&(at, completes): &(usize, bool)| {
        let call = ops[at].call;
        (at, if completes { Action::Response(call) } else { Action::Call(call) })
    };
    WGLChecker::<Register>::is_linearizable(History::from_actions(
        events.iter().map(action).collect(),
    ))
}

/// A register whose answers are part of the calls.
#[derive(Clone)]
struct Object(ValueId);

impl SequentialSpec for Object {
    type Op = Call;
    type Ret = bool;

    fn invoke(&mut self, call: &Call) -> bool {
        let after = after(self.0, *call);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }
}

fn stateright(ops: &[RegisterOp], events: &[(usize, bool)]) -> bool {
    let mut tester = LinearizabilityTester::new(Object(INITIAL));
    // Threads are reused, as its tables are by thread.
    let mut free: Vec<usize> = Vec::new();
    let (mut threads, mut thread_of) = (0, vec![0; ops.len()]);
    for &(at, completes) in events {
        if completes {
            tester.on_return(thread_of[at], true).expect("a well-formed history");
            free.push(thread_of[at]);
        } else {
            thread_of[at] = free.pop().unwrap_or_else(|| {
                threads += 1;
                threads - 1
            });
            tester.on_invoke(thread_of[at], ops[at].call).expect("a well-formed history");
        }
    }
    tester.is_consistent()
}
