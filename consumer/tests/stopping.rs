//! The worker as a process: asked to stop, told twice, killed, and beside another one.

mod support {
    pub(crate) mod stage;
    pub(crate) mod until;
}

use std::time::Duration;

use shared::testing::Process;
use simulator::Faults;

use support::stage::{ALL_BUT_ONE, FETCH, Stage};
use support::until::until;

const AT_ONCE: u32 = 4;

/// More than a worker does before a signal reaches it, on a busy machine too.
const CALLS: u32 = 400;

/// A worker of four requests at a time.
fn consumer(stage: &Stage, arguments: &[&str]) -> Process {
    let mut variables = stage.variables();
    variables.push(("ELEVENLABS_CONCURRENCY", AT_ONCE.to_string()));
    Process::start("consumer", arguments, &variables)
}

async fn are_in_flight(stage: &Stage) {
    until("requests are in flight", async || stage.simulator.served().in_flight >= AT_ONCE).await;
}

/// So many jobs wait, and none has spent anything.
async fn wait_unspent(stage: &Stage, count: usize) {
    let jobs = stage.lying(FETCH, u32::try_from(count).expect("few")).await;
    assert!(jobs.iter().all(|job| job.attempt == ALL_BUT_ONE), "{jobs:?}");
    assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
}

/// A worker that finds nothing in its way stores all that is left.
async fn is_drained(stage: &Stage, ids: &[String]) {
    stage.simulator.set_faults(Faults::default());
    let drained = consumer(stage, &["--drain"]).finished().await;
    assert_eq!(drained.code, Some(0), "{}", drained.stderr);
    assert_eq!(stage.stored(), ids);
    let nobodys = stage.simulator.ids_of_nobody();
    let somebodys = ids.iter().filter(|id| !nobodys.contains(id)).count();
    assert_eq!(stage.database.value("SELECT count(*) FROM reportes"), somebodys.to_string());
    wait_unspent(stage, 0).await;
}

#[tokio::test]
async fn a_stop_finishes_what_is_held_and_gives_the_rest_back() {
    for signal in ["TERM", "INT"] {
        let stage = Stage::with(CALLS, Faults { latency: Duration::from_secs(2), ..Faults::default() }).await;
        let ids = stage.ask_for_all(ALL_BUT_ONE).await;
        let process = consumer(&stage, &[]);
        are_in_flight(&stage).await;
        process.signal(signal).await;
        let finished = process.finished().await;
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let asked_for: Vec<String> = stage.simulator.served().details_by_id.into_keys().collect();
        assert!(asked_for.len() < ids.len(), "it began nothing new");
        assert_eq!(stage.stored(), asked_for, "it finished what it held");
        wait_unspent(&stage, ids.len() - asked_for.len()).await;
        is_drained(&stage, &ids).await;
    }
}

#[tokio::test]
async fn a_drain_that_is_stopped_says_that_it_did_not_do_it_all() {
    let stage = Stage::with(CALLS, Faults { latency: Duration::from_secs(2), ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let process = consumer(&stage, &["--drain"]);
    are_in_flight(&stage).await;
    process.signal("TERM").await;
    let finished = process.finished().await;
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(finished.stderr.contains("stopped before the end"), "{}", finished.stderr);
    is_drained(&stage, &ids).await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once_and_the_jobs_go_back() {
    let stage = Stage::with(20, Faults { latency: Duration::from_mins(4), ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let process = consumer(&stage, &[]);
    are_in_flight(&stage).await;
    // Two kinds: two of one kind may arrive as one.
    process.signal("TERM").await;
    process.signal("INT").await;
    let finished = process.finished().await;
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("second signal"), "{}", finished.stderr);
    assert_eq!(stage.stored(), [""; 0]);
    wait_unspent(&stage, ids.len()).await;
    is_drained(&stage, &ids).await;
}

#[tokio::test]
async fn a_stop_ends_a_pause() {
    let stage = Stage::with(12, Faults { outage: true, ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let process = consumer(&stage, &[]);
    until("it probes", async || stage.simulator.served().list >= 1).await;
    process.signal("TERM").await;
    let finished = process.finished().await;
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    is_drained(&stage, &ids).await;
}

#[tokio::test]
async fn a_kill_loses_nothing_and_makes_nothing_twice() {
    let stage = Stage::with(CALLS, Faults { latency: Duration::from_millis(200), ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    for stored in [1, 17, 41] {
        let process = consumer(&stage, &[]);
        until("it has stored some", async || stage.stored().len() >= stored).await;
        process.signal("KILL").await;
        assert_eq!(process.finished().await.code, None);
    }
    assert!(stage.stored().len() < ids.len(), "something was left to lose");
    is_drained(&stage, &ids).await;
}

#[tokio::test]
async fn two_drains_at_once_share_the_work_and_both_end() {
    let stage = Stage::with(60, Faults { latency: Duration::from_millis(100), ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let (first, second) = (consumer(&stage, &["--drain"]), consumer(&stage, &["--drain"]));
    let (first, second) = tokio::join!(first.finished(), second.finished());
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{}\n{}", first.stderr, second.stderr);
    assert_eq!(stage.stored(), ids);
    assert_eq!(stage.simulator.served().detail, 60, "nobody did the other's work again");
    is_drained(&stage, &ids).await;
}
