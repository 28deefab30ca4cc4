//! An API that allows 100 requests a second, and answers 429 above.

use std::time::Duration;

use serde_json::json;

use super::Bench;
use super::latency::LATENCY_MS;
use crate::job::{Job, Place, Since, finish};
use crate::machine::Simulator;
use crate::report::{Row, Sample, Unit};

const CALLS: u32 = 1_000;

/// Requests a second.
const RATE: u32 = 100;

/// Calls of a page.
const PAGE: u32 = 100;

/// From then on the workers should have found the rate.
const SETTLED: Duration = Duration::from_secs(3);

/// The slowest of the scenarios for a call.
const MOST_RUNS: usize = 3;

struct Case {
    name: &'static str,
    workers: usize,
    retry_after: Option<&'static str>,
    settings: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 4] = [
    Case { name: "1 worker, Retry-After", workers: 1, retry_after: Some("1s"), settings: &[] },
    Case { name: "1 worker, no Retry-After", workers: 1, retry_after: None, settings: &[] },
    Case { name: "4 workers, each by itself", workers: 4, retry_after: None, settings: &[] },
    Case {
        name: "4 workers, shared budget",
        workers: 4,
        retry_after: None,
        settings: &[("ELEVENLABS_RATE_LIMIT", "100/s")],
    },
];

/// Each case in each round.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let plan = bench.plan.at_most(MOST_RUNS);
    let calls = plan.calls(CALLS);
    let simulator = bench.simulator(calls).await?;
    let mut samples: [Vec<Sample>; CASES.len()] = Default::default();
    for run in 0..plan.runs {
        for (case, samples) in CASES.iter().zip(&mut samples) {
            bench.progress(case.name, run);
            samples.push(one(bench, &simulator, calls, case).await?);
        }
    }
    let ideal = f64::from(calls + calls.div_ceil(PAGE)) / f64::from(RATE);
    let rows = CASES.iter().zip(samples).map(|(case, samples)| {
        let row = Row::new("rate-limit", case.name, Unit::Secs, samples)?;
        Ok(row.beside_ideal("(calls + pages) / 100", ideal))
    });
    rows.collect()
}

async fn one(bench: &Bench, simulator: &Simulator, calls: u32, case: &Case) -> anyhow::Result<Sample> {
    simulator
        .control
        .faults(&json!({
            "latency": format!("{LATENCY_MS}ms"), "only_details": false, "rate_limit": f64::from(RATE),
            "retry_after": case.retry_after,
        }))
        .await?;
    let mut job = Job::sync(calls, case.workers, 8);
    job.settings.extend(case.settings.iter().map(|&(name, value)| (name, value.to_owned())));
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
