//! Programs of the machine that are asked something: none is waited for without a limit.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long a program may take. The slowest that is asked, a firewall with thousands of rules, takes
/// a fraction of a second.
pub const LIMIT: Duration = Duration::from_secs(10);
/// More than that of output is no answer.
const OUTPUT_MOST: usize = 16 << 20;

/// What a program answered.
pub struct Answer {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote on standard output.
    pub stdout: Vec<u8>,
    /// What it wrote on standard error.
    pub stderr: Vec<u8>,
}

/// Runs a command to its end with `input` on its standard input.
///
/// # Errors
/// It could not be started, or it took longer than `limit` or wrote more than 16 MiB and was killed.
pub fn ask(command: &mut Command, input: &str, limit: Duration) -> io::Result<Answer> {
    let deadline = Instant::now() + limit;
    let started =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let answer = started.and_then(|mut child| {
        let answer = converse(&mut child, input, deadline);
        if answer.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        answer
    });
    answer.map_err(|error| {
        let program = command.get_program().to_string_lossy();
        io::Error::new(error.kind(), format!("{program}: {error}"))
    })
}

fn converse(child: &mut Child, input: &str, deadline: Instant) -> io::Result<Answer> {
    // Inputs are smaller than a pipe holds, so this waits for nobody.
    let written = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    let stdout = collect(child.stdout.take().expect("it is piped"), deadline);
    let stderr = collect(child.stderr.take().expect("it is piped"), deadline);
    let (stdout, stderr) = (stdout?, stderr?);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            return Err(late());
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    if status.success() {
        written?;
    }
    Ok(Answer { status, stdout, stderr })
}

/// Reads to the end. What goes to the other stream meanwhile stays in its pipe; a program that
/// fills that up does not end either, and so is late.
fn collect(mut stream: impl Read + AsFd, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut some = vec![0; 64 << 10];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut waiting = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, timeout) {
            Ok(0) => return Err(late()),
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match stream.read(&mut some)? {
            0 => return Ok(all),
            read => all.extend_from_slice(&some[..read]),
        }
        if all.len() > OUTPUT_MOST {
            return Err(io::Error::other("it does not stop talking"));
        }
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it does not answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit_ms: u64) -> io::Result<Answer> {
        let mut command = Command::new("sh");
        ask(command.args(["-c", script]), "hello", Duration::from_millis(limit_ms))
    }

    #[test]
    fn what_it_says_comes_back() {
        let answer = shell("cat; echo no >&2; exit 3", 5_000).unwrap();
        assert_eq!((&*answer.stdout, &*answer.stderr), (&b"hello"[..], &b"no\n"[..]));
        assert_eq!(answer.status.code(), Some(3));
    }

    #[test]
    fn who_does_not_answer_or_does_not_stop_is_killed() {
        let hangs = shell("exec sleep 60", 100).err().unwrap();
        assert_eq!(hangs.kind(), io::ErrorKind::TimedOut, "{hangs}");
        let deaf = shell("exec >&- 2>&-; exec sleep 60", 100).err().unwrap();
        assert_eq!(deaf.kind(), io::ErrorKind::TimedOut, "{deaf}");
        let babbles = shell("exec yes", 60_000).err().unwrap();
        assert!(babbles.to_string().contains("stop talking"), "{babbles}");
    }
}
