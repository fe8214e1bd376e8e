//! A run while it goes: server-sent events with what its history says, second by second.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};
use splitbrain_checker::Options;
use splitbrain_checker::stream::Stream as Checker;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::routes::{Served, refuse};
use crate::run::folder::HISTORY;

/// How often to look whether the history has grown.
const PAUSE: Duration = Duration::from_millis(250);
/// How much is read at once.
const PIECE_BYTES: usize = 128 << 10;
/// A history that has not grown for so long is of a run that was killed.
const SILENT_FOR: Duration = Duration::from_secs(120);

/// The events of a run.
pub async fn events(
    State(served): State<Served>,
    Path((family, name)): Path<(String, String)>,
) -> Response {
    let open = move || {
        let run = served.shelf.run(&family, &name)?;
        served.shelf.open_file(&run, HISTORY)
    };
    let Ok(Some(file)) = tokio::task::spawn_blocking(open).await else {
        return refuse(StatusCode::NOT_FOUND);
    };
    let follower = Follower::new(File::from_std(file));
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// A file in pieces, so that no history has to fit into memory.
pub fn pieces(file: File) -> impl Stream<Item = std::io::Result<Vec<u8>>> {
    stream::unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(piece), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    })
}

struct Follower {
    file: File,
    /// The beginning of a line whose end is still to come.
    rest: Vec<u8>,
    seen: Seen,
    /// Nothing comes any more, and that has been told.
    ended: bool,
    silent: Duration,
}

impl Follower {
    fn new(file: File) -> Follower {
        Follower { file, rest: Vec::new(), seen: Seen::new(), ended: false, silent: Duration::ZERO }
    }

    /// What is new, as soon as something is. After the end there is nothing.
    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let read = self.file.read(&mut piece).await.ok()?;
            self.take(&piece[..read]);
            if read == PIECE_BYTES {
                continue;
            }
            self.ended = self.seen.over || self.silent > SILENT_FOR;
            if let Some(news) = self.seen.news(self.ended) {
                self.silent = Duration::ZERO;
                return Some(Event::default().data(news.to_string()));
            }
            tokio::time::sleep(PAUSE).await;
            self.silent += PAUSE;
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.rest.extend_from_slice(piece);
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        self.seen.take(&lines);
    }
}

/// Operations that ended in one second of the run.
#[derive(Clone, Copy, Default)]
struct Second {
    ok: u64,
    fail: u64,
    info: u64,
}

/// What the history has said so far.
struct Seen {
    checker: Option<Checker>,
    seconds: BTreeMap<u64, Second>,
    /// The seconds that were added to since the last news.
    changed: BTreeSet<u64>,
    /// What holds now: the phase, the faults in force, who leads.
    phase: String,
    faults: BTreeMap<u64, String>,
    leader: Value,
    violation: Value,
    at_s: f64,
    over: bool,
}

impl Seen {
    fn new() -> Seen {
        Seen {
            checker: Some(Checker::new(&Options::default())),
            seconds: BTreeMap::new(),
            changed: BTreeSet::new(),
            phase: String::new(),
            faults: BTreeMap::new(),
            leader: Value::Null,
            violation: Value::Null,
            at_s: 0.0,
            over: false,
        }
    }

    /// Takes whole lines.
    fn take(&mut self, lines: &[u8]) {
        if let Some(checker) = &mut self.checker {
            // What it cannot read it cannot judge; the end of the run will say more.
            if checker.push(lines).is_err() {
                self.checker = None;
            } else if let Some(certainty) = checker.violation() {
                self.violation = json!({ "key": certainty.key, "line": certainty.at.line });
                self.checker = None;
            }
        }
        for line in lines.split(|byte| *byte == b'\n') {
            if let Ok(event) = serde_json::from_slice::<Value>(line) {
                self.event(&event);
            }
        }
    }

