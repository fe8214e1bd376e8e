//! Nodes whose data lies on a disk that can fail.
//!
//! Each node gets a mount namespace of its own, in which its data folder is mounted over; nobody
//! else sees the mount, and it is gone with the node's processes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use splitbrain_nemesis::disk::{
    self, CANARY_BYTES, Canaries, Condition, Damage, Damaged, Disks, Line, Lost, RESERVED, Report,
    Trial,
};
use splitbrain_nemesis::journal::ProcessId;
use splitbrain_nemesis::node::NodeError;

use super::LocalCluster;
use super::agent::{Agent, in_hub};
use super::capabilities::node_error;
use crate::environments::Sandbox;
use crate::environments::stand::{DISK, role};

/// The disks of all nodes, or why there are none.
pub(super) type MaybeDisks = OnceLock<Result<Vec<NodeDisk>, String>>;

/// The disk of one node.
pub(super) struct NodeDisk {
    folder: PathBuf,
    line: Mutex<Line>,
    process: Mutex<Child>,
}

impl NodeDisk {
    fn start(node: &Agent, name: &str, sandbox: &Sandbox, folder: &Path) -> io::Result<NodeDisk> {
        fs::create_dir_all(folder)?;
        let (line, end) = Line::new()?;
        let place = folder.to_owned();
        let process = node.ask(move || {
            unshare(CloneFlags::CLONE_NEWNS)?;
            // Mounts come in from the machine, and none goes out.
            let none: Option<&str> = None;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)?;
            let mut server = role(DISK, place.as_os_str())?;
            in_hub(&mut server)?
                .stdin(Stdio::from(end))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        });
        let process = process.wait()?;
        if let Some(process) = ProcessId::of(process.id().cast_signed()) {
            sandbox.record_process(process, &format!("disk of {name}"))?;
        }
        let disk = NodeDisk {
            folder: folder.to_owned(),
            line: Mutex::new(line),
            process: Mutex::new(process),
        };
        disk.line().report()?;
        Ok(disk)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it and waits for that, when no program uses it any more.
    pub(super) fn end(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

impl Drop for NodeDisk {
    fn drop(&mut self) {
        self.end();
    }
}

impl LocalCluster {
    /// Puts each node's folder, one for each node in order, on a disk that can fail. To be called
    /// before the node's program runs; where no such disk can be had, the cluster has no
    /// [`Disks`] and says why.
    pub fn attach_disks(&self, folders: &[PathBuf]) {
        assert_eq!(folders.len(), self.nodes.len(), "one folder for each node");
        self.disks.get_or_init(|| {
            disk::available()?;
            let nodes = self.nodes.iter().zip(&self.names).zip(folders);
            let start = nodes
                .map(|((node, name), folder)| {
                    NodeDisk::start(&node.agent, name, &self.sandbox, folder)
                })
                .collect::<io::Result<_>>();
            start.map_err(|error| format!("no disks: {error}"))
        });
    }

    fn disk(&self, node: usize) -> Result<&NodeDisk, NodeError> {
        let disks = self.disks.get().and_then(|disks| disks.as_ref().ok());
        disks.and_then(|disks| disks.get(node)).ok_or_else(|| node_error("it has no disk of ours"))
    }

    /// Does something as the node's programs would, with the harness's own folder on the disk.
    fn on_disk<T: Send + 'static>(
        &self,
        node: usize,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, NodeError> {
        let folder = self.disk(node)?.folder.clone();
        self.nodes[node].agent.ask(move || work(&folder)).wait().map_err(node_error)
    }
}

impl Disks for LocalCluster {
    fn set(&self, node: usize, condition: Condition) -> Result<(), NodeError> {
        self.disk(node)?.line().set(condition).map(drop).map_err(node_error)
    }

    fn report(&self, node: usize) -> Result<Report, NodeError> {
        self.disk(node)?.line().report().map_err(node_error)
    }

    fn trial(&self, node: usize) -> Result<Trial, NodeError> {
        self.on_disk(node, |folder| {
            let path = folder.join(RESERVED).join("trial");
            let mut took = Duration::ZERO;
            let mut write = || -> io::Result<()> {
                let mut file = File::create(&path)?;
                let begun = Instant::now();
                file.write_all(&[0; 512])?;
                took = begun.elapsed();
                file.sync_all()
            };
            let errno = write().err().map(|error| error.raw_os_error().unwrap_or_default());
            let _ = fs::remove_file(&path);
            Ok(Trial { took, errno })
        })
    }

    fn plant(&self, node: usize) -> Result<(), NodeError> {
        self.on_disk(node, |folder| {
            let folder = folder.join(RESERVED);
            let text = [b'c'; CANARY_BYTES as usize];
            let mut synced = File::create(folder.join("synced"))?;
            synced.write_all(&text)?;
            synced.sync_all()?;
            File::open(&folder)?.sync_all()?;
            fs::write(folder.join("unsynced"), text)
        })
    }

    fn canaries(&self, node: usize) -> Result<Canaries, NodeError> {
        self.on_disk(node, |folder| {
            let folder = folder.join(RESERVED);
            let mut left = ["synced", "unsynced"].into_iter().map(|name| {
                let path = folder.join(name);
                match fs::metadata(&path) {
                    Ok(metadata) => fs::remove_file(&path).map(|()| Some(metadata.len())),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            });
            let mut next = || left.next().unwrap_or(Ok(None));
            let canaries = Canaries { synced: next()?, unsynced: next()? };
            File::open(&folder)?.sync_all()?;
            Ok(canaries)
        })
    }

    fn cut_power(&self, node: usize, keep_percent: Option<u8>) -> Result<Lost, NodeError> {
        self.disk(node)?.line().cut_power(keep_percent).map_err(node_error)
    }

    fn damage(&self, node: usize, damage: Damage, seed: u64) -> Result<Vec<Damaged>, NodeError> {
        self.disk(node)?.line().damage(damage, seed).map_err(node_error)
    }

    fn mend(&self, node: usize) -> Result<Vec<Damaged>, NodeError> {
        self.disk(node)?.line().repair().map_err(node_error)
    }

    fn byte(&self, node: usize, place: &Damaged) -> Result<Option<u8>, NodeError> {
        let Damaged { path, offset, .. } = place.clone();
        self.on_disk(node, move |folder| {
            let mut byte = [0];
            match File::open(folder.join(path)).and_then(|file| file.read_at(&mut byte, offset)) {
                Ok(read) => Ok((read == 1).then_some(byte[0])),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}
