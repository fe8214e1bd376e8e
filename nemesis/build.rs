//! Builds the library that shows a node's programs another time; the crate carries it as bytes.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=clock-shim");
    println!("cargo::rustc-check-cfg=cfg(shim)");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let library = PathBuf::from(variable("OUT_DIR")).join("clock.so");
    let supported = variable("CARGO_CFG_TARGET_OS") == "linux"
        && ["x86_64", "aarch64"].contains(&variable("CARGO_CFG_TARGET_ARCH").as_str());
    if !supported {
        // The crate then says that clocks cannot be had.
        fs::write(&library, "").expect("the output folder can be written");
        return;
    }
    let mut rustc = Command::new(variable("RUSTC"));
    rustc
        .args(["--edition=2024", "--crate-type=cdylib", "--crate-name=splitbrain_clock"])
        .args(["-Copt-level=3", "-Cpanic=abort", "-Cstrip=symbols", "-Clink-arg=-nostdlib"])
        // The file that both share derives there what needs std.
        .args(["--cfg", "shim"])
        .args(["--target", &variable("TARGET"), "-o"])
        .arg(&library)
        .arg("clock-shim/shim.rs");
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    let status = rustc.status().expect("rustc can be started");
    assert!(status.success(), "the clock's library cannot be built");
}
