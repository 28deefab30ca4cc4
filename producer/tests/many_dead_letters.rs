//! Dead letters in thousands: asked for again, discarded and taken back, each killed half-way and done once more. At the end
//! the book, the queue and the rows agree, by id.

mod support;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::database::book::{self, Death};
use shared::ids::ConversationId;
use shared::job::FetchConversation;
use shared::queue::{Destination, Lane, Message};
use shared::testing::Process;
use support::lock::Lock;
use support::{World, calls, until};

/// How many there are, half of them of either class.
const LETTERS: usize = 2_000;

/// Classes of those that are meant, and of those that are not.
const MEANT: &str = "timeout";
const OTHER: &str = "malformed";

/// What the broker itself has dead-lettered, and nobody has entered in the book yet. It lies in the middle.
const STRANGER: &str = "conv_que_mata_a_su_consumidor";

fn job(conversation_id: &str) -> Message {
    let conversation_id = ConversationId::parse(conversation_id).expect("an id");
    Message::new(&FetchConversation { conversation_id, agent_id: None, run_id: None })
}

/// Thousands of calls, all of which have died as a worker has them die: in the book, then in the queue.
async fn with_thousands() -> (World, BTreeSet<String>, BTreeSet<String>) {
    let count = u32::try_from(LETTERS).expect("a few thousands");
    let world = World::new(calls(count)).await;
    let ids: Vec<String> = world.listed().into_iter().collect();
    let class = |position: usize| if position.is_multiple_of(2) { MEANT } else { OTHER };
    let deaths: Vec<Death> = (0..)
        .zip(&ids)
        .map(|(position, id)| Death {
            conversation_id: id.clone(),
            agent_id: None,
            run_id: None,
            lane: Lane::Fetch.as_str(),
            class: class(position).to_owned(),
            http_status: None,
            attempts: 4,
            replays: 0,
        })
        .collect();
    let mut messages: Vec<Message> = deaths
        .iter()
        .map(|death| {
            job(&death.conversation_id).failed(&death.class, None, true, DateTime::<Utc>::UNIX_EPOCH)
        })
        .collect();
    messages.insert(LETTERS / 2, job(STRANGER));
    let enter = move |connection: &mut _| {
        deaths.iter().try_for_each(|death| book::record_death(connection, death).map(drop))
    };
    world.database.open().await.transaction(enter).await.expect("the book takes them");

    let broker = world.broker.connect().await;
    let publisher = broker.publisher();
    let sent: Vec<_> = messages.iter().map(|message| (message, Destination::Dead)).collect();
    for confirmed in publisher.publish_all(&sent).await {
        confirmed.expect("the broker has it");
    }
    broker.close().await;
    let of = |class_of: &str| {
        let positions = (0..).zip(&ids).filter(|(position, _)| class(*position) == class_of);
        positions.map(|(_, id)| id.clone()).collect()
    };
    let (meant, other) = (of(MEANT), of(OTHER));
    (world, meant, other)
}

/// Kills a verb, whose last statement is never carried out.
async fn kill_before(world: &World, verb: Process, lock: Lock<'_>, statement: &str) {
    lock.holds_up(statement).await;
    verb.signal("KILL").await;
    assert_eq!(verb.finished().await.code, None);
    lock.drop_waiting(statement);
    drop(lock);
    world.expire_leases();
}

/// The ids of a queue's messages, one for each message, which stay there.
async fn lying(world: &World, queue: &str, at_least: usize) -> Vec<String> {
    until("what the killed verb held is back", async || world.depth(&[queue]).await >= at_least).await;
    let messages = world.management().messages(queue, 2 * LETTERS);
    let ids = messages.iter().filter_map(|message| message["properties"]["message_id"].as_str());
    ids.map(str::to_owned).collect()
}

/// A queue has exactly one message for each of these.
async fn assert_queue(world: &World, queue: &str, ids: &BTreeSet<String>) {
    let lying = lying(world, queue, ids.len()).await;
    assert_eq!((lying.len(), &lying.into_iter().collect()), (ids.len(), ids));
}

