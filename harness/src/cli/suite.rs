//! `splitbrain suite`: many runs, each in a process of its own.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context as _;
use chrono::Utc;
use serde_json::{Value, json};

use super::child::{Runs, patience};
use super::{Exit, Failure, harness, usage};
use crate::plan::Span;
use crate::run::draw_seed;
use crate::run::folder::STORE;
use crate::suite::{Begun, Cell, Outcome, Results, Row, State, Suite, Tally, before, news_first};

/// Flags of `suite`.
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 all as expected; 1 a run was invalid, or a known failure \
    does not fail any more; 70 the harness failed in a run; 2 a run could not be decided, or the \
    suite was interrupted.")]
pub struct Args {
    /// The suite, such as `examples/suites/nightly.toml`.
    file: PathBuf,
    /// Go on with the last one of this name if it was not finished; otherwise begin.
    #[arg(long)]
    resume: bool,
    /// After this long no other run begins; goes before the suite's own budget.
    #[arg(long, value_name = "DURATION")]
    budget: Option<Span>,
    /// So many runs at once. On a machine with few cores each makes the others slower.
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroUsize,
    /// Of what the seeds come that the suite does not give.
    #[arg(long)]
    seed: Option<u64>,
    /// Write JUnit's XML there too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the summary in Markdown there too.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Only say which runs there are, in their order.
    #[arg(long)]
    list: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Makes the runs and says how they stand.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let suite = Suite::read(&args.file).map_err(usage)?;
    if args.list {
        let cells = suite.cells(args.seed.unwrap_or(0)).map_err(usage)?;
        let cells = news_first(cells, &before(STORE.as_ref(), &suite.name));
        let names: String = cells.iter().map(|cell| cell.name() + "\n").collect();
        super::print(&names).map_err(harness)?;
        return Ok(Exit::Valid);
    }
    let state = open(args, &suite)?;
    let runs = Runs::new().map_err(harness)?;
    super::tell(&format!(
        "{}: {} runs, in {}",
        suite.name,
        state.begun.cells.len(),
        state.path.display()
    ));
    let state = Mutex::new(state);
    let deadline = args.budget.or(suite.budget).map(|budget| Instant::now() + budget.0);
    let work = || one_after_another(&state, &runs, deadline);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs.get()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no one panics here"))
    })
    .map_err(harness)?;
    let state = state.into_inner().expect("no one panics here");
    let interrupted = runs.interrupted();
    if !interrupted {
        state.finish().map_err(harness)?;
    }
    let tally = Tally::of(&suite, &state.begun.cells, &state.rows, interrupted);
    let results =
        Results { suite: &suite, cells: &state.begun.cells, rows: &state.rows, tally: &tally };
    write(args, &state, &results).map_err(harness)?;
    let text = if args.json { object(&results).to_string() + "\n" } else { results.text() };
    super::print(&text).map_err(harness)?;
    Ok(tally.exit())
}

/// Makes the runs that nobody else makes, until none is left, the time is over, or the user has had
/// enough.
fn one_after_another(
    state: &Mutex<State>,
    runs: &Runs,
    deadline: Option<Instant>,
) -> anyhow::Result<()> {
    let state = || state.lock().expect("no one panics here");
    loop {
        let is_over = runs.interrupted() || deadline.is_some_and(|end| Instant::now() > end);
        let next = if is_over { None } else { state().take() };
        let Some(cell) = next else { return Ok(()) };
        let row = make(runs, &cell);
        // What was cut short is made again when the suite is resumed.
        if runs.interrupted() {
            return Ok(());
        }
        super::tell(&format!("  {:<19} {}: {}", row.outcome.words(), cell.name(), row.shown()));
        state().record(row)?;
    }
}

/// The suite that is to go on, or a new one.
fn open(args: &Args, suite: &Suite) -> Result<State, Failure> {
    if args.resume
        && let Some(state) = State::unfinished(&suite.name).map_err(harness)?
    {
        let as_begun = suite.cells(state.begun.draw).map_err(usage)?;
        let same = as_begun.iter().all(|cell| state.begun.cells.contains(cell));
        if !same || as_begun.len() != state.begun.cells.len() {
            let why = format!(
                "{} has other runs now than {}, which is not finished; without --resume another one begins",
                args.file.display(),
                state.path.display()
            );
            return Err(usage(anyhow::anyhow!(why)));
        }
        return Ok(state);
    }
    let draw = args.seed.unwrap_or_else(draw_seed);
    let cells = news_first(suite.cells(draw).map_err(usage)?, &before(STORE.as_ref(), &suite.name));
    State::begin(&suite.name, &Begun { started: Utc::now(), draw, cells }).map_err(harness)
}

/// Makes one run, and has what it kept judged once more by another process.
fn make(runs: &Runs, cell: &Cell) -> Row {
    let started = Instant::now();
    let verdict = runs.run_plan(&cell.plan, &[]);
    let verdict = verdict.unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
    let row = Row::of(&cell.name(), cell.seed, &verdict, started.elapsed().as_secs_f64());
    let Some(run) = row.run.clone().filter(|_| row.outcome != Outcome::HarnessFailure) else {
        return row;
    };
    match runs
        .ask(&["check", "--json", "--expect", &cell.plan.expect, &run], Some(patience(&cell.plan)))
    {
        Err(error) => row.failed(format!("it cannot be judged again: {error:#}")),
        Ok(again) => match changed(&verdict, &again) {
            Some(what) => row.failed(format!("judged again, {what} is another")),
            None => row,
        },
    }
}

/// What two judgements of one history do not agree on.
fn changed<'a>(one: &Value, other: &Value) -> Option<&'a str> {
    ["verdict", "class", "cap", "ladder"].into_iter().find(|what| one[what] != other[what])
}

fn write(args: &Args, state: &State, results: &Results) -> anyhow::Result<()> {
    let (junit, markdown) = (results.junit()?, results.markdown());
    let beside = |name: &str| Some(state.path.join(name));
    let files = [
        (beside("junit.xml"), &junit),
        (args.junit.clone(), &junit),
        (beside("summary.md"), &markdown),
        (args.markdown.clone(), &markdown),
    ];
    for (path, text) in files {
        if let Some(path) = path {
            std::fs::write(&path, text)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
    }
    Ok(())
}

fn object(results: &Results) -> Value {
    let known = results.tally.known.iter().map(|known| {
        json!({
            "of": known.of, "reason": known.reason, "failing": known.failing,
            "passing": known.passing, "stopped_failing": known.stopped(),
        })
    });
    let not_run = results.cells.iter().map(Cell::name);
    let ran = |name: &String| results.rows.iter().any(|row| row.cell == *name);
    json!({
        "format": 1,
        "suite": results.suite.name,
        "rows": results.rows,
        "known": known.collect::<Vec<_>>(),
        "not_run": not_run.filter(|name| !ran(name)).collect::<Vec<_>>(),
        "interrupted": results.tally.interrupted,
        "sentence": results.tally.sentence(),
    })
}
