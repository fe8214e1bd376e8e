//! Where a history comes from that may still grow.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use splitbrain_checker::history::{History, ReadError, ReadOptions};

/// How long to wait where nothing new is there.
const PAUSE: Duration = Duration::from_millis(20);
/// After so long a wait for a pipe somebody looks whether Ctrl-C was pressed.
const POLL_MS: u16 = 50;
/// How much is read at once.
const PIECE_BYTES: usize = 1 << 18;

/// A file, or what cannot be read again.
pub struct Source {
    /// What messages call it.
    pub name: String,
    file: File,
    /// Of a file.
    path: Option<PathBuf>,
    /// What has been read of a pipe.
    kept: Vec<u8>,
    read_bytes: u64,
    piece: Vec<u8>,
}

/// What came of an attempt to read.
pub enum Piece<'a> {
    /// More of it.
    New(&'a [u8]),
    /// Nothing yet.
    Nothing,
    /// There is no more to come.
    End,
}

impl Source {
    /// `-` is standard input.
    pub fn open(path: &Path) -> anyhow::Result<Source> {
        let of = |name: String, file, path| Source {
            name,
            file,
            path,
            kept: Vec::new(),
            read_bytes: 0,
            piece: vec![0; PIECE_BYTES],
        };
        if path == Path::new("-") {
            let input = io::stdin().as_fd().try_clone_to_owned()?;
            return Ok(of("standard input".to_owned(), input.into(), None));
        }
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| name.clone())?;
        // Others, such as named pipes, have an end, and cannot be read twice.
        let is_file = file.metadata().with_context(|| name.clone())?.is_file();
        Ok(of(name, file, is_file.then(|| path.to_owned())))
    }

    /// Whether it can grow after its end has been reached.
    pub fn is_file(&self) -> bool {
        self.path.is_some()
    }

    /// What has come since the last time. Waits for a moment where nothing has.
    ///
    /// # Errors
    /// If it cannot be read, or is not the file any more that it was.
    pub fn read(&mut self) -> anyhow::Result<Piece<'_>> {
        let Some(path) = &self.path else {
            if !is_ready(self.file.as_fd())? {
                return Ok(Piece::Nothing);
            }
            let read = self.file.read(&mut self.piece)?;
            self.kept.extend_from_slice(&self.piece[..read]);
            return Ok(if read == 0 { Piece::End } else { Piece::New(&self.piece[..read]) });
        };
        let read = self.file.read(&mut self.piece).with_context(|| self.name.clone())?;
        self.read_bytes += read as u64;
        is_still(path, &self.file, self.read_bytes)?;
        if read == 0 {
            std::thread::sleep(PAUSE);
            return Ok(Piece::Nothing);
        }
        Ok(Piece::New(&self.piece[..read]))
    }

    /// The history in the first `bytes` of it, by default in all that is there.
    pub fn history(&self, bytes: Option<u64>, reading: &ReadOptions) -> anyhow::Result<History> {
        let history = self
            .first(bytes.unwrap_or(u64::MAX))
            .map_err(ReadError::from)
            .and_then(|input| History::read_with(input, reading));
        history.map_err(|error| anyhow!(error).context(self.name.clone()))
    }

    /// The line of the event of an index.
    pub fn line_of(&self, index: u64, reading: &ReadOptions) -> Result<Option<u64>, ReadError> {
        History::line_of(self.first(u64::MAX)?, reading, index)
    }

    fn first(&self, bytes: u64) -> io::Result<Box<dyn BufRead + '_>> {
        Ok(match &self.path {
            Some(path) => {
                Box::new(BufReader::with_capacity(1 << 20, File::open(path)?.take(bytes)))
            }
            None => Box::new(self.kept.as_slice().take(bytes)),
        })
    }

    /// The ends of the lines between two such ends, as lengths of what comes before.
    pub fn line_ends(&self, after_bytes: u64, up_to_bytes: u64) -> io::Result<Vec<u64>> {
        let text = match &self.path {
            Some(path) => {
                let mut file = File::open(path)?;
                io::Seek::seek(&mut file, io::SeekFrom::Start(after_bytes))?;
                let mut text = Vec::new();
                file.take(up_to_bytes - after_bytes).read_to_end(&mut text)?;
                text
            }
            None => self.kept[after_bytes as usize..up_to_bytes as usize].to_vec(),
        };
        let is_end = |(_, byte): &(usize, &u8)| **byte == b'\n';
        let ends = text.iter().enumerate().filter(is_end);
        Ok(ends.map(|(at, _)| after_bytes + at as u64 + 1).collect())
    }
}

/// Whether something, the end included, can be read. Signals interrupt the wait.
fn is_ready(input: BorrowedFd<'_>) -> io::Result<bool> {
    match poll(&mut [PollFd::new(input, PollFlags::POLLIN)], PollTimeout::from(POLL_MS)) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether a path leads to the same file as before, of which so much has been read.
fn is_still(path: &Path, file: &File, read_bytes: u64) -> anyhow::Result<()> {
    let name = path.display();
    let was = file.metadata().with_context(|| name.to_string())?;
    if was.len() < read_bytes {
        let len = was.len();
        return Err(anyhow!(
            "{name}: expected a file that only grows, found that it was cut to {len} bytes after \
             {read_bytes} had been read"
        ));
    }
    let now = std::fs::metadata(path);
    let now = now.with_context(|| format!("{name}: expected a file that stays, found it gone"))?;
    if (now.dev(), now.ino()) != (was.dev(), was.ino()) {
        return Err(anyhow!("{name}: expected a file that stays, found another in its place"));
    }
    Ok(())
}
