//! Damage to what lies on the disk, and mending what the node has not written over since.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Damage, Damaged, RESERVED};

/// One place that was damaged, and what mends it.
#[derive(Debug)]
pub(super) struct Wound {
    pub(super) damaged: Damaged,
    file: File,
    /// What was there before, from the damaged place on.
    was: Vec<u8>,
    /// What was put there; nothing if the file ends there now.
    is: Vec<u8>,
}

impl Wound {
    /// Number of the file.
    pub(super) fn number(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.ino())
    }

    /// Puts back what was there, unless the node has written something else meanwhile. Whether it
    /// did.
    pub(super) fn mend(&self) -> io::Result<bool> {
        let offset = self.damaged.offset;
        let length = self.file.metadata()?.len();
        if self.is.is_empty() && length != offset || length < offset + self.is.len() as u64 {
            return Ok(false);
        }
        let mut now = vec![0; self.is.len()];
        self.file.read_exact_at(&mut now, offset)?;
        if now != self.is {
            return Ok(false);
        }
        self.file.write_all_at(&self.was, offset)?;
        Ok(true)
    }
}

/// Damages the files of a folder. The same files, damage and seed give the same damage.
pub(super) fn inflict(root: &Path, damage: Damage, seed: u64) -> io::Result<Vec<Wound>> {
    let mut paths = Vec::new();
    collect(root, Path::new(""), &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let file = File::options().read(true).write(true).open(root.join(&path))?;
        let length = file.metadata()?.len();
        if length > 0 {
            files.push((path, file, length));
        }
    }
    match damage {
        Damage::Flip { bits } => flip(&files, bits, &mut ChaCha8Rng::seed_from_u64(seed)),
        Damage::Truncate { bytes } => files.into_iter().map(|file| truncate(file, bytes)).collect(),
    }
}

fn collect(root: &Path, below: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() && path != Path::new(RESERVED) {
            collect(root, &path, paths)?;
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

/// Turns over bits in different bytes, each byte of all files being as likely as any other.
fn flip(files: &[(PathBuf, File, u64)], bits: u64, rng: &mut ChaCha8Rng) -> io::Result<Vec<Wound>> {
    let total: u64 = files.iter().map(|(.., length)| length).sum();
    let mut places = Vec::new();
    if bits >= total {
        places.extend(0..total);
        places.shuffle(rng);
    }
    while (places.len() as u64) < bits.min(total) {
        let place = rng.random_range(0..total);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut wounds = Vec::new();
    for mut place in places {
        let mut those = files.iter();
        let (path, file, _) = loop {
            let found = those.next().expect("the place is below the sum of the lengths");
            if place < found.2 {
                break found;
            }
            place -= found.2;
        };
        let mut was = [0];
        file.read_exact_at(&mut was, place)?;
        let is = [was[0] ^ 1 << rng.random_range(0..8)];
        file.write_all_at(&is, place)?;
        wounds.push(Wound {
            damaged: Damaged { path: path.clone(), offset: place, was: was[0] },
            file: file.try_clone()?,
            was: was.to_vec(),
            is: is.to_vec(),
        });
    }
    Ok(wounds)
}

fn truncate((path, file, length): (PathBuf, File, u64), bytes: u64) -> io::Result<Wound> {
    let offset = length.saturating_sub(bytes.max(1));
    let mut was = vec![0; (length - offset) as usize];
    file.read_exact_at(&mut was, offset)?;
    file.set_len(offset)?;
    Ok(Wound { damaged: Damaged { path, offset, was: was[0] }, file, was, is: Vec::new() })
}
