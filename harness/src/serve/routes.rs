//! What can be asked for, and what every answer carries.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::sync::Semaphore;

use super::shelf::{FILES, Shelf};
use super::{live, pages, summary};
use crate::report::{Format, Question, judge_history, open};
use crate::run::folder::HISTORY;

/// The page that browses may run its own script and ask its own server, nothing else.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A report has its script in itself, and may ask nobody for anything.
const REPORT: &str = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; \
    style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What every answer is made of.
#[derive(Clone)]
pub struct Served {
    /// The store.
    pub shelf: Shelf,
    /// Reports are made one after another: each may take all that a core has.
    judging: Arc<Semaphore>,
}

/// Everything that can be asked for, by whoever names the server by its own name.
pub fn router(shelf: Shelf, address: SocketAddr) -> Router {
    let served = Served { shelf, judging: Arc::new(Semaphore::new(1)) };
    Router::new()
        .route("/", get(|| async { page("text/html; charset=utf-8", pages::INDEX) }))
        .route("/style.css", get(|| async { page("text/css; charset=utf-8", pages::STYLE) }))
        .route(
            "/script.js",
            get(|| async { page("text/javascript; charset=utf-8", pages::SCRIPT) }),
        )
        .route("/api/runs", get(runs))
        .route("/api/live/{family}/{name}", get(live::events))
        .route("/runs/{family}/{name}/report", get(report))
        .route("/runs/{family}/{name}/{file}", get(file))
        .fallback(|| async { refuse(StatusCode::NOT_FOUND) })
        .with_state(served)
        .layer(from_fn(guard))
        .layer(from_fn_with_state(address, only_by_its_name))
}

/// A plain refusal.
pub fn refuse(status: StatusCode) -> Response {
    (status, [(CONTENT_TYPE, "text/plain")], format!("{status}\n")).into_response()
}

fn page(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

/// Reading is all there is; and no answer is taken for anything but what it says it is.
async fn guard(request: Request, next: Next) -> Response {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, OWN);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "no-referrer");
    set(CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}

/// Someone else's name that was made to lead here is refused: its pages could read everything.
async fn only_by_its_name(
    State(address): State<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let is_own = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|c| c.is_ascii_digit()) { name } else { host }
        });
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
    };
    // A name is checked where only this machine is to see it; an address cannot be made to lead
    // elsewhere.
    if address.ip().is_loopback() && !host.is_some_and(is_own) {
        return refuse(StatusCode::MISDIRECTED_REQUEST);
    }
    next.run(request).await
}

async fn runs(State(served): State<Served>) -> Response {
    let list = move || {
        let runs = served.shelf.runs();
        let runs: Vec<_> = runs.iter().map(|run| summary::of(&served.shelf, run)).collect();
        json!({ "runs": runs }).to_string()
    };
    match tokio::task::spawn_blocking(list).await {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn file(
    State(served): State<Served>,
    Path((family, name, file)): Path<(String, String, String)>,
) -> Response {
    let open = move || {
        let run = served.shelf.run(&family, &name)?;
        let (_, kind) = FILES.iter().find(|(known, _)| *known == file)?;
        Some((*kind, served.shelf.open_file(&run, &file)?))
    };
    match tokio::task::spawn_blocking(open).await {
        Ok(Some((kind, file))) => {
            let file = tokio::fs::File::from_std(file);
            ([(CONTENT_TYPE, kind)], Body::from_stream(live::pieces(file))).into_response()
        }
        _ => refuse(StatusCode::NOT_FOUND),
    }
}

/// The report, made anew from the history: also of a run that is going or was killed.
async fn report(
    State(served): State<Served>,
    Path((family, name)): Path<(String, String)>,
) -> Response {
    let Ok(_turn) = served.judging.clone().acquire_owned().await else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE);
    };
    let render = move || {
        let run = served.shelf.run(&family, &name)?;
        let path = served.shelf.file(&run, HISTORY)?;
        let question = Question::default();
        let begun = Instant::now();
        let page = open(&path, &question.reading).and_then(|history| {
            let mut judged = judge_history(&history, &question, begun);
            judged.kept_in = Some(served.shelf.shown(&run));
            Format::Html.render(&judged, &history)
        });
        Some(page)
    };
    match tokio::task::spawn_blocking(render).await {
        Ok(Some(Ok(page))) => {
            let headers =
                [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, REPORT)];
            (headers, page).into_response()
        }
        Ok(Some(Err(error))) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            [(CONTENT_TYPE, "text/plain; charset=utf-8")],
            format!("the history cannot be read: {error:#}\n"),
        )
            .into_response(),
        _ => refuse(StatusCode::NOT_FOUND),
    }
}
