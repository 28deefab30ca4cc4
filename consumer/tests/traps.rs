//! The traps of a broker: a message that is returned, an answer that comes too late, a message that travels for ever, one
//! that kills its workers, and looking that costs a life.

mod support {
    pub(crate) mod management;
    pub(crate) mod stage;
    pub(crate) mod until;
    pub(crate) mod work;
}

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use consumer::settle::{Settled, Settler, Unsettled};
use consumer::verdict::{Cause, Verdict};
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::backoff::Ladder;
use shared::exit::Exit;
use shared::ids::ConversationId;
use shared::job::FetchConversation;
use shared::queue::{Broker, Delivery, Destination, Lane, Message, QueueError, Subscription};
use shared::testing::Process;
use simulator::Faults;

use support::management::management;
use support::stage::{ALL_BUT_ONE, FETCH, Stage};
use support::until::{LONGEST, until};
use support::work::{Working, drain, drain_in_vain};

/// The time is an argument: every failure of these tests is of this instant.
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

const TIMEOUT: Cause = Cause { class: "timeout", http_status: None };

/// Answers jobs, with a ladder of so many rungs of 100 ms, all of them one queue.
async fn settler(stage: &Stage, broker: &Broker, rungs: usize) -> Settler {
    let ladder = Ladder::new(vec![Duration::from_millis(100); rungs]);
    let publisher = broker.publisher();
    Settler::new(publisher, stage.database.open().await, ladder)
}

/// The next delivery, which must come.
async fn next(jobs: &mut Subscription) -> Delivery {
    let delivery = tokio::time::timeout(LONGEST, jobs.next()).await;
    delivery.expect("a delivery comes").expect("the consumer stands")
}

fn queue(stage: &Stage, name: &str) -> String {
    format!("{}.{name}", stage.broker.config().namespace)
}

/// The name of the connection on which the fresh lane is consumed. The management API learns it late.
async fn consuming_connection(stage: &Stage) -> String {
    let fetch = queue(stage, "fetch");
    let mut connection = None;
    until("the management API knows the consumer", async || {
        let consumers = management("GET", "consumers/%2f", &Value::Null).await;
        let mut consumers = consumers.as_array().into_iter().flatten();
        let ours = consumers.find(|consumer| consumer["queue"]["name"] == fetch);
        connection =
            ours.and_then(|ours| ours["channel_details"]["connection_name"].as_str().map(String::from));
        connection.is_some()
    })
    .await;
    connection.expect("it was just found").replace(' ', "%20").replace('>', "%3E")
}

/// Has the broker close a connection.
async fn close(connection: &str) {
    management("DELETE", &format!("connections/{connection}"), &Value::Null).await;
}

/// The one dead letter as it lies at the broker, put back afterwards.
async fn raw_dead_letter(stage: &Stage) -> Value {
    let get = json!({ "count": 2, "ackmode": "ack_requeue_true", "encoding": "auto" });
    let letters = management("POST", &format!("queues/%2f/{}/get", queue(stage, "dead")), &get).await;
    let letters = letters.as_array().expect("a list");
    assert_eq!(letters.len(), 1, "one dead letter");
    letters[0].clone()
}

