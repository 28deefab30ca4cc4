//! What becomes of a job, for every answer there is: through the real broker, from the simulated API, into the database.

mod support {
    pub(crate) mod management;
    pub(crate) mod stage;
    pub(crate) mod until;
    pub(crate) mod work;
}

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use serde_json::{Value, json};
use shared::exit::Exit;
use shared::queue::{Destination, Lane, Message};
use simulator::Faults;

use support::management::management;
use support::stage::{ALL_BUT_ONE, FETCH, Stage};
use support::until::until;
use support::work::{Working, drain, drain_in_vain};

const HOUR: u64 = 3600;

/// An instant so long ago, as the API writes it.
fn seconds_ago(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set").as_secs() - seconds
}

/// Takes what was said out of a call, as before its end.
fn unsaid(detail: &mut Value) {
    detail["transcript"] = json!([]);
    detail["analysis"] = Value::Null;
}

/// Everything the book says of dead letters, one line each.
fn dead(stage: &Stage) -> Vec<String> {
    stage.database.column(
        "SELECT concat_ws(' ', id_eleven, carril, clase, coalesce(http_status::text, '-'), intentos) FROM trabajos \
         WHERE muerto_en IS NOT NULL ORDER BY id_eleven COLLATE \"C\"",
    )
}

/// All jobs lie where they lay, with the attempts that they had.
async fn are_back(stage: &Stage, count: usize, attempt: u32) {
    let messages = stage.lying(FETCH, u32::try_from(count).expect("few")).await;
    assert!(messages.iter().all(|message| message.attempt == attempt), "{messages:?}");
    assert_eq!(dead(stage), [""; 0]);
}

/// All jobs lie where they lay, and none has spent the one attempt that it had left.
async fn are_unspent(stage: &Stage, count: usize) {
    are_back(stage, count, ALL_BUT_ONE).await;
}

/// Has a job fail for the last time; returns class and HTTP status in the book, which its message says too.
async fn last_failure(faults: Faults, more: &[(&'static str, &str)]) -> (String, String) {
    let stage = Stage::with(1, Faults { only_details: true, ..faults }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain(&stage, more).await, Exit::Done);
    let [message] = stage.lying(Destination::Dead, 1).await.try_into().expect("one letter");
    assert_eq!(message.attempt, 4);
    let failure = message.failure.expect("it says why");
    let status = failure.http_status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    assert_eq!(dead(&stage), [format!("{} fetch {} {status} 4", ids[0], failure.class)]);
    assert_eq!(stage.simulator.served().detail, 1);
    (failure.class, status)
}

#[tokio::test]
async fn a_finished_call_is_stored_and_its_job_is_gone() {
    let stage = Stage::with(30, Faults::default()).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids);
    assert_eq!(stage.database.value("SELECT count(*) FROM reportes"), "30");
    are_unspent(&stage, 0).await;
    // Everything delivered twice: nothing is written, nothing is left.
    let versions = "SELECT xmin::text FROM conversaciones ORDER BY id_eleven";
    let before = stage.database.column(versions);
    stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.database.column(versions), before);
    are_unspent(&stage, 0).await;
}

#[tokio::test]
async fn a_call_that_is_not_finished_is_looked_at_again_at_no_cost() {
    let statuses = ["initiated", "in-progress", "processing", "a-later-release-s"];
    let stage = Stage::with(4, Faults::default()).await;
    let ids = stage.simulator.conversation_ids();
    let whole: Vec<Value> =
        ids.iter().map(|id| stage.simulator.conversation_json(id).expect("there is one")).collect();
    for (id, status) in ids.iter().zip(statuses) {
        stage.simulator.set_conversation(id, |detail| {
            detail["status"] = status.into();
            // The analysis comes last: what was said may be there before the call counts as finished.
            if status != "processing" {
                unsaid(detail);
            }
        });
    }
    stage.ask_for_all(ALL_BUT_ONE).await;
    let working = Working::on(&stage).await;
    until("each was looked at three times", async || {
        let looks = stage.simulator.served().details_by_id;
        ids.iter().all(|id| looks.get(id).is_some_and(|looks| *looks >= 3))
    })
    .await;
    assert_eq!(stage.stored(), [""; 0]);
    for (id, whole) in ids.iter().zip(whole) {
        stage.simulator.set_conversation(id, |detail| *detail = whole);
    }
    until("each is stored", async || stage.stored().len() == ids.len()).await;
    working.stop().await;
    assert_eq!(dead(&stage), [""; 0]);
}

