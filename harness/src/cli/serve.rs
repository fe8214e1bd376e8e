//! `splitbrain serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::{Exit, Failure, harness, usage};
use crate::run::folder::STORE;

/// Flags of `serve`.
#[derive(clap::Args)]
pub struct Args {
    /// The store.
    #[arg(default_value = STORE)]
    store: PathBuf,
    /// Where to listen. Beyond loopback, whoever reaches it can read the store: there is no password.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
}

/// Serves until it is interrupted.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    if !args.store.is_dir() {
        return Err(usage(anyhow::anyhow!("there is no store at {}", args.store.display())));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(harness)?;
    let told = |address| {
        // Whoever does not read it does not need it.
        let _ = super::print(&format!("http://{address}/  (Ctrl-C ends it)\n"));
    };
    runtime.block_on(async {
        tokio::select! {
            ended = crate::serve::serve(&args.store, args.listen, told) => ended.map_err(harness),
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    })?;
    // Whoever is being served is not waited for.
    runtime.shutdown_background();
    Ok(Exit::Valid)
}
