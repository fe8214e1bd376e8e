//! One run: record, heal, take down, judge. `run` is `record` and then `check`.

mod breaker;
mod ending;
pub mod folder;
pub mod kept;
mod lives;
mod members;
mod observer;
mod prepare;
mod script;
mod signals;
mod site;
mod watch;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Context as _;
use chrono::{SecondsFormat, Utc};
use splitbrain_checker::Verdict;
use splitbrain_checker::history::{Header, SCHEMA_VERSION};
use splitbrain_workloads::padding;
use tokio::runtime::Runtime;

use crate::cli::{Failure, harness};
use crate::interpreter::live::{Inbox, Live};
use crate::interpreter::{Desk, Interpreter, StopCause};
use crate::progress::Progress;
use crate::recorder::Recorder;
use folder::RunFolder;
use lives::Lives;
use prepare::{Engine, Prepared, SitePlan};
use site::Site;
use watch::Watch;

pub use breaker::Breaker;
pub use ending::Ended;
pub use prepare::{draw_seed, prepare};
pub use script::Script;
pub use watch::Watching;

/// Runs a prepared plan and judges what it recorded.
pub fn run(prepared: &Prepared, quiet: bool, watching: Watching) -> Result<Ended, Failure> {
    let started = Utc::now();
    let plan = &prepared.plan;
    let folder = RunFolder::create(&plan.target, &plan.workload.name, started).map_err(harness)?;
    let written = serde_json::to_vec_pretty(plan).context("the plan").and_then(|bytes| {
        std::fs::write(folder.file(folder::PLAN), bytes).context("plan.json cannot be written")
    });
    written.map_err(harness)?;
    if !quiet {
        if let SitePlan::Started(_, Engine::Proxy { instead: Some(why) }) = &prepared.site {
            crate::cli::tell(&format!(
                "no kernel links ({why}), so nodes see each other through \
                proxies (--env proxy)"
            ));
        }
        crate::cli::tell(&format!("seed {}, {}", prepared.seed, folder.shown.display()));
    }
    let run_id = format!("{}-{}", started.format("%Y%m%dT%H%M%SZ"), std::process::id());
    let recorded =
        record(prepared, &folder, &run_id, started, (quiet, watching)).map_err(harness)?;
    ending::judge(prepared, &folder, recorded).map_err(harness)
}

/// What is known of a run beside its history.
pub struct Recorded {
    stop: Option<StopCause>,
    remarks: Vec<String>,
    lag_p99_us: u64,
    /// What the checker said that followed it, if one did.
    live: Option<anyhow::Result<Verdict>>,
}

