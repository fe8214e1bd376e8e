//! The bundled replicated key-value store: one node, one process, one mode of replication.

mod api;
mod applied;
mod cli;
mod data_dir;
mod forward;
mod group;
mod id;
mod journal;
mod ledger;
mod mistakes;
mod modes;
mod peers;
mod request;
mod stamped;
mod transaction;

use std::process::ExitCode;
use std::time::Duration;

use axum::serve::ListenerExt;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};
use tracing_subscriber::EnvFilter;

use applied::AppliedLog;
use cli::Arguments;
use data_dir::DataDir;
use modes::{Alarm, Setup};
use peers::Peers;

const USAGE: u8 = 64;
const FAILURE: u8 = 70;

/// How long requests that are under way may take to end after SIGTERM.
const FAREWELL: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // --help and --version are errors to clap, but not to the caller.
            _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    if let Err(error) = arguments.check() {
        eprintln!("error: {error}");
        return ExitCode::from(USAGE);
    }

    // openraft reports every heartbeat that a cut swallows as an error.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("splitbrain_store=info,openraft=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime needs a few threads and descriptors");
    let ended = runtime.block_on(serve(&arguments));
    // Whatever still runs must not delay the end, least of all after a failure.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            error!("{reason}");
            ExitCode::from(FAILURE)
        }
    }
}

/// Runs the node until it is told to stop or must.
async fn serve(arguments: &Arguments) -> Result<(), String> {
    let mode = arguments.mode();
    let data = DataDir::open(&arguments.data, arguments.id, mode.name)?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?
        .tap_io(|connection| _ = connection.set_nodelay(true));
    let mut stop = StopSignal::new()?;

    let applied = AppliedLog::open(arguments.applied_log.as_deref())?;
    let (alarm, mut alarms) = Alarm::new();
    let peers = Peers::new(arguments.id, arguments.peers());
    let started = (mode.start)(Setup {
        peers,
        data,
        mount: arguments.mount(),
        mistake: arguments.mistake(),
        options: arguments.options(),
        applied: applied.clone(),
        alarm,
    })
    .await?;
    let replica = started.replica;
    info!(id = %arguments.id, mode = mode.name, listen = %arguments.listen, "started");

    let routes = api::routes(api::Service {
        id: arguments.id,
        mode: mode.name,
        replica: replica.clone(),
        applied,
        request_timeout: arguments.request_timeout(),
    })
    .merge(started.peer_routes)
    .fallback(api::no_such_route)
    .method_not_allowed_fallback(api::no_such_method);

    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async { _ = told.await });
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        _ = &mut server => return Err("the server ended by itself".into()),
        Some(reason) = alarms.recv() => return Err(reason),
        () = stop.received() => info!("stopping"),
    }
    _ = tell.send(());
    _ = tokio::time::timeout(FAREWELL, server).await;
    replica.stop().await;
    Ok(())
}

/// SIGTERM or SIGINT.
struct StopSignal {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    fn new() -> Result<Self, String> {
        let on = |kind| signal(kind).map_err(|error| format!("cannot handle signals: {error}"));
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
