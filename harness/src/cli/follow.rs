//! `splitbrain check --follow`: a history is judged while it is being written.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use splitbrain_checker::Verdict;
use splitbrain_checker::history::History;
use splitbrain_checker::stream::{Certainty, Stream};

use crate::report::{self, Judged, Question};

/// How long to wait where nothing new is there.
const PAUSE: Duration = Duration::from_millis(20);
/// How much is read at once.
const PIECE_BYTES: usize = 1 << 18;

/// Where the history comes from.
enum Source {
    /// It may still grow.
    File { path: PathBuf, file: File },
    /// Kept, because it cannot be read again.
    Input(Vec<u8>),
}

impl Source {
    fn open(path: &Path) -> anyhow::Result<Source> {
        if path == Path::new("-") {
            return Ok(Source::Input(Vec::new()));
        }
        let file = File::open(path).with_context(|| format!("{}", path.display()))?;
        Ok(Source::File { path: path.to_owned(), file })
    }

    /// What has come since the last time; `None` if nothing will come any more.
    fn read(&mut self, piece: &mut [u8]) -> io::Result<Option<usize>> {
        match self {
            Source::File { file, .. } => file.read(piece).map(Some),
            Source::Input(all) => {
                let read = io::stdin().lock().read(piece)?;
                all.extend_from_slice(&piece[..read]);
                Ok((read > 0).then_some(read))
            }
        }
    }

    /// Judges the first `bytes` of it, by default all that is there.
    fn judge(&self, bytes: Option<u64>, question: &Question) -> anyhow::Result<Judged> {
        let begun = Instant::now();
        let most = bytes.unwrap_or(u64::MAX);
        let history = match self {
            Source::File { path, .. } => {
                let file = File::open(path).with_context(|| format!("{}", path.display()))?;
                let input = io::BufReader::with_capacity(1 << 20, file.take(most));
                History::read_with(input, &question.reading)?
            }
            Source::Input(all) => {
                let end = usize::try_from(most).unwrap_or(usize::MAX).min(all.len());
                History::read_with(&all[..end], &question.reading)?
            }
        };
        Ok(report::judge_history(&history, question, begun))
    }
}

/// Judges as soon as there is a violation that refutes what was expected, and else when the
/// history is over: its run takes everything down, the input ends, or someone presses Ctrl-C.
pub fn follow(path: &Path, question: &Question) -> anyhow::Result<Judged> {
    let mut source = Source::open(path)?;
    let mut stream = Stream::new(&question.options());
    let mut is_certain = false;
    let mut piece = vec![0; PIECE_BYTES];
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted))?;
    while !stream.is_over() && !interrupted.load(Ordering::Relaxed) {
        let Some(read) = source.read(&mut piece)? else { break };
        if read == 0 {
            std::thread::sleep(PAUSE);
        }
        stream.push(&piece[..read])?;
        if let Some(Certainty { line, bytes, .. }) = stream.violation().filter(|_| !is_certain) {
            is_certain = true;
            let mut judged = source.judge(Some(*bytes), question)?;
            // A weaker class may have been expected.
            if judged.judgement.verdict == Verdict::Invalid {
                judged.remarks.push(format!("certain at line {line}, whatever follows"));
                return Ok(judged);
            }
        }
    }
    source.judge(None, question)
}
