//! Ends the test if one input takes forever, and keeps inputs that failed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use splitbrain_checker::history::Format;

/// No input takes so long, whatever else the machine does.
const FOREVER: Duration = Duration::from_secs(30);

struct Tried {
    format: Format,
    input: Vec<u8>,
    since: Instant,
}

static TRIED: Mutex<Option<Tried>> = Mutex::new(None);
static WATCH: Once = Once::new();

/// While it lives an input is being tried.
pub struct Guard;

/// An input is tried from here on.
pub fn begin(format: Format, input: &[u8]) -> Guard {
    WATCH.call_once(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                if let Some(tried) = TRIED.lock().ok().as_deref().and_then(Option::as_ref)
                    && tried.since.elapsed() > FOREVER
                {
                    let path = keep(tried.format, &tried.input);
                    eprintln!("an input hangs and was kept: {}", path.display());
                    std::process::abort();
                }
            }
        });
    });
    let mut tried = TRIED.lock().expect("not poisoned");
    *tried = Some(Tried { format, input: input.to_vec(), since: Instant::now() });
    Guard
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Ok(mut tried) = TRIED.lock() {
            *tried = None;
        }
    }
}

/// Writes an input into the folder of regressions.
pub fn keep(format: Format, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/regressions");
    let hash = input.iter().fold(14_695_981_039_346_656_037_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(1_099_511_628_211)
    });
    let path = folder.join(format!("{format}-{hash:016x}"));
    std::fs::write(&path, input).expect("the input is kept");
    path
}
