//! Charts, as SVG: throughput over workers, throughput and memory over the size of the backlog.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::{Report, Row, Sample};

const SIZE: (u32, u32) = (640, 400);

const FONT: (&str, u32) = ("sans-serif", 15);

/// Told apart also by those who see no colours: one is dark, the other light.
const OURS: RGBColor = RGBColor(0, 83, 156);
const OTHER: RGBColor = RGBColor(224, 130, 20);

/// A line of a chart: points from left to right.
struct Line {
    name: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// What a chart says beside its lines.
struct Words {
    title: &'static str,
    x: &'static str,
    y: &'static str,
}

/// Draws those that the report has the figures for.
pub(crate) fn draw(report: &Report, folder: &Path) -> anyhow::Result<()> {
    let rows = |scenario: &str, is_bare: bool| -> Vec<&Row> {
        let rows = report.rows.iter().filter(|row| row.scenario == scenario);
        rows.filter(|row| row.name.starts_with("bare") == is_bare).collect()
    };
    let scaling = rows("scaling", false);
    if scaling.len() > 1 {
        let throughput = points(&scaling, |sample| sample.facts.get("workers").copied(), Row::throughput);
        let one = throughput.first().map_or(0.0, |(_, y)| *y);
        let ideal = throughput.iter().map(|(workers, _)| (*workers, one * workers)).collect();
        let lines = [
            Line { name: "so many times one worker", colour: OTHER, points: ideal },
            Line { name: "measured", colour: OURS, points: throughput },
        ];
        let words =
            Words { title: "50 ms a call, 8 requests in flight each", x: "workers", y: "calls a second" };
        chart(&folder.join("workers.svg"), &words, &lines)?;
    }
    let (backlog, bare) = (rows("backlog", false), rows("backlog", true));
    if backlog.len() > 1 {
        let calls = |sample: &Sample| Some(f64::from(sample.calls));
        let lines = [
            Line { name: "bare reference", colour: OTHER, points: points(&bare, calls, Row::throughput) },
            Line {
                name: "producer and one worker",
                colour: OURS,
                points: points(&backlog, calls, Row::throughput),
            },
        ];
        let words =
            Words { title: "An API that answers at once", x: "calls in the backlog", y: "calls a second" };
        chart(&folder.join("backlog.svg"), &words, &lines)?;
        let producer = |row: &Row| row.median(|sample| sample.producer_peak_mib);
        let worker = |row: &Row| row.median(|sample| sample.worker_peak_mib);
        let lines = [
            Line { name: "producer", colour: OTHER, points: points(&backlog, calls, producer) },
            Line { name: "worker", colour: OURS, points: points(&backlog, calls, worker) },
        ];
        let words = Words { title: "Most memory in use", x: "calls in the backlog", y: "MiB" };
        chart(&folder.join("memory.svg"), &words, &lines)?;
    }
    Ok(())
}

fn points(
    rows: &[&Row],
    x: impl Fn(&Sample) -> Option<f64>,
    y: impl Fn(&Row) -> Option<f64>,
) -> Vec<(f64, f64)> {
    rows.iter().filter_map(|row| Some((x(row.samples.first()?)?, y(row)?))).collect()
}

/// One chart; x grows by factors, so its axis is logarithmic, with a mark at each point.
fn chart(file: &Path, words: &Words, lines: &[Line]) -> anyhow::Result<()> {
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let all = || lines.iter().flat_map(|line| &line.points);
    let least = all().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
    let most = all().fold((0.0_f64, 0.0_f64), |most, (x, y)| (most.0.max(*x), most.1.max(*y)));
    let marks: Vec<f64> = lines
        .iter()
        .max_by_key(|line| line.points.len())
        .into_iter()
        .flat_map(|line| line.points.iter().map(|(x, _)| *x))
        .collect();
    on_axes(&root, words, lines, (least / 1.15..most.0 * 1.15, 0.0..most.1 * 1.15), marks)?;
    root.present()?;
    Ok(())
}

fn on_axes(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    words: &Words,
    lines: &[Line],
    (x, y): (Range<f64>, Range<f64>),
    marks: Vec<f64>,
) -> anyhow::Result<()> {
    let mut chart = ChartBuilder::on(root)
        .caption(words.title, FONT)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(x.log_scale().with_key_points(marks), y)?;
    let number = |value: &f64| grouped(*value);
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(words.x)
        .y_desc(words.y)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .label_style(FONT)
        .draw()?;
    for line in lines {
        let colour = line.colour;
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)).point_size(4))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    let position = SeriesLabelPosition::LowerRight;
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .label_font(FONT)
        .draw()?;
    Ok(())
}

/// `20,000`.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(
            ["7", "999", "2,000", "1,234,567"].map(str::to_owned),
            [7.0, 999.0, 2000.0, 1_234_567.0].map(super::grouped)
        );
    }
}
