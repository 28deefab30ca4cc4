//! What was measured, as it is written to `results.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Description;
use crate::measure::{ServerCpu, Usage};

/// Everything.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Report {
    /// When.
    pub(crate) taken_at: String,
    /// On what.
    pub(crate) machine: Description,
    /// In the order of the table.
    pub(crate) rows: Vec<Row>,
    /// Scenarios that could not be run, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<String>,
}

/// One run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Sample {
    /// Calls that it was about.
    pub(crate) calls: u32,
    /// How long it took, seconds.
    pub(crate) secs: f64,
    /// CPU time of all our processes (or the reference's), milliseconds a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_ms_per_call: Option<f64>,
    /// The same of the simulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) simulator_cpu_ms_per_call: Option<f64>,
    /// The same of PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postgres_cpu_ms_per_call: Option<f64>,
    /// The same of RabbitMQ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rabbitmq_cpu_ms_per_call: Option<f64>,
    /// Most memory of the producer, MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) producer_peak_mib: Option<f64>,
    /// Most memory of the largest worker (or the reference), MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker_peak_mib: Option<f64>,
    /// What else is of interest in this scenario.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) facts: BTreeMap<String, f64>,
}

impl Sample {
    /// So many calls in so many seconds.
    pub(crate) fn new(calls: u32, secs: f64) -> Self {
        Self { calls, secs, ..Self::default() }
    }

    /// Calls a second.
    pub(crate) fn calls_per_sec(&self) -> f64 {
        f64::from(self.calls) / self.secs
    }

    fn ms_per_call(&self, secs: f64) -> f64 {
        secs * 1000.0 / f64::from(self.calls)
    }

    /// Enters what our programs took.
    pub(crate) fn programs(&mut self, producer: Option<Usage>, workers: &[Usage]) {
        let cpu_secs: f64 = producer.iter().chain(workers).map(|usage| usage.cpu_secs).sum();
        self.cpu_ms_per_call = Some(self.ms_per_call(cpu_secs));
        self.producer_peak_mib = producer.map(|usage| usage.peak_mib);
        self.worker_peak_mib = workers.iter().map(|usage| usage.peak_mib).reduce(f64::max);
    }

    /// Enters what the servers took.
    pub(crate) fn servers(&mut self, cpu: ServerCpu) {
        self.simulator_cpu_ms_per_call = Some(self.ms_per_call(cpu.simulator));
        self.postgres_cpu_ms_per_call = cpu.postgres.map(|secs| self.ms_per_call(secs));
        self.rabbitmq_cpu_ms_per_call = cpu.rabbitmq.map(|secs| self.ms_per_call(secs));
    }

    /// Enters something else.
    pub(crate) fn fact(&mut self, name: &str, value: u64) {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        self.facts.insert(name.to_owned(), value as f64);
    }
}

/// What a row's figures are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Unit {
    /// More is better.
    #[serde(rename = "calls/s")]
    CallsPerSec,
    /// Less is better.
    #[serde(rename = "s")]
    Secs,
    /// Less is better.
    #[serde(rename = "ms")]
    Millis,
}

impl Unit {
    /// The figure of a run.
    pub(crate) fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::CallsPerSec => sample.calls_per_sec(),
            Self::Secs => sample.secs,
            Self::Millis => sample.secs * 1000.0,
        }
    }

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CallsPerSec => "calls/s",
            Self::Secs => "s",
            Self::Millis => "ms",
        }
    }
}

/// Median, least and most.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of figures; `None` of none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (&min, &max) = (figures.first()?, figures.last()?);
        let middle = figures.len() / 2;
        let median = if figures.len() % 2 == 1 {
            figures[middle]
        } else {
            f64::midpoint(figures[middle - 1], figures[middle])
        };
        Some(Self { median, min, max })
    }
}

/// A row of the table.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    /// The scenario that it belongs to, as `--only` takes it.
    pub(crate) scenario: String,
    /// What was run.
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// Every run, in order.
    pub(crate) samples: Vec<Sample>,
    /// Median, least and most of the runs, in `unit`.
    pub(crate) figures: Spread,
    /// What `ratios` are to, if to anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) reference: Option<String>,
    /// Pair by pair: this row's run to the one of the reference that followed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) ratio: Option<Spread>,
}

impl Row {
    /// A row of these runs.
    ///
    /// # Errors
    /// There are none.
    pub(crate) fn new(scenario: &str, name: &str, unit: Unit, samples: Vec<Sample>) -> anyhow::Result<Self> {
        let figures = Spread::of(samples.iter().map(|sample| unit.of(sample)));
        let figures = figures.ok_or_else(|| anyhow::anyhow!("{scenario} was not run"))?;
        let (scenario, name) = (scenario.to_owned(), name.to_owned());
        Ok(Self { scenario, name, unit, samples, figures, reference: None, ratio: None })
    }

    /// With ratios to another row, run by run.
    pub(crate) fn beside(mut self, reference: &Self) -> Self {
        let pairs = self.samples.iter().zip(&reference.samples);
        self.ratio = Spread::of(pairs.map(|(ours, theirs)| self.unit.of(ours) / self.unit.of(theirs)));
        self.reference = Some(reference.name.clone());
        self
    }

    /// With ratios to a figure in the same unit, which is called so.
    pub(crate) fn beside_ideal(mut self, name: &str, ideal: f64) -> Self {
        self.ratio = Spread::of(self.samples.iter().map(|sample| self.unit.of(sample) / ideal));
        self.reference = Some(name.to_owned());
        self
    }

    /// The median of its calls a second.
    pub(crate) fn throughput(&self) -> Option<f64> {
        self.median(|sample| Some(sample.calls_per_sec()))
    }

    /// The median of a part of its runs that all have.
    pub(crate) fn median(&self, part: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        Spread::of(self.samples.iter().filter_map(part)).map(|spread| spread.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        let median = |figures: &[f64]| Spread::of(figures.iter().copied()).map(|spread| spread.median);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        let samples = |secs: [f64; 3]| secs.map(|secs| Sample::new(100, secs)).to_vec();
        let ours = Row::new("s", "ours", Unit::CallsPerSec, samples([1.0, 2.0, 4.0])).expect("runs");
        let bare = Row::new("s", "bare", Unit::CallsPerSec, samples([0.5, 1.0, 4.0])).expect("runs");
        assert_eq!(ours.beside(&bare).ratio, Some(Spread { median: 0.5, min: 0.5, max: 1.0 }));
    }
}
