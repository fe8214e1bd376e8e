//! `splitbrain check --follow`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::follow::{Follower, Piece, Source};
use crate::report::{Judged, Question};

/// Judges as soon as there is a violation that refutes what was expected, and else when the
/// history is over: its run takes everything down, the input ends, or someone presses Ctrl-C.
pub fn follow(path: &Path, question: &Question) -> anyhow::Result<Judged> {
    let interrupted = Arc::new(AtomicBool::new(false));
    // Whoever presses it twice does not want to wait for a verdict.
    let signal = signal_hook::consts::SIGINT;
    signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&interrupted))?;
    signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    let is_interrupted = || interrupted.load(Ordering::Relaxed);
    let mut source = Source::open(path)?;
    let mut follower = Follower::new(question, false);
    if source.is_file() {
        super::tell(&format!(
            "{}: followed until a violation, the end of its run, or Ctrl-C, which gives the \
             verdict so far",
            source.name
        ));
    }
    while !follower.is_over() && !is_interrupted() {
        match source.read()? {
            Piece::New(piece) => {
                let taken = follower.take(piece);
                taken.map_err(|error| error.context(source.name.clone()))?;
            }
            Piece::Nothing => {}
            Piece::End => break,
        }
        if let Some(judged) = follower.refuted(&source)? {
            return Ok(judged);
        }
    }
    let mut judged = follower.judge(&source, None)?;
    if is_interrupted() {
        let line = follower.line();
        judged.remarks.push(format!("interrupted after line {line}: this is the verdict so far"));
    }
    Ok(judged)
}
