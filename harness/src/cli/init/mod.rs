//! `splitbrain init`: what to begin with for a system of one's own.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

use super::{Exit, Failure, harness, usage};

/// Flags of `init`.
#[derive(clap::Args)]
pub struct Args {
    /// The folder in which the files are written.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// A plan with a comment on every line.
const PLAN: &str = include_str!("plan.toml");
/// A crate with a database and its client.
const MANIFEST: &str = include_str!("Cargo.toml.txt");
const DATABASE: &str = include_str!("../../../../examples/my-database/src/main.rs");

/// Writes them; what is there already stays.
pub fn main(args: &Args) -> Result<Exit, Failure> {
    let files = [("plan.toml", PLAN), ("Cargo.toml", MANIFEST), ("src/main.rs", DATABASE)];
    let there = files.iter().map(|(name, _)| args.folder.join(name)).find(|path| path.exists());
    if let Some(path) = there {
        return Err(usage(anyhow::anyhow!("{} is there already, and stays", path.display())));
    }
    std::fs::create_dir_all(args.folder.join("src"))
        .with_context(|| format!("the folder {} cannot be made", args.folder.display()))
        .map_err(usage)?;
    for (name, text) in files {
        let path = args.folder.join(name);
        let written =
            std::fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("{} cannot be written", path.display())).map_err(usage)?;
        super::print(&format!("{}\n", path.display())).map_err(harness)?;
    }
    super::tell(
        "plan.toml: `splitbrain run --plan plan.toml`. src/main.rs: a program of yours that tests your \
         database; say in Cargo.toml where splitbrain is, and `cargo run -- run`.",
    );
    Ok(Exit::Valid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn the_plan_is_one_and_every_line_of_it_is_explained() {
        let plan = Plan::from_toml(PLAN).unwrap();
        let nodes = ["n1", "n2", "n3"].map(str::to_owned);
        assert_eq!(plan.timeline(&nodes, 1).unwrap().len(), 3);
        for line in PLAN.lines().filter(|line| line.contains(" = ")) {
            assert!(line.contains('#'), "{line}");
        }
    }

    #[test]
    fn the_client_compiles_and_knows_what_may_have_happened() {
        // It is compiled as an example of its own.
        assert!(DATABASE.contains("impl Database for MyDatabase"));
        assert!(DATABASE.contains("OpError::info") && DATABASE.contains("OpError::fail"));
    }
}
