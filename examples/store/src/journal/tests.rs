//! The journal against real files, torn files and a medium that fails.

use std::sync::atomic::AtomicBool;

use super::*;

fn open(path: &Path) -> (Journal, Vec<Vec<u8>>) {
    Journal::open(path, plain).unwrap()
}

fn text(records: &[Vec<u8>]) -> Vec<&str> {
    records.iter().map(|record| std::str::from_utf8(record).unwrap()).collect()
}

async fn replace(journal: &Journal, records: &[&str]) -> io::Result<()> {
    let (tell, told) = oneshot::channel();
    let records = records.iter().map(|record| record.as_bytes().to_vec()).collect();
    journal.replace(records, |result| _ = tell.send(result));
    told.await.unwrap()
}

#[tokio::test]
async fn records_survive_in_order_and_replace_drops_the_older_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, before) = open(&path);
    assert!(before.is_empty());
    for record in ["a", "b"] {
        journal.append_durably(record.into()).await.unwrap();
    }
    let (_, seen) = open(&path);
    assert_eq!(text(&seen), ["a", "b"]);

    replace(&journal, &["ab"]).await.unwrap();
    journal.append_durably("c".into()).await.unwrap();
    let (_, seen) = open(&path);
    assert_eq!(text(&seen), ["ab", "c"]);
}

#[tokio::test]
async fn a_torn_tail_is_dropped_and_writing_goes_on_behind_the_last_whole_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, _) = open(&path);
    journal.append_durably("kept".into()).await.unwrap();
    journal.append_durably("torn".into()).await.unwrap();
    drop(journal);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(fs::metadata(&path).unwrap().len() - 1).unwrap();

    let (journal, seen) = open(&path);
    assert_eq!(text(&seen), ["kept"]);
    journal.append_durably("new".into()).await.unwrap();
    assert_eq!(text(&open(&path).1), ["kept", "new"]);
}

#[tokio::test]
async fn damage_in_the_middle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, _) = open(&path);
    journal.append_durably("first".into()).await.unwrap();
    journal.append_durably("second".into()).await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[17] ^= 1;
    fs::write(&path, bytes).unwrap();

    let refused = Journal::open(&path, plain).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("record at byte 0 is damaged"), "{refused}");
}

/// While true, no fsync succeeds. Of its own test only.
static BROKEN: AtomicBool = AtomicBool::new(false);

struct Flaky(File);

impl Medium for Flaky {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        match BROKEN.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is gone")),
            false => self.0.sync(),
        }
    }
}

#[tokio::test]
async fn after_one_failed_fsync_nothing_is_acknowledged_even_if_the_disk_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, _) = Journal::open(&path, |file| Box::new(Flaky(file))).unwrap();
    journal.append_durably("good".into()).await.unwrap();
    BROKEN.store(true, Ordering::SeqCst);
    assert!(journal.append_durably("lost".into()).await.is_err());
    BROKEN.store(false, Ordering::SeqCst);
    let later = journal.append_durably("later".into()).await.unwrap_err();
    assert!(later.to_string().contains("earlier write failed: the disk is gone"), "{later}");
    assert!(replace(&journal, &["all"]).await.is_err());
}
