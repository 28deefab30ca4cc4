//! APIs that allow so many requests a second, so many at once after a quiet time, or so many in flight, and answer 429
//! above: of the shapes that there are those that fit into ten minutes. All of them, and more, are on the simulated clock:
//! `consumer/src/pace/tests.rs`.

use std::time::Duration;

use serde_json::json;

use super::Bench;
use crate::job::{Job, Place, Since, finish};
use crate::machine::Simulator;
use crate::report::{Row, Sample, Unit};

/// As many calls as the API allows in this time.
const SECS: u32 = 20;

/// Calls of a page.
const PAGE: u32 = 100;

/// From then on the workers should have found the rate.
const SETTLED: Duration = Duration::from_secs(5);

/// In flight at most, of each worker.
const CONCURRENCY: usize = 8;

/// What an API allows.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// So many a second, and so many at once.
    Rate { rate: u32, burst: u32 },
    /// So many in flight.
    AtOnce(u32),
}

#[derive(Clone, Copy, Debug)]
struct Case {
    limit: Limit,
    retry_after: bool,
    latency_ms: u32,
    workers: usize,
    is_shared: bool,
}

impl Case {
    const fn new(rate: u32, burst: u32, workers: usize) -> Self {
        let limit = Limit::Rate { rate, burst };
        Self { limit, retry_after: true, latency_ms: 50, workers, is_shared: false }
    }

    /// In an order in which those with as many calls follow each other.
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for (rate, bursts) in [(10, &[1, 10][..]), (400, &[1, 10, 400]), (100, &[1, 10, 100])] {
            for &burst in bursts {
                cases.extend([1, 4].map(|workers| Self::new(rate, burst, workers)));
            }
        }
        for (burst, workers) in [(1, 1), (1, 4), (10, 1), (10, 4)] {
            cases.push(Self { retry_after: false, ..Self::new(100, burst, workers) });
        }
        cases.extend([0, 300].map(|latency_ms| Self { latency_ms, ..Self::new(100, 10, 4) }));
        cases.push(Self { is_shared: true, ..Self::new(100, 100, 4) });
        cases.extend([2, 5, 20].map(|limit| Self { limit: Limit::AtOnce(limit), ..Self::new(0, 0, 1) }));
        cases
    }

    fn name(&self) -> String {
        let limit = match self.limit {
            Limit::Rate { rate, burst } => format!("{rate}/s, burst {burst}"),
            Limit::AtOnce(limit) => format!("{limit} at once"),
        };
        let retry_after = if self.retry_after { "1 s" } else { "none" };
        let workers = if self.workers == 1 { "1 worker" } else { "4 workers" };
        let shared = if self.is_shared { ", shared budget" } else { "" };
        format!("{limit}, Retry-After {retry_after}, {} ms, {workers}{shared}", self.latency_ms)
    }

    /// A second of it at best.
    fn rate(&self) -> f64 {
        let most = CONCURRENCY * self.workers;
        let in_flight = |count: u32| f64::from(count) * 1000.0 / f64::from(self.latency_ms.max(1));
        let most = in_flight(u32::try_from(most).unwrap_or(u32::MAX));
        match self.limit {
            Limit::Rate { rate, .. } => most.min(rate.into()),
            Limit::AtOnce(limit) => most.min(in_flight(limit)),
        }
    }

    fn calls(&self) -> u32 {
        match self.limit {
            Limit::Rate { rate, .. } => rate * SECS,
            Limit::AtOnce(_) => 1000,
        }
    }

    fn ideal(&self, calls: u32) -> f64 {
        let burst = match self.limit {
            Limit::Rate { burst, .. } => burst,
            Limit::AtOnce(_) => 0,
        };
        f64::from((calls + calls.div_ceil(PAGE)).saturating_sub(burst).max(1)) / self.rate()
    }
}

/// Each case once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut simulator: Option<(u32, Simulator)> = None;
    let step = if bench.plan.is_quick { 7 } else { 1 };
    for case in Case::all().into_iter().step_by(step) {
        let (name, calls) = (case.name(), bench.plan.calls(case.calls()));
        bench.progress(&name, 0);
        if simulator.as_ref().is_none_or(|(of, _)| *of != calls) {
            simulator = Some((calls, bench.simulator(calls).await?));
        }
        if let Some((_, simulator)) = &simulator {
            let sample = one(bench, simulator, calls, case).await?;
            let row = Row::new("rate-limit", &name, Unit::Secs, vec![sample])?;
            rows.push(row.beside_ideal("what the API allows", case.ideal(calls)));
        }
    }
    Ok(rows)
}

async fn one(bench: &Bench, simulator: &Simulator, calls: u32, case: Case) -> anyhow::Result<Sample> {
    let (rate, burst, at_once) = match case.limit {
        Limit::Rate { rate, burst } => (Some(f64::from(rate)), Some(burst), None),
        Limit::AtOnce(limit) => (None, None, Some(limit)),
    };
    simulator
        .control
        .faults(&json!({
            "latency": format!("{}ms", case.latency_ms), "only_details": false, "rate_limit": rate,
            "rate_burst": burst, "concurrency_limit": at_once,
            "retry_after": case.retry_after.then_some("1s"),
        }))
        .await?;
    let mut job = Job::sync(calls, case.workers, CONCURRENCY);
    if let (true, Limit::Rate { rate, .. }) = (case.is_shared, case.limit) {
        job.settings.push(("ELEVENLABS_RATE_LIMIT", format!("{rate}/s")));
    }
    let place = Place::new(&bench.machine, simulator);
    let begun = job.begin(&place).await?;
    tokio::time::sleep(SETTLED).await;
    let early = simulator.control.served().await?;
    let (mut sample, served) = finish(begun, &place, calls, Since::FirstList).await?;
    let share = |refused: u64, answered: u64| {
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let percent = refused as f64 * 100.0 / ((refused + answered) as f64).max(1.0);
        percent
    };
    sample.facts.insert("percent_429".to_owned(), share(served.status_429, served.status_2xx));
    let settled = share(served.status_429 - early.status_429, served.status_2xx - early.status_2xx);
    sample.facts.insert("percent_429_settled".to_owned(), settled);
    Ok(sample)
}
