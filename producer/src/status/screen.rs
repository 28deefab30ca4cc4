//! The screen: at most eighty columns, times in `TIMEZONE`.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::Status;
use super::queues::{Kind, Queue, Queues};
use crate::output;
use crate::records::overview::{Overview, Run};
use crate::records::reading::listed;

/// Prints the screen; the verdict comes last, where it stands when the screen has scrolled by.
pub(super) fn print(status: &Status, timezone: Tz) -> std::io::Result<()> {
    for line in lines(status, timezone) {
        output::line(&line)?;
    }
    for warning in &status.warnings {
        output::words("WARNING: ", &warning.what)?;
        output::words("         -> ", &warning.remedy)?;
    }
    if status.is_well {
        let is_new = status.database.as_ref().is_some_and(|overview| overview.last_runs.is_empty());
        return output::line(if is_new { "well; no pass has been made yet: producer sync" } else { "well" });
    }
    for problem in &status.problems {
        output::words("NOT WELL: ", &problem.what)?;
        output::words("          -> ", &problem.remedy)?;
    }
    Ok(())
}

fn lines(status: &Status, timezone: Tz) -> Vec<String> {
    let mut lines = Vec::new();
    match &status.database {
        Some(overview) => freshness(overview, timezone, &mut lines),
        None => lines.push("the database says nothing".to_owned()),
    }
    lines.push(String::new());
    match &status.broker {
        Some(queues) => table(queues, &mut lines),
        None => lines.push("the broker says nothing".to_owned()),
    }
    if let Some(overview) = &status.database {
        lines.push(String::new());
        book(overview, timezone, &mut lines);
        without_report(overview, &mut lines);
        runs(&overview.last_runs, timezone, &mut lines);
    }
    lines.push(String::new());
    lines
}

fn field(name: &str, value: &str) -> String {
    format!("{name:<18} {value}")
}

fn freshness(overview: &Overview, timezone: Tz, lines: &mut Vec<String>) {
    let when = |at: Option<DateTime<Utc>>| {
        at.map_or_else(
            || "none yet".to_owned(),
            |at| format!("{} ({})", local(at, timezone), ago(overview.now - at)),
        )
    };
    lines.push(field("time", &format!("{} {timezone}", local(overview.now, timezone))));
    lines.push(field("newest call stored", &when(overview.newest_call_began_at)));
    let last = overview.last_complete.as_ref();
    lines.push(field("last complete pass", &when(last.and_then(|run| run.ended_at))));
    if let Some(Run { listed, published, known, failed, .. }) = last {
        let counts = format!("{listed} listed, {published} published, {known} known, {failed} failed");
        lines.push(field("", &counts));
    }
    for cursor in &overview.cursors {
        if cursor.listed_until.is_some() {
            let until = when(cursor.listed_until);
            lines.push(field("listed until", &format!("{until} {}", scope(&cursor.scope))));
        }
        if let Some(holder) = &cursor.holder {
            let what = match cursor.running_since {
                Some(since) => format!("since {}", local(since, timezone)),
                None => "has the turn".to_owned(),
            };
            lines.push(field("running now", &format!("{holder} {what} {}", scope(&cursor.scope))));
        }
    }
}

fn scope(name: &str) -> &str {
    match name {
        "*" => "all agents",
        "dead" => "dead letters",
        name => name,
    }
}

