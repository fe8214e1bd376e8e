//! The same cases where the kernel has netem: in a user-mode Linux of Debian, which this program
//! boots with itself as what is to be run. The machine's files are its root, read-only.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use nix::unistd::geteuid;

const PROGRAM: &str = "/usr/bin/linux.uml";
const INIT: &str = include_str!("user_mode_linux/init.sh");
const WHOLE_XSTATE: &str = include_str!("user_mode_linux/whole_xstate.c");
/// So many machines share the cases, which mostly wait.
pub const PARTS: usize = 2;
/// What the kernel prints when all cases have passed.
const GOOD_END: &str = "ended with 0";

/// Bad links conform when netem makes them.
pub fn netem_conforms() {
    if geteuid().is_root() {
        // Inside it is root in any case, and an ordinary user can do no harm outside.
        println!("left to the ordinary user");
        return;
    }
    if !Path::new(PROGRAM).exists() {
        eprintln!("SKIPPED: netem is not tested: apt-get install user-mode-linux kmod");
        assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
        return;
    }
    thread::scope(|scope| {
        for part in 0..PARTS {
            scope.spawn(move || boot(part));
        }
    });
}

/// Boots a machine that tries a part of the cases.
fn boot(part: usize) {
    let folder = tempfile::tempdir_in(".").expect("a temporary folder");
    let path = |name: &str| folder.path().canonicalize().expect("it is there").join(name);
    let (init, source, shim) = (path("init.sh"), path("whole_xstate.c"), path("whole_xstate.so"));
    fs::write(&init, INIT).expect("written");
    fs::set_permissions(&init, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    fs::write(&source, WHOLE_XSTATE).expect("written");
    let mut compiler = Command::new("cc");
    let compiled = compiler.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&shim).arg(&source);
    assert!(compiled.status().expect("there is a C compiler").success());
    let own = std::env::current_exe().expect("own path");
    let kernel = Command::new(PROGRAM)
        .args(["quiet", "rootfstype=hostfs", "rootflags=/", "ro", "mem=512M", "con=null"])
        .args(["con0=null,fd:1", "umid=netem"])
        .arg(format!("uml_dir={}", folder.path().canonicalize().expect("it is there").display()))
        .arg(format!("init={}", init.display()))
        .arg(format!("SPLITBRAIN_PROGRAM={}", own.display()))
        .arg(format!("SPLITBRAIN_PART={part}"))
        .env("LD_PRELOAD", &shim)
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("it boots");
    let said = String::from_utf8_lossy(&[kernel.stdout, kernel.stderr].concat()).into_owned();
    println!("{said}");
    assert!(said.contains("netem;"), "netem is not what was tested");
    assert!(said.contains(GOOD_END), "it did not end well");
}
