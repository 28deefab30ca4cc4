//! The operators' tool as a process.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use producer::cli::Options;
use shared::exit::Exit;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Help and version are printed like an error, and are none. Nothing is left to do when printing fails.
            error.print().ok();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = runtime.block_on(options.run());
    // A statement that still runs does not keep the process.
    runtime.shutdown_background();
    outcome.map_or_else(|error| failed(&error), Into::into)
}

fn failed(error: &anyhow::Error) -> ExitCode {
    writeln!(std::io::stderr(), "producer: {error:#}").ok();
    Exit::of(error.as_ref()).into()
}
