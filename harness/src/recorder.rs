//! The recorder: gives each event its index and keeps the file a prefix of the truth.
//!
//! Lines are put together in the loop and written by a thread of their own, so that a slow disk
//! delays no stamp. The file is at most 30 ms plus one write behind.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use splitbrain_checker::history::{Event, Header};

/// Longest time that a line stays in the buffer.
const FLUSH_NS: u64 = 30_000_000;
/// A buffer of this size is handed on at once.
const FLUSH_BYTES: usize = 64 * 1024;

enum Order {
    Write(Vec<u8>),
    Sync,
}

/// Where the lines of a history go.
pub struct Recorder {
    buffer: Vec<u8>,
    index: u64,
    last_time: u64,
    flushed: u64,
    sink: Sink,
}

enum Sink {
    File { orders: Option<Sender<Order>>, thread: Option<JoinHandle<()>>, failure: Failure },
    Memory(Arc<Mutex<Vec<u8>>>),
}

type Failure = Arc<Mutex<Option<String>>>;

impl Recorder {
    /// A history in a new file, with its header already on disk.
    pub fn create(path: &Path, header: &Header) -> std::io::Result<Recorder> {
        let mut file = File::create(path)?;
        let mut line = serde_json::to_vec(header)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_data()?;
        let failure = Failure::default();
        let (orders, inbox) = mpsc::channel();
        let seen = failure.clone();
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            for order in inbox {
                let done = match &order {
                    Order::Write(bytes) => file.write_all(bytes),
                    Order::Sync => file.sync_data(),
                };
                if let Err(error) = done {
                    *seen.lock().expect("no one panics here") = Some(error.to_string());
                    // Nothing may follow a line that is cut off.
                    break;
                }
            }
        })?;
        Ok(Recorder::new(Sink::File { orders: Some(orders), thread: Some(thread), failure }))
    }

    /// A history in memory, without header: what tests in virtual time compare.
    pub fn memory() -> (Recorder, Arc<Mutex<Vec<u8>>>) {
        let bytes = Arc::default();
        (Recorder::new(Sink::Memory(Arc::clone(&bytes))), bytes)
    }

    fn new(sink: Sink) -> Recorder {
        Recorder { buffer: Vec::new(), index: 0, last_time: 0, flushed: 0, sink }
    }

    /// Appends an event and returns it with its index and its time, which never goes back.
    pub fn write(&mut self, mut event: Event) -> Event {
        event.index = self.index;
        event.time = event.time.max(self.last_time);
        self.index += 1;
        self.last_time = event.time;
        serde_json::to_writer(&mut self.buffer, &event).expect("an event is always JSON");
        self.buffer.push(b'\n');
        if self.buffer.len() >= FLUSH_BYTES {
            self.hand_on();
        }
        event
    }

    /// Hands the buffer on if it has been there for long enough.
    pub fn flush(&mut self, now: u64) {
        if now >= self.flushed + FLUSH_NS {
            self.flushed = now;
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(FLUSH_BYTES + 1024));
        match &self.sink {
            Sink::Memory(all) => all.lock().expect("no one panics here").extend(bytes),
            Sink::File { orders: Some(orders), .. } => {
                // After a failed write there is no receiver; the loop sees the failure.
                let _ = orders.send(Order::Write(bytes));
            }
            Sink::File { orders: None, .. } => {}
        }
    }

    /// Hands the buffer on and asks for it to be put on the disk, without waiting for that.
    pub fn sync(&mut self) {
        self.hand_on();
        if let Sink::File { orders: Some(orders), .. } = &self.sink {
            let _ = orders.send(Order::Sync);
        }
    }

    /// Why the file could not be written, if so. What came before is on disk.
    pub fn failure(&self) -> Option<String> {
        match &self.sink {
            Sink::File { failure, .. } => failure
                .lock()
                .expect("no one panics here")
                .as_ref()
                .map(|error| format!("the history cannot be written: {error}")),
            Sink::Memory(_) => None,
        }
    }

    /// Ends the file and waits until all of it is on the disk.
    pub fn close(&mut self) {
        self.sync();
        if let Sink::File { orders, thread, .. } = &mut self.sink {
            drop(orders.take());
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}
