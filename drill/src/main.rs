//! The drill as a process.

use std::process::ExitCode;

use drill::cli::Options;

fn main() -> ExitCode {
    shared::process::main("drill", Options::run)
}
