//! The checker follows the history while the run goes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::anyhow;
use splitbrain_checker::{Rung, Verdict};

use crate::follow::{Follower, Piece, Source};
use crate::interpreter::live::Inbox;
use crate::interpreter::{StopCause, Wake};
use crate::report::{Judged, Question};

/// Whether a run is followed, and what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watching {
    /// It is judged in the end only.
    #[default]
    Not,
    /// That it is not linearizable is told as soon as it is certain.
    Live,
    /// As soon as it is certain that it is not what was expected, the run ends.
    UntilInvalid,
}

/// Follows a history in a thread of its own.
pub struct Watch {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Verdict>>,
}

impl Watch {
    /// Begins to follow; whoever listens to the inbox is told to stop if that is wanted.
    pub fn begin(
        path: &Path,
        question: Question,
        watching: Watching,
        quiet: bool,
        inbox: Inbox,
    ) -> std::io::Result<Option<Watch>> {
        if watching == Watching::Not {
            return Ok(None);
        }
        let ended = Arc::new(AtomicBool::new(false));
        let (seen, path) = (ended.clone(), path.to_owned());
        let found = move |what: &str| {
            if !quiet {
                crate::cli::tell(&format!("\n{what}"));
            }
            if watching == Watching::UntilInvalid {
                inbox.post(Wake::Stop(StopCause::Refuted));
            }
        };
        let follow = move || follow(&path, &question, watching, &seen, &found);
        let thread = std::thread::Builder::new().name("live checker".to_owned()).spawn(follow)?;
        Ok(Some(Watch { ended, thread }))
    }

    /// What it says of the whole history, which is on disk by now.
    pub fn end(self) -> anyhow::Result<Verdict> {
        self.ended.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow!("the live checker has panicked"))?
    }
}

fn follow(
    path: &Path,
    question: &Question,
    watching: Watching,
    ended: &AtomicBool,
    found: &dyn Fn(&str),
) -> anyhow::Result<Verdict> {
    let mut source = Source::open(path)?;
    let mut follower = Follower::new(question, true);
    let mut told = false;
    loop {
        // Asked before reading: what was written before the end is then read.
        let last = ended.load(Ordering::Acquire);
        let more = match source.read()? {
            Piece::New(piece) => follower.take(piece).map(|()| true)?,
            Piece::Nothing | Piece::End => false,
        };
        if !told && let Some(what) = news(&mut follower, &source, watching)? {
            told = true;
            found(&what);
        }
        if last && !more {
            return follower.finish();
        }
    }
}

/// What there is to tell, if there is anything.
fn news(
    follower: &mut Follower,
    source: &Source,
    watching: Watching,
) -> anyhow::Result<Option<String>> {
    if watching == Watching::UntilInvalid {
        let refuted = follower.refuted(source)?;
        return Ok(refuted.map(|judged| {
            let names: Vec<_> = judged.judgement.violations.iter().map(|one| one.name).collect();
            let remarks = judged.remarks.join("; ");
            format!("not {}: {}, {remarks}", judged.judgement.expect, names.join(", "))
        }));
    }
    Ok(follower.violation().map(|certainty| {
        let key = certainty.key.as_ref().map_or(String::new(), |key| format!(", key {key}"));
        format!("not linearizable: certain at line {}{key}", certainty.at.line)
    }))
}