#[tokio::test]
async fn a_snoozed_job_carries_its_reason_and_its_attempts() {
    let stage = Stage::with(1, Faults { in_progress: 1.0, ..Faults::default() }).await;
    stage.ask_for_all(1).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    // A drain does not wait for it; it comes back by itself.
    let [message] = stage.lying(FETCH, 1).await.try_into().unwrap();
    assert_eq!(message.attempt, 1);
    assert_eq!(message.failure.map(|failure| failure.class).as_deref(), Some("unfinished"));
}

#[tokio::test]
async fn a_call_that_is_not_finished_a_day_after_its_start_is_dead() {
    let stage = Stage::with(2, Faults::default()).await;
    let ids = stage.simulator.conversation_ids();
    for (id, age) in ids.iter().zip([23 * HOUR, 25 * HOUR]) {
        stage.simulator.set_conversation(id, |detail| {
            unsaid(detail);
            detail["status"] = "in-progress".into();
            detail["metadata"]["start_time_unix_secs"] = seconds_ago(age).into();
        });
    }
    stage.ask_for_all(2).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(dead(&stage), [format!("{} fetch unfinished - 2", ids[1])]);
    let [message] = stage.lying(Destination::Dead, 1).await.try_into().unwrap();
    assert_eq!(message.attempt, 2, "waiting cost nothing");
    stage.lying(FETCH, 1).await;
}

#[tokio::test]
async fn an_unknown_status_with_content_is_stored_as_it_is_and_is_not_final() {
    let stage = Stage::with(1, Faults { unknown_status: 1.0, ..Faults::default() }).await;
    stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    let status = "SELECT estado FROM conversaciones";
    assert_eq!(stage.database.value(status), "needs_review");
    stage.simulator.set_faults(Faults::default());
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let whole = stage.simulator.conversation_json(&ids[0]).unwrap();
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.database.value(status), whole["status"].as_str().unwrap());
}

#[tokio::test]
async fn a_5xx_is_retried_and_at_last_set_aside() {
    let (class, status) = last_failure(Faults { error_5xx: 1.0, ..Faults::default() }, &[]).await;
    assert_eq!(class, "server_error");
    assert!(["500", "502", "503", "504"].contains(&status.as_str()), "{status}");
}

#[tokio::test]
async fn a_timeout_is_retried_and_at_last_set_aside() {
    let faults = Faults { latency: Duration::from_hours(1), ..Faults::default() };
    // The look at the API that follows, which is answered at once, must be in time on a busy machine too.
    let outcome = last_failure(faults, &[("ELEVENLABS_TIMEOUT", "10s")]).await;
    assert_eq!(outcome, ("timeout".into(), "-".into()));
}

#[tokio::test]
async fn a_lost_connection_is_retried_and_at_last_set_aside() {
    let outcome = last_failure(Faults { dropped: 1.0, ..Faults::default() }, &[]).await;
    assert_eq!(outcome, ("connection".into(), "-".into()));
}

#[tokio::test]
async fn a_body_that_is_not_decodable_is_retried_and_at_last_set_aside() {
    let outcome = last_failure(Faults { malformed: 1.0, ..Faults::default() }, &[]).await;
    assert_eq!(outcome, ("malformed".into(), "200".into()));
}

#[tokio::test]
async fn a_page_of_html_is_retried_and_at_last_set_aside() {
    let (class, status) = last_failure(Faults { html: 1.0, ..Faults::default() }, &[]).await;
    // Proxies send their pages with either status.
    assert!(
        matches!((&*class, &*status), ("malformed", "200") | ("server_error", "502")),
        "{class} {status}"
    );
}

#[tokio::test]
async fn the_body_of_another_call_is_malformed() {
    let stage = Stage::with(1, Faults::default()).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    stage.simulator.set_conversation(&ids[0], |detail| detail["conversation_id"] = "conv_another".into());
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(dead(&stage), [format!("{} fetch malformed 200 4", ids[0])]);
    assert_eq!(stage.stored(), [""; 0]);
}

#[tokio::test]
async fn a_job_that_keeps_failing_climbs_the_ladder_and_is_then_set_aside() {
    let stage = Stage::with(1, Faults { error_5xx: 1.0, only_details: true, ..Faults::default() }).await;
    let ids = stage.ask_for_all(0).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.simulator.served().detail, 4, "once, and once a rung");
    let [line] = dead(&stage).try_into().unwrap();
    assert!(line.starts_with(&format!("{} fetch server_error 50", ids[0])) && line.ends_with(" 4"), "{line}");
    let [message] = stage.lying(Destination::Dead, 1).await.try_into().unwrap();
    assert_eq!((message.attempt, message.replays, message.was_moved_by_broker), (4, 0, false));
    assert_eq!(message.conversation_id().unwrap().as_str(), ids[0]);
    let failure = message.failure.unwrap();
    assert_eq!(failure.class, "server_error");
    assert!(failure.http_status.is_some_and(|status| (500..505).contains(&status)), "{failure:?}");
    assert!(failure.first_failed_at < failure.last_failed_at, "{failure:?}");
}

