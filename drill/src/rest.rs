//! The end of a drill: nothing fails any more, and everything that was begun comes to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use shared::queue::{Broker, Destination};
use tokio::time::{Instant, sleep};

use crate::books::Books;
use crate::crew::{Member, ending};
use crate::fault::Verb;
use crate::journal::Journal;
use crate::stage::Stage;

/// Turns that were lost with their holders end within a minute, pauses within a few; what takes longer does not end.
const PATIENCE: Duration = Duration::from_mins(8);

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits until everything has come to its end; says what has not.
///
/// # Errors
/// What the drill itself could not do.
pub async fn come_to_rest(stage: &Arc<Stage>, journal: &Journal) -> anyhow::Result<Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    // What is listed late, or goes on, does so no longer.
    stage.simulator.update_faults(|faults| {
        (faults.late, faults.in_progress) = (0.0, 0.0);
        (faults.error_5xx, faults.dropped) = (0.0, 0.0);
    });
    // The same backfill goes on where the last one was killed.
    let mut complaints = repeat(stage, journal, &stage.arguments(Verb::Backfill), deadline).await?;
    let mut told = String::new();
    loop {
        let open = match still_open(stage).await {
            Ok(open) if open.is_empty() => break,
            Ok(open) => open,
            Err(error) => vec![format!("{error:#}")],
        };
        if Instant::now() > deadline {
            complaints.extend(open);
            return Ok(complaints);
        }
        let line =
            open.iter().map(|line| line.chars().take(100).collect()).collect::<Vec<String>>().join("; ");
        if line != told {
            journal.note(&format!("coming to rest: {line}"));
            told = line;
        }
        sleep(LOOK_EVERY).await;
    }
    // One more pass finds nothing to ask for: what the broker has dead-lettered is in the book by now.
    complaints.extend(repeat(stage, journal, &["sync".to_owned()], deadline).await?);
    Ok(complaints)
}

/// Has everybody stop, which they must do well.
pub async fn retire(workers: Vec<Member>, producer: Member) -> (Vec<String>, BTreeMap<String, u32>) {
    let (mut complaints, mut endings) = (Vec::new(), BTreeMap::new());
    let all: Vec<_> = workers
        .into_iter()
        .chain([producer])
        .map(|member| {
            let kind = if member.name().starts_with("consumer") { "worker" } else { "producer watch" };
            for (ending, count) in member.endings() {
                *endings.entry(format!("{kind}, {ending}")).or_default() += count;
            }
            tokio::spawn(member.retire())
        })
        .collect();
    for retired in all {
        complaints.extend(retired.await.unwrap_or_else(|error| Some(error.to_string())));
    }
    (complaints, endings)
}

/// The verb until it succeeds: another may have the turn.
async fn repeat(
    stage: &Stage,
    journal: &Journal,
    arguments: &[String],
    deadline: Instant,
) -> anyhow::Result<Vec<String>> {
    loop {
        let mut child = stage.recipe.start("producer-last", "producer", arguments)?;
        let ended = tokio::time::timeout_at(deadline, child.wait()).await;
        let how = match ended {
            Ok(status) => ending(status?),
            Err(_) => "no end".to_owned(),
        };
        journal.note(&format!("producer {}: {how}", arguments[0]));
        if how == "code 0" {
            return Ok(Vec::new());
        }
        if Instant::now() > deadline {
            return Ok(vec![format!("producer {} never succeeded: {how}", arguments[0])]);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What has not come to its end: calls without an outcome, and messages without a reason to be there.
async fn still_open(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let books = Books::read(stage).await?;
    let mut open = books.without_outcome();
    let broker = stage.broker().await?;
    let depths = depths(&broker).await;
    broker.close().await;
    for (destination, depth) in depths? {
        let expected = if destination == Destination::Dead { books.dead().count() } else { 0 };
        if usize::try_from(depth)? != expected {
            open.push(format!("{depth} messages in {destination:?}, {expected} in the book"));
        }
    }
    Ok(open)
}

async fn depths(broker: &Broker) -> anyhow::Result<Vec<(Destination, u32)>> {
    let mut depths = Vec::new();
    for destination in broker.topology().destinations() {
        depths.push((destination, broker.depth(&broker.topology().queue(destination)).await?));
    }
    Ok(depths)
}
