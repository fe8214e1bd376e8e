//! Our chain in the firewall of a machine that others use as well.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::iptables::unhook_text;

/// Whether the firewall of this network namespace has our chain.
///
/// # Errors
/// `iptables-save` cannot be run.
pub fn chain_is_there() -> io::Result<bool> {
    how_to_remove().map(|text| text.is_some())
}

/// Takes our chain and the jumps to it away, and looks whether it is gone. True if it was there.
pub(super) fn remove_chain() -> io::Result<bool> {
    let Some(text) = how_to_remove()? else { return Ok(false) };
    let mut child = Command::new("iptables-restore")
        .args(["--noflush", "-w", "5"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // If it does not take this, its own words say why.
        let _ = input.write_all(text.as_bytes());
    }
    let said = child.wait_with_output()?.stderr;
    // Somebody else may have done it meanwhile, so what counts is what is there now.
    if chain_is_there()? {
        return Err(failed("iptables-restore", &said));
    }
    Ok(true)
}

fn how_to_remove() -> io::Result<Option<String>> {
    let mut save = Command::new("iptables-save");
    let saved = save.args(["-t", "filter"]).stdin(Stdio::null()).output()?;
    if !saved.status.success() {
        return Err(failed("iptables-save", &saved.stderr));
    }
    Ok(unhook_text(&String::from_utf8_lossy(&saved.stdout)))
}

fn failed(tool: &str, said: &[u8]) -> io::Error {
    io::Error::other(format!("{tool}: {}", String::from_utf8_lossy(said).trim()))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use nix::sched::{CloneFlags, unshare};

    use super::*;
    use crate::iptables::{CHAIN, hook_text};

    #[test]
    fn the_chain_goes_and_the_users_own_rules_stay() {
        // A thread with a firewall of its own; what it starts shares that.
        let in_a_namespace = || {
            if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
                eprintln!("SKIPPED: no network namespace: {error}");
                return;
            }
            let own = "*filter\n-A INPUT -s 10.9.9.9/32 -j DROP\nCOMMIT\n";
            for text in [own, &hook_text()] {
                let mut child = Command::new("iptables-restore")
                    .arg("--noflush")
                    .stdin(Stdio::piped())
                    .spawn()
                    .expect("iptables is installed");
                child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("taken");
                assert!(child.wait().expect("waited for").success());
            }
            assert!(chain_is_there().unwrap());
            assert!(remove_chain().unwrap());
            assert!(!chain_is_there().unwrap());
            assert!(!remove_chain().unwrap(), "again there is nothing");
            let saved = Command::new("iptables-save").output().unwrap().stdout;
            let saved = String::from_utf8(saved).unwrap();
            assert!(saved.contains("-A INPUT -s 10.9.9.9/32 -j DROP"), "{saved}");
            assert!(!saved.contains(CHAIN), "{saved}");
        };
        thread::spawn(in_a_namespace).join().unwrap();
    }
}
