//! How fast the harness itself is: the real loop, the real recorder on disk, and clients that
//! answer at once from memory.
//!
//! `cargo bench -p splitbrain` prints operations a second with clients that never wait, and how
//! late completions are stamped at a fixed rate.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use splitbrain::interpreter::live::{Inbox, Live};
use splitbrain::interpreter::virtual_time::{Registers, Twin};
use splitbrain::interpreter::{Desk, Interpreter, Limits, Phase};
use splitbrain::recorder::Recorder;
use splitbrain_checker::history::Header;
use splitbrain_workloads::generator::{Stagger, TimeLimit};
use splitbrain_workloads::objects::{self, Settings};
use splitbrain_workloads::{BoxFuture, Completion, Context, ErasedClient, Generator, Invocation};

/// Five nodes with two clients each, as in a default run.
const NODES: usize = 5;
const CLIENTS: usize = 10;

struct Memory(Arc<Mutex<Registers>>);

impl ErasedClient for Memory {
    fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
        Box::pin(async move { self.0.lock().expect("no one panics here").answer(invocation) })
    }
}

struct Measured {
    operations_per_s: f64,
    bytes_per_line: f64,
    lag_p50_us: u64,
    lag_p99_us: u64,
}

fn measure(rate: Option<f64>, length: Duration) -> Measured {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let path = folder.path().join("history.jsonl");
    let header: Header = serde_json::from_str(r#"{"splitbrain":1}"#).expect("a header");
    let nodes: Vec<String> = (1..=NODES).map(|number| format!("n{number}")).collect();
    let recorder = Recorder::create(&path, &header).expect("a file");
    let limits = Limits {
        per_node: CLIENTS / NODES,
        deadline_ns: 1_000_000_000,
        op_timeout_ns: 10_000_000_000,
        moving: true,
    };
    let desk = Desk::new(recorder, &nodes, limits);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let _entered = runtime.enter();
    let registers = Arc::default();
    let clients: Vec<Box<dyn ErasedClient>> = (0..limits.workers(NODES))
        .map(|_| Box::new(Memory(Arc::clone(&registers))) as Box<dyn ErasedClient>)
        .collect();
    let (inbox, receiver) = Inbox::new();
    let (commands, _orders) = mpsc::channel();
    let timeout = Duration::from_secs(10);
    let live = Live::new(Instant::now(), (&inbox, receiver), clients, timeout, commands);

    let settings = Settings::default();
    let mut load = (objects::find("register").expect("it is listed").load)(&settings);
    let mut generator: Box<dyn Generator> = match rate {
        Some(rate) => Box::new(TimeLimit::new(length, Stagger::new(rate, load.main()))),
        None => Box::new(TimeLimit::new(length, load.main())),
    };
    let mut interpreter = Interpreter::new(live, desk);
    let mut ctx = Context::new(1, 0, NODES);
    let begun = Instant::now();
    interpreter.run(Phase { generator: Some(&mut *generator), ..Phase::quiet("main") }, &mut ctx);
    let seconds = begun.elapsed().as_secs_f64();
    let invoked =
        interpreter.desk().counts().invoked.load(std::sync::atomic::Ordering::Relaxed) as f64;
    let (live, _) = interpreter.finish();
    let bytes = std::fs::metadata(&path).expect("the history").len() as f64;
    Measured {
        operations_per_s: invoked / seconds,
        bytes_per_line: bytes / (2.0 * invoked),
        lag_p50_us: live.lag_us().value_at_quantile(0.5),
        lag_p99_us: live.lag_us().value_at_quantile(0.99),
    }
}

fn main() {
    println!("{CLIENTS} clients in memory, real loop, history on disk");
    for (name, rate) in [("as fast as it goes", None), ("5,000 a second", Some(5_000.0))] {
        let measured = measure(rate, Duration::from_secs(10));
        println!(
            "{name:<20} {:>9.0} operations/s  {:>5.0} bytes/line  stamp lag p50 {} us, p99 {} us",
            measured.operations_per_s,
            measured.bytes_per_line,
            measured.lag_p50_us,
            measured.lag_p99_us
        );
    }
}
