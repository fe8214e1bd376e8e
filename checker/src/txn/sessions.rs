//! Sessions of transactions on registers, and who wrote which key in them.

use rustc_hash::FxHashMap;

use super::material::Material;
use super::register_reads::Registers;

/// Sessions, and the place of each transaction in its own.
pub(crate) struct Sessions {
    places: Vec<(u32, u32)>,
    count: u32,
    /// For each key where its sessions begin in `sessions`, and the end of all.
    starts: Vec<u32>,
    /// Sessions in which a key was written, each with where its writers begin; they end where the next begin.
    sessions: Vec<(u32, u32)>,
    /// Who wrote, with the places in the session.
    writers: Vec<(u32, u32)>,
}

impl Sessions {
    pub fn of(material: &Material<'_>, registers: &Registers) -> Sessions {
        let mut ids: FxHashMap<u64, (u32, u32)> = FxHashMap::default();
        let mut places = Vec::with_capacity(material.len() as usize);
        for transaction in 0..material.len() {
            let next = ids.len() as u32;
            let process = material.operation(transaction).process;
            let (id, count) = ids.entry(process).or_insert((next, 0));
            places.push((*id, *count));
            *count += 1;
        }
        let (mut starts, mut sessions, mut writers) = (vec![0], Vec::new(), Vec::new());
        let mut of_key: Vec<((u32, u32), u32)> = Vec::new();
        for all in &registers.writers {
            of_key.clear();
            of_key.extend(all.iter().map(|one| (places[*one as usize], *one)));
            of_key.sort_unstable();
            let mut last = None;
            for ((session, place), writer) in &of_key {
                if last.replace(*session) != Some(*session) {
                    sessions.push((*session, writers.len() as u32));
                }
                writers.push((*place, *writer));
            }
            starts.push(sessions.len() as u32);
        }
        sessions.push((u32::MAX, writers.len() as u32));
        Sessions { places, count: ids.len() as u32, starts, sessions, writers }
    }

    /// How many sessions there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The session of a transaction, and its place there.
    pub fn place(&self, transaction: u32) -> (u32, u32) {
        self.places[transaction as usize]
    }

    /// The sessions in which a key was written, each with who wrote it there by their places.
    pub fn writers(&self, key: u32) -> impl Iterator<Item = (u32, &[(u32, u32)])> {
        let range = self.starts[key as usize] as usize..=self.starts[key as usize + 1] as usize;
        self.sessions[range].windows(2).map(|pair| {
            let (session, from) = pair[0];
            (session, &self.writers[from as usize..pair[1].1 as usize])
        })
    }

    /// The last one that wrote a key in the session of a transaction before it.
    pub fn before(&self, transaction: u32, key: u32) -> Option<u32> {
        let (session, place) = self.place(transaction);
        let range = self.starts[key as usize] as usize..self.starts[key as usize + 1] as usize;
        let of_key = &self.sessions[range.clone()];
        let at =
            range.start + of_key.binary_search_by_key(&session, |(session, _)| *session).ok()?;
        let writers = &self.writers[self.sessions[at].1 as usize..self.sessions[at + 1].1 as usize];
        let before = writers.partition_point(|(other, _)| *other < place).checked_sub(1)?;
        Some(writers[before].1)
    }
}
