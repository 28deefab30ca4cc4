//! A process of ours: what it is called, how its command line is read, and how it ends.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::exit::Exit;

/// A name such as `consumer@host:1234`, for `pg_stat_activity`, RabbitMQ's pages and leases.
#[must_use]
pub fn name(binary: &str) -> String {
    let host = gethostname::gethostname();
    format!("{binary}@{}:{}", host.to_string_lossy(), std::process::id())
}

/// Reads the command line, runs what it says on an asynchronous runtime, and turns the outcome into an exit code. An error
/// is printed with its causes.
pub fn main<O, E>(binary: &str, run: impl AsyncFnOnce(O) -> Result<Exit, E>) -> ExitCode
where
    O: Parser,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let options = match O::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Help and version are printed like an error, and are none. Nothing is left to do when printing fails.
            error.print().ok();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(binary, &error),
    };
    let outcome = runtime.block_on(run(options));
    // A statement that still runs does not keep the process.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => failed(binary, error.into().as_ref()),
    }
}

fn failed(binary: &str, error: &(dyn Error + 'static)) -> ExitCode {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let message = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    writeln!(std::io::stderr(), "{binary}: {message}").ok();
    Exit::of(error).into()
}