    fn event(&mut self, event: &Value) {
        let time_ns = event["time"].as_u64().unwrap_or(0);
        self.at_s = self.at_s.max(time_ns as f64 / 1e9);
        if event["process"].is_u64() {
            let second = time_ns / 1_000_000_000;
            let counts = self.seconds.entry(second).or_default();
            let count = match event["type"].as_str() {
                Some("ok") => &mut counts.ok,
                Some("fail") => &mut counts.fail,
                Some("info") => &mut counts.info,
                _ => return,
            };
            *count += 1;
            self.changed.insert(second);
            return;
        }
        match (event["process"].as_str(), event["f"].as_str()) {
            (Some("harness"), Some("phase")) => {
                self.phase = event["value"].as_str().unwrap_or_default().to_owned();
                self.over = self.phase == "teardown";
            }
            (Some("nemesis"), Some("roles")) => self.leader = event["value"]["leader"].clone(),
            (Some("nemesis"), Some("start")) if event["effect"] == "installed" => {
                let name = event["fault"].as_str().unwrap_or_default().to_owned();
                self.faults.insert(event["id"].as_u64().unwrap_or(0), name);
            }
            (Some("nemesis"), Some("stop")) if event["effect"].is_string() => {
                self.faults.remove(&event["id"].as_u64().unwrap_or(0));
            }
            _ => {}
        }
    }

    /// What has changed since the last time, if anything has.
    fn news(&mut self, end: bool) -> Option<Value> {
        if self.changed.is_empty() && !end {
            return None;
        }
        let seconds: Vec<Value> = std::mem::take(&mut self.changed)
            .into_iter()
            .map(|second| {
                let Second { ok, fail, info } = self.seconds[&second];
                json!([second, ok, fail, info])
            })
            .collect();
        Some(json!({
            "seconds": seconds,
            "phase": self.phase,
            "faults": self.faults.values().collect::<Vec<_>>(),
            "leader": self.leader,
            "violation": self.violation,
            "at_s": self.at_s,
            "over": end,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"splitbrain":1}
{"index":0,"time":100000000,"type":"info","process":"harness","f":"phase","value":"main"}
{"index":1,"time":200000000,"type":"info","process":"nemesis","f":"start","fault":"halves","id":2,"value":{}}
{"index":2,"time":300000000,"type":"info","process":"nemesis","f":"start","fault":"halves","id":2,"effect":"installed","value":{}}
{"index":3,"time":400000000,"type":"invoke","process":0,"f":"write","key":"k","value":1}
{"index":4,"time":1400000000,"type":"ok","process":0,"f":"write","key":"k","value":1}
{"index":5,"time":1500000000,"type":"invoke","process":1,"f":"read","key":"k","value":null}
{"index":6,"time":1600000000,"type":"ok","process":1,"f":"read","key":"k","value":null}
{"index":7,"time":1700000000,"type":"info","process":"nemesis","f":"roles","value":{"leader":["n3"],"down":[]}}
"#;

    #[test]
    fn news_are_what_came_since_the_last_ones() {
        let mut seen = Seen::new();
        assert!(seen.news(false).is_none());
        seen.take(LINES.as_bytes());
        let news = seen.news(false).unwrap();
        assert_eq!(news["seconds"], json!([[1, 2, 0, 0]]));
        assert_eq!((&news["phase"], &news["faults"]), (&json!("main"), &json!(["halves"])));
        assert_eq!(news["leader"], json!(["n3"]));
        assert_eq!(news["violation"]["key"], "k", "{news}");
        assert!(seen.news(false).is_none());
        let healed = r#"{"time":1800000000,"type":"info","process":"nemesis","f":"stop","fault":"halves","id":2,"effect":"healed"}
{"time":1900000000,"type":"info","process":"harness","f":"phase","value":"teardown"}
"#;
        seen.take(healed.as_bytes());
        assert!(seen.over);
        let end = seen.news(true).unwrap();
        assert_eq!((&end["faults"], &end["over"]), (&json!([]), &json!(true)));
    }
}
