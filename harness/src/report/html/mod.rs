//! The report as one page of HTML: nothing is fetched, everything is in it.

mod data;

use serde_json::{Value, json};
use splitbrain_checker::history::History;

use super::{Judged, drawing, graphviz::Dot};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// In the order in which they need each other.
const SCRIPTS: [&str; 5] = [
    include_str!("data.js"),
    include_str!("axis.js"),
    include_str!("lanes.js"),
    include_str!("timeline.js"),
    include_str!("page.js"),
];

/// The page of a judged history.
pub fn render(judged: &Judged, history: &History) -> String {
    let (style, script) = (STYLE.trim_end(), SCRIPTS.concat());
    // The data goes last, so that nothing in it is taken for one of the marks.
    let marks = [("/*STYLE*/", style), ("/*SCRIPT*/", script.trim_end())];
    let page =
        marks.iter().fold(PAGE.to_owned(), |page, (mark, text)| page.replacen(mark, text, 1));
    page.replacen("/*DATA*/", &inert(&data(judged, history)), 1)
}

/// JSON that cannot end the element of the page that it stands in.
fn inert(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c")
}

fn data(judged: &Judged, history: &History) -> Value {
    let header = judged.header.as_ref();
    let verdict: Value = serde_json::from_str(&judged.json()).unwrap_or_default();
    let keep = data::chosen(history, &judged.judgement);
    let total = history.operations().len();
    let shortened = (keep.len() < total).then(|| {
        format!(
            "the charts show {} of {total} operations, those of the violations among them",
            keep.len()
        )
    });
    let mut dot = Dot::default();
    let drawings = judged.judgement.violations.iter().map(|one| drawing::cycle(one, &mut dot));
    let drawings: Vec<Option<String>> = drawings.collect();
    json!({
        "program": env!("CARGO_PKG_VERSION"),
        "verdict": verdict,
        "target": header.map(|header| &header.target),
        "started": header.map(|header| &header.started),
        "versions": header.map(|header| &header.versions),
        "plan": header.map(|header| &header.plan),
        "deadline_ms": header.map_or(1_000, |header| header.deadline_ms),
        "op_timeout_ms": header.map_or(10_000, |header| header.op_timeout_ms),
        "end_ms": history.end().time_ns as f64 / 1e6,
        "nodes": history.nodes(),
        "faults": data::faults(history),
        "roles": data::roles(history),
        "drawings": drawings,
        "commands": judged.commands(),
        "shortened": shortened,
        "keys": history.keys(),
        "fs": data::names(history, &keep),
        "operations": data::operations(history, &keep),
    })
}

#[cfg(test)]
mod tests;
