//! How long one register takes to check: `cargo bench -p splitbrain-checker`, with `-- TEXT` to run
//! only the rows whose "name, operations ops, clients clients" contains the text.

mod logs;
#[path = "../machine.rs"]
mod machine;
mod rivals;
mod simulated;

use std::time::{Duration, Instant};

use machine::{load, peak_mib};
use simulated::Simulation;
use splitbrain_checker::linearizable::{
    Budget, Call, Outcome, Procedure, RegisterOp, ValueId, check_register, check_register_measured,
    procedure,
};

const INITIAL: ValueId = ValueId(0);

/// Repetitions stop when they have taken this long; the fastest counts.
const PATIENCE: Duration = Duration::from_secs(2);

struct Row {
    name: &'static str,
    simulation: Simulation,
    /// Where in the history one read is made stale.
    stale: Option<f64>,
    /// What it may take, where that was laid down.
    bar_ms: Option<f64>,
}

/// How long a row may take.
fn bar_ms(name: &str, operations: usize, clients: usize) -> Option<f64> {
    match (name, operations, clients) {
        ("unique, all open at once", ..) => Some(1.0),
        ("unique, 1 % info" | "unique, 1 % info, stale", 1_000_000, _) => Some(60.0),
        ("cas of 5 values", 10_000, 10) => Some(10.0),
        ("cas of 5 values", 10_000, 20) => Some(40.0),
        ("cas of 5 values", 10_000, 50) => Some(3_000.0),
        ("cas of 5 values", 1_000_000, 10) => Some(5_000.0),
        ("cas, 1 % info", 10_000, 20) => Some(200.0),
        _ => None,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, rival, at] = arguments.as_slice()
        && flag == "--rival"
    {
        rivals::measure(rival, at.parse().expect("a number"));
        return;
    }
    let wanted = arguments.into_iter().find(|argument| !argument.starts_with("--"));
    println!("load average at the start: {}", load());
    println!(
        "{:<28} {:>9} {:>8} {:>8} {:>11} {:>9} {:>7} {:>8} {:>10} {:>11} {:>8}",
        "register",
        "ops",
        "kept",
        "clients",
        "procedure",
        "ms",
        "bar",
        "peak MiB",
        "peak front",
        "explored",
        "witness"
    );
    for row in rows() {
        let Simulation { operations, clients, .. } = row.simulation;
        let title = format!("{}, {operations} ops, {clients} clients", row.name);
        if wanted.as_ref().is_none_or(|wanted| title.contains(wanted)) {
            measure(&row);
        }
    }
    if wanted.is_none_or(|wanted| "rivals and logs".contains(&wanted)) {
        logs::measure();
        rivals::compare();
    }
    println!("load average at the end: {}", load());
}

/// Forgets the most memory that this process has had, so that each row has its own peak.
fn forget_peak() {
    // Where the system cannot do that, the figures are those of all rows so far.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name, operations, clients, values, crashes, stale| {
        let simulation = Simulation { operations, clients, values, crashes, seed: 1 };
        let bar_ms = bar_ms(name, operations, clients);
        rows.push(Row { name, simulation, stale, bar_ms });
    };
    add("unique, all open at once", 1000, 50, None, 0.0, None);
    add("cas of 5 values", 1000, 50, Some(5), 0.0, None);
    for operations in [10_000, 100_000, 1_000_000] {
        add("unique, all open at once", operations, 50, None, 0.0, None);
        add("unique, 1 % info", operations, 100, None, 0.01, None);
        add("unique, 1 % info, stale", operations, 100, None, 0.01, Some(0.9));
        for clients in [5, 10, 20, 50] {
            add("cas of 5 values", operations, clients, Some(5), 0.0, None);
        }
        for clients in [5, 10, 20] {
            add("cas of 5 values, stale", operations, clients, Some(5), 0.0, Some(0.9));
            add("cas, 1 % info", operations, clients, Some(5), 0.01, None);
        }
    }
    rows
}

fn measure(row: &Row) {
    let mut history = row.simulation.run();
    if let Some(at) = row.stale {
        history = history.with_stale_read(at);
    }
    let ops: &[RegisterOp] = &history.operations;
    let budget = Budget::default();
    forget_peak();
    let mut fastest = Duration::MAX;
    let started = Instant::now();
    let mut last = None;
    while last.is_none() || started.elapsed() < PATIENCE {
        let from = Instant::now();
        let result = check_register_measured(INITIAL, ops, &budget);
        fastest = fastest.min(from.elapsed());
        last = Some(result);
    }
    let (outcome, effort) = last.expect("at least one repetition");
    let expected_valid = row.stale.is_none();
    let witness = match &outcome {
        Outcome::Linearizable => {
            assert!(expected_valid, "{}: the stale read was not found", row.name);
            "-".to_owned()
        }
        Outcome::NotLinearizable { witness } => {
            assert!(!expected_valid, "{}: a valid history was refused", row.name);
            let alone: Vec<RegisterOp> = witness.iter().map(|&op| ops[op]).collect();
            assert_ne!(check_register(INITIAL, &alone, &budget), Outcome::Linearizable);
            format!("{} ops", witness.len())
        }
        Outcome::Exhausted { limit, .. } => format!("{limit:?}"),
    };
    let procedure = match procedure(INITIAL, ops) {
        Procedure::Zones => "zones",
        Procedure::ChainedZones => "chains",
        Procedure::Search(_) => "search",
    };
    let meant = if row.name.starts_with("unique") { "zones" } else { "search" };
    assert_eq!(procedure, meant, "{} is meant for another procedure", row.name);
    println!(
        "{:<28} {:>9} {:>8} {:>8} {:>11} {:>9.2} {:>7} {:>8.0} {:>10} {:>11} {:>8}",
        row.name,
        row.simulation.operations,
        ops.len(),
        row.simulation.clients,
        procedure,
        fastest.as_secs_f64() * 1e3,
        row.bar_ms.map_or("-".to_owned(), |bar| bar.to_string()),
        peak_mib(),
        effort.peak_front,
        effort.explored,
        witness
    );
}
