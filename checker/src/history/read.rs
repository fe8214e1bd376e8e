//! Reads a history from a file, in any format.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::build::Builder;
use super::etcd::{read_etcd, read_report};
use super::jepsen::{read_edn, read_log};
use super::json::read_json;
use super::jsonl::read_jsonl;
use super::sessions::{read_awdit, read_cobra, read_dbcop, read_plume};
use super::{Event, Format, Header, History, Malformed};

/// In UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read at all.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Reading broke off.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is not a history.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// How to read a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// The file's format; by default its beginning tells.
    pub format: Option<Format>,
    /// Each value is a pair `[key, value]`, as Jepsen writes operations on independent keys.
    pub independent: bool,
}

impl History {
    /// Reads the history in a file; see [`History::read_with`].
    pub fn open(path: impl AsRef<Path>) -> Result<History, ReadError> {
        History::open_with(path, &ReadOptions::default())
    }

    /// Reads the history in a file; see [`History::read_with`]. A folder holds logs of Cobra, one for
    /// each session, or is a report of etcd's robustness tests.
    pub fn open_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<History, ReadError> {
        let path = path.as_ref();
        let unreadable = |source| ReadError::Unreadable { path: path.to_owned(), source };
        if path.is_dir() {
            return sessions_of(path, options).map_err(|error| match error {
                ReadError::Io(source) => unreadable(source),
                other => other,
            });
        }
        let file = File::open(path).map_err(unreadable)?;
        // Blocks of lines are larger and go past the buffer.
        let input = BufReader::with_capacity(1 << 16, file);
        History::read_with(input, options).map_err(|error| match error {
            ReadError::Io(source) => unreadable(source),
            other => other,
        })
    }

    /// Reads a history in whatever [`Format`] it turns out to be; see [`History::read_with`].
    pub fn read(input: impl BufRead) -> Result<History, ReadError> {
        History::read_with(input, &ReadOptions::default())
    }

    /// Reads a history, in which there has to be a header or an event. A byte-order mark is passed
    /// over.
    ///
    /// Of JSON lines, blank ones and unknown fields are passed over. Events without an index are
    /// numbered, events without a time get that of the one before. A last JSON line without a line
    /// feed that breaks off in the middle of an object is left out and reported by
    /// [`truncated_line`](History::truncated_line): the recorder was killed while it wrote it.
    pub fn read_with(input: impl BufRead, options: &ReadOptions) -> Result<History, ReadError> {
        Ok(build(input, options, None)?.finish())
    }

    /// The line on which the event of an index stands: a history does not keep the lines, so that
    /// it is read again.
    pub fn line_of(
        input: impl BufRead,
        options: &ReadOptions,
        index: u64,
    ) -> Result<Option<u64>, ReadError> {
        Ok(build(input, options, Some(index))?.found_line())
    }

    /// Makes a history of events that are in memory already.
    ///
    /// Line numbers in the error count the events from 1.
    pub fn from_events(
        header: Option<Header>,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<History, Malformed> {
        let mut builder = Builder::default();
        if let Some(header) = header {
            builder.header(header);
        }
        for (line, event) in (1..).zip(events) {
            builder.event(line, event)?;
        }
        Ok(builder.finish())
    }
}

/// Reads a folder: a report of etcd's robustness tests, or logs of Cobra, which are sessions in the order of
/// their names.
fn sessions_of(folder: &Path, options: &ReadOptions) -> Result<History, ReadError> {
    let mut paths = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        paths.extend(path.extension().is_some_and(|e| e == "log").then_some(path));
    }
    if paths.is_empty() {
        let mut builder = Builder::new(Format::Etcd, options.independent);
        if read_report(folder, &mut builder)? {
            return Ok(builder.finish());
        }
        let expected =
            "history.jsonl of a run, logs of Cobra (*.log), or */operations.json of etcd";
        let found = format!("none in {}", folder.display());
        return Err(Malformed::new(1, expected, found).into());
    }
    paths.sort();
    let mut builder = Builder::new(Format::Cobra, options.independent);
    for (path, session) in paths.iter().zip(0..) {
        read_cobra(BufReader::new(File::open(path)?), session, &mut builder)?;
    }
    Ok(builder.finish())
}

fn build(
    mut input: impl BufRead,
    options: &ReadOptions,
    sought_index: Option<u64>,
) -> Result<Builder, ReadError> {
    // Some editors begin a file with this mark.
    if input.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        input.consume(BYTE_ORDER_MARK.len());
    }
    let format = match options.format {
        Some(format) => format,
        None => Format::detect(input.fill_buf()?),
    };
    let mut builder = Builder::new(format, options.independent);
    sought_index.into_iter().for_each(|index| builder.seek(index));
    match format {
        Format::Jsonl => read_jsonl(input, &mut builder)?,
        Format::Edn => read_edn(input, &mut builder)?,
        Format::Json => read_json(input, &mut builder)?,
        Format::Porcupine => read_log(input, &mut builder)?,
        Format::Plume => read_plume(input, &mut builder)?,
        Format::Awdit => read_awdit(input, &mut builder)?,
        Format::Dbcop => read_dbcop(input, &mut builder)?,
        Format::Cobra => read_cobra(input, 0, &mut builder)?,
        Format::Etcd => read_etcd(input, &mut builder)?,
    }
    if builder.is_empty() {
        return Err(Malformed::new(1, "an event", "none in the whole file").into());
    }
    Ok(builder)
}
