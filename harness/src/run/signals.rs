//! Ctrl-C and its kin end a run in order; a second one ends it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::interpreter::live::Inbox;
use crate::interpreter::{StopCause, Wake};

/// Whether the user has asked for the end.
#[derive(Clone, Default)]
pub struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    /// Whether it has happened.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Listens from now on, for the rest of the process.
pub fn listen(inbox: Inbox) -> std::io::Result<Interrupted> {
    let interrupted = Interrupted::default();
    let seen = interrupted.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            if seen.0.swap(true, Ordering::Relaxed) {
                // Whoever asks twice wants out; the keeper cleans up behind this process.
                std::process::exit(70);
            }
            inbox.post(Wake::Stop(StopCause::Interrupted));
            crate::cli::tell("\nending in order: healing, then judging (again to end at once)");
        }
    })?;
    Ok(interrupted)
}
