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
    // What boxes an `anyhow::Error` hides its type, and with it the exit code.
    E: AsRef<dyn Error + 'static>,
{
    std::panic::set_hook(Box::new(|panic| {
        // Where, and never what: a panic's message may quote the text it was about.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        writeln!(std::io::stderr(), "panicked at {place}").ok();
    }));
    let options = match O::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Help and version are printed like an error, and are none. Nothing is left to do when printing fails.
            error.print().ok();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    // One thread for all that does not block: handing work from one to another costs more than a job itself. More cores are
    // for more workers.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(binary, &error).into(),
    };
    match runtime.block_on(run(options)) {
        Ok(exit) => end(exit),
        Err(error) => end(failed(binary, error.as_ref())),
    }
}

/// Ends the process at once: a statement that still runs does not keep it. The pool's threads may be within libpq at this
/// moment, and what OpenSSL and Kerberos take down at a usual exit would be pulled from under them: one `dead list` in
/// five ended by SIGSEGV.
fn end(exit: Exit) -> ! {
    // Nobody is left to be told when standard output is closed.
    std::io::stdout().flush().ok();
    signal_hook::low_level::exit(exit.code().into())
}

fn failed(binary: &str, error: &(dyn Error + 'static)) -> Exit {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let message = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    writeln!(std::io::stderr(), "{binary}: {message}").ok();
    Exit::of(error)
}