#[tokio::test]
async fn a_failure_that_passes_ends_as_a_stored_call() {
    let stage = Stage::with(1, Faults { error_5xx: 1.0, only_details: true, ..Faults::default() }).await;
    let ids = stage.ask_for_all(0).await;
    let working = Working::on(&stage).await;
    until("it failed twice", async || stage.simulator.served().detail >= 2).await;
    stage.simulator.set_faults(Faults::default());
    until("it is stored", async || stage.stored() == ids).await;
    working.stop().await;
    are_unspent(&stage, 0).await;
}

#[tokio::test]
async fn a_job_keeps_its_lane_on_the_ladder() {
    let stage = Stage::with(1, Faults { malformed: 1.0, ..Faults::default() }).await;
    let ids = stage.simulator.conversation_ids();
    stage.ask(&ids, ALL_BUT_ONE - 1).await;
    let broker = stage.broker.connect().await;
    let mut fresh = broker.subscribe(Lane::Fetch, 1).await.unwrap();
    let delivery = fresh.next().await.unwrap();
    let publisher = broker.publisher();
    publisher.publish(&delivery.message, Destination::Work(Lane::Backfill)).await.unwrap();
    assert!(delivery.ack().await.unwrap());
    broker.close().await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.simulator.served().detail, 2);
    assert_eq!(dead(&stage), [format!("{} backfill malformed 200 4", ids[0])]);
}

#[tokio::test]
async fn a_call_that_does_not_exist_is_dead_at_once_and_keeps_its_attempts() {
    let stage = Stage::with(1, Faults { missing: 1.0, ..Faults::default() }).await;
    let mut ids = stage.ask_for_all(1).await;
    ids.push("conv_nobody_knows".into());
    stage.ask(&ids[1..], 0).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    let mut expected =
        [format!("{} fetch not_found 404 1", ids[0]), format!("{} fetch not_found 404 0", ids[1])];
    expected.sort();
    assert_eq!(dead(&stage), expected);
    assert_eq!(stage.lying(Destination::Dead, 2).await.len(), 2);
}

#[tokio::test]
async fn a_row_that_a_constraint_refuses_is_dead_at_once_and_alone() {
    let stage = Stage::with(6, Faults::default()).await;
    let mut ids = stage.ask_for_all(0).await;
    let refused = ids.remove(2);
    stage.database.execute(&format!(
        "ALTER TABLE conversaciones ADD CONSTRAINT sin_veneno CHECK (id_eleven <> '{refused}')"
    ));
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(dead(&stage), [format!("{refused} fetch row_refused - 0")]);
    assert_eq!(stage.stored(), ids);
    stage.lying(Destination::Dead, 1).await;
}

#[tokio::test]
async fn a_message_that_is_no_job_of_ours_is_dead_and_stays_as_it_came() {
    let stage = Stage::with(1, Faults::default()).await;
    let ids = stage.ask_for_all(0).await;
    let garbage = json!({
        "properties": {}, "routing_key": "fetch", "payload": "//79AA==", "payload_encoding": "base64",
    });
    let later_version = json!({
        "properties": { "message_id": "conv_later", "headers": { "x-089-attempt": "many" } },
        "routing_key": "fetch", "payload": r#"{"v":2,"ids":["conv_later"]}"#, "payload_encoding": "string",
    });
    let exchange = format!("exchanges/%2f/{}/publish", stage.broker.config().namespace);
    for message in [garbage, later_version] {
        assert_eq!(management("POST", &exchange, &message).await["routed"], true);
    }
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    let dead = dead(&stage);
    assert!(dead[0].starts_with("broken_") && dead[0].ends_with(" fetch broken_message - 0"), "{dead:?}");
    assert_eq!(dead[1..], ["conv_later fetch broken_message - 0"]);
    let messages = stage.lying(Destination::Dead, 2).await;
    let mut bodies: Vec<&[u8]> = messages.iter().map(Message::body).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, [br#"{"v":2,"ids":["conv_later"]}"#.as_slice(), b"\xff\xfe\xfd\x00"]);
    assert_eq!(stage.stored(), ids);
}

#[tokio::test]
async fn an_erased_call_is_answered_and_not_stored() {
    let stage = Stage::with(2, Faults::default()).await;
    let ids = stage.ask_for_all(0).await;
    stage.database.execute(&format!(
        "INSERT INTO trabajos (id_eleven, carril, olvidado_en, motivo) VALUES ('{}', 'fetch', now(), 'a petición')",
        ids[0]
    ));
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids[1..]);
    are_unspent(&stage, 0).await;
}

