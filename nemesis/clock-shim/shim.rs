//! The library that a node's programs are started with (`LD_PRELOAD`), so that they see another
//! time of day. It stands in for the functions of libc that tell it; monotonic clocks are not
//! touched, nor is the machine's own clock.
//!
//! It needs nothing but a few functions of libc that every program has that asks libc for the
//! time: no allocator and no initialisation, since it may be asked before there are any.

#![no_std]

#[path = "layout.rs"]
mod layout;

use core::ffi::{c_char, c_int, c_long, c_ulong, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use layout::Shared;

const CLOCK_REALTIME: c_int = 0;
const CLOCK_REALTIME_COARSE: c_int = 5;
const TIME_UTC: c_int = 1;
const NANOS: i64 = 1_000_000_000;
const AT_SYSINFO_EHDR: c_ulong = 33;
const O_RDONLY_CLOEXEC: c_int = 0o2_000_000;
const PROT_READ: c_int = 1;
const MAP_SHARED: c_int = 1;
const PAGE: usize = 4096;

#[cfg(target_arch = "x86_64")]
const SYS_CLOCK_GETTIME: c_long = 228;
#[cfg(target_arch = "aarch64")]
const SYS_CLOCK_GETTIME: c_long = 113;
#[cfg(target_arch = "x86_64")]
const VDSO_NAME: &[u8] = b"__vdso_clock_gettime\0";
#[cfg(target_arch = "aarch64")]
const VDSO_NAME: &[u8] = b"__kernel_clock_gettime\0";

unsafe extern "C" {
    fn getenv(name: *const c_char) -> *const c_char;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn close(fd: c_int) -> c_int;
    fn mmap(at: *mut c_void, len: usize, prot: c_int, flags: c_int, fd: c_int, off: i64)
    -> *mut c_void;
    fn munmap(at: *mut c_void, len: usize) -> c_int;
    fn getauxval(kind: c_ulong) -> c_ulong;
    fn syscall(number: c_long, ...) -> c_long;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {} // nothing here panics
}

#[repr(C)]
pub struct TimeSpec {
    seconds: i64,
    nanos: i64,
}

#[repr(C)]
pub struct TimeVal {
    seconds: i64,
    micros: i64,
}

/// The mapped file, once it was asked for.
static SHARED: AtomicPtr<Shared> = AtomicPtr::new(null_mut());

fn shared() -> Option<&'static Shared> {
    let mapped = SHARED.load(Ordering::Acquire);
    // SAFETY: it was mapped, and is never unmapped once it stands there.
    unsafe { if mapped.is_null() { map() } else { Some(&*mapped) } }
}

/// Maps the file. Two threads may do so at once; then one of them wins.
unsafe fn map() -> Option<&'static Shared> {
    unsafe {
        let path = getenv(c"SPLITBRAIN_CLOCK".as_ptr());
        if path.is_null() {
            return None;
        }
        let file = open(path, O_RDONLY_CLOEXEC);
        if file < 0 {
            return None;
        }
        let mapped = mmap(null_mut(), PAGE, PROT_READ, MAP_SHARED, file, 0);
        close(file);
        if mapped as isize == -1 {
            return None;
        }
        let ours = mapped.cast::<Shared>();
        match SHARED.compare_exchange(null_mut(), ours, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(&*ours),
            Err(theirs) => {
                munmap(mapped, PAGE);
                Some(&*theirs)
            }
        }
    }
}

/// The kernel's function that tells the time without a system call; 1 if there is none.
static VDSO: AtomicUsize = AtomicUsize::new(0);

unsafe fn real(clock: c_int, time: *mut TimeSpec) -> c_int {
    unsafe {
        let mut function = VDSO.load(Ordering::Relaxed);
        if function == 0 {
            function = find_in_vdso().unwrap_or(1);
            VDSO.store(function, Ordering::Relaxed);
        }
        if function != 1 {
            let ask: extern "C" fn(c_int, *mut TimeSpec) -> c_int = core::mem::transmute(function);
            if ask(clock, time) == 0 {
                return 0;
            }
        }
        syscall(SYS_CLOCK_GETTIME, clock as c_long, time) as c_int // sets errno
    }
}

