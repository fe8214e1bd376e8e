//! Programs and files of the user's own, for the databases that are made of them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Missing, Program};
use crate::environments::{Daemon, Member, look_up};

/// What a plan names under `[given]`, and flags of `run` of the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[command(next_help_heading = "Programs of your own (--db command, http, maelstrom)")]
pub struct Given {
    /// For `--db command`: a program that carries out operations, which it reads as lines of JSON.
    /// It is told `{address}`, HOST:PORT of a node, or `{url}`.
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// For `--db maelstrom`: the program of a node.
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// For `--db http`: a table of what operations are as requests, and what answers mean.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<PathBuf>,
    /// How a node is started: a command in which `{node}`, `{address}`, `{peers}` and `{data}` stand
    /// for its name, its HOST:PORT, all nodes as NAME=HOST:PORT,... and its folder for data; a second
    /// port is `{address2}`, `{peers2}`.
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

impl Given {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        *self == Given::default()
    }

    /// The same, but for what a flag gives.
    pub fn or(self, plan: Given) -> Given {
        Given {
            bin: self.bin.or(plan.bin),
            client: self.client.or(plan.client),
            spec: self.spec.or(plan.spec),
            start: self.start.or(plan.start),
        }
    }

    /// What is given beside what a database of this name takes.
    ///
    /// # Errors
    /// Its flag, in a sentence.
    pub(super) fn only(&self, name: &str, taken: &[&str]) -> Result<(), String> {
        let all = [
            ("bin", self.bin.is_some()),
            ("client", self.client.is_some()),
            ("spec", self.spec.is_some()),
            ("start", self.start.is_some()),
        ];
        match all.into_iter().find(|(flag, given)| *given && !taken.contains(flag)) {
            Some((flag, _)) => Err(format!("--{flag} is not for --db {name}")),
            None => Ok(()),
        }
    }
}

/// The words of a command as a shell takes them apart, of which the first is a program that is there.
///
/// # Errors
/// A quote is open, or there is no such program.
pub(super) fn words(flag: &str, command: &str) -> Result<Vec<String>, String> {
    let mut words = shlex::split(command).filter(|words| !words.is_empty()).ok_or_else(|| {
        format!("--{flag} {command:?} is no command: a quote is open, or it is empty")
    })?;
    let program = look_up(Path::new(&words[0]))
        .and_then(|path| std::path::absolute(path).ok())
        .ok_or_else(|| format!("--{flag}: there is no program {:?}", words[0]))?;
    words[0] = program.to_string_lossy().into_owned();
    // A file that it names is to be found from a node's folder too: `python3 node.py`.
    for word in words[1..].iter_mut().filter(|word| Path::new(word).is_file()) {
        if let Ok(absolute) = std::path::absolute(Path::new(word)) {
            *word = absolute.to_string_lossy().into_owned();
        }
    }
    Ok(words)
}

/// Puts values in the place of their names in braces.
///
/// # Errors
/// A name that there is not, and which there are.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text += before;
        let name = after.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        // A brace of something else, such as JSON, stays what it is.
        let Some(name) = name else {
            text.push('{');
            rest = after;
            continue;
        };
        let (_, value) = values.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<String> = values.iter().map(|(name, _)| format!("{{{name}}}")).collect();
            format!("{{{name}}} in {template:?} stands for nothing; there are {}", known.join(", "))
        })?;
        text += value;
        rest = &after[name.len() + 1..];
    }
    Ok(text + rest)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The usual ports of a node that is started by a command.
pub(super) const PORTS: &[u16] = &[7000, 7001];

/// How nodes are started by a command.
pub(super) struct Start {
    words: Option<Vec<String>>,
}

impl Start {
    /// Understands `--start`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of(given: &Given) -> Result<Start, String> {
        let words = given.start.as_deref().map(|command| words("start", command)).transpose()?;
        let start = Start { words };
        let nobody = Member { name: String::new(), listens: Vec::new(), reached: Vec::new() };
        start.filled(&[nobody], 0, Path::new(""))?;
        Ok(start)
    }

    /// The program of a node.
    pub(super) fn find(&self) -> Result<Program, Missing> {
        let Some(words) = &self.words else {
            return Err(Missing {
                what: "nothing says how a node is started".to_owned(),
                remedy: Some(
                    "--start './my-server --listen {address}', or for nodes that run elsewhere \
                     --env external --nodes http://HOST:PORT,..."
                        .to_owned(),
                ),
            });
        };
        Ok(Program { path: PathBuf::from(&words[0]), version: String::new() })
    }

    /// How one node is started.
    pub(super) fn daemon(
        &self,
        program: &Program,
        cluster: &[Member],
        this: usize,
        folder: &Path,
    ) -> Daemon {
        let words = self.filled(cluster, this, folder).unwrap_or_default();
        Daemon::new(program, folder).args(words.into_iter().skip(1))
    }

    fn filled(
        &self,
        cluster: &[Member],
        this: usize,
        folder: &Path,
    ) -> Result<Vec<String>, String> {
        let listens = |port: usize| {
            cluster[this].listens.get(port).map(ToString::to_string).unwrap_or_default()
        };
        let peers = |port: usize| {
            let peer = |peer: &Member| Some(format!("{}={}", peer.name, peer.reached.get(port)?));
            cluster.iter().filter_map(peer).collect::<Vec<_>>().join(",")
        };
        let data = folder.join("data");
        let values: [(&str, &str); 6] = [
            ("node", &cluster[this].name),
            ("address", &listens(0)),
            ("peers", &peers(0)),
            ("data", &data.to_string_lossy()),
            ("address2", &listens(1)),
            ("peers2", &peers(1)),
        ];
        self.words.iter().flatten().map(|word| fill(word, &values)).collect()
    }
}

/// Whether somebody listens at a URL, which is all that can be asked of a node about which nothing
/// is known.
pub(super) async fn listens(url: &str) -> Result<(), String> {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    match tokio::net::TcpStream::connect(address).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("nobody listens: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_started_as_the_template_says() {
        let at = |n: u8, port: u16| ([10, 77, 0, n], port).into();
        let member = |n: u8| {
            let listens = vec![at(n, 7000), at(n, 7001)];
            Member { name: format!("n{n}"), reached: listens.clone(), listens }
        };
        let cluster = [member(1), member(2)];
        let here = std::env::current_dir().unwrap();
        let started = |command: &str| {
            let given = Given { start: Some(command.to_owned()), ..Given::default() };
            let start = Start::of(&given)?;
            let program = start.find().map_err(|missing| missing.to_string())?;
            Ok::<_, String>(start.daemon(&program, &cluster, 1, Path::new("/run/n2")))
        };
        let daemon = started(
            "sh -c 'echo {\"a\": 1} {node}' {address} --peers={peers} {data} {peers2} Cargo.toml",
        );
        assert_eq!(
            daemon.unwrap().args,
            [
                "-c",
                "echo {\"a\": 1} n2",
                "10.77.0.2:7000",
                "--peers=n1=10.77.0.1:7000,n2=10.77.0.2:7000",
                "/run/n2/data",
                "n1=10.77.0.1:7001,n2=10.77.0.2:7001",
                &here.join("Cargo.toml").to_string_lossy(),
            ]
        );
        for (wrong, why) in [
            ("sh {port}", "{port} in \"{port}\" stands for nothing; there are {node}, {address}"),
            ("no-such-server", "there is no program \"no-such-server\""),
            ("sh 'open", "a quote is open"),
        ] {
            let error = started(wrong).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(Start::of(&Given::default()).unwrap().find().is_err());
    }
}