fn table(queues: &Queues, lines: &mut Vec<String>) {
    lines.push(format!("{:<40} {:>10} {:>10} {:>10}", "QUEUE", "WAITING", "HELD", "CONSUMERS"));
    let of_kind = |kind| queues.queues.iter().filter(move |queue| queue.kind == kind);
    for queue in of_kind(Kind::Lane).chain(of_kind(Kind::Dead)) {
        let waiting = queue.waiting.map_or_else(|| "no queue".to_owned(), |count| count.to_string());
        let held = queue.held.map_or_else(|| "?".to_owned(), |count| count.to_string());
        lines.push(format!("{:<40} {waiting:>10} {held:>10} {:>10}", queue.name, queue.consumers));
    }
    for (name, kind) in [("to be retried", Kind::Retry), ("not finished yet", Kind::Unfinished)] {
        lines.push(field(name, &of_kind(kind).map(after_delay).collect::<Vec<_>>().join(", ")));
    }
    if of_kind(Kind::Lane).any(|queue| queue.held.is_none()) {
        let reason = queues.held_unknown.as_deref().unwrap_or("RabbitMQ has not counted yet");
        lines.push(format!("HELD by consumers is unknown: {reason}"));
    }
}

/// `15s: 3`: how many wait in a queue that is named after its delay.
fn after_delay(queue: &Queue) -> String {
    let delay = queue.name.rsplit('.').next().unwrap_or_default();
    let waiting = queue.waiting.map_or_else(|| "?".to_owned(), |count| count.to_string());
    format!("{delay}: {waiting}")
}

fn book(overview: &Overview, timezone: Tz, lines: &mut Vec<String>) {
    let total: i64 = overview.dead.iter().map(|entry| entry.count).sum();
    let classes: Vec<_> =
        overview.dead.iter().map(|entry| format!("{} {}", entry.count, entry.class)).collect();
    let dead =
        if classes.is_empty() { "none".to_owned() } else { format!("{total}: {}", classes.join(", ")) };
    lines.push(field("dead letters", &format!("{dead}; {} discarded", overview.discarded)));
    let unanswered = overview.unanswered;
    lines.push(field(
        "without an answer",
        &match unanswered.oldest_asked_at {
            None => "none".to_owned(),
            Some(at) => format!(
                "{}, the oldest asked for {} ({})",
                unanswered.count,
                local(at, timezone),
                ago(overview.now - at)
            ),
        },
    ));
}

/// Said only if there are such.
fn without_report(overview: &Overview, lines: &mut Vec<String>) {
    let excluded = &overview.reading.excluded;
    if !excluded.is_empty() {
        lines.push(field("without a report", &format!("of the last day: {}", listed(excluded))));
    }
}

fn runs(runs: &[Run], timezone: Tz, lines: &mut Vec<String>) {
    if runs.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(format!(
        "{:<19} {:<9} {:>8} {:>9} {:>8} {:>7} RESULT",
        "PASS BEGAN", "VERB", "LISTED", "PUBLISHED", "KNOWN", "FAILED"
    ));
    for run in runs {
        lines.push(format!(
            "{} {:<9} {:>8} {:>9} {:>8} {:>7} {}",
            local(run.began_at, timezone),
            run.verb,
            run.listed,
            run.published,
            run.known,
            run.failed,
            run.result.as_deref().map_or("no end yet", english)
        ));
    }
}

/// What stands in the database is Spanish.
fn english(result: &str) -> &str {
    match result {
        "completa" => "complete",
        "incompleta" => "incomplete",
        "interrumpida" => "interrupted",
        other => other,
    }
}

fn local(at: DateTime<Utc>, timezone: Tz) -> String {
    at.with_timezone(&timezone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago, in one unit that says enough.
fn ago(age: TimeDelta) -> String {
    let secs = age.num_seconds();
    match secs {
        ..0 => "in the future".to_owned(),
        0..120 => format!("{secs} s ago"),
        120..7_200 => format!("{} min ago", secs / 60),
        7_200..172_800 => format!("{} h ago", secs / 3_600),
        _ => format!("{} days ago", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_one_unit() {
        let told =
            [-5, 0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(|secs| ago(TimeDelta::seconds(secs)));
        let expected = [
            "in the future",
            "0 s ago",
            "119 s ago",
            "2 min ago",
            "119 min ago",
            "2 h ago",
            "47 h ago",
            "2 days ago",
        ];
        assert_eq!(told, expected);
    }
}