/// Everything up to the end of the history. After it the machine is as it was.
fn record(
    prepared: &Prepared,
    folder: &RunFolder,
    run_id: &str,
    started: chrono::DateTime<Utc>,
    (quiet, watching): (bool, Watching),
) -> anyhow::Result<Recorded> {
    let sandbox = site::enter(prepared, run_id)?;
    // Threads are allowed from here on.
    let (inbox, receiver) = Inbox::new();
    let interrupted = signals::listen(inbox.clone())?;
    let settings = prepared.plan.workload.settings(&*prepared.database);
    let load = (prepared.workload.load)(&settings);
    let zero = Instant::now();
    let header = header(prepared, folder, run_id, started, &*load);
    let recorder = Recorder::create(&folder.file(folder::HISTORY), &header)
        .context("the history cannot be written")?;
    let question = prepared.question();
    let watch =
        Watch::begin(&folder.file(folder::HISTORY), question, watching, quiet, inbox.clone())?;
    let limits = prepared.plan.limits();
    let mut desk = Desk::new(recorder, &prepared.nodes, limits);
    let doing: crate::progress::Doing = Arc::new(Mutex::new("starting nodes".to_owned()));
    let progress = Progress::show(quiet, zero, desk.counts(), doing.clone());

    desk.phase(0, "provision");
    let site = Site::provision(prepared, sandbox, folder, run_id)?;
    desk.phase(zero.elapsed().as_nanos() as u64, "setup");
    let runtime = runtime()?;
    let ready =
        site.start().and_then(|()| site.wait_ready(prepared, &runtime, &interrupted, folder));
    if let Err(error) = ready {
        drop(progress);
        site.tear_down();
        return Err(error);
    }

    *doing.lock().expect("no one panics here") = "no fault yet".to_owned();

    let entered = runtime.enter();
    let clients = prepared.database.clients(site.urls.clone(), key_prefix(run_id));
    let clients = (0..limits.workers(prepared.nodes.len()))
        .map(|client| {
            let home = client % prepared.nodes.len();
            let client = clients.connect(load.vocabulary(), home, &load.initial())?;
            Some(match prepared.plan.workload.value_bytes {
                Some(bytes) => padding::padded(client, bytes),
                None => client,
            })
        })
        .collect::<Option<Vec<_>>>()
        .with_context(|| {
            format!("{} does not serve {}", prepared.plan.target, load.vocabulary())
        })?;
    let roles = observer::SharedRoles::default();
    let observing = runtime.spawn(observer::observe(
        prepared.database.clone(),
        prepared.nodes.clone(),
        site.urls.clone(),
        roles.clone(),
        inbox.clone(),
    ));
    let lives = Lives::of(prepared, &site).map(Arc::new);
    if let Some(lives) = lives.clone() {
        runtime.spawn(lives.watch(inbox.clone()));
    }
    let (commands, breaking) = breaker::spawn(site.cluster.clone(), roles, inbox.clone(), doing)?;
    let live = Live::new(zero, (&inbox, receiver), clients, prepared.plan.op_timeout.0, commands);
    let mut interpreter = Interpreter::new(live, desk);
    let script = Script {
        plan: &prepared.plan,
        timeline: &prepared.timeline,
        nodes: prepared.nodes.len(),
        seed: prepared.seed,
    };
    script.play(&mut interpreter, load);
    let mut stop = interpreter.stopped().cloned();
    if !site.is_guarded() {
        let why = "who cleans up was killed or is not reached, and the nodes with it".to_owned();
        stop.get_or_insert(StopCause::Failure(why));
    }
    stop = stop.or_else(|| lives.and_then(|lives| lives.broken()));
    let exited = site.exited();
    let disks = interpreter.remarks().to_vec();
    let (live, unwritten) = interpreter.finish();
    if let Some(why) = unwritten {
        stop.get_or_insert(StopCause::Failure(why));
    }
    let followed = watch.map(Watch::end);
    observing.abort();
    let lag_p99_us = live.lag_us().value_at_quantile(0.99);
    drop(live);
    drop(entered);
    runtime.shutdown_background();
    breaking.join().map_err(|_| anyhow::anyhow!("the nemesis has panicked"))?;
    drop(progress);
    let uncollected = site.collect(folder);
    let remarks = exited
        .iter()
        .map(|(node, how)| format!("{} ended by itself: {how}", prepared.nodes[*node]))
        .chain(disks)
        .chain(uncollected)
        .collect();
    let left = site.tear_down();
    if !left.is_empty() {
        stop.get_or_insert(StopCause::Failure(left.join("; ")));
    }
    Ok(Recorded { stop, remarks, lag_p99_us, live: followed })
}

/// What every key that a run writes begins with.
fn key_prefix(run_id: &str) -> String {
    format!("splitbrain-{run_id}-")
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn header(
    prepared: &Prepared,
    folder: &RunFolder,
    run_id: &str,
    started: chrono::DateTime<Utc>,
    load: &dyn splitbrain_workloads::Load,
) -> Header {
    let plan = &prepared.plan;
    let mut versions =
        [("splitbrain".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into_iter().collect();
    if let SitePlan::Started(program, _) = &prepared.site {
        let versions: &mut std::collections::BTreeMap<String, String> = &mut versions;
        versions.insert(plan.target.clone(), program.version.clone());
    }
    Header {
        splitbrain: SCHEMA_VERSION,
        run: folder.name(),
        key_prefix: key_prefix(run_id),
        started: started.to_rfc3339_opts(SecondsFormat::Millis, true),
        seed: prepared.seed,
        target: plan.target.clone(),
        vocabulary: load.model().to_owned(),
        initial: load.initial(),
        unique_writes: load.unique_writes(),
        nodes: prepared.nodes.clone(),
        deadline_ms: plan.deadline.ms(),
        op_timeout_ms: plan.op_timeout.ms(),
        versions,
        plan: serde_json::to_value(plan).unwrap_or_default(),
        session_order_only: false,
    }
}
