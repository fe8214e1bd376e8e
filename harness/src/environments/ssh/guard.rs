//! The far side: a process on the host that outlives connections, and heals its host when no one
//! has asked it anything for longer than its lease.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::IpAddr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};
use splitbrain_nemesis::iptables::Control;

use super::bootstrap::SOCKET;
use super::protocol::{Ask, Reply, Request, WORD};
use super::ward::Ward;

/// How often the lease is looked at.
const LOOK_AFTER: Duration = Duration::from_millis(100);
/// How often healing is tried after the lease, once a second; then what is left is for
/// `splitbrain heal`.
const HEAL_TRIES: u32 = 60;

/// Becomes the guard in the background and, in the foreground, the relay to it. To be called
/// while the process has one thread.
pub fn serve(run: &str, lease: Duration, ssh_connection: &str) -> ExitCode {
    let refuse = |why: &str| {
        println!("{WORD} no {why}");
        ExitCode::FAILURE
    };
    let Ok((ours, theirs)) = UnixStream::pair() else { return refuse("no socket") };
    // SAFETY: there is one thread, so the child may do everything.
    match unsafe { fork() } {
        Err(error) => refuse(&error.to_string()),
        Ok(ForkResult::Child) => {
            drop(ours);
            guard(run, lease, control(ssh_connection), theirs)
        }
        Ok(ForkResult::Parent { .. }) => {
            drop(theirs);
            let mut said = String::new();
            match BufReader::new(ours).read_line(&mut said).map(|_| said.trim_end().split_once(' '))
            {
                Ok(Some(("up", folder))) => {
                    println!("{WORD} up {folder}");
                    relay(&Path::new(folder).join(SOCKET))
                }
                Ok(Some((_, why))) => refuse(why),
                _ => refuse("the guard did not come up"),
            }
        }
    }
}

/// The connection over which this host is controlled, from `SSH_CONNECTION` of ssh(1).
fn control(ssh_connection: &str) -> Option<Control> {
    let words: Vec<&str> = ssh_connection.split(' ').collect();
    let [from, _, _, port] = words[..] else { return None };
    let from: IpAddr = from.parse().ok()?;
    let port = port.parse().ok()?;
    from.is_ipv4().then_some(Control { from, port })
}

/// The life of the guard.
fn guard(run: &str, lease: Duration, control: Option<Control>, mut parent: UnixStream) -> ExitCode {
    let up = settle()
        .and_then(|()| Ward::make(run, control))
        .and_then(|ward| Ok((UnixListener::bind(ward.folder().join(SOCKET))?, ward)));
    let (listener, ward) = match up {
        Ok(up) => up,
        Err(error) => {
            let _ = writeln!(parent, "no {}", error.to_string().replace('\n', " "));
            return ExitCode::FAILURE;
        }
    };
    let folder = ward.folder().display().to_string();
    let desk =
        Arc::new(Mutex::new(Desk { ward, lease, until: Instant::now() + lease, last: None }));
    let accepting = Arc::clone(&desk);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let desk = Arc::clone(&accepting);
            thread::spawn(move || answer(&desk, stream));
        }
    });
    let _ = writeln!(parent, "up {folder}");
    drop(parent);
    loop {
        thread::sleep(LOOK_AFTER);
        if lock(&desk).until < Instant::now() {
            return heal_at_last(&desk);
        }
    }
}

fn heal_at_last(desk: &Mutex<Desk>) -> ExitCode {
    for _ in 0..HEAL_TRIES {
        if lock(desk).ward.heal().is_empty() {
            return ExitCode::SUCCESS;
        }
        thread::sleep(Duration::from_secs(1));
    }
    ExitCode::FAILURE
}

/// Cuts every tie to the session that it was started in: `sshd` waits for whoever holds its pipes.
fn settle() -> io::Result<()> {
    setsid()?;
    std::env::set_current_dir("/")?;
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// What all connections share: there is one harness, and it asks one thing at a time.
struct Desk {
    ward: Ward,
    lease: Duration,
    /// When the lease ends.
    until: Instant,
    /// The last question's number and answer, for whoever did not hear it.
    last: Option<(u64, String)>,
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// The answer to a question, and whether this was the last one.
    fn answer(&mut self, question: &str) -> (String, bool) {
        let Ok(Request { id, ask }) = serde_json::from_str(question) else {
            return (String::new(), false);
        };
        self.until = Instant::now() + self.lease;
        if let Some((last, answer)) = &self.last
            && *last == id
        {
            return (answer.clone(), false);
        }
        let is_end = matches!(ask, Ask::Heal);
        let answer = self.ward.answer(ask).map_err(|error| error.to_string());
        // What took long was no silence of the harness.
        self.until = Instant::now() + self.lease;
        let over = is_end && answer.as_ref().is_ok_and(|left| *left == serde_json::json!([]));
        let text = serde_json::to_string(&Reply { id, answer }).unwrap_or_default();
        self.last = Some((id, text.clone()));
        (text, over)
    }
}

/// Answers one connection to its end.
fn answer(desk: &Mutex<Desk>, stream: UnixStream) {
    let Ok(mut back) = stream.try_clone() else { return };
    for question in BufReader::new(stream).lines() {
        let Ok(question) = question else { return };
        let (answer, over) = lock(desk).answer(&question);
        let sent = writeln!(back, "{answer}");
        if over {
            // Nothing is left, this process excepted.
            std::process::exit(0);
        }
        if sent.is_err() {
            return;
        }
    }
}

/// Carries lines between this process's standard streams and a guard, until one of them ends.
pub fn relay(socket: &Path) -> ExitCode {
    let Ok(mut from_guard) = UnixStream::connect(socket) else {
        // Its keeper is perhaps just cleaning up; then there will be no socket soon.
        eprintln!("its guard is dead");
        return ExitCode::FAILURE;
    };
    let Ok(mut to_guard) = from_guard.try_clone() else { return ExitCode::FAILURE };
    thread::spawn(move || {
        let _ = carry(io::stdin().lock(), &mut to_guard);
        std::process::exit(0);
    });
    let ended = carry(&mut from_guard, io::stdout().lock());
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Copies to the end. Not by `io::copy`, which has the kernel wait for data with the pipe locked
/// (splice(2)), so that nobody can read what is in it already.
fn carry(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut some = [0; 64 << 10];
    loop {
        match from.read(&mut some)? {
            0 => return Ok(()),
            read => to.write_all(&some[..read]).and_then(|()| to.flush())?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_connection_is_read_from_what_sshd_says() {
        let control = control("10.77.0.254 41234 10.77.0.1 2222").unwrap();
        assert_eq!((control.from.to_string(), control.port), ("10.77.0.254".to_owned(), 2222));
        for other in
            ["", "10.77.0.254 1 10.77.0.1", "fe80::1 1 fe80::2 22", "UNKNOWN 65535 x 65535"]
        {
            assert_eq!(super::control(other), None, "{other}");
        }
    }
}
