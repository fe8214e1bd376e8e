//! A history is judged while it is being written.
//!
//! Registers that are to be linearizable are followed line by line. Where that cannot tell, all
//! that is there is judged again and again.

mod source;

use std::time::{Duration, Instant};

use anyhow::anyhow;
use splitbrain_checker::history::{Format, ReadOptions};
use splitbrain_checker::stream::{Certainty, Place, Stream};
use splitbrain_checker::{Expectation, Rung, Verdict};

pub use self::source::{Piece, Source};
use crate::report::{self, Judged, Question};

/// Judging all there is again and again takes at most one part in so many of the time.
const TIME_SHARE: u32 = 10;
/// The shortest time between two such judgements.
const LEAST_PAUSE: Duration = Duration::from_millis(200);

/// Reads a history that grows.
pub struct Follower<'q> {
    question: &'q Question,
    reading: ReadOptions,
    stream: Stream,
    /// What was read before its format could be told.
    beginning: Vec<u8>,
    /// Nothing more can be said until the end.
    waits: bool,
    /// Up to here all of it was judged, and not refuted.
    judged: Place,
    /// So many completions had come when it was.
    completions: u64,
    next_judgement: Instant,
    has_told: bool,
    quiet: bool,
}

impl<'q> Follower<'q> {
    /// Before anything was read. The quiet one does not say that all is judged from time to time.
    pub fn new(question: &'q Question, quiet: bool) -> Follower<'q> {
        Follower {
            question,
            reading: question.reading,
            stream: Stream::new(&question.options()),
            beginning: Vec::new(),
            // What a system gives up when it is partitioned is known in the end only.
            waits: matches!(question.expect, Some(Expectation::Cap(_))),
            judged: Place::default(),
            completions: 0,
            next_judgement: Instant::now(),
            has_told: false,
            quiet,
        }
    }

    /// Takes the next piece of the history.
    pub fn take(&mut self, piece: &[u8]) -> anyhow::Result<()> {
        match self.reading.format {
            Some(Format::Jsonl) => Ok(self.stream.push(piece)?),
            Some(_) => Ok(()),
            None => {
                self.beginning.extend_from_slice(piece);
                // The first line tells.
                let is_line = |text: &[u8]| text.trim_ascii_start().contains(&b'\n');
                if !piece.contains(&b'\n') || !is_line(&self.beginning) {
                    return Ok(());
                }
                self.reading.format = Some(Format::detect(&self.beginning));
                let beginning = std::mem::take(&mut self.beginning);
                self.take(&beginning)
            }
        }
    }

    /// Whether its run takes everything down.
    pub fn is_over(&self) -> bool {
        self.stream.is_over()
    }

    /// The last line that was taken.
    pub fn line(&self) -> u64 {
        self.stream.place().line
    }

    /// The first place at which it is certain that registers are not linearizable, whatever was expected.
    pub fn violation(&self) -> Option<&Certainty> {
        self.stream.violation()
    }

    /// Whether all of it was linearizable, as far as that could be followed.
    pub fn finish(self) -> anyhow::Result<Verdict> {
        Ok(self.stream.finish()?)
    }

    /// The judgement of the history up to the line with which it is refuted, if it is.
    pub fn refuted(&mut self, source: &Source) -> anyhow::Result<Option<Judged>> {
        if self.waits {
            return Ok(None);
        }
        let reason = match self.reading.format {
            Some(Format::Jsonl) if self.reading.independent => Some("keys are part of the values"),
            Some(Format::Jsonl) => self.stream.doubt(),
            None => return Ok(None),
            Some(format) if source.is_file() => {
                return Err(anyhow!(
                    "{}: expected JSON lines, which alone can be followed, found {format}",
                    source.name
                ));
            }
            Some(_) => {
                self.waits = true;
                return Ok(None);
            }
        };
        let (after, at) = match (reason, self.stream.violation()) {
            (Some(reason), _) => {
                let completions = self.stream.completions();
                if completions == self.completions || Instant::now() < self.next_judgement {
                    return Ok(None);
                }
                self.completions = completions;
                if !self.quiet && !std::mem::replace(&mut self.has_told, true) {
                    crate::cli::tell(&format!(
                        "{}: {reason}, so that all of it is judged from time to time",
                        source.name
                    ));
                }
                (self.judged, self.stream.place())
            }
            (None, Some(certainty)) => (certainty.after, certainty.at),
            (None, None) => return Ok(None),
        };
        let begun = Instant::now();
        let judged = self.judge(source, Some(at.bytes))?;
        self.next_judgement = Instant::now() + LEAST_PAUSE.max(begun.elapsed() * TIME_SHARE);
        self.judged = at;
        if judged.judgement.is_refuted() {
            return self.first_refuted(source, after, at).map(Some);
        }
        // Then a weaker class was expected, of which only the end tells.
        self.waits = judged.judgement.ladder.get(&Rung::Linearizable) == Some(&Verdict::Invalid);
        Ok(None)
    }

    /// The judgement up to the first line at which the history is refuted: not yet after the
    /// first place, and after the second.
    fn first_refuted(&self, source: &Source, after: Place, at: Place) -> anyhow::Result<Judged> {
        let ends = source.line_ends(after.bytes, at.bytes)?;
        // Whatever is refuted stays so, whatever follows.
        let (mut low, mut high) = (0, ends.len().saturating_sub(1));
        while low < high {
            let middle = low.midpoint(high);
            match self.judge(source, Some(ends[middle]))?.judgement.is_refuted() {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        let mut judged = self.judge(source, ends.get(low).copied())?;
        let line = after.line + low as u64 + 1;
        judged.remarks.push(format!("certain at line {line}, whatever follows"));
        Ok(judged)
    }

    /// Judges the first `bytes` of it, by default all that is there.
    pub fn judge(&self, source: &Source, bytes: Option<u64>) -> anyhow::Result<Judged> {
        let begun = Instant::now();
        let history = source.history(bytes, &self.reading)?;
        let judged = report::judge_history(&history, self.question, begun);
        report::fits(&judged, &source.name, |index| source.line_of(index, &self.reading))?;
        Ok(judged)
    }
}
