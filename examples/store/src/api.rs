//! What clients see: HTTP with JSON bodies, every answer an object.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::applied::AppliedLog;
use crate::id::NodeId;
use crate::modes::{Replica, Status};
use crate::request::{Key, Outcome, Write, check_value};
use crate::transaction::{self, Step};

const LARGEST_BODY: usize = 1 << 20;

/// How long after its deadline a replica may still come up with an answer of its own.
const GRACE: Duration = Duration::from_millis(50);

/// One node as clients see it.
pub struct Service {
    /// Its name.
    pub id: NodeId,
    /// How it replicates.
    pub mode: &'static str,
    /// What answers.
    pub replica: Arc<dyn Replica>,
    /// Where to note which writes are done.
    pub applied: AppliedLog,
    /// When a request is answered at the latest.
    pub request_timeout: Duration,
}

type Shared = State<Arc<Service>>;
type PathKey = Result<Path<String>, PathRejection>;
type Body = Result<Bytes, BytesRejection>;

/// The routes for clients.
pub fn routes(service: Service) -> Router {
    let empty_key = || async { Outcome::Invalid { error: "the key is empty".into() } };
    Router::new()
        .route("/kv/{key}", get(read).put(put).delete(remove))
        .route("/kv/{key}/cas", post(cas))
        .route("/kv/", any(empty_key))
        .route("/kv//cas", any(empty_key))
        .route("/txn", post(transact))
        .route("/health", get(health))
        .route("/status", get(status))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(service))
}

/// The answer where there is no route.
pub async fn no_such_route() -> Response {
    wrong(
        StatusCode::NOT_FOUND,
        "no such route: see /kv/{key}, /kv/{key}/cas, /txn, /health, /status",
    )
}

/// The answer where a route has no such method.
pub async fn no_such_method() -> Response {
    wrong(StatusCode::METHOD_NOT_ALLOWED, "this route does not take that method")
}

fn wrong(status: StatusCode, error: &str) -> Response {
    (status, Json(Outcome::Invalid { error: error.into() })).into_response()
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Ok | Self::Done { .. } => StatusCode::OK,
            Self::Mismatch { .. } => StatusCode::PRECONDITION_FAILED,
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::Unsupported { .. } => StatusCode::NOT_IMPLEMENTED,
            Self::Refused { .. } | Self::Unknown { .. } => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(self)).into_response()
    }
}

async fn read(State(service): Shared, key: PathKey) -> Result<Response, Outcome> {
    let key = check_key(key)?;
    let deadline = Instant::now() + service.request_timeout;
    let answer = timeout_at(deadline + GRACE, service.replica.read(key, deadline)).await;
    let value =
        answer.unwrap_or_else(|_| Err("no answer in time".to_owned())).map_err(Outcome::refused)?;
    Ok(Json(json!({ "value": value })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    value: Value,
}

async fn put(service: Shared, key: PathKey, body: Body) -> Result<Outcome, Outcome> {
    let key = check_key(key)?;
    let Put { value } = parse(body)?;
    write(service, key, Write::Put { value }).await
}

async fn remove(service: Shared, key: PathKey) -> Result<Outcome, Outcome> {
    let key = check_key(key)?;
    write(service, key, Write::Remove).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cas {
    old: Value,
    new: Value,
}

async fn cas(service: Shared, key: PathKey, body: Body) -> Result<Outcome, Outcome> {
    let key = check_key(key)?;
    let Cas { old, new } = parse(body)?;
    write(service, key, Write::Cas { old, new }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transaction {
    steps: Vec<Step>,
}

async fn transact(service: Shared, body: Body) -> Result<Outcome, Outcome> {
    let Transaction { steps } = parse(body)?;
    transaction::check(&steps).map_err(|error| Outcome::Invalid { error })?;
    let key = steps[0].1.clone();
    write(service, key, Write::Txn { steps }).await
}

async fn write(State(service): Shared, key: Key, write: Write) -> Result<Outcome, Outcome> {
    let checked = match &write {
        Write::Put { value } => check_value(value),
        Write::Cas { old, new } => check_value(old).and(check_value(new)),
        Write::Remove | Write::Txn { .. } => Ok(()),
    };
    checked.map_err(|error| Outcome::Invalid { error })?;
    let deadline = Instant::now() + service.request_timeout;
    let noted = service.applied.is_kept().then(|| (key.clone(), write.clone()));
    let answer = timeout_at(deadline + GRACE, service.replica.write(key, write, deadline)).await;
    if let (Ok(Outcome::Ok), Some((key, write))) = (&answer, noted)
        && let Some(value) = write.sets()
    {
        service.applied.done(&key, &value);
    }
    Ok(answer.unwrap_or_else(|_| Outcome::unknown("no answer in time")))
}

fn check_key(key: PathKey) -> Result<Key, Outcome> {
    key.map_err(|rejection| rejection.body_text())
        .and_then(|Path(text)| Key::new(text))
        .map_err(|error| Outcome::Invalid { error })
}

fn parse<T: for<'de> Deserialize<'de>>(body: Body) -> Result<T, Outcome> {
    body.map_err(|rejection| rejection.body_text())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .map_err(|error| Outcome::Invalid { error: format!("the body is not understood: {error}") })
}

async fn health(State(service): Shared) -> Response {
    match service.replica.ready() {
        Ok(()) => Json(json!({ "ready": true })).into_response(),
        Err(error) => {
            let body = json!({ "ready": false, "error": error });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

#[derive(Serialize)]
struct FullStatus {
    id: NodeId,
    mode: &'static str,
    #[serde(flatten)]
    status: Status,
}

async fn status(State(service): Shared) -> Response {
    let status = service.replica.status();
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (headers, Json(FullStatus { id: service.id, mode: service.mode, status })).into_response()
}
