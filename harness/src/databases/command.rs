//! Anything else, without Rust: operations are carried out by a program of the user's, which reads them
//! as lines of JSON (`docs/src/client.md`).

mod answer;
mod connection;
pub mod rules;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use splitbrain_workloads::objects::log::Transactional;
use splitbrain_workloads::objects::{self, Settings};
use splitbrain_workloads::{BoxFuture, Clients, ErasedClient, Vocabulary};

use super::given::{PORTS, Start, fill, listens, words};
use super::{Asker, Database, Entry, Given, Missing, Program, Told};
use crate::environments::{Daemon, Member};
use connection::CommandClient;

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "command",
    about: "Any system, through a client in any language (--client), started by --start or elsewhere.",
    options: &[],
    open: |rest| {
        Told::parse("command", &[], rest)?;
        let given = Given::default();
        Ok(Box::new(Commands { client: Arc::default(), start: Start::of(&given)? }))
    },
};

struct Commands {
    /// The client's program and arguments, with names in braces.
    client: Arc<[String]>,
    start: Start,
}

/// The words of a client's command for the node at this URL.
pub(super) fn client_words(client: &[String], url: &str) -> Result<Vec<String>, String> {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    client.iter().map(|word| fill(word, &[("address", address), ("url", url)])).collect()
}

/// Understands `--client`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn client(command: &str) -> Result<Arc<[String]>, String> {
    let words = words("client", command)?;
    client_words(&words, "")?;
    Ok(words.into())
}

impl Database for Commands {
    fn target(&self) -> String {
        ENTRY.name.to_owned()
    }

    fn take(&mut self, given: &Given) -> Result<(), String> {
        given.only(ENTRY.name, &["client", "start"])?;
        let command = given.client.as_deref();
        let missing = "--db command needs a client: --client './my-client.py {address}'";
        self.client = client(command.ok_or(missing)?)?;
        self.start = Start::of(given)?;
        Ok(())
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn has_companions(&self) -> bool {
        true
    }

    fn find(&self) -> Result<Program, Missing> {
        self.start.find()
    }

    fn ports(&self) -> &'static [u16] {
        PORTS
    }

    fn daemon(&self, program: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        self.start.daemon(program, cluster, this, folder)
    }

    fn ready<'a>(&'a self, _asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(listens(url))
    }

    /// Each vocabulary that there is: whether the program knows an operation is for it to say.
    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let settings = Settings::default();
        let names = objects::ALL.iter().map(|workload| (workload.load)(&settings).vocabulary());
        let names = names.chain([Transactional::NAME]);
        let client = self.client.clone();
        let connect = move |node: usize, initial: &Value| -> Box<dyn ErasedClient> {
            let client = CommandClient::new(client.clone(), urls[node].clone(), prefix.clone());
            Box::new(client.filled(initial))
        };
        names.fold(Clients::default(), |clients, name| clients.serve_erased(name, connect.clone()))
    }
}
