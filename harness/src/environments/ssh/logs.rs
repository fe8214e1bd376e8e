//! Bringing what the nodes wrote to this machine.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::protocol::{Ask, Piece};
use super::{SshCluster, in_parallel, lock};

impl SshCluster {
    /// Copies each node's log to a file here, whose place is chosen by the node's name and the
    /// log's place there. What could not be copied, for a person.
    pub fn collect_logs(&self, place: impl Fn(&str, &Path) -> PathBuf + Sync) -> Vec<String> {
        let logs = lock(&self.logs).clone();
        let copied = in_parallel(&logs, |node, log| {
            self.copy(node, log, &place(&self.names[node], log))
                .map_err(|error| format!("the log of {}: {error}", self.names[node]))
        });
        copied.into_iter().filter_map(Result::err).collect()
    }

    fn copy(&self, node: usize, from: &Path, to: &Path) -> io::Result<()> {
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = File::create(to)?;
        let mut offset = 0;
        loop {
            let piece: Piece = self.ask(node, Ask::Read { path: from.to_owned(), offset })?;
            let bytes = BASE64.decode(piece.bytes).map_err(io::Error::other)?;
            if bytes.is_empty() {
                return Ok(());
            }
            offset += bytes.len() as u64;
            file.write_all(&bytes)?;
        }
    }
}
