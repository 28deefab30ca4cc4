//! The worker as a process.

use std::process::ExitCode;

use consumer::cli::Options;

fn main() -> ExitCode {
    shared::process::main("consumer", Options::run)
}
