//! The undo log against what it is to bring about, said in the plainest way: two tables.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// A folder with an undo log, and what is in it now and durably.
struct World {
    folder: tempfile::TempDir,
    root: Arc<Inode>,
    log: Unsynced,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Content of each file ever made, now and durably.
    files: Vec<(Vec<u8>, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Make(u8),
    Write { name: u8, offset: u16, bytes: u16, with: u8 },
    Resize { name: u8, to: u16 },
    Sync(u8),
    SyncFolder,
    Remove(u8),
    Move { from: u8, to: u8 },
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("root");
        let removed = folder.path().join("removed");
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&removed).unwrap();
        let open = |path| Arc::new(Inode::open(path).unwrap().0);
        World {
            root: open(&inside),
            log: Unsynced::new(open(&removed)),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            files: Vec::new(),
            folder,
        }
    }

    fn open(&self, name: &str) -> (Arc<Inode>, File) {
        let (inode, _) = Inode::open(&self.root.child(OsStr::new(name))).unwrap();
        let file = inode.open_file(true).unwrap();
        (Arc::new(inode), file)
    }

    fn write(&mut self, name: &str, offset: usize, data: &[u8]) {
        let (inode, file) = self.open(name);
        self.log.before_write(&inode, &file, offset as u64, data.len() as u64).unwrap();
        file.write_all_at(data, offset as u64).unwrap();
        let content = &mut self.files[self.names[name]].0;
        content.resize(content.len().max(offset + data.len()), 0);
        content[offset..offset + data.len()].copy_from_slice(data);
    }

    fn make(&mut self, name: &str) {
        File::create_new(self.root.child(OsStr::new(name))).unwrap();
        self.log.made(&self.root, OsStr::new(name));
        self.names.insert(name.to_owned(), self.files.len());
        self.files.push(Default::default());
    }

    fn sync(&mut self, name: &str) {
        let (inode, _) = self.open(name);
        self.log.synced(inode.number);
        let (now, durable) = &mut self.files[self.names[name]];
        durable.clone_from(now);
    }

    fn sync_folder(&mut self) {
        self.log.folder_synced(self.root.number).unwrap();
        self.durable_names.clone_from(&self.names);
    }

    fn step(&mut self, step: &Step) {
        let called = |name: u8| format!("f{name}");
        match *step {
            Step::Make(name) if !self.names.contains_key(&called(name)) => self.make(&called(name)),
            Step::SyncFolder => self.sync_folder(),
            Step::Make(name)
            | Step::Write { name, .. }
            | Step::Resize { name, .. }
            | Step::Sync(name)
            | Step::Remove(name)
            | Step::Move { from: name, .. }
                if !self.names.contains_key(&called(name)) => {}
            Step::Make(_) => {}
            Step::Write { name, offset, bytes, with } => {
                self.write(&called(name), offset.into(), &vec![with; bytes.into()]);
            }
            Step::Resize { name, to } => {
                let (inode, file) = self.open(&called(name));
                self.log.before_resize(&inode, &file, to.into()).unwrap();
                file.set_len(to.into()).unwrap();
                self.files[self.names[&called(name)]].0.resize(to.into(), 0);
            }
            Step::Sync(name) => self.sync(&called(name)),
            Step::Remove(name) => {
                self.log.remove(&self.root, OsStr::new(&called(name))).unwrap();
                self.names.remove(&called(name));
            }
            Step::Move { from, to } => {
                let (from, to) = (called(from), called(to));
                if from == to {
                    return;
                }
                if self.names.contains_key(&to) {
                    self.log.remove(&self.root, OsStr::new(&to)).unwrap();
                }
                let path = |name: &str| self.root.child(OsStr::new(name));
                fs::rename(path(&from), path(&to)).unwrap();
                let name = |name: &str| (self.root.clone(), name.into());
                self.log.moved(name(&from), name(&to));
                let file = self.names.remove(&from).unwrap();
                self.names.insert(to, file);
            }
        }
    }

    /// What is in the folder.
    fn found(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.folder.path().join("root")).unwrap();
        entries
            .map(|entry| {
                let entry = entry.unwrap();
                let mut content = Vec::new();
                File::open(entry.path()).unwrap().read_to_end(&mut content).unwrap();
                (entry.file_name().into_string().unwrap(), content)
            })
            .collect()
    }

    fn durable(&self) -> BTreeMap<String, Vec<u8>> {
        let content = |file: &usize| self.files[*file].1.clone();
        self.durable_names.iter().map(|(name, file)| (name.clone(), content(file))).collect()
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..3_u8;
    let step = prop_oneof![
        name.clone().prop_map(Step::Make),
        (name.clone(), 0..10_000_u16, 1..6_000_u16, any::<u8>())
            .prop_map(|(name, offset, bytes, with)| Step::Write { name, offset, bytes, with }),
        (name.clone(), 0..12_000_u16).prop_map(|(name, to)| Step::Resize { name, to }),
        name.clone().prop_map(Step::Sync),
        Just(Step::SyncFolder),
        name.clone().prop_map(Step::Remove),
        (name.clone(), name).prop_map(|(from, to)| Step::Move { from, to }),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    /// Whatever was done, a loss of power leaves exactly what was fsynced.
    #[test]
    fn what_was_fsynced_is_left_and_nothing_else(first: bool, steps in steps()) {
        let mut world = World::new();
        if first {
            world.make("f0");
            world.write("f0", 0, &[7; 9_000]);
            world.sync("f0");
            world.sync_folder();
        }
        steps.iter().for_each(|step| world.step(step));
        world.log.lose().unwrap();
        prop_assert_eq!(world.found(), world.durable());
        prop_assert_eq!(fs::read_dir(world.folder.path().join("removed")).unwrap().count(), 0);
    }
}

#[test]
fn without_a_loss_nothing_is_taken() {
    let mut world = World::new();
    world.make("f0");
    world.write("f0", 0, b"some");
    assert_eq!(world.found(), BTreeMap::from([("f0".to_owned(), b"some".to_vec())]));
    let mut report = Report::default();
    world.log.report(&mut report);
    assert_eq!((report.unsynced_files, report.unsynced_names), (1, 1));
    let (lost, _) = world.log.lose().unwrap();
    assert_eq!(lost, Lost { files: 1, names: 1 });
    assert!(world.found().is_empty());
}

/// Of the last write of each file a part is left, in the length as in the content.
#[test]
fn a_write_is_torn() {
    let check = |writes: &[(usize, &[u8])], keep_percent, expected: &[u8]| {
        let mut world = World::new();
        world.make("f0");
        world.write("f0", 0, b"........");
        world.sync("f0");
        for (offset, data) in writes {
            world.write("f0", *offset, data);
        }
        world.log.tear(keep_percent).unwrap();
        assert_eq!(world.found()["f0"], expected);
        world.log.lose().unwrap();
        assert_eq!(world.found()["f0"], expected, "what is left is durable");
    };
    check(&[], 50, b"........");
    check(&[(8, b"abcd")], 50, b"........ab");
    check(&[(8, b"abcd")], 0, b"........");
    check(&[(8, b"abcd")], 100, b"........abcd");
    check(&[(0, b"abcd")], 50, b"ab......");
    check(&[(6, b"abcd")], 25, b"......a.");
    check(&[(6, b"abcd")], 75, b"......abc");
    check(&[(8, b"abcd"), (12, b"efgh")], 50, b"........abcdef");
    check(&[(0, b"ab"), (0, b"cd")], 50, b"cb......");
}

/// A folder that is not durable takes with it what was durable in it.
#[test]
fn a_folder_is_lost_with_what_is_in_it() {
    let mut world = World::new();
    let inside = world.root.child(OsStr::new("folder"));
    fs::create_dir(&inside).unwrap();
    world.log.made(&world.root.clone(), OsStr::new("folder"));
    let folder = Arc::new(Inode::open(&inside).unwrap().0);
    fs::write(inside.join("file"), "content").unwrap();
    world.log.made(&folder, OsStr::new("file"));
    world.log.folder_synced(folder.number).unwrap();
    world.log.lose().unwrap();
    assert!(world.found().is_empty());
}

/// A program that never fsyncs does not make the log grow for ever.
#[test]
fn the_log_has_an_end() {
    let mut world = World::new();
    world.make("f0");
    let (inode, file) = world.open("f0");
    file.set_len(MOST_BYTES as u64 + PAGE_BYTES).unwrap(); // a hole
    world.log.before_resize(&inode, &file, 0).unwrap();
    assert_eq!(world.log.bytes, 0);
    assert!(world.log.files.is_empty() && world.log.names.is_empty());
}
