//! The command line: what is run, and where its results go.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Parser, Subcommand};

use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::{Bench, Plan, Scenario};
use crate::{bare, chart, part, table};

/// `EX_USAGE` of sysexits: wrong flags.
pub(crate) const USAGE: u8 = 64;

/// Measures producer and workers on this machine, beside a bare reference that keeps none of their promises.
///
/// Prints one table; writes results.json and charts. Run it as `./dev bench`, which starts the servers.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    share: Option<Share>,
    /// Runs of each row; the slowest scenarios make fewer
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=99))]
    runs: u8,
    /// Only these scenarios
    #[arg(long, value_name = "SCENARIO", value_delimiter = ',', value_enum)]
    only: Vec<Scenario>,
    /// A smoke test: everything once, with so few calls that the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// The folder for results.json and the charts; those of the documents are in docs/bench
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    out: PathBuf,
    /// Measure nothing: print the table of an earlier results.json, and draw its charts anew
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "quick"])]
    render: Option<PathBuf>,
}

/// What this program does as a process that is measured.
#[derive(Debug, Subcommand)]
enum Share {
    /// The bare reference
    #[command(hide = true)]
    Bare(bare::Options),
    /// A part alone
    #[command(hide = true)]
    Part(part::Options),
}

impl Options {
    /// Does what it says.
    #[tokio::main]
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.share {
            Some(Share::Bare(options)) => return options.run().await,
            Some(Share::Part(options)) => return options.run().await,
            None => {}
        }
        let report = match &self.render {
            Some(file) => read(file)?,
            None => self.measure().await?,
        };
        std::fs::create_dir_all(&self.out).with_context(|| self.out.display().to_string())?;
        let file = self.out.join("results.json");
        if self.render.is_none() {
            std::fs::write(&file, serde_json::to_string_pretty(&report)? + "\n")?;
        }
        chart::draw(&report, &self.out)?;
        writeln!(std::io::stdout(), "{}", table::of(&report))?;
        writeln!(std::io::stderr(), "raw data and charts: {}", self.out.display())?;
        anyhow::ensure!(report.failures.is_empty(), "{}", report.failures.join("\n"));
        Ok(())
    }

    async fn measure(&self) -> anyhow::Result<Report> {
        let plan = Plan { runs: if self.quick { 1 } else { self.runs.into() }, is_quick: self.quick };
        let machine = Machine::look().await?;
        let description = machine.description.clone();
        let mut bench = Bench::new(machine, plan);
        let mut failures = Vec::new();
        for scenario in Scenario::all() {
            if (self.only.is_empty() || self.only.contains(&scenario))
                && let Err(error) = bench.run(scenario).await
            {
                failures.push(format!("{}: {error:#}", scenario.name()));
            }
        }
        let taken_at = DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Secs, true);
        Ok(Report { taken_at, machine: description, rows: bench.finished(), failures })
    }
}

fn read(file: &Path) -> anyhow::Result<Report> {
    let text = std::fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no results.json", file.display()))
}
