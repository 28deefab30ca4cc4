//! The one table, for a terminal.

use comfy_table::{CellAlignment, Table, presets};

use crate::report::{Report, Row, Spread};

const HEADINGS: [&str; 12] = [
    "scenario",
    "run",
    "median",
    "min",
    "max",
    "unit",
    "ratio (min–max)",
    "CPU ms/call",
    "simulator",
    "PostgreSQL",
    "RabbitMQ",
    "peak MiB",
];

/// A report as a table.
pub(crate) fn of(report: &Report) -> String {
    let machine = &report.machine;
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(HEADINGS);
    for column in [2, 3, 4, 6, 7, 8, 9, 10, 11] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut notes = Vec::new();
    for row in &report.rows {
        table.add_row(cells(row));
        let facts = facts(row);
        if !facts.is_empty() {
            notes.push(format!("{} / {}: {facts}", row.scenario, row.name));
        }
    }
    let warning = match machine.build.as_str() {
        "release" => String::new(),
        build => format!(", {build} build: the figures mean nothing"),
    };
    format!(
        "{} · {} cores, {} · Linux {} · PostgreSQL {} · RabbitMQ {}{warning}\n{table}\n{}",
        report.taken_at,
        machine.cores,
        machine.processor,
        machine.linux,
        machine.postgres,
        machine.rabbitmq,
        notes.join("\n")
    )
}

fn cells(row: &Row) -> [String; 12] {
    let Spread { median, min, max } = row.figures;
    let ratio = row.ratio.map(|ratio| {
        let of = row.reference.as_deref().unwrap_or_default();
        format!("{:.2} ({:.2}–{:.2}) of {of}", ratio.median, ratio.min, ratio.max)
    });
    let cpu = |ms: Option<f64>| ms.map(|ms| format!("{ms:.3}")).unwrap_or_default();
    let peaks = [row.median(|sample| sample.producer_peak_mib), row.median(|sample| sample.worker_peak_mib)];
    let peaks: Vec<String> = peaks.into_iter().flatten().map(|mib| format!("{mib:.0}")).collect();
    [
        row.scenario.clone(),
        row.name.clone(),
        figure(median),
        figure(min),
        figure(max),
        row.unit.as_str().to_owned(),
        ratio.unwrap_or_default(),
        cpu(row.median(|sample| sample.cpu_ms_per_call)),
        cpu(row.median(|sample| sample.simulator_cpu_ms_per_call)),
        cpu(row.median(|sample| sample.postgres_cpu_ms_per_call)),
        cpu(row.median(|sample| sample.rabbitmq_cpu_ms_per_call)),
        peaks.join(" + "),
    ]
}

/// Four digits, or as many as there are.
fn figure(value: f64) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

/// The medians of what else a row has.
fn facts(row: &Row) -> String {
    let names = row.samples.first().into_iter().flat_map(|sample| sample.facts.keys());
    let facts = names.filter_map(|name| {
        let median = row.median(|sample| sample.facts.get(name).copied())?;
        Some(format!("{} {}", name.replace('_', " "), figure(median).trim_end_matches(".00")))
    });
    facts.collect::<Vec<_>>().join(", ")
}
