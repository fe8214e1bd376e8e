//! `splitbrain completions` and `splitbrain man`: what a shell and `man` know of the command line.

use anyhow::{Context as _, anyhow};
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Exit, Failure, harness, usage};

/// Flags of `completions`.
#[derive(clap::Args)]
pub struct Completions {
    /// For which shell; the output is what that shell reads at its start.
    shell: Shell,
}

/// Flags of `man`.
#[derive(clap::Args)]
pub struct Man {
    /// A command, such as `run`; without it the page is of the whole program.
    command: Option<String>,
}

/// Prints the completions of a shell.
pub fn completions(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "splitbrain", &mut script);
    print(script)
}

/// Prints a manual page, for `man -l -`.
pub fn man(args: &Man) -> Result<Exit, Failure> {
    let mut all = Cli::command();
    all.build();
    let command = match &args.command {
        None => all,
        Some(name) => {
            let shown = |command: &&Command| !command.is_hide_set();
            let found = all.find_subcommand(name).filter(shown).cloned();
            let names: Vec<&str> =
                all.get_subcommands().filter(shown).map(Command::get_name).collect();
            let known = names.join(", ");
            found
                .with_context(|| anyhow!("no command is named {name:?}; there are: {known}"))
                .map_err(usage)?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(harness)?;
    print(page)
}

fn print(bytes: Vec<u8>) -> Result<Exit, Failure> {
    let text = String::from_utf8(bytes).map_err(harness)?;
    super::print(&text).map_err(harness)?;
    Ok(Exit::Valid)
}
