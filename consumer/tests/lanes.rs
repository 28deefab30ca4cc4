//! Two lanes: while a hundred thousand old calls are pending, a fresh one is stored as if there were none.

mod support {
    #[expect(dead_code, reason = "other tests look into queues")]
    pub(crate) mod stage;
    pub(crate) mod until;
    #[expect(dead_code, reason = "other tests drain")]
    pub(crate) mod work;
}

use std::time::Duration;

use serde_json::Value;
use shared::queue::{Destination, Lane};
use simulator::Faults;

use support::stage::{ALL_BUT_ONE, FETCH, Stage};
use support::until::until;
use support::work::Working;

const BACKFILL: Destination = Destination::Work(Lane::Backfill);

/// How many old calls are pending.
const OLD: u32 = 100_000;

/// How many of them may be stored while a fresh one is asked for, fetched, tried again and stored: those whose turn it was,
/// and those that a test's own looks take. In a line with them, it would come after all of them.
const FEW: usize = 5_000;

/// A ladder whose last rung is long: who is to put a call right after its second failure need not hurry.
const LADDER: (&str, &str) = ("AMQP_RETRY_DELAYS", "100ms,500ms,30s");

fn count(stage: &Stage) -> usize {
    stage.database.value("SELECT count(*) FROM conversaciones").parse().expect("a count")
}

fn is_stored(stage: &Stage, id: &str) -> bool {
    stage.database.value(&format!("SELECT count(*) FROM conversaciones WHERE id_eleven = '{id}'")) == "1"
}

/// Asks for a fresh call, which must be stored.
async fn stores(stage: &Stage, id: &String) {
    stage.ask(std::slice::from_ref(id), ALL_BUT_ONE).await;
    until("the fresh call is stored", async || is_stored(stage, id)).await;
}

/// The same with one that fails twice at first.
async fn stores_after_retries(stage: &Stage, id: &String) {
    let whole = stage.simulator.conversation_json(id).expect("it is there");
    let break_it = |detail: &mut Value| detail["conversation_id"] = "conv_another".into();
    stage.simulator.set_conversation(id, break_it);
    stage.ask(std::slice::from_ref(id), 0).await;
    until("it was tried twice", async || {
        stage.simulator.served().details_by_id.get(id).is_some_and(|looks| *looks >= 2)
    })
    .await;
    stage.simulator.set_conversation(id, |detail| *detail = whole);
    until("the fresh call is stored", async || is_stored(stage, id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_call_is_stored_while_a_hundred_thousand_old_ones_are_pending_also_after_a_retry() {
    let stage =
        Stage::with(OLD + 4, Faults { latency: Duration::from_millis(20), ..Faults::default() }).await;
    let ids = stage.simulator.conversation_ids();
    let (fresh, old) = ids.split_at(4);
    stage.ask_in(BACKFILL, old, ALL_BUT_ONE).await;
    assert_eq!(stage.broker.depth(BACKFILL).await, OLD);

    // As many old ones as may are at the API, and stay there: a fresh one waits for none of them.
    stage.simulator.hold(old);
    let working = Working::with(&stage, &[("ELEVENLABS_CONCURRENCY", "4"), LADDER]).await;
    until("old calls are asked for", async || stage.simulator.served().in_flight == 3).await;
    stores(&stage, &fresh[0]).await;
    stores_after_retries(&stage, &fresh[1]).await;
    let served = stage.simulator.served();
    assert_eq!((served.in_flight, served.max_in_flight), (3, 4));
    assert_eq!(stage.stored().len(), 2, "no old call had been answered");

    // A worker that is busy with them, as fast as the API answers.
    stage.simulator.hold([]);
    until("old calls are stored", async || count(&stage) > 100).await;
    let before = count(&stage);
    stores(&stage, &fresh[2]).await;
    let between = count(&stage);
    stores_after_retries(&stage, &fresh[3]).await;
    let after = count(&stage);
    assert!(between - before <= FEW && after - between <= FEW, "{before} {between} {after} stored");
    until("it goes on with the old ones", async || count(&stage) > after + 100).await;
    assert!(stage.broker.depth(BACKFILL).await > OLD - OLD / 10, "practically all are pending");
    assert_eq!(stage.simulator.served().max_in_flight, 4);
    working.stop().await;
    assert_eq!(stage.broker.depth(FETCH).await, 0);
    assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
}

#[tokio::test]
async fn one_request_at_a_time_is_enough_for_both_lanes() {
    let stage = Stage::with(12, Faults::default()).await;
    let mut ids = stage.simulator.conversation_ids();
    ids.sort();
    stage.ask_in(BACKFILL, &ids[..6], ALL_BUT_ONE).await;
    stage.ask(&ids[6..], ALL_BUT_ONE).await;
    let working = Working::with(&stage, &[("ELEVENLABS_CONCURRENCY", "1")]).await;
    until("each is stored", async || stage.stored() == ids).await;
    assert_eq!(stage.simulator.served().max_in_flight, 1);
    working.stop().await;
}
