//! The arithmetic of clocks, the library in real programs, and which programs it reaches.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::*;

const SECOND_NS: i64 = 1_000_000_000;

#[test]
fn a_clock_is_ahead_by_all_its_deviations_together() {
    let check = |deviation: Deviation, elapsed_ns: i64, ahead_ns: i64| {
        let deviation = Deviation { since_ns: 1_000, ..deviation };
        assert_eq!(deviation.ahead_ns(1_000 + elapsed_ns), ahead_ns, "{deviation:?}");
    };
    let right = Deviation::default();
    check(right, 7, 0);
    let skew = Deviation { offset_ns: -5, ..right };
    check(skew, 0, -5);
    check(skew, SECOND_NS, -5);
    let drift = Deviation { drift_ppm: 200, ..right };
    check(drift, 0, 0);
    check(drift, SECOND_NS, 200_000);
    let days = 100 * 86_400 * SECOND_NS;
    check(Deviation { drift_ppm: 1_000_000, ..right }, days, days);
    let strobe = Deviation { strobe_ns: 9, strobe_period_ns: 10, ..right };
    for (elapsed, ahead) in [(0, 9), (9, 9), (10, 0), (19, 0), (20, 9)] {
        check(strobe, elapsed, ahead);
    }
    let jump = Deviation { jump_ns: 3, jump_every_ns: 10, ..right };
    for (elapsed, ahead) in [(0, 3), (9, 3), (10, 6), (25, 9)] {
        check(jump, elapsed, ahead);
    }
    check(Deviation { offset_ns: 100, ..jump }, 10, 106);
    check(jump, -50, 3); // the machine's own clock was set back
}

#[test]
fn a_reading_fits_what_was_told() {
    let reading = Reading { before_ns: 100, told_ns: 155, after_ns: 110 };
    let skew = |offset_ns| Deviation { offset_ns, ..Deviation::default() };
    assert!(reading.fits(&skew(50)));
    assert!(!reading.fits(&skew(44)) && !reading.fits(&skew(56)) && !reading.fits(&skew(0)));
}

#[test]
fn programs_see_the_page_while_they_run() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("clock.so");
    fs::write(&library, LIBRARY).unwrap();
    let mut page = Page::create(&folder.path().join("page")).unwrap();
    let path = page.path().to_owned();
    let this_year = |program: &str, args: &[&str]| -> i64 {
        let mut command = Command::new(program);
        command.args(args).env("LD_PRELOAD", &library).env(PAGE_VARIABLE, &path);
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().parse().unwrap()
    };
    let now = this_year("date", &["+%Y"]);
    page.set(&Deviation { offset_ns: 20 * 365 * 86_400 * SECOND_NS, ..Deviation::default() });
    for year in [this_year("date", &["+%Y"]), this_year("bash", &["-c", "printf '%(%Y)T\\n' -1"])] {
        assert!((now + 19..=now + 20).contains(&year), "{year}");
    }
    // One that runs already follows.
    let mut shell = Command::new("bash")
        .args(["-c", "printf '%(%s)T\\n' -1; read; printf '%(%s)T\\n' -1"])
        .env("LD_PRELOAD", &library)
        .env(PAGE_VARIABLE, &path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = io::BufReader::new(shell.stdout.take().unwrap());
    let mut second = || {
        let mut line = String::new();
        io::BufRead::read_line(&mut said, &mut line).unwrap();
        line.trim().parse::<i64>().unwrap()
    };
    let before = second();
    page.set(&Deviation { offset_ns: -SECOND_NS * 86_400, ..Deviation::default() });
    io::Write::write_all(shell.stdin.as_mut().unwrap(), b"\n").unwrap();
    assert!(second() < before - 86_400);
    assert!(shell.wait().unwrap().success());
    assert!((machine_ns().unwrap() / SECOND_NS - before).abs() > 86_400, "the machine's is right");
}

#[test]
fn a_machine_is_told_apart_from_its_clock() {
    let reading = Reading::take().unwrap();
    assert!(reading.fits(&Deviation::default()), "{reading:?}");
}

#[test]
fn a_program_that_does_not_ask_libc_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        asks_libc(&path)
    };
    asks_libc(Path::new("/bin/sh")).unwrap();
    asks_libc(&std::env::current_exe().unwrap()).unwrap();
    written("script", b"#!/bin/sh\n").unwrap();
    let shell = fs::read("/bin/sh").unwrap();
    // The same program with its interpreter unnamed: that is what linking statically comes to.
    let mut unnamed = shell.clone();
    let headers = u64::from_le_bytes(unnamed[32..40].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_le_bytes(unnamed[56..58].try_into().unwrap()));
    for header in (0..count).map(|number| headers + 56 * number) {
        if unnamed[header..header + 4] == PT_INTERP {
            unnamed[header] = 0;
        }
    }
    assert!(matches!(written("static", &unnamed), Err(NotReached::Static)));
    let named = b".note.ABI-tag\0";
    let mut go = shell;
    let at = go.windows(named.len()).rposition(|w| w == named).expect("Debian's has it");
    go[at..at + named.len()].copy_from_slice(b".go.buildinfo\0");
    assert!(matches!(written("go", &go), Err(NotReached::Go)));
    assert!(matches!(written("text", b"hello"), Err(NotReached::Foreign)));
    assert!(matches!(asks_libc(Path::new("/no/such")), Err(NotReached::Unreadable(_))));
}

const PT_INTERP: [u8; 4] = [3, 0, 0, 0];
