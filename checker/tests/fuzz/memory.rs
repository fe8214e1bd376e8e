//! Counts the bytes that are allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, and how much of it is in use.
pub struct Memory;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static BEFORE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Memory = Memory;

impl Memory {
    /// Counts from here.
    pub fn restart() {
        let now = NOW.load(Relaxed);
        BEFORE.store(now, Relaxed);
        PEAK.store(now, Relaxed);
    }

    /// The most bytes in use at once since the count was restarted, above those in use then.
    pub fn peak() -> usize {
        PEAK.load(Relaxed).saturating_sub(BEFORE.load(Relaxed))
    }
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller keeps the promises of this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the promises of this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}
