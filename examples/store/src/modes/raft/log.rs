//! The raft log and vote, durable in one journal, with the entries in memory as well.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::path::Path;
use std::sync::{Arc, Mutex};

use openraft::storage::{LogFlushed, LogState, RaftLogReader, RaftLogStorage};
use openraft::{AnyError, OptionalSend};
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use super::types::{Entry, LogId, StorageError, StorageIOError, Types, Vote};
use crate::id::NodeId;
use crate::journal::{Journal, Mount};
use crate::mistakes::Mistake;

/// A follower must take a message within a heartbeat interval, or it is sent again.
const MESSAGE_BYTES: usize = 1 << 20;

/// A change to the log, as it lies in the journal.
#[derive(Serialize, Deserialize)]
enum Record {
    Vote(Vote),
    Append(Vec<Entry>),
    /// Entries from this index on are gone: another leader had others.
    Truncate(u64),
    /// Entries up to this one are gone: a snapshot has them.
    Purge(LogId),
}

/// The log of one node. Clones are handles to the same log.
#[derive(Clone)]
pub struct Log {
    me: NodeId,
    journal: Journal,
    state: Arc<Mutex<State>>,
    /// The last entry in the snapshot on disk.
    snapshot: watch::Receiver<Option<LogId>>,
}

#[derive(Default)]
struct State {
    vote: Option<Vote>,
    purged: Option<LogId>,
    entries: BTreeMap<u64, Kept>,
}

struct Kept {
    entry: Entry,
    /// About how much it is to send.
    bytes: usize,
}

impl State {
    /// Makes the change that a record of so many bytes says.
    fn replay(&mut self, record: Record, bytes: usize) {
        match record {
            Record::Vote(vote) => self.vote = Some(vote),
            Record::Append(entries) => {
                let bytes = bytes / entries.len().max(1);
                let keep = |entry: Entry| (entry.log_id.index, Kept { entry, bytes });
                self.entries.extend(entries.into_iter().map(keep));
            }
            Record::Truncate(index) => _ = self.entries.split_off(&index),
            Record::Purge(upto) => {
                self.entries = self.entries.split_off(&(upto.index + 1));
                self.purged = Some(upto);
            }
        }
    }

    /// The records that lead to this state.
    fn records(&self) -> impl Iterator<Item = Record> {
        let entries = self.entries.values().map(|kept| kept.entry.clone()).collect();
        let vote = self.vote.map(Record::Vote);
        let purged = self.purged.map(Record::Purge);
        vote.into_iter().chain(purged).chain([Record::Append(entries)])
    }
}

impl Log {
    /// Opens the log of node `me` at `path`. A purge waits until `snapshot` has reached it.
    pub fn open(
        path: &Path,
        mount: Mount,
        mistake: Option<Mistake>,
        me: NodeId,
        snapshot: watch::Receiver<Option<LogId>>,
    ) -> Result<Self, String> {
        let (journal, mut records) =
            Journal::open(path, mount).map_err(|error| error.to_string())?;
        if mistake == Some(Mistake::LogTruncatedAtRestart) {
            // As if the last record were torn.
            records.pop();
        }
        let mut state = State::default();
        for record in records {
            let bytes = record.len();
            let record = serde_json::from_slice(&record)
                .map_err(|error| format!("a record of {} is strange: {error}", path.display()))?;
            state.replay(record, bytes);
        }
        Ok(Self { me, journal, state: Arc::new(Mutex::new(state)), snapshot })
    }

    async fn persist(&self, record: &Record) -> io::Result<()> {
        self.journal.append_durably(encode(record)).await
    }
}

fn encode(record: &Record) -> Vec<u8> {
    serde_json::to_vec(record).expect("records are plain data")
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, StorageError> {
        let state = self.state.lock().unwrap();
        Ok(state.entries.range(range).map(|(_, kept)| kept.entry.clone()).collect())
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        let state = self.state.lock().unwrap();
        let mut bytes = 0;
        let fits = |(_, kept): &(&u64, &Kept)| {
            let fits = bytes < MESSAGE_BYTES;
            bytes += kept.bytes;
            fits
        };
        let entries = state.entries.range(start..end).take_while(fits);
        Ok(entries.map(|(_, kept)| kept.entry.clone()).collect())
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let state = self.state.lock().unwrap();
        let last = state.entries.last_key_value().map(|(_, kept)| kept.entry.log_id);
        let last_purged_log_id = state.purged;
        Ok(LogState { last_purged_log_id, last_log_id: last.or(last_purged_log_id) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        self.state.lock().unwrap().vote = Some(*vote);
        let saved = self.persist(&Record::Vote(*vote)).await;
        Ok(saved.map_err(|error| StorageIOError::write_vote(&error))?)
    }

    /// The saved vote, except that a leader comes back as one who wants to become it again.
    ///
    /// openraft would let it lead on at once, and answer reads as of the first entry of its term,
    /// because what it committed later it no longer knows. A new election gives a new first entry.
    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let mut vote = self.state.lock().unwrap().vote;
        if let Some(vote) = vote.as_mut().filter(|vote| vote.leader_id.voted_for() == Some(self.me))
        {
            vote.committed = false;
        }
        Ok(vote)
    }

    async fn append<I>(
        &mut self,
        entries: I,
        flushed: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let record = Record::Append(entries.into_iter().collect());
        let bytes = encode(&record);
        self.state.lock().unwrap().replay(record, bytes.len());
        self.journal.append(bytes, |result| flushed.log_io_completed(result));
        Ok(())
    }

    async fn truncate(&mut self, from: LogId) -> Result<(), StorageError> {
        self.state.lock().unwrap().replay(Record::Truncate(from.index), 0);
        let saved = self.persist(&Record::Truncate(from.index)).await;
        Ok(saved.map_err(|error| StorageIOError::write_logs(&error))?)
    }

    /// Drops entries that a snapshot has, and rewrites the journal without them.
    ///
    /// openraft asks for this while a snapshot from the leader is still being installed. A crash
    /// between the two would leave neither entries nor snapshot, so the snapshot comes first.
    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        let covered = self.snapshot.wait_for(|last| *last >= Some(upto)).await.map(|_| ());
        covered.map_err(|_| {
            StorageIOError::write_logs(AnyError::error("no snapshot came for the purged entries"))
        })?;
        let records: Vec<_> = {
            let mut state = self.state.lock().unwrap();
            state.replay(Record::Purge(upto), 0);
            state.records().map(|record| encode(&record)).collect()
        };
        let (tell, told) = oneshot::channel();
        self.journal.replace(records, |result| _ = tell.send(result));
        let saved = told.await.unwrap_or_else(|_| Err(io::Error::other("the journal has stopped")));
        Ok(saved.map_err(|error| StorageIOError::write_logs(&error))?)
    }
}
