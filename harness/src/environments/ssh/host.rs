//! A host as a person names it, and the command that talks to it.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

/// A host: `[USER@]HOST[:PORT][=ADDRESS]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// What `ssh` is told: `USER@HOST`, or a name from its configuration.
    pub destination: String,
    /// Port of its SSH server, if it is not the usual or the configured one.
    pub port: Option<u16>,
    /// Its address in the network of the nodes and their clients.
    pub address: IpAddr,
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Host, String> {
        let form = || format!("{text:?} is no host such as root@10.0.0.1:22 or db1=10.0.0.1");
        let (place, address) = match text.split_once('=') {
            Some((place, address)) => {
                (place, Some(address.parse().map_err(|_| format!("{text:?}: no address"))?))
            }
            None => (text, None),
        };
        let (destination, port) = match place.rsplit_once(':') {
            Some((destination, port)) => (destination, Some(port.parse().map_err(|_| form())?)),
            None => (place, None),
        };
        let name = destination.rsplit_once('@').map_or(destination, |(_user, name)| name);
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == ':' || c == '/';
        // What begins with a dash would be an option to `ssh`.
        if name.is_empty() || destination.starts_with(['-', '@']) || destination.contains(odd) {
            return Err(form());
        }
        let address = address.map_or_else(|| resolve(name), Ok)?;
        if !address.is_ipv4() {
            return Err(format!("{text:?}: nodes need IPv4 addresses, and this is {address}"));
        }
        Ok(Host { destination: destination.to_owned(), port, address })
    }
}

fn resolve(name: &str) -> Result<IpAddr, String> {
    let found = (name, 0).to_socket_addrs().map_err(|error| error.to_string());
    let first = found.map(|found| found.map(|a| a.ip()).find(IpAddr::is_ipv4));
    match first {
        Ok(Some(address)) => Ok(address),
        Ok(None) => Err(format!("the host {name:?} has no IPv4 address")),
        Err(error) => Err(format!(
            "the host {name:?} is unknown ({error}); if only ssh knows it, say {name}=ADDRESS"
        )),
    }
}

/// How hosts are reached. Keys are named by their file; there are no passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// File of the private key; else what `ssh` finds by itself.
    pub key: Option<PathBuf>,
    /// Configuration of `ssh` in place of the user's own.
    pub config: Option<PathBuf>,
    /// Whether the user becomes root there by `sudo`, which must not ask.
    pub sudo: bool,
    /// How long a node waits for a harness that is silent before it heals itself.
    pub lease: Duration,
}

impl Access {
    /// The command that runs a line of shell on a host, as root; the line's `$1` says which
    /// connection it came over (`SSH_CONNECTION` of ssh(1)).
    pub(super) fn command(&self, host: &Host, line: &str) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args(["-T", "-x", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]);
        // A connection that hangs ends after six seconds; and it is nobody else's.
        ssh.args(["-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=3"]);
        ssh.args(["-o", "ControlMaster=no", "-o", "ControlPath=none"]);
        if let Some(config) = &self.config {
            ssh.arg("-F").arg(config);
        }
        if let Some(key) = &self.key {
            ssh.arg("-i").arg(key).args(["-o", "IdentitiesOnly=yes"]);
        }
        if let Some(port) = host.port {
            ssh.arg("-p").arg(port.to_string());
        }
        let sudo = if self.sudo { "sudo -n " } else { "" };
        let line = quoted(line);
        ssh.args(["--", &host.destination]);
        ssh.arg(format!("{sudo}sh -c {line} splitbrain \"$SSH_CONNECTION\""));
        ssh
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, Option<u16>, &str), &str>) {
        match (text.parse::<Host>(), expected) {
            (Ok(host), Ok((destination, port, address))) => {
                assert_eq!((host.destination.as_str(), host.port), (destination, port));
                assert_eq!(host.address.to_string(), address);
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
            (found, expected) => panic!("{text}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn hosts_are_named_as_for_ssh() {
        check("10.77.0.1", Ok(("10.77.0.1", None, "10.77.0.1")));
        check("root@10.77.0.1:2222", Ok(("root@10.77.0.1", Some(2222), "10.77.0.1")));
        check("db1=10.0.0.7", Ok(("db1", None, "10.0.0.7")));
        check("me@jump-me:22=10.0.0.7", Ok(("me@jump-me", Some(22), "10.0.0.7")));
        check("localhost", Ok(("localhost", None, "127.0.0.1")));
        check("", Err("no host such as"));
        check("root@", Err("no host such as"));
        check("-oProxyCommand=touch /tmp/x", Err("no address"));
        check("-v", Err("no host such as"));
        check("http://10.0.0.1:22", Err("no host such as"));
        check("10.0.0.1:http", Err("no host such as"));
        check("db1=db2", Err("no address"));
        check("[::1]:22", Err("no host such as"));
        check("no-such-host.invalid", Err("is unknown"));
        check("db1=::1", Err("IPv4"));
    }

    #[test]
    fn a_line_reaches_the_far_shell_as_it_is() {
        let access = Access {
            key: Some("k".into()),
            config: None,
            sudo: true,
            lease: Duration::from_secs(30),
        };
        let host = "root@10.0.0.1:2222".parse().unwrap();
        let command = access.command(&host, "echo 'it is' $1");
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
        let rest = args[args.iter().position(|arg| arg == "-i").unwrap()..].join(" ");
        assert_eq!(
            rest,
            "-i k -o IdentitiesOnly=yes -p 2222 -- root@10.0.0.1 \
             sudo -n sh -c 'echo '\\''it is'\\'' $1' splitbrain \"$SSH_CONNECTION\""
        );
    }
}