fn headers(message: &Value) -> BTreeSet<&str> {
    message["properties"]["headers"].as_object().expect("headers").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_returned_message_is_not_published_and_its_job_not_answered() {
    let stage = Stage::with(1, Faults { missing: 1.0, ..Faults::default() }).await;
    let ids = stage.ask_for_all(0).await;
    let broker = stage.broker.connect().await;
    let settler = settler(&stage, &broker, 3).await;
    let mut jobs = broker.subscribe(Lane::Fetch, 1).await.unwrap();
    let delivery = next(&mut jobs).await;
    let unbound = [
        ("dead", Verdict::Dead(TIMEOUT)),
        ("retry.100ms", Verdict::Retry(TIMEOUT)),
        ("unfinished.300ms", Verdict::Snooze { started_at: Some(NOW) }),
    ];
    for (name, verdict) in unbound {
        management("DELETE", &format!("queues/%2f/{}", queue(&stage, name)), &Value::Null).await;
        let outcome = settler.settle(&delivery, verdict, NOW).await;
        let Err(Unsettled::Queue(QueueError::Returned { queue: returned })) = outcome else {
            panic!("{name}: {outcome:?}");
        };
        assert_eq!(returned, queue(&stage, name));
    }
    broker.close().await;
    let [job] = stage.lying(FETCH, 1).await.try_into().unwrap();
    assert_eq!((job.attempt, job.failure), (0, None), "it is the job that was delivered");
    // A worker makes the queues again, and answers it.
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    let [letter] = stage.lying(Destination::Dead, 1).await.try_into().unwrap();
    assert_eq!(letter.conversation_id().unwrap().as_str(), ids[0]);
}

/// Each session ends with the same job unanswered: somebody takes its rung away again and again.
#[tokio::test]
async fn a_drain_does_not_go_on_for_ever_with_a_job_that_cannot_be_answered() {
    let stage = Stage::with(1, Faults { error_5xx: 1.0, only_details: true, ..Faults::default() }).await;
    let ids = stage.ask_for_all(0).await;
    let rung = format!("queues/%2f/{}", queue(&stage, "retry.100ms"));
    let taking_away = async {
        loop {
            stage.simulator.hold(&ids);
            // However often it has been asked for before: now it stays.
            until("the call is asked for", async || stage.simulator.served().in_flight >= 1).await;
            management("DELETE", &rung, &Value::Null).await;
            stage.simulator.hold([]);
            until("it is answered", async || stage.simulator.served().in_flight == 0).await;
        }
    };
    tokio::select! {
        exit = drain_in_vain(&stage) => assert_eq!(exit, Exit::Unavailable),
        () = taking_away => unreachable!("it has no end"),
    }
    let [job] = stage.lying(FETCH, 1).await.try_into().unwrap();
    assert_eq!((job.attempt, job.failure), (0, None), "it is the job that was delivered");
}

/// A broker that has lost a lane, and a message for any.
async fn without_backfill() -> (Stage, Broker, Message) {
    let stage = Stage::with(1, Faults::default()).await;
    let broker = stage.broker.connect().await;
    management("DELETE", &format!("queues/%2f/{}", queue(&stage, "backfill")), &Value::Null).await;
    let conversation_id = ConversationId::parse("conv_1").expect("an id");
    let job = FetchConversation { conversation_id, agent_id: None, run_id: None };
    (stage, broker, Message::new(&job))
}

/// lapin tells that something was returned, and lays it on whatever else is on its way on the channel.
#[tokio::test]
async fn a_returned_message_is_told_from_those_beside_it() {
    let (_stage, broker, message) = without_backfill().await;
    let publisher = broker.publisher();
    for round in 0..60 {
        let sent = (0..300).map(|number| {
            let lane = if number % 7 == 1 { Lane::Backfill } else { Lane::Fetch };
            let confirmed = publisher.publish(&message, Destination::Work(lane));
            async move { (number, lane, confirmed.await) }
        });
        for (number, lane, confirmed) in join_all(sent).await {
            assert_eq!(confirmed.is_err(), lane == Lane::Backfill, "{round}, {number}: {confirmed:?}");
        }
    }
    broker.close().await;
}

/// Of a page that was sent at once it is not known which ones they are.
#[tokio::test]
async fn when_one_of_a_group_is_returned_none_counts_and_no_other_group_is_meant() {
    let (stage, broker, message) = without_backfill().await;
    let publisher = broker.publisher();
    let good: Vec<_> = (0..50).map(|_| (&message, FETCH)).collect();
    let mut bad = good.clone();
    bad[30].1 = Destination::Work(Lane::Backfill);
    let (before, returned, after) =
        tokio::join!(publisher.publish_all(&good), publisher.publish_all(&bad), publisher.publish_all(&good));
    assert!(before.iter().chain(&after).all(Result::is_ok), "{before:?} {after:?}");
    for outcome in returned {
        let Err(QueueError::Returned { queue: missing }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(missing, queue(&stage, "backfill"));
    }
    broker.close().await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_answers_nothing() {
    let stage = Stage::with(1, Faults::default()).await;
    let ids = stage.ask_for_all(0).await;
    let broker = stage.broker.connect().await;
    let settler = settler(&stage, &stage.broker.connect().await, 3).await;
    let mut jobs = broker.subscribe(Lane::Fetch, 1).await.unwrap();
    let delivery = next(&mut jobs).await;
    close(&consuming_connection(&stage).await).await;
    assert!(jobs.next().await.is_err(), "the consumer is told");
    let outcome = settler.settle(&delivery, Verdict::Stored, NOW).await;
    assert!(matches!(outcome, Ok(Settled::Stored) | Err(Unsettled::Queue(QueueError::Lost { .. }))));
    let [job] = stage.lying(FETCH, 1).await.try_into().unwrap();
    assert_eq!(job.conversation_id().unwrap().as_str(), ids[0]);
}

#[tokio::test]
async fn a_worker_that_loses_its_connection_stores_what_it_held_once() {
    // A worker has eight requests under way: there is room for each a second time.
    let stage = Stage::with(4, Faults::default()).await;
    stage.simulator.hold(&stage.simulator.conversation_ids());
    let working = Working::on(&stage).await;
    let connection = consuming_connection(&stage).await;
    let ids = stage.ask_for_all(ALL_BUT_ONE).await;
    until("all are asked for", async || stage.simulator.served().in_flight >= 4).await;
    close(&connection).await;
    until("each was delivered again", async || {
        let looks = stage.simulator.served().details_by_id;
        ids.iter().all(|id| looks.get(id).is_some_and(|looks| *looks >= 2))
    })
    .await;
    stage.simulator.hold([]);
    until("each is stored", async || stage.stored() == ids).await;
    working.stop().await;
    stage.lying(FETCH, 0).await;
    assert_eq!(stage.database.value("SELECT last_value FROM reportes_folio_seq"), "4");
    assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
}

#[tokio::test]
async fn a_job_may_travel_as_often_as_it_must_and_carries_only_our_own_headers() {
    const TRIPS: u32 = 30;
    let stage = Stage::with(1, Faults::default()).await;
    stage.ask_for_all(0).await;
    let broker = stage.broker.connect().await;
    let settler = settler(&stage, &broker, TRIPS as usize).await;
    let mut jobs = broker.subscribe(Lane::Fetch, 1).await.unwrap();
    for trip in 0..TRIPS {
        let delivery = next(&mut jobs).await;
        assert_eq!(delivery.message.attempt, trip);
        assert_eq!(
            delivery.message.was_moved_by_broker,
            trip > 0,
            "the broker writes what we must not republish"
        );
        assert_eq!(settler.settle(&delivery, Verdict::Retry(TIMEOUT), NOW).await.unwrap(), Settled::Retried);
        if trip % 3 == 0 {
            let delivery = next(&mut jobs).await;
            let snooze = Verdict::Snooze { started_at: Some(NOW) };
            assert_eq!(settler.settle(&delivery, snooze, NOW).await.unwrap(), Settled::Snoozed);
        }
    }
    let delivery = next(&mut jobs).await;
    assert_eq!(settler.settle(&delivery, Verdict::Retry(TIMEOUT), NOW).await.unwrap(), Settled::Dead);
    let letter = raw_dead_letter(&stage).await;
    let ours = [
        "x-089-attempt",
        "x-089-error-class",
        "x-089-first-failed-at",
        "x-089-last-failed-at",
        "x-089-replays",
    ];
    let mut found = headers(&letter);
    // What the broker adds to every delivery from a quorum queue; it is not in the message.
    found.remove("x-delivery-count");
    assert_eq!(found, ours.into());
    assert_eq!(letter["properties"]["headers"]["x-089-attempt"], TRIPS + 1);
    assert_eq!(letter["properties"]["delivery_mode"], 2);
}

#[tokio::test]
async fn a_message_that_kills_its_workers_is_set_aside_by_the_broker() {
    let stage = Stage::with(2, Faults::default()).await;
    let ids = stage.simulator.conversation_ids();
    stage.ask(&ids[..1], 2).await;
    for _death in 0..=20 {
        let broker = stage.broker.connect().await;
        let mut jobs = broker.subscribe(Lane::Fetch, 1).await.unwrap();
        next(&mut jobs).await;
        broker.close().await;
    }
    let [letter] = stage.lying(Destination::Dead, 1).await.try_into().unwrap();
    assert_eq!((letter.was_moved_by_broker, letter.attempt), (true, 2));
    assert_eq!(letter.conversation_id().unwrap().as_str(), ids[0]);
    // The next worker works on.
    stage.ask(&ids[1..], 0).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    assert_eq!(stage.stored(), ids[1..]);
}

#[tokio::test]
async fn dead_letters_may_be_listed_as_often_as_one_likes() {
    let stage = Stage::with(1, Faults { missing: 1.0, ..Faults::default() }).await;
    let ids = stage.ask_for_all(0).await;
    assert_eq!(drain(&stage, &[]).await, Exit::Done);
    let variables = stage.variables();
    for _round in 0..10 {
        let listings = (0..5).map(|_| Process::start("producer", &["dead", "list"], &variables).finished());
        for listing in join_all(listings).await {
            assert_eq!(listing.code, Some(0), "{}", listing.stderr);
            assert!(
                listing.stdout.contains(&ids[0]) && listing.stdout.contains("not_found"),
                "{}",
                listing.stdout
            );
        }
    }
    let letter = raw_dead_letter(&stage).await;
    assert_eq!(letter["redelivered"], false);
    let deliveries = letter["properties"]["headers"]["x-delivery-count"].as_u64();
    assert_eq!(deliveries.unwrap_or(0), 0, "{letter}");
}

/// Jobs, and a consumer that holds more and more of them.
async fn widening(jobs: usize) -> (Stage, Broker, Subscription) {
    let stage = Stage::with(0, Faults::default()).await;
    let ids: Vec<String> = (0..jobs).map(|number| format!("conv_{number}")).collect();
    stage.ask(&ids, 0).await;
    let broker = stage.broker.connect().await;
    let subscription = broker.subscribe(Lane::Fetch, 1).await.expect("a channel");
    (stage, broker, subscription)
}

#[tokio::test]
async fn who_holds_more_than_before_is_given_everything() {
    const JOBS: usize = 3000;
    let (_stage, broker, mut jobs) = widening(JOBS).await;
    let mut given = BTreeSet::new();
    for number in 0..JOBS {
        if number % 100 == 50 {
            jobs.widen(u16::try_from(number / 10).unwrap()).await.unwrap();
        }
        let delivery = next(&mut jobs).await;
        assert!(given.insert(delivery.message.conversation_id()), "{delivery:?} came twice");
        assert!(delivery.ack().await.unwrap());
    }
    broker.close().await;
}

/// The broker ends the channels of a connection one after the other.
#[tokio::test]
async fn the_death_of_a_worker_that_holds_more_than_before_counts_once() {
    let (stage, broker, mut jobs) = widening(100).await;
    let mut held = vec![next(&mut jobs).await];
    for prefetch in [8, 16, 32, 64] {
        jobs.widen(prefetch).await.unwrap();
        while held.len() < usize::from(prefetch) {
            held.push(next(&mut jobs).await);
        }
    }
    let connection = consuming_connection(&stage).await;
    close(&connection).await;
    assert!(jobs.next().await.is_err(), "the consumer is told");
    broker.close().await;
    let again = stage.broker.connect().await;
    let mut jobs = again.subscribe(Lane::Fetch, 100).await.unwrap();
    for number in 0..100 {
        let delivery = next(&mut jobs).await;
        assert_eq!(delivery.deliveries, u64::from(number < 64), "{number}");
    }
    again.close().await;
}
