//! What is measured of the runs of one night.

use serde_json::Value;
use splitbrain_checker::Class;

/// Figures over several runs.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How many.
    pub runs: usize,
    /// Those that were not what was expected of them.
    pub invalid: usize,
    /// The weakest class of a run, of those whose class is certain.
    pub class: Option<Class>,
    /// Operations that were answered in time, and those that were due, while faults were injected.
    answered: (f64, f64),
    /// The longest of the runs' 99th percentiles, while faults were injected.
    p99_ms: Option<f64>,
    /// Each fault's.
    rto_ms: Vec<f64>,
    check_ms: Option<f64>,
    operations: u64,
}

/// What can be asked of a night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The weakest class.
    Class,
    /// Share of the operations of the main phase that were answered in time.
    Success,
    /// Of the run that was slowest, in milliseconds, in the main phase.
    P99,
    /// How long until a write succeeded after a fault: the median over all faults, in milliseconds.
    RtoP50,
    /// The same; 95 % are no more.
    RtoP95,
    /// The longest.
    RtoMax,
    /// What the check of the slowest run took, in milliseconds.
    Check,
    /// Runs.
    Runs,
    /// Runs that were not as expected.
    Invalid,
    /// Invocations of clients.
    Operations,
}

impl Metric {
    /// All of them with their names.
    pub const ALL: [(&'static str, Metric); 10] = [
        ("class", Metric::Class),
        ("success", Metric::Success),
        ("p99", Metric::P99),
        ("rto_p50", Metric::RtoP50),
        ("rto_p95", Metric::RtoP95),
        ("rto_max", Metric::RtoMax),
        ("check", Metric::Check),
        ("runs", Metric::Runs),
        ("invalid", Metric::Invalid),
        ("operations", Metric::Operations),
    ];

    /// Whether it is a length of time.
    pub fn is_time(self) -> bool {
        let times = [Metric::P99, Metric::RtoP50, Metric::RtoP95, Metric::RtoMax, Metric::Check];
        times.contains(&self)
    }
}

impl Measured {
    /// Adds a run's verdict.
    pub fn add(&mut self, verdict: &Value) {
        self.runs += 1;
        self.invalid += usize::from(verdict["verdict"] == "invalid");
        let class = serde_json::from_value(verdict["class"].clone()).ok();
        self.class = [self.class, class].into_iter().flatten().min();
        let stretches = verdict["profile"]["stretches"].as_array().into_iter().flatten();
        let main = stretches.filter(|stretch| stretch["name"] == "main");
        for side in main.flat_map(|main| main["sides"].as_array().into_iter().flatten()) {
            self.answered.0 += side["answered"].as_f64().unwrap_or(0.0);
            self.answered.1 += side["requests"].as_f64().unwrap_or(0.0);
            most(&mut self.p99_ms, side["latency_ms"]["p99"].as_f64());
        }
        let faults = verdict["failover"]["faults"].as_array().into_iter().flatten();
        self.rto_ms.extend(faults.filter_map(|fault| fault["rto_ms"].as_f64()));
        most(&mut self.check_ms, verdict["check_ms"].as_f64());
        self.operations += verdict["operations"].as_u64().unwrap_or(0);
    }

    /// A figure, times in milliseconds, a class by its rank; nothing if it was not measured.
    pub fn figure(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Class => self.class.map(rank),
            Metric::Success => (self.answered.1 > 0.0).then(|| self.answered.0 / self.answered.1),
            Metric::P99 => self.p99_ms,
            Metric::RtoP50 => self.rto(50),
            Metric::RtoP95 => self.rto(95),
            Metric::RtoMax => self.rto(100),
            Metric::Check => self.check_ms,
            Metric::Runs => Some(self.runs as f64),
            Metric::Invalid => Some(self.invalid as f64),
            Metric::Operations => Some(self.operations as f64),
        }
    }

    /// The nearest figure at or above a percentile.
    fn rto(&self, percent: usize) -> Option<f64> {
        let mut sorted = self.rto_ms.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
    }

    /// A figure for a person.
    pub fn shown(&self, metric: Metric) -> String {
        match (self.figure(metric), metric) {
            (None, _) => "-".to_owned(),
            (Some(_), Metric::Class) => self.class.map_or("-", Class::name).to_owned(),
            (Some(share), Metric::Success) => format!("{:.1} %", 100.0 * share),
            (Some(ms), time) if time.is_time() => duration(ms),
            (Some(count), _) => format!("{count}"),
        }
    }
}

/// The place of a class among the others, the weakest first.
pub fn rank(class: Class) -> f64 {
    f64::from(class as u8)
}

/// Milliseconds for a person.
pub fn duration(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1_000.0) }
}

fn most(so_far: &mut Option<f64>, figure: Option<f64>) {
    *so_far = [*so_far, figure].into_iter().flatten().reduce(f64::max);
}
