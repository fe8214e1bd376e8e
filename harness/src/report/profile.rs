//! The whole profile for a person: what `check --profile` prints.

use splitbrain_checker::{
    Column, Failover, Healing, Loss, Nature, Profile, Recovery, Row, SideProfile, Stretch,
};

use super::text::{clip, line, percent};

/// The widest words of a table's cell.
const CELL_MOST: usize = 26;

/// The table, the figures that it stands on, each stretch, fail-over and convergence.
pub fn render(profile: &Profile, failover: &Failover) -> String {
    let mut out = String::new();
    line(&mut out, &format!("\n{}\n", profile.sentence));
    table(&mut out, &profile.columns, &profile.table);
    for row in &profile.table {
        line(&mut out, &format!("\n{}", row.dimension));
        for (column, cell) in profile.columns.iter().zip(&row.cells) {
            line(&mut out, &format!("  {:<24} {}", column.name, cell.because));
        }
    }
    stretches(&mut out, profile);
    recoveries(&mut out, failover);
    healings(&mut out, &profile.convergence);
    if let Some(reason) = &profile.reason {
        line(&mut out, &format!("\nnot measured: {reason}"));
    }
    out
}

fn table(out: &mut String, columns: &[Column], rows: &[Row]) {
    let mut heads = format!("{:<20}", "");
    for column in columns {
        heads += &format!(" {:<CELL_MOST$}", column.name);
    }
    line(out, heads.trim_end());
    let mut nodes = format!("{:<20}", "");
    for column in columns {
        nodes += &format!(" {:<CELL_MOST$}", clip(&column.nodes.join(" "), CELL_MOST - 3));
    }
    line(out, nodes.trim_end());
    for row in rows {
        let mut text = format!("{:<20}", row.dimension);
        for cell in &row.cells {
            let word = cell.word.unwrap_or("not decided");
            text += &format!(" {:<CELL_MOST$}", clip(word, CELL_MOST - 3));
        }
        line(out, text.trim_end());
    }
}

fn stretches(out: &mut String, profile: &Profile) {
    line(
        out,
        &format!(
            "\n{:<36} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>9}",
            "phases, and faults by side",
            "requests",
            "success",
            "refused",
            "blocked",
            "per s",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "p99.9 ms",
            "stale",
            "diverged"
        ),
    );
    for stretch in &profile.stretches {
        line(out, &head(stretch));
        let asked = |side: &SideProfile| side.traffic.requests > 0;
        let is_total = stretch.nature == Some(Nature::TotalPartition);
        for one in stretch.sides.iter().filter(|side| is_total || asked(side)) {
            side(out, one, stretch);
        }
        if !stretch.sides.iter().any(asked) {
            line(out, "  too short: nothing that was due in it had its deadline in it");
        }
    }
    if profile.stretches_left_out > 0 {
        line(out, &format!("and {} more faults", profile.stretches_left_out));
    }
}

fn head(stretch: &Stretch) -> String {
    let name = stretch.fault_name.as_deref().unwrap_or(stretch.name);
    let nature = stretch.nature.map_or(String::new(), |nature| format!(", {}", nature.words()));
    format!("{name} at {:.1} s for {:.1} s{nature}", stretch.from_s, stretch.seconds)
}

fn side(out: &mut String, side: &SideProfile, stretch: &Stretch) {
    let nodes = side.nodes.join(" ");
    let leader = if side.leader { ", leader" } else { "" };
    let name = match (stretch.nature, side.majority) {
        (None, _) => "all nodes".to_owned(),
        (Some(Nature::TotalPartition), true) => format!("majority {nodes}{leader}"),
        (Some(Nature::TotalPartition), false) => format!("minority {nodes}{leader}"),
        _ => format!("{nodes}{leader}"),
    };
    let traffic = &side.traffic;
    let of = |quantile: fn(&splitbrain_checker::Latency) -> f64| {
        traffic.latency_ms.as_ref().map_or("-".to_owned(), |all| format!("{:.1}", quantile(all)))
    };
    let stale = side.staleness.as_ref().map_or("-".to_owned(), |one| one.stale.to_string());
    let diverged = side
        .divergence
        .as_ref()
        .map_or("-".to_owned(), |one| format!("{}/{}", one.diverged, one.rounds));
    line(
        out,
        &format!(
            "  {:<34} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8} {:>8} {:>8} {:>8} {stale:>7} {diverged:>9}",
            clip(&name, 31),
            traffic.requests,
            percent(traffic.success),
            traffic.refused,
            traffic.timed_out + traffic.shed,
            traffic.throughput_per_s.map_or("-".to_owned(), |per_s| format!("{per_s:.0}")),
            of(|all| all.p50),
            of(|all| all.p95),
            of(|all| all.p99),
            of(|all| all.p99_9),
        ),
    );
}

fn recoveries(out: &mut String, failover: &Failover) {
    line(out, "\nfail-over");
    if let Some(reason) = &failover.reason {
        line(out, &format!("  {reason}"));
    }
    for fault in &failover.faults {
        line(out, &format!("  {}", recovery(fault)));
        for side in &fault.sides {
            let primary = if side.primary { ", primary" } else { "" };
            let nodes = format!("{}{primary}", side.nodes.join(" "));
            line(out, &format!("    clients of {nodes:<30} RTO {}", rto(side.rto_ms)));
        }
    }
    line(out, &format!("  in all: {}", lost(&failover.loss)));
    for split in &failover.split_brain {
        let sides: Vec<String> = split.sides.iter().map(|side| side.join(" ")).collect();
        line(
            out,
            &format!(
                "  split brain in {}: {} took writes at once from {:.1} s on, for {:.1} s at least",
                split.name,
                sides.join(" | "),
                split.from_s,
                split.for_ms / 1e3
            ),
        );
    }
}

fn recovery(fault: &Recovery) -> String {
    format!(
        "{} of {} at {:.1} s: RTO {}; {}",
        fault.name,
        fault.primary.join(" "),
        fault.at_s,
        rto(fault.rto_ms),
        lost(&fault.loss)
    )
}

/// A recovery time, or that there was none.
pub fn rto(ms: Option<f64>) -> String {
    ms.map_or("unknown, no write was acknowledged any more".to_owned(), |ms| format!("{ms:.0} ms"))
}

/// What was lost, in words.
pub fn lost(loss: &Loss) -> String {
    let (Some(once), Some(at_least), Some(written)) =
        (loss.lost_once, loss.lost_at_least, loss.written_once)
    else {
        return format!("RPO unknown: {}", loss.reason.as_deref().unwrap_or("no reason given"));
    };
    let undecided = match loss.undecided {
        Some(count) if count > 0 => format!(", {count} undecided"),
        _ => String::new(),
    };
    let span = match loss.span_ms {
        Some(span_ms) => format!(", acknowledged within {span_ms:.0} ms"),
        None => String::new(),
    };
    format!(
        "RPO {once} of {written} keys lost that were written once{undecided}, of overwritten ones \
         {at_least} writes at least{span}"
    )
}

fn healings(out: &mut String, convergence: &[Healing]) {
    if !convergence.is_empty() {
        line(out, "\nconvergence, from the verified heal on");
    }
    for healing in convergence {
        let ms = |ms: Option<f64>| ms.map_or("?".to_owned(), |ms| format!("{ms:.0} ms"));
        let reason = healing.reason.as_ref().map_or(String::new(), |why| format!("  ({why})"));
        line(
            out,
            &format!(
                "  {:<14} at least {}, at most {}{reason}",
                healing.name,
                ms(healing.at_least_ms),
                ms(healing.at_most_ms)
            ),
        );
    }
}
