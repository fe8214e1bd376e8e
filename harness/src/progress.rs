//! The progress line: elapsed time, rate, outcomes, the fault in force. Only on a terminal.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::interpreter::Counts;

/// What the run is doing, in a word or two.
pub type Doing = Arc<Mutex<String>>;

/// A line on standard error that a thread keeps up to date until it is dropped.
pub struct Progress {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows nothing if `quiet` or if standard error is no terminal.
    pub fn show(quiet: bool, zero: Instant, counts: Arc<Counts>, doing: Doing) -> Progress {
        let ended = Arc::new(AtomicBool::new(false));
        if quiet || !std::io::stderr().is_terminal() {
            return Progress { ended, thread: None };
        }
        let seen = ended.clone();
        let thread = std::thread::spawn(move || {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {msg}");
            bar.set_style(style.expect("the template is well-formed"));
            let mut last = (Instant::now(), 0);
            while !seen.load(Ordering::Relaxed) {
                let total = counts.invoked.load(Ordering::Relaxed);
                let rate = (total - last.1) as f64 / last.0.elapsed().as_secs_f64().max(0.001);
                last = (Instant::now(), total);
                bar.set_message(format!(
                    "{:5.1} s  {rate:6.0} op/s  ok {} fail {} info {}  {}",
                    zero.elapsed().as_secs_f64(),
                    counts.ok.load(Ordering::Relaxed),
                    counts.fail.load(Ordering::Relaxed),
                    counts.info.load(Ordering::Relaxed),
                    doing.lock().expect("no one panics here"),
                ));
                bar.tick();
                std::thread::sleep(Duration::from_millis(200));
            }
            bar.finish_and_clear();
        });
        Progress { ended, thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
