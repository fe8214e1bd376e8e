//! One `ssh` process, and lines to and from what it runs on the far side.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long a process that was told to end is listened to for its last words.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// More than that of last words nobody reads.
const WORDS_MOST: u64 = 4096;

/// A line to a host. The process ends when this is dropped.
pub(super) struct Line {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    heard: Vec<u8>,
}

impl Line {
    /// Starts the process; whether it gets through shows when it is listened to.
    pub(super) fn open(command: &mut Command) -> io::Result<Line> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C on the harness's terminal is for the harness alone.
            .process_group(0)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("ssh: {error}")))?;
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        Ok(Line { child, stdin, stdout, heard: Vec::new() })
    }

    /// Says a line.
    pub(super) fn say(&mut self, line: &str) -> io::Result<()> {
        let said = self.stdin.write_all(line.as_bytes()).and_then(|()| self.stdin.write_all(b"\n"));
        said.map_err(|_| self.why_it_ended())
    }

    /// Sends a whole file.
    pub(super) fn send(&mut self, mut file: &File) -> io::Result<()> {
        io::copy(&mut file, &mut self.stdin).map(drop).map_err(|_| self.why_it_ended())
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// None has come by then, or none will come.
    pub(super) fn hear(&mut self, until: Instant) -> io::Result<String> {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let left = until.saturating_duration_since(Instant::now());
            let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.stdout.as_fd(), PollFlags::POLLIN)], left) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")),
                Ok(_) => {}
                Err(nix::errno::Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let mut some = [0; 64 << 10];
            match self.stdout.read(&mut some)? {
                0 => return Err(self.why_it_ended()),
                read => self.heard.extend_from_slice(&some[..read]),
            }
        }
    }

    /// Its last words: what `ssh` or the far side said of the end.
    fn why_it_ended(&mut self) -> io::Error {
        let until = Instant::now() + LAST_WORDS;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let mut said = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            let _ = stderr.take(WORDS_MOST).read_to_end(&mut said);
        }
        let said = String::from_utf8_lossy(&said);
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let why = if said.is_empty() { "the connection ended".into() } else { said.join("; ") };
        io::Error::new(io::ErrorKind::ConnectionAborted, why)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Line {
        Line::open(Command::new("sh").args(["-c", script])).unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn lines_go_to_and_fro() {
        let mut line = shell("read a; echo got $a; read b; echo got $b; echo rest");
        line.say("one").unwrap();
        assert_eq!(line.hear(soon()).unwrap(), "got one");
        line.say("two").unwrap();
        assert_eq!(line.hear(soon()).unwrap(), "got two");
        assert_eq!(line.hear(soon()).unwrap(), "rest");
    }

    #[test]
    fn silence_and_the_end_are_errors_and_the_end_has_its_words() {
        let mut silent = shell("exec sleep 60");
        let error = silent.hear(Instant::now() + Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let mut ended = shell("echo no route >&2; exit 255");
        let error = ended.hear(soon()).unwrap_err();
        assert_eq!(error.to_string(), "no route");
    }
}
