//! Each step alone, beside the same step bare.

use clap::ValueEnum as _;

use super::{Bench, CONCURRENCY};
use crate::machine::Simulator;
use crate::part::{Part, Side, Took};
use crate::report::{Row, Sample, Unit};

const CALLS: u32 = 5_000;

/// Ours and bare, in turn.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let calls = bench.plan.calls(CALLS);
    let simulator = bench.simulator(calls).await?;
    let mut rows = Vec::new();
    for &part in Part::value_variants() {
        let (mut ours, mut bare) = (vec![], vec![]);
        for run in 0..bench.plan.runs {
            bench.progress(&name(&part), run);
            ours.push(one(bench, &simulator, part, Side::Ours)?);
            bare.push(one(bench, &simulator, part, Side::Bare)?);
        }
        let bare = Row::new("parts", &format!("bare {}", name(&part)), Unit::CallsPerSec, bare)?;
        rows.push(Row::new("parts", &name(&part), Unit::CallsPerSec, ours)?.beside(&bare));
        rows.push(bare);
    }
    Ok(rows)
}

fn one(bench: &Bench, simulator: &Simulator, part: Part, side: Side) -> anyhow::Result<Sample> {
    let (part, side) = (name(&part), name(&side));
    let concurrency = CONCURRENCY.to_string();
    let words = ["part", "--part", &part, "--side", &side, "--api", &simulator.base_url];
    let words = words.into_iter().chain(["--concurrency", concurrency.as_str()]);
    let process = bench.machine.start_self(&words.map(str::to_owned).collect::<Vec<_>>())?;
    let (stdout, usage) = process.finished_with_output()?;
    let took: Took = serde_json::from_str(&stdout)?;
    let mut sample = Sample::new(took.calls, took.secs);
    sample.programs(None, &[usage]);
    // Of the step, and not of what it took to get there.
    sample.cpu_ms_per_call = Some(took.cpu_secs * 1000.0 / f64::from(took.calls));
    Ok(sample)
}

fn name(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
