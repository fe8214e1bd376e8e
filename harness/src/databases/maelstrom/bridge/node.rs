//! The node's program: its standard input and output are lines of messages, its standard error is the log.

use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc::UnboundedReceiver;

/// Starts it; what comes from `lines` is written to it.
///
/// # Errors
/// It cannot be executed.
pub(super) fn start(
    bin: &[String],
    mut lines: UnboundedReceiver<String>,
) -> io::Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let named =
        |error: io::Error| io::Error::other(format!("{} cannot be started: {error}", bin[0]));
    let mut program = Command::new(&bin[0])
        .args(&bin[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(named)?;
    let gone = || io::Error::other("the program has no streams");
    let mut input = program.stdin.take().ok_or_else(gone)?;
    let output = program.stdout.take().ok_or_else(gone)?;
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            if input.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                return; // its output ends too, which is noticed
            }
        }
    });
    Ok((program, BufReader::new(output).lines()))
}
