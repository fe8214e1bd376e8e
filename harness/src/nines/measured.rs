//! What the availability of a suite of runs was.

use serde::Serialize;
use splitbrain_checker::Judgement;

use super::Availability;

/// The stretches of a run in which clients work beside faults, and not only because of them.
const UNDER_LOAD: [&str; 2] = ["baseline", "main"];

/// Over all runs of a suite.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// How many runs.
    pub runs: usize,
    /// How long clients worked and faults could happen, in seconds.
    pub seconds: f64,
    /// Operations that were due in that time, those of nodes that were down left out.
    pub requests: u64,
    /// Those that were answered within the deadline.
    pub answered: u64,
    /// How often a fault took the primary away and writes failed until there was another.
    pub outages: usize,
    /// For how long in all, in seconds.
    pub down_s: f64,
    /// Outages of those that lasted to the end: what they took is not known and not counted in
    /// `down_s`.
    pub unrepaired: usize,
}

impl Measured {
    /// Of judged runs.
    pub fn of<'j>(judgements: impl IntoIterator<Item = &'j Judgement>) -> Measured {
        let mut all = Measured::default();
        for judgement in judgements {
            all.runs += 1;
            for stretch in &judgement.profile.stretches {
                if stretch.fault.is_some() || !UNDER_LOAD.contains(&stretch.name) {
                    continue;
                }
                all.seconds += stretch.seconds;
                for side in &stretch.sides {
                    all.requests += side.traffic.requests;
                    all.answered += side.traffic.answered;
                }
            }
            for recovery in &judgement.failover.faults {
                match recovery.rto_ms {
                    Some(ms) if ms > 0.0 => {
                        all.outages += 1;
                        all.down_s += ms / 1e3;
                    }
                    Some(_) => {}
                    None => {
                        all.outages += 1;
                        all.unrepaired += 1;
                    }
                }
            }
        }
        all
    }

    /// The part of the requests that were answered in time; `None` if there were none.
    pub fn of_requests(&self) -> Option<Availability> {
        let missed = self.requests.checked_sub(self.answered)?;
        Availability::of_unavailability(missed as f64 / self.requests as f64)
    }

    /// MTBF: the mean time between failures, in seconds, from the end of one to the next.
    pub fn between_failures_s(&self) -> Option<f64> {
        (self.outages > 0).then(|| (self.seconds - self.down_s).max(0.0) / self.outages as f64)
    }

    /// MTTR: the mean time to repair, in seconds, of those that were repaired.
    pub fn to_repair_s(&self) -> Option<f64> {
        let repaired = self.outages - self.unrepaired;
        (repaired > 0).then(|| self.down_s / repaired as f64)
    }

    /// MTBF / (MTBF + MTTR), the part of the time between fail-overs: under these faults, which come
    /// more often than those of real life. `None` without a repaired outage.
    pub fn of_time(&self) -> Option<Availability> {
        let (up, down) = (self.between_failures_s()?, self.to_repair_s()?);
        Availability::of_unavailability(down / (up + down))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Measured {
        Measured {
            runs: 2,
            seconds: 100.0,
            requests: 1_000,
            answered: 990,
            outages: 3,
            down_s: 4.0,
            unrepaired: 1,
        }
    }

    #[test]
    fn time_between_failures_and_to_repair() {
        let suite = suite();
        assert_eq!(suite.of_requests().unwrap().to_string(), "99%");
        assert_eq!(suite.between_failures_s(), Some(32.0));
        assert_eq!(suite.to_repair_s(), Some(2.0));
        assert!((suite.of_time().unwrap().unavailability() - 2.0 / 34.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let none = Measured::default();
        assert_eq!(none.of_requests(), None);
        assert_eq!(none.between_failures_s(), None);
        assert_eq!(none.of_time(), None);
        let never_back = Measured { outages: 1, unrepaired: 1, down_s: 0.0, ..suite() };
        assert_eq!((never_back.to_repair_s(), never_back.of_time()), (None, None));
    }
}
