//! A sweep as a person reads it: a table, a picture, and what they mean.

use super::Sweep;
use super::settings::Axis;
use crate::scale::{Fit, Interval, Problem, Slowed};

/// Columns of the longest bar.
const WIDTH: f64 = 30.0;

/// A value of the axis in words.
pub fn setting(axis: Axis, at: f64) -> String {
    let what = match axis {
        Axis::Clients => "client",
        Axis::Rates => return format!("{at} operations a second"),
        Axis::Nodes => "node",
        Axis::Keys => "key",
    };
    format!("{at} {what}{}", if at == 1.0 { "" } else { "s" })
}

fn head(axis: Axis) -> &'static str {
    match axis {
        Axis::Clients => "clients",
        Axis::Rates => "asked/s",
        Axis::Nodes => "nodes",
        Axis::Keys => "keys",
    }
}

/// The whole text.
pub fn render(sweep: &Sweep) -> String {
    let (target, mode) = (&sweep.target, sweep.mode);
    let mut text = format!(
        "\n  {target}, {mode} mode ({} loop)\n\n{:>8} {:>9} {:>9} {:>9} {:>9} {:>8}  {:<13}\n",
        if mode == "throughput" { "closed" } else { "open" },
        head(sweep.axis),
        "ops/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "failed",
        "class",
    );
    let most = sweep.points.iter().map(|point| point.throughput).fold(1.0, f64::max);
    for point in &sweep.points {
        let ms = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
        text += &format!(
            "{:>8} {:>9.0} {:>9} {:>9} {:>9} {:>6.1} %  {:<13} {}\n",
            point.at,
            point.throughput,
            ms(point.p50_ms),
            ms(point.p95_ms),
            ms(point.p99_ms),
            point.failed * 100.0,
            point.class.as_deref().unwrap_or("unknown"),
            bar(
                point.throughput / most,
                sweep.usl.as_ref().map(|law| law.throughput(point.at) / most)
            ),
        );
    }
    text += "\n";
    match (&sweep.usl, &sweep.usl_reason) {
        (Some(law), _) => text += &law_in_words(law, sweep.axis),
        (None, Some(why)) => text += &format!("Universal Scalability Law not fitted: {why}\n"),
        (None, None) => {}
    }
    if let Some(at) = sweep.knee {
        text += &format!(
            "knee at {}: with more, latency grows faster than throughput\n",
            setting(sweep.axis, at)
        );
    }
    if let Some(slowed) = &sweep.slowed {
        text += &slowed_in_words(slowed);
    }
    text + &conclusion(sweep)
}

/// A bar of what was measured, with a bullet where the law expects its end.
fn bar(part: f64, expected: Option<f64>) -> String {
    let column = |part: f64| (part.clamp(0.0, 1.0) * WIDTH).round() as usize;
    let mut cells = vec!['█'; column(part)];
    if let Some(expected) = expected {
        let at = column(expected).saturating_sub(1);
        cells.resize(cells.len().max(at + 1), ' ');
        cells[at] = '•';
    }
    cells.into_iter().collect()
}

fn law_in_words(law: &Fit, axis: Axis) -> String {
    let range = |interval: &Interval, scale: f64, digits: usize| {
        let [value, low, high] =
            [interval.value, interval.low, interval.high].map(|value| value * scale);
        // What came of samples without an end has none.
        let high = if high > 1e9 { "any".to_owned() } else { format!("{high:.digits$}") };
        format!("{value:.digits$} ({low:.digits$} to {high})")
    };
    let what = if axis == Axis::Nodes { "node" } else { "client" };
    let most = match &law.most_at {
        Some(most) => format!("most is carried at {} {what}s", range(most, 1.0, 0)),
        None => format!("more {what}s never carry less"),
    };
    format!(
        "Universal Scalability Law, R² {:.3} (• above; 95 % intervals): one {what} {} ops/s,\n  \
         contention {} %, coherency {} %; {most}\n",
        law.r_squared,
        range(&law.lambda, 1.0, 0),
        range(&law.sigma, 100.0, 1),
        range(&law.kappa, 100.0, 3),
    )
}

fn slowed_in_words(slowed: &Slowed) -> String {
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    format!(
        "{} slowed ({}): it keeps {} of its throughput, the others {}, the whole {} ({} would be in \
         proportion): {}\n",
        slowed.node,
        slowed.fault,
        percent(slowed.own),
        percent(slowed.others),
        percent(slowed.whole),
        percent(slowed.in_proportion),
        slowed.answer,
    )
}

fn conclusion(sweep: &Sweep) -> String {
    let Some(problem) = sweep.problem else { return String::new() };
    let (Some(first), Some(last)) = (sweep.points.first(), sweep.points.last()) else {
        return String::new();
    };
    let ms = |value: Option<f64>| value.map_or("no answer".to_owned(), |ms| format!("{ms:.1} ms"));
    let (alone, loaded) = (ms(first.p95_ms), ms(last.p95_ms));
    let least = setting(sweep.axis, first.at);
    let from = sweep.slow_from.map_or(String::new(), |at| setting(sweep.axis, at));
    let limit = format!("{} ms are acceptable", sweep.acceptable_ms);
    match problem {
        Problem::Performance => format!(
            "performance problem: slow with {least} already (p95 {alone}, {limit}), and load makes \
             little difference (p95 {loaded} with {})\n",
            setting(sweep.axis, last.at)
        ),
        Problem::Scalability => format!(
            "scalability problem: fast with {least} (p95 {alone}), slow from {from} on ({limit})\n"
        ),
        Problem::Both => format!(
            "both: slow with {least} already (p95 {alone}, {limit}), and much slower from {from} on\n"
        ),
        Problem::Neither => format!(
            "neither a performance nor a scalability problem up to {} (p95 {alone} to {loaded}, \
             {limit})\n",
            setting(sweep.axis, last.at)
        ),
    }
}
