//! The harness's end of the line to a disk's process.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{Answer, Condition, Damage, Damaged, Lost, Report, Request};

/// After this the process hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// A line to the process of one disk. The process ends when the line does.
#[derive(Debug)]
pub struct Line {
    stream: BufReader<UnixStream>,
}

impl Line {
    /// A line, and its other end, which is to be the standard input of the process.
    ///
    /// # Errors
    /// The system gives none.
    pub fn new() -> io::Result<(Line, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(PATIENCE))?;
        ours.set_write_timeout(Some(PATIENCE))?;
        Ok((Line { stream: BufReader::new(ours) }, theirs.into()))
    }

    /// What the disk says of itself. The first answer comes once it is mounted.
    ///
    /// # Errors
    /// It could not be mounted, or is gone.
    pub fn report(&mut self) -> io::Result<Report> {
        Ok(self.ask(Request::Report)?.report)
    }

    /// Says what is wrong from now on.
    ///
    /// # Errors
    /// The disk is gone.
    pub fn set(&mut self, condition: Condition) -> io::Result<Report> {
        Ok(self.ask(Request::Set(condition))?.report)
    }

    /// Takes what is not durable; or of it, with `keep_percent`, only the end of the last write to
    /// each file. No process of the node may run.
    ///
    /// # Errors
    /// The disk is gone, or the machine's own one does not let it.
    pub fn cut_power(&mut self, keep_percent: Option<u8>) -> io::Result<Lost> {
        Ok(self.ask(Request::CutPower { keep_percent })?.lost.unwrap_or_default())
    }

    /// Damages files; one byte of each damage.
    ///
    /// # Errors
    /// The disk is gone, or the machine's own one does not let it.
    pub fn damage(&mut self, damage: Damage, seed: u64) -> io::Result<Vec<Damaged>> {
        Ok(self.ask(Request::Damage { damage, seed })?.damaged)
    }

    /// Mends all damage but what the node has written over; what was mended.
    ///
    /// # Errors
    /// The disk is gone, or the machine's own one does not let it.
    pub fn repair(&mut self) -> io::Result<Vec<Damaged>> {
        Ok(self.ask(Request::Repair)?.damaged)
    }

    fn ask(&mut self, request: Request) -> io::Result<Answer> {
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        let mut answer = String::new();
        if self.stream.read_line(&mut answer)? == 0 {
            return Err(io::Error::other("the disk's process is gone"));
        }
        let answer: Result<Answer, String> = serde_json::from_str(&answer)?;
        answer.map_err(io::Error::other)
    }
}
