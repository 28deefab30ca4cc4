//! The operators' tool as a process.

use std::process::ExitCode;

use producer::cli::Options;

fn main() -> ExitCode {
    shared::process::main("producer", Options::run)
}