#[tokio::test]
async fn a_refused_key_ends_a_drain_with_77_and_costs_nothing() {
    let stage = Stage::with(12, Faults { refuse_key: true, ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain_in_vain(&stage).await, Exit::KeyRefused);
    are_unspent(&stage, ids.len()).await;
    stage.simulator.set_faults(Faults { scope_missing: true, ..Faults::default() });
    assert_eq!(drain_in_vain(&stage).await, Exit::KeyRefused);
    are_unspent(&stage, ids.len()).await;
    stage.simulator.set_faults(Faults::default());
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids);
}

#[tokio::test]
async fn a_storm_of_429_slows_the_worker_and_costs_nothing() {
    let storm = Faults {
        concurrency_limit: Some(1),
        retry_after: Some(Duration::from_secs(1)),
        latency: Duration::from_millis(50),
        ..Faults::default()
    };
    let stage = Stage::with(6, storm).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids);
    assert!(stage.simulator.served().status_429 > 0);
    are_unspent(&stage, 0).await;
}

#[tokio::test]
async fn throttling_too_long_to_hold_jobs_for_ends_a_drain_with_75() {
    let throttled =
        Faults { rate_limit: Some(0.001), retry_after: Some(Duration::from_mins(2)), ..Faults::default() };
    let stage = Stage::with(6, throttled).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain_in_vain(&stage).await, Exit::TryLater);
    let stored = stage.stored().len();
    are_unspent(&stage, ids.len() - stored).await;
    stage.simulator.set_faults(Faults::default());
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids);
}

#[tokio::test]
async fn an_outage_of_the_api_ends_a_drain_with_69_and_costs_nothing() {
    let stage = Stage::with(12, Faults { outage: true, ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    assert_eq!(drain_in_vain(&stage).await, Exit::Unavailable);
    are_unspent(&stage, ids.len()).await;
    stage.simulator.set_faults(Faults::default());
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids);
}

#[tokio::test]
async fn a_worker_outlives_an_outage_of_the_api() {
    let stage = Stage::with(12, Faults { outage: true, ..Faults::default() }).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let working = Working::on(&stage).await;
    until("it probes", async || stage.simulator.served().list >= 2).await;
    assert!(stage.simulator.served().detail < 3 * 12, "it probes with a list, not with jobs");
    stage.simulator.set_faults(Faults::default());
    until("it goes on by itself", async || stage.stored() == ids).await;
    working.stop().await;
    are_unspent(&stage, 0).await;
}

/// Takes the test's database away, as far as everybody else is concerned, or gives it back.
fn set_database_away(stage: &Stage, is_away: bool) {
    let url = stage.database.url();
    let (server, name) = url.rsplit_once('/').expect("a database's URL");
    let mut connection = PgConnection::establish(&format!("{server}/postgres")).expect("the server answers");
    let mut execute = |sql: &str| connection.batch_execute(sql).expect("a superuser may");
    execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !is_away));
    if is_away {
        execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    }
}

/// A pipeline of six calls for which the API holds its answers.
async fn held() -> Stage {
    let stage = Stage::with(6, Faults::default()).await;
    stage.simulator.hold(&stage.simulator.conversation_ids());
    stage
}

/// Takes the database away between all the answers and what is asked of them.
async fn cut(stage: &Stage) {
    until("all are asked for", async || stage.simulator.served().in_flight >= 6).await;
    set_database_away(stage, true);
    stage.simulator.hold([]);
}

#[tokio::test]
async fn an_outage_of_the_database_ends_a_drain_with_69_and_costs_nothing() {
    let stage = held().await;
    // With all attempts left: a death could not be booked, and so would cost nothing either.
    let ids = stage.ask_for_all(0).await;
    let (exit, ()) = tokio::join!(drain_in_vain(&stage), cut(&stage));
    assert_eq!(exit, Exit::Unavailable);
    set_database_away(&stage, false);
    are_back(&stage, ids.len(), 0).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids);
}

#[tokio::test]
async fn a_worker_outlives_an_outage_of_the_database() {
    let stage = held().await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    let working = Working::on(&stage).await;
    cut(&stage).await;
    until("the jobs are back", async || stage.broker.depth(FETCH).await as usize >= ids.len()).await;
    set_database_away(&stage, false);
    until("it goes on by itself", async || stage.stored() == ids).await;
    working.stop().await;
    are_unspent(&stage, 0).await;
}