/// Whether the live verdict is the stored one. Where the live checker cannot tell, it is not asked;
/// what it has found must be there, and what it has not found must not.
pub fn compare(live: &anyhow::Result<Verdict>, judged: &mut Judged) {
    let stored = judged.judgement.ladder.get(&Rung::Linearizable);
    let differ = match (live, stored) {
        (Err(error), _) => Some(format!("the live checker failed: {error:#}")),
        (Ok(Verdict::Unknown { .. }), _) | (_, Some(Verdict::Unknown { .. }) | None) => None,
        (Ok(live), Some(stored)) if live == stored => None,
        (Ok(live), Some(stored)) => Some(format!(
            "the live checker says {} of linearizable, and the stored history is {}",
            live.name(),
            stored.name()
        )),
    };
    if let Some(why) = differ {
        judged.fail(&why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;
    use crate::report::judge_history;
    use splitbrain_checker::history::History;
    use std::fs::File;
    use std::io::Write as _;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    const LINES: [&str; 5] = [
        r#"{"process":0,"type":"invoke","f":"write","value":1,"time":10}"#,
        r#"{"process":0,"type":"ok","f":"write","value":1,"time":20}"#,
        r#"{"process":1,"type":"invoke","f":"read","value":null,"time":30}"#,
        r#"{"process":1,"type":"ok","f":"read","value":null,"time":40}"#,
        r#"{"process":2,"type":"invoke","f":"read","value":null,"time":50}"#,
    ];

    /// Follows a file that grows by a line at a time; what was found, and the verdict.
    fn followed(lines: &[&str], watching: Watching, expect: &str) -> (Vec<String>, Verdict) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let mut file = File::create(&path).unwrap();
        let (sender, receiver) = channel();
        let ended = Arc::new(AtomicBool::new(false));
        let seen = ended.clone();
        let question = Question { expect: Some(expect.parse().unwrap()), ..Question::default() };
        let thread = std::thread::spawn(move || {
            let found = |what: &str| sender.send(what.to_owned()).unwrap();
            follow(&path, &question, watching, &seen, &found).unwrap()
        });
        for line in lines {
            writeln!(file, "{line}").unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        // Longer than all of it is not judged.
        std::thread::sleep(Duration::from_millis(300));
        ended.store(true, Ordering::Release);
        let verdict = thread.join().unwrap();
        (receiver.iter().collect(), verdict)
    }

    fn judged(lines: &[&str]) -> Judged {
        let history = History::read(lines.join("\n").as_bytes()).unwrap();
        judge_history(&history, &Question::default(), std::time::Instant::now())
    }

    #[test]
    fn a_violation_is_told_once_and_is_in_the_verdict() {
        let (found, verdict) = followed(&LINES, Watching::Live, "linearizable");
        // The fifth line may have come with the fourth.
        let only = "not linearizable: certain at line ";
        assert!(matches!(&found[..], [one] if one.starts_with(only)), "{found:?}");
        assert_eq!(verdict, Verdict::Invalid);
        let good = LINES.map(|line| {
            line.replace(r#""ok","f":"read","value":null"#, r#""ok","f":"read","value":1"#)
        });
        let good: Vec<&str> = good.iter().map(String::as_str).collect();
        let of_good = followed(&good, Watching::Live, "linearizable");
        assert_eq!(of_good, (Vec::new(), Verdict::Valid));
    }

    #[test]
    fn what_was_expected_is_refuted_and_nothing_else() {
        let own = LINES.map(|line| line.replace("\"process\":1", "\"process\":0"));
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let until =
            |lines: &[&str], expect: &str| followed(lines, Watching::UntilInvalid, expect).0;
        let found = until(&own, "read-your-writes");
        let only = "not read-your-writes: ";
        assert!(matches!(&found[..], [one] if one.starts_with(only)), "{found:?}");
        assert!(found[0].ends_with("certain at line 4, whatever follows"), "{found:?}");
        assert_eq!(until(&LINES, "read-your-writes"), Vec::<String>::new());
        assert_eq!(until(&own, "eventual"), Vec::<String>::new());
        assert!(until(&LINES, "linearizable")[0].starts_with("not linearizable: "));
    }

    #[test]
    fn a_live_verdict_that_is_not_the_stored_one_is_a_failure_of_the_harness() {
        let check = |live: Verdict, lines: &[&str], exit: Exit| {
            let mut judged = judged(lines);
            compare(&Ok(live), &mut judged);
            assert_eq!(judged.exit(), exit);
        };
        check(Verdict::Invalid, &LINES, Exit::Invalid);
        check(Verdict::Valid, &LINES[..2], Exit::Valid);
        check(Verdict::unknown("it cannot tell"), &LINES[..2], Exit::Valid);
        check(Verdict::Invalid, &LINES[..2], Exit::Harness);
        let mut broken = judged(&LINES[..2]);
        compare(&Err(anyhow!("disk")), &mut broken);
        assert_eq!(broken.exit(), Exit::Harness);
    }
}
