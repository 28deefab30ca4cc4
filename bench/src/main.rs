#![doc = include_str!("../README.md")]

mod bare;
mod chart;
mod cli;
mod control;
mod job;
mod machine;
mod measure;
mod part;
mod report;
mod scenario;
mod table;
mod tables;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let options = match cli::Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Where it cannot be printed nobody can be told.
            error.print().ok();
            return if error.use_stderr() { ExitCode::from(cli::USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match options.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "bench: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}
