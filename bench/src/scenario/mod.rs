//! What is measured: a module for each scenario.

mod backlog;
mod fresh;
mod latency;
mod no_latency;
mod parts;
mod rate_limit;
mod resync;
mod scaling;
mod unchanged;

use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::bare::Share;
use crate::job;
use crate::machine::{Machine, SPAN, Simulator};
use crate::report::Row;

/// Requests in flight where the API answers at once, of ours and of the reference.
const CONCURRENCY: usize = 32;

/// What can be asked for by `--only`, in the order of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Scenario {
    /// An API that answers at once, beside the bare reference
    NoLatency,
    /// 50 ms a call, 64 requests in flight
    Latency,
    /// 50 ms a call, 1 to 8 workers
    Scaling,
    /// 100 requests a second, 429 above
    RateLimit,
    /// 2,000 to 200,000 calls at once
    Backlog,
    /// Everything once more, unchanged
    Resync,
    /// A pass over a source without news, with a million calls stored
    Unchanged,
    /// One call that has just ended
    Fresh,
    /// Each step alone, beside its own bare limit
    Parts,
}

impl Scenario {
    /// Every one.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    /// Its name, as `--only` takes it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// How much is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Runs of a row.
    pub(crate) runs: usize,
    /// Only to see that everything works.
    pub(crate) is_quick: bool,
}

impl Plan {
    /// So many calls, or few.
    pub(crate) fn calls(self, calls: u32) -> u32 {
        if self.is_quick { calls.min(100) } else { calls }
    }

    /// As many runs as asked for, but no more than these: some scenarios take long, and vary little.
    pub(crate) fn at_most(self, runs: usize) -> Self {
        Self { runs: self.runs.min(runs), ..self }
    }
}

/// The benchmark as it proceeds.
#[derive(Debug)]
pub(crate) struct Bench {
    machine: Machine,
    plan: Plan,
    line: ProgressBar,
    rows: Vec<Row>,
}

impl Bench {
    /// Nothing is measured yet.
    pub(crate) fn new(machine: Machine, plan: Plan) -> Self {
        let style = ProgressStyle::with_template("{spinner} [{elapsed}] {prefix} {wide_msg}");
        let line = ProgressBar::new_spinner();
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        line.enable_steady_tick(Duration::from_millis(200));
        Self { machine, plan, line, rows: Vec::new() }
    }

    /// Runs a scenario, and keeps its rows.
    pub(crate) async fn run(&mut self, scenario: Scenario) -> anyhow::Result<()> {
        self.line.set_prefix(scenario.name());
        let rows = match scenario {
            Scenario::NoLatency => no_latency::run(self).await?,
            Scenario::Latency => latency::run(self).await?,
            Scenario::Scaling => scaling::run(self).await?,
            Scenario::RateLimit => rate_limit::run(self).await?,
            Scenario::Backlog => backlog::run(self).await?,
            Scenario::Resync => resync::run(self).await?,
            Scenario::Unchanged => unchanged::run(self).await?,
            Scenario::Fresh => fresh::run(self).await?,
            Scenario::Parts => parts::run(self).await?,
        };
        self.rows.extend(rows);
        Ok(())
    }

    /// A simulator of so many calls, whose bodies a run of the reference has had it make.
    async fn simulator(&self, calls: u32) -> anyhow::Result<Simulator> {
        self.line.set_message(format!("{calls} calls are made"));
        let simulator = self.machine.simulator(calls, SPAN)?;
        job::reference(&self.machine, &simulator, Share::NoQueue, calls, CONCURRENCY).await?;
        Ok(simulator)
    }

    /// Says what is run now, to whoever watches.
    fn progress(&self, what: &str, run: usize) {
        self.line.set_message(format!("{what}, run {} of {}", run + 1, self.plan.runs));
    }

    /// All rows.
    pub(crate) fn finished(self) -> Vec<Row> {
        self.line.finish_and_clear();
        self.rows
    }
}