/// Reads a number of the image of the vDSO (vdso(7)), which is a whole ELF file in memory.
unsafe fn word(at: usize) -> usize {
    unsafe { (at as *const usize).read_unaligned() }
}

unsafe fn find_in_vdso() -> Option<usize> {
    unsafe {
        let image = getauxval(AT_SYSINFO_EHDR) as usize;
        if image == 0 {
            return None;
        }
        let headers = image + word(image + 32); // e_phoff
        let count = word(image + 56) & 0xffff; // e_phnum
        let (mut shift, mut dynamic) = (None, 0);
        for header in (0..count).map(|number| headers + number * 56) {
            match word(header) as u32 {
                // PT_LOAD: what addresses in the image are relative to.
                1 if shift.is_none() => {
                    shift = Some(image.wrapping_add(word(header + 8)).wrapping_sub(word(header + 16)));
                }
                2 => dynamic = image + word(header + 8), // PT_DYNAMIC
                _ => {}
            }
        }
        let shift = shift?;
        let (mut strings, mut symbols) = (0, 0);
        while dynamic != 0 && word(dynamic) != 0 {
            match word(dynamic) {
                5 => strings = shift.wrapping_add(word(dynamic + 8)), // DT_STRTAB
                6 => symbols = shift.wrapping_add(word(dynamic + 8)), // DT_SYMTAB
                _ => {}
            }
            dynamic += 16;
        }
        // The strings follow the symbols in every kernel's image.
        let symbols = symbols..strings;
        symbols.clone().step_by(24).find_map(|symbol| {
            let name = (strings + (word(symbol) as u32) as usize) as *const u8;
            let same = VDSO_NAME.iter().enumerate().all(|(at, byte)| *name.add(at) == *byte);
            let address = word(symbol + 8);
            (same && address != 0).then(|| shift.wrapping_add(address))
        })
    }
}

/// The time of day that the node is to see; `None` with errno set.
unsafe fn told(clock: c_int) -> Option<TimeSpec> {
    let mut time = TimeSpec { seconds: 0, nanos: 0 };
    if unsafe { real(clock, &mut time) } != 0 {
        return None;
    }
    shift(&mut time);
    Some(time)
}

fn shift(time: &mut TimeSpec) {
    let Some(deviation) = shared().and_then(Shared::get) else { return };
    let real_ns = time.seconds.wrapping_mul(NANOS).wrapping_add(time.nanos);
    let told_ns = real_ns.saturating_add(deviation.ahead_ns(real_ns)).max(0);
    time.seconds = told_ns / NANOS;
    time.nanos = told_ns % NANOS;
}

/// clock_gettime(2).
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut TimeSpec) -> c_int {
    unsafe {
        let result = real(clock, time);
        if result == 0 && matches!(clock, CLOCK_REALTIME | CLOCK_REALTIME_COARSE) {
            shift(&mut *time);
        }
        result
    }
}

/// gettimeofday(2).
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gettimeofday(time: *mut TimeVal, zone: *mut [c_int; 2]) -> c_int {
    unsafe {
        let Some(now) = told(CLOCK_REALTIME) else { return -1 };
        if !time.is_null() {
            *time = TimeVal { seconds: now.seconds, micros: now.nanos / 1_000 };
        }
        if !zone.is_null() {
            *zone = [0; 2];
        }
        0
    }
}

/// time(2).
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn time(seconds: *mut i64) -> i64 {
    unsafe {
        let Some(now) = told(CLOCK_REALTIME_COARSE) else { return -1 };
        if !seconds.is_null() {
            *seconds = now.seconds;
        }
        now.seconds
    }
}

/// timespec_get(3).
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn timespec_get(time: *mut TimeSpec, base: c_int) -> c_int {
    unsafe {
        match told(CLOCK_REALTIME) {
            Some(now) if base == TIME_UTC => {
                *time = now;
                base
            }
            _ => 0,
        }
    }
}