fn booked(world: &World, condition: &str) -> BTreeSet<String> {
    world.texts(&format!("SELECT id_eleven FROM trabajos WHERE {condition}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_thousands_that_is_killed_half_way_loses_and_doubles_nothing() {
    let (world, meant, other) = with_thousands().await;
    let rate = NonZeroU32::new(500).expect("more than none");
    let replay = ["replay", "--class", MEANT, "--json", "--rate", &rate.to_string()];
    let lock = Lock::on_entering(&world.database, STRANGER);
    let killed = world.start("producer", &["dead", "replay", "--class", MEANT, "--rate", "10000"]);
    kill_before(&world, killed, lock, "INSERT INTO trabajos").await;
    let replayed = booked(&world, "repeticiones = 1 AND repetir_en IS NULL AND muerto_en IS NULL");
    assert_eq!(replayed.len(), LETTERS / 4, "half-way");
    assert!(replayed.is_subset(&meant));
    assert_eq!(booked(&world, "repetir_en IS NOT NULL"), meant.difference(&replayed).cloned().collect());
    assert_queue(&world, "fetch", &replayed).await;
    // Those that it put back at the end are there; those that it held are back.
    assert_eq!(lying(&world, "dead", LETTERS + 1 - replayed.len()).await.len(), LETTERS + 1 - replayed.len());

    let began = Instant::now();
    let said: Value = serde_json::from_str(&world.dead(&replay).await).expect("JSON");
    let rest = meant.len() - replayed.len();
    assert_eq!((&said["replayed"], &said["kept"]), (&rest.into(), &(other.len() + 1).into()), "{said}");
    assert_eq!((&said["crashed"], &said["dropped"]), (&1.into(), &0.into()), "{said}");
    // It cannot be faster than it was asked to be.
    assert!(began.elapsed() >= Duration::from_secs(1) / rate.get() * u32::try_from(rest - 1).expect("few"));
    assert_queue(&world, "fetch", &meant).await;
    let mut dead = other.clone();
    dead.insert(STRANGER.to_owned());
    assert_eq!(booked(&world, "muerto_en IS NOT NULL AND repetir_en IS NULL AND repeticiones = 0"), dead);
    assert_queue(&world, "dead", &dead).await;

    world.drain(1).await;
    assert_eq!(world.stored(), meant);
    world.assert_one_report_each();
    assert_eq!(
        world.database.value("SELECT last_value FROM reportes_folio_seq"),
        world.somebodys().len().to_string()
    );
    assert_eq!(world.letters().await.into_keys().collect::<BTreeSet<_>>(), dead);
    assert_queue(&world, "dead", &dead).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discard_of_thousands_and_its_undoing_killed_half_way_lose_and_double_nothing() {
    let (world, meant, other) = with_thousands().await;
    let discard = ["discard", "--class", MEANT, "--reason", "no se repiten"];
    let arguments: Vec<&str> = ["dead"].into_iter().chain(discard).collect();
    let lock = Lock::on_entering(&world.database, STRANGER);
    kill_before(&world, world.start("producer", &arguments), lock, "INSERT INTO trabajos").await;
    assert_eq!(booked(&world, "descartado_en IS NOT NULL"), meant);
    // A quarter was dropped, and the other three are there still.
    let left = LETTERS + 1 - LETTERS / 4;
    assert_eq!(lying(&world, "dead", left).await.len(), left);

    // Whoever is at the queue next does the rest; the count is of those that were not marked before.
    assert_eq!(world.dead(&discard).await.trim(), "0 discarded");
    let mut dead = other.clone();
    dead.insert(STRANGER.to_owned());
    assert_eq!(world.letters().await.into_keys().collect::<BTreeSet<_>>(), dead);
    assert_queue(&world, "dead", &dead).await;

    // Killed when messages are made and before the book says so: none is counted twice.
    let undo = ["discard", "--undo", "--class", MEANT];
    let some: Vec<&str> = ["dead"].into_iter().chain(undo).chain(["--limit", "200"]).collect();
    let lock = Lock::on_row(&world.database, meant.first().expect("the oldest, all of one transaction"));
    kill_before(&world, world.start("producer", &some), lock, "UPDATE trabajos").await;
    assert_eq!(booked(&world, "descartado_en IS NOT NULL"), meant);
    assert_eq!(lying(&world, "dead", dead.len() + 200).await.len(), dead.len() + 200);
    assert_eq!(world.dead(&undo).await.trim(), format!("{} dead letters again", meant.len()));
    dead.extend(meant);
    assert_eq!(world.letters().await.into_keys().collect::<BTreeSet<_>>(), dead);
    // The next pass drops the copies.
    let copies = lying(&world, "dead", dead.len() + 200).await;
    assert_eq!((copies.len(), copies.into_iter().collect()), (dead.len() + 200, dead.clone()));
    world.sync().await;
    assert_queue(&world, "dead", &dead).await;
    assert_eq!(world.letters().await.into_keys().collect::<BTreeSet<_>>(), dead);
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 0, "what is dead was not asked for again");
}
