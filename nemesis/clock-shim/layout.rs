//! What a clock is told, as it lies in the file that is shared with the node's programs. Compiled
//! into the shim and into the crate.

use core::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};

/// How a clock differs from the machine's; by default not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(shim), derive(serde::Serialize, serde::Deserialize))]
pub struct Deviation {
    /// Always, in nanoseconds.
    pub offset_ns: i64,
    /// In addition so much faster, in millionths, from `since_ns` on.
    pub drift_ppm: i64,
    /// In addition this, in every second `strobe_period_ns` from `since_ns` on, the first included.
    pub strobe_ns: i64,
    /// How long each half of a strobe is; 0 for none.
    pub strobe_period_ns: i64,
    /// In addition this at `since_ns`, and once more after each `jump_every_ns`.
    pub jump_ns: i64,
    /// The time between two jumps; 0 for none.
    pub jump_every_ns: i64,
    /// When it began, by the machine's clock, in nanoseconds since 1970.
    pub since_ns: i64,
}

impl Deviation {
    /// Whether such a clock is right.
    #[allow(dead_code)] // not in the shim
    pub fn is_none(&self) -> bool {
        self.offset_ns == 0
            && self.drift_ppm == 0
            && (self.strobe_ns == 0 || self.strobe_period_ns == 0)
            && (self.jump_ns == 0 || self.jump_every_ns == 0)
    }

    /// Both deviations together. Of two strobes or two series of jumps, the other one's hold.
    #[allow(dead_code)] // not in the shim
    pub fn and(self, other: Deviation) -> Deviation {
        let pick = |ours: (i64, i64), theirs: (i64, i64)| if theirs.1 == 0 { ours } else { theirs };
        let strobe = |d: &Deviation| (d.strobe_ns, d.strobe_period_ns);
        let jump = |d: &Deviation| (d.jump_ns, d.jump_every_ns);
        let (strobe_ns, strobe_period_ns) = pick(strobe(&self), strobe(&other));
        let (jump_ns, jump_every_ns) = pick(jump(&self), jump(&other));
        Deviation {
            offset_ns: self.offset_ns.saturating_add(other.offset_ns),
            drift_ppm: self.drift_ppm.saturating_add(other.drift_ppm),
            strobe_ns,
            strobe_period_ns,
            jump_ns,
            jump_every_ns,
            since_ns: self.since_ns.max(other.since_ns),
        }
    }

    /// How much the clock is ahead when the machine's says `real_ns`, in nanoseconds.
    pub fn ahead_ns(&self, real_ns: i64) -> i64 {
        let elapsed = real_ns.saturating_sub(self.since_ns).max(0);
        let mut ahead = self.offset_ns;
        // Microseconds first: three hours of nanoseconds times a million do not fit, but then a
        // hundred days do.
        ahead = ahead.saturating_add((elapsed / 1_000).saturating_mul(self.drift_ppm) / 1_000);
        if self.strobe_period_ns > 0 && elapsed / self.strobe_period_ns % 2 == 0 {
            ahead = ahead.saturating_add(self.strobe_ns);
        }
        if self.jump_every_ns > 0 {
            let jumps = 1 + elapsed / self.jump_every_ns;
            ahead = ahead.saturating_add(self.jump_ns.saturating_mul(jumps));
        }
        ahead
    }
}

const VALUES: usize = 7;

/// The file. A writer makes the sequence odd while it writes, so that nobody reads half of it.
#[repr(C)]
pub struct Shared {
    sequence: AtomicU64,
    values: [AtomicI64; VALUES],
}

impl Shared {
    /// What is told now; `None` if a writer stopped in the middle.
    pub fn get(&self) -> Option<Deviation> {
        for _ in 0..1_000_000 {
            let before = self.sequence.load(Ordering::Acquire);
            let mut values = [0; VALUES];
            for (value, shared) in values.iter_mut().zip(&self.values) {
                *value = shared.load(Ordering::Relaxed);
            }
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == before {
                let [
                    offset_ns,
                    drift_ppm,
                    strobe_ns,
                    strobe_period_ns,
                    jump_ns,
                    jump_every_ns,
                    since_ns,
                ] = values;
                return Some(Deviation {
                    offset_ns,
                    drift_ppm,
                    strobe_ns,
                    strobe_period_ns,
                    jump_ns,
                    jump_every_ns,
                    since_ns,
                });
            }
            core::hint::spin_loop();
        }
        None
    }

    /// Tells something else. There is one writer only.
    #[allow(dead_code)] // not in the shim
    pub fn set(&self, deviation: &Deviation) {
        let d = deviation;
        let values = [
            d.offset_ns,
            d.drift_ppm,
            d.strobe_ns,
            d.strobe_period_ns,
            d.jump_ns,
            d.jump_every_ns,
            d.since_ns,
        ];
        self.sequence.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (value, shared) in values.iter().zip(&self.values) {
            shared.store(*value, Ordering::Relaxed);
        }
        self.sequence.fetch_add(1, Ordering::Release);
    }
}
