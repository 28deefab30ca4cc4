//! Whether it goes well: the rules that `producer status --help` lists, each with its remedy. Pure.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use shared::database::SchemaError;
use shared::queue::QueueError;

use super::queues::{Kind, Queues};
use crate::records::overview::Overview;

/// How old the last complete pass may be.
const FRESH: TimeDelta = TimeDelta::hours(1);

/// What is not well, and what to do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Problem {
    /// The rule: a word for programs.
    pub(super) rule: &'static str,
    pub(super) what: String,
    pub(super) remedy: String,
}

/// After this long a job should have been answered: the whole ladder, and an hour more.
pub(super) fn overdue_after(retry_delays: &[Duration]) -> Duration {
    retry_delays.iter().sum::<Duration>() + Duration::from_hours(1)
}

/// Everything that is not well.
pub(super) fn problems(
    book: &Result<Overview, SchemaError>,
    queues: &Result<Queues, QueueError>,
    overdue: Duration,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |rule, what: String, remedy: &str| {
        problems.push(Problem { rule, what, remedy: remedy.to_owned() });
    };
    match book {
        Ok(book) => passes(book, &mut problem),
        Err(error) => {
            let is_older = matches!(error, SchemaError::Older { .. });
            let remedy = if is_older { "producer migrate" } else { "producer check" };
            problem("database", error.to_string(), remedy);
        }
    }
    match queues {
        Ok(queues) => {
            for lane in queues.queues.iter().filter(|queue| queue.kind == Kind::Lane && queue.consumers == 0)
            {
                if let Some(waiting) = lane.waiting.filter(|&waiting| waiting > 0) {
                    let said = format!("{waiting} jobs wait in {}, and nobody consumes it", lane.name);
                    problem("no_consumer", said, "consumer --drain, or consumer, which stays");
                }
            }
        }
        Err(error) => problem("broker", error.to_string(), "producer check"),
    }
    if let (Ok(book), Ok(queues)) = (book, queues) {
        let on_their_way = i64::try_from(queues.on_their_way()).unwrap_or(i64::MAX);
        let lost = book.unanswered.overdue - on_their_way;
        if lost > 0 {
            let overdue = humantime::format_duration(Duration::from_secs(overdue.as_secs()));
            let said = format!("{lost} jobs are in no queue, and without an answer for more than {overdue}");
            problem("unanswered", said, "producer reconcile");
        }
    }
    if let Ok(book) = book {
        let dead: i64 = book.dead.iter().map(|entry| entry.count).sum();
        if dead > 0 {
            let remedy = "producer dead list, then dead replay or dead discard";
            problem("dead_letters", format!("{dead} dead letters need attention"), remedy);
        }
    }
    problems
}

/// What somebody should look at, although it is well.
pub(super) fn warnings(book: &Overview) -> Vec<Problem> {
    let warnings = book.reading.warnings();
    warnings
        .into_iter()
        .map(|(rule, what, remedy)| Problem { rule, what, remedy: remedy.to_owned() })
        .collect()
}

fn passes(book: &Overview, problem: &mut impl FnMut(&'static str, String, &str)) {
    // None was ever made: nothing has gone wrong yet.
    let Some(last) = &book.last_ended else { return };
    match last.result.as_deref() {
        Some("completa") => {}
        Some("incompleta") => {
            let said = format!("the last pass did not complete: {} could not be asked for", last.failed);
            problem("last_pass", said, "producer sync");
        }
        _ => problem("last_pass", "the last pass was interrupted".to_owned(), "producer sync"),
    }
    let is_running = book.cursors.iter().any(|cursor| cursor.running_since.is_some());
    match &book.last_complete {
        _ if is_running => {}
        // One that began long ago, and took long, is as good as its end.
        Some(run) if run.ended_at.is_some_and(|ended_at| book.now - ended_at <= FRESH) => {}
        Some(_) => problem("stale", "no pass has completed within the last hour".to_owned(), "producer sync"),
        None => problem("stale", "no pass has ever completed".to_owned(), "producer sync"),
    }
}
