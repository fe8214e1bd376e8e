//! Whether a program asks libc for the time of day, as far as its file shows.

use std::fs;
use std::io;
use std::path::Path;

use object::elf::{FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind};

/// Why a program would not see another time.
#[derive(Debug, thiserror::Error)]
pub enum NotReached {
    /// It has libc in itself, if any.
    #[error("statically linked")]
    Static,
    /// Go asks the kernel past libc even where it is linked to it.
    #[error("a Go program reads the clock without libc")]
    Go,
    /// It is no program of this kind of machine.
    #[error("not a 64-bit ELF program")]
    Foreign,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// Looks whether a program asks libc for the time. Of a script that is assumed, since its
/// interpreter does; what it starts is seen only when it runs.
///
/// # Errors
/// It does not.
pub fn asks_libc(program: &Path) -> Result<(), NotReached> {
    let bytes = fs::read(program)?;
    if bytes.starts_with(b"#!") {
        return Ok(());
    }
    if !matches!(FileKind::parse(&*bytes), Ok(FileKind::Elf64)) {
        return Err(NotReached::Foreign);
    }
    look(&bytes).unwrap_or(Err(NotReached::Foreign))
}

fn look(bytes: &[u8]) -> object::Result<Result<(), NotReached>> {
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let name = |section| sections.section_name(endian, section);
    if sections.iter().any(|section| name(section).is_ok_and(|name| name == b".go.buildinfo")) {
        return Ok(Err(NotReached::Go));
    }
    let segments = header.program_headers(endian, bytes)?;
    let dynamic = segments.iter().any(|segment| segment.p_type(endian) == PT_INTERP);
    Ok(if dynamic { Ok(()) } else { Err(NotReached::Static) })
}
