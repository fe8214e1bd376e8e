//! The store in a browser: a list of runs, their reports, two of them side by side, and a run that is
//! still going.
//!
//! Bound to loopback unless it is told otherwise, and then only for who names it so (a page of
//! someone else's whose name was pointed at this machine is refused). Every path is made of names
//! that stand in the store and ends in one of a few known files. What the store holds is data: pages
//! are made by this program from histories and are not taken from the store.

mod live;
mod pages;
mod routes;
mod shelf;
mod summary;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use shelf::Shelf;

/// So many connections at once; more wait.
const CONNECTIONS_MOST: usize = 128;
/// Who has not said what it wants by then is let go.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);
/// A request's line and headers have no need of more.
const HEADERS_MOST_BYTES: usize = 16 << 10;
/// Nobody looks at one thing for longer; what follows a run asks again.
const CONNECTION_WITHIN: Duration = Duration::from_secs(3_600);

/// Serves a store until this process ends; `ready` is told the address.
///
/// # Errors
/// If there is no such store, or nobody may listen there.
pub async fn serve(
    store: &Path,
    listen: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let shelf = Shelf::open(store)?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("nobody can listen on {listen}"))?;
    let address = listener.local_addr()?;
    let router = routes::router(shelf, address);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MOST));
    ready(address);
    loop {
        let place = places.clone().acquire_owned().await?;
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely; some will be free soon.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN)
                .max_buf_size(HEADERS_MOST_BYTES)
                .serve_connection(TokioIo::new(stream), service);
            // A client that breaks off or talks nonsense is its own concern.
            let _ = tokio::time::timeout(CONNECTION_WITHIN, connection).await;
            drop(place);
        });
    }
}
