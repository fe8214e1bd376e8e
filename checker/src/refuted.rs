//! What the beginning of a history says for certain, however it goes on.
//!
//! Most consistency models are *safety* properties (Alpern and Schneider, *Defining liveness*, 1985):
//! a beginning that breaks one cannot be mended. What has to be there in the end can: a write that
//! is lost may turn up, nodes may still agree.

use crate::class::Class;
use crate::expectation::Expectation;
use crate::judgement::Judgement;
use crate::ladder::Rung;
use crate::verdict::Verdict;
use crate::violation::Violation;

impl Expectation {
    /// Whether the beginning of a history can refute it.
    pub fn is_refuted_early(self) -> bool {
        match self {
            Expectation::Class(class) => class == Class::Linearizable,
            Expectation::Rung(rung) => rung != Rung::Converged,
            Expectation::Cap(_) => false,
        }
    }
}

impl Judgement {
    /// Whether what was judged is not what was expected and never will be, however the history goes on.
    pub fn is_refuted(&self) -> bool {
        if !self.verdict.is_invalid() {
            return false;
        }
        match self.expect {
            Expectation::Class(Class::Linearizable) => {
                self.ladder.get(&Rung::Linearizable) == Some(&Verdict::Invalid)
                    || self.checks.values().any(|check| check.stays && check.verdict.is_invalid())
            }
            Expectation::Class(_) => self.violations.iter().any(|one| one.name == "aborted-read"),
            Expectation::Rung(Rung::Converged) | Expectation::Cap(_) => false,
            Expectation::Rung(rung) => {
                let by = |one: &Violation| one.stays() && one.rules_out.contains(&rung);
                self.violations.iter().any(by)
            }
        }
    }
}

impl Violation {
    /// Whether it is one however the history goes on. What nobody is known to have written may be
    /// written yet: models without real time allow that.
    fn stays(&self) -> bool {
        !matches!(self.name, "phantom-read" | "thin-air-read" | "lost-write" | "not-converged")
    }
}

#[cfg(test)]
mod tests {
    use crate::history::History;
    use crate::judge::judge;
    use crate::options::Options;

    const LINES: [&str; 8] = [
        r#"{"process":0,"type":"invoke","f":"write","value":1,"time":10}"#,
        r#"{"process":0,"type":"ok","f":"write","value":1,"time":20}"#,
        r#"{"process":0,"type":"invoke","f":"write","value":2,"time":21}"#,
        r#"{"process":0,"type":"ok","f":"write","value":2,"time":22}"#,
        r#"{"process":1,"type":"invoke","f":"read","value":null,"time":30}"#,
        r#"{"process":1,"type":"ok","f":"read","value":2,"time":40}"#,
        r#"{"process":1,"type":"invoke","f":"read","value":null,"time":50}"#,
        r#"{"process":1,"type":"ok","f":"read","value":1,"time":60}"#,
    ];

    fn refuted(lines: &[&str], expect: &str) -> bool {
        let history = History::read(lines.join("\n").as_bytes()).unwrap();
        let options = Options { expect: expect.parse().unwrap(), ..Options::default() };
        judge(&history, &options).is_refuted()
    }

    #[test]
    fn what_a_beginning_breaks_stays_broken() {
        for model in ["linearizable", "sequential", "causal", "monotonic-reads"] {
            assert!(refuted(&LINES, model), "{model}");
            assert!(!refuted(&LINES[..7], model), "{model}");
        }
        for model in ["read-your-writes", "converged", "weak", "eventual"] {
            assert!(!refuted(&LINES, model), "{model}");
        }
    }

    #[test]
    fn a_value_that_is_written_later_may_be_right_where_time_does_not_count() {
        let early = LINES.map(|line| {
            line.replace("\"ok\",\"f\":\"read\",\"value\":2", "\"ok\",\"f\":\"read\",\"value\":3")
        });
        let early: Vec<&str> = early.iter().map(String::as_str).collect();
        assert!(refuted(&early[..6], "linearizable"));
        assert!(!refuted(&early[..6], "sequential"));
    }

    #[test]
    fn what_is_rolled_back_and_seen_is_nowhere_right() {
        let aborted = LINES.map(|line| {
            line.replace(
                "\"ok\",\"f\":\"write\",\"value\":2",
                "\"fail\",\"f\":\"write\",\"value\":2",
            )
        });
        let aborted: Vec<&str> = aborted.iter().map(String::as_str).collect();
        for expect in ["linearizable", "weak", "eventual", "pram"] {
            assert!(refuted(&aborted[..6], expect), "{expect}");
            assert!(!refuted(&aborted[..5], expect), "{expect}");
        }
    }

    #[test]
    fn what_a_check_misses_may_still_come() {
        let sums = |sum: u8| {
            format!(
                "{}\n{}\n{}\n{}",
                r#"{"process":0,"type":"invoke","f":"add","value":1,"time":1}"#,
                r#"{"process":0,"type":"ok","f":"add","value":1,"time":2}"#,
                r#"{"process":1,"type":"invoke","f":"read","value":null,"time":3}"#,
                format_args!(r#"{{"process":1,"type":"ok","f":"read","value":{sum},"time":4}}"#),
            )
        };
        let counter = |sum| {
            let history = History::read(sums(sum).as_bytes()).unwrap();
            judge(
                &history,
                &Options { model: Some("counter".parse().unwrap()), ..Options::default() },
            )
            .is_refuted()
        };
        assert!(counter(2) && !counter(1));
    }
}
