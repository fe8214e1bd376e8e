//! The `splitbrain` program.

fn main() -> std::process::ExitCode {
    splitbrain::cli::main()
}
