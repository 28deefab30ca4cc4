//! What was set aside: listed, shown, asked for again, discarded and taken back, and never lost on the way.

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::testing::amqp_url;
use shared::testing::stranger::{Properties, long, publish};
use simulator::{Faults, Settings};
use support::lock::Lock;
use support::{World, calls, exits, until};

/// A world where some calls are gone and some are broken, and everything has been tried.
async fn with_dead_letters() -> World {
    let faults = Faults { missing: 0.2, malformed: 0.2, ..Faults::default() };
    let world = World::new(Settings { faults, ..calls(100) }).await;
    world.sync().await;
    world.drain(1).await;
    assert!(missing(&world).len() > 2 && malformed(&world).len() > 2);
    assert_eq!(world.stored().len() + world.letters().await.len(), 100);
    world
}

fn missing(world: &World) -> BTreeSet<String> {
    world.simulator.ids_missing().into_iter().collect()
}

/// Those that are broken and not gone.
fn malformed(world: &World) -> BTreeSet<String> {
    world.simulator.ids_malformed().into_iter().filter(|id| !missing(world).contains(id)).collect()
}

async fn letters(world: &World) -> BTreeSet<String> {
    world.letters().await.into_keys().collect()
}

/// `089.dead` holds exactly one message for each dead letter in the book.
async fn assert_queue_agrees(world: &World) {
    let letters = letters(world).await;
    until("the queue holds what the book says", async || world.depth(&["dead"]).await == letters.len()).await;
    let messages = world.management().messages("dead", letters.len() + 10);
    let ids = messages.iter().filter_map(|message| message["properties"]["message_id"].as_str());
    assert_eq!(ids.map(str::to_owned).collect::<BTreeSet<_>>(), letters);
}

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.starts_with("conv_"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_and_shown_as_they_are_asked_for() {
    let world = with_dead_letters().await;
    let (missing, malformed) = (missing(&world), malformed(&world));
    let set =
        |ids: &BTreeSet<String>| ids.iter().map(String::as_str).map(str::to_owned).collect::<BTreeSet<_>>();
    let listed = |text: String| lines(&text).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();

    let all = world.dead(&["list"]).await;
    assert_eq!(listed(all.clone()), missing.union(&malformed).cloned().collect());
    let total = missing.len() + malformed.len();
    let last = all.lines().last().expect("counts by class");
    assert!(last.starts_with(&format!("{total} dead: ")), "{last}");
    assert!(last.contains(&format!("{} not_found", missing.len())), "{last}");
    assert!(last.contains(&format!("{} malformed", malformed.len())), "{last}");

    assert_eq!(listed(world.dead(&["list", "--class", "not_found"]).await), set(&missing));
    let two: Vec<&str> = malformed.iter().map(String::as_str).take(2).collect();
    assert_eq!(lines(&world.dead(&["list", two[0], two[1]]).await), two.iter().copied().collect());
    assert_eq!(lines(&world.dead(&["list", "--older-than", "1h"]).await), BTreeSet::new());
    world.database.execute(&format!(
        "UPDATE trabajos SET muerto_en = muerto_en - interval '2 hours' WHERE id_eleven = '{}'",
        two[1]
    ));
    assert_eq!(lines(&world.dead(&["list", "--older-than", "1h"]).await), BTreeSet::from([two[1]]));
    assert_eq!(
        lines(&world.dead(&["list", "--limit", "1"]).await),
        BTreeSet::from([two[1]]),
        "the oldest first"
    );

    let json: Value =
        serde_json::from_str(&world.dead(&["list", "--json", "--limit", "3"]).await).expect("JSON");
    assert_eq!(json["letters"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["by_class"].as_array().map(Vec::len), Some(2), "counts are of all of them");

    let shown = world.dead(&["show", two[0]]).await;
    for line in [
        "class              malformed",
        "http status        200",
        "attempts spent     4",
        "replays            0",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let shown: Value = serde_json::from_str(&world.dead(&["show", "--json", two[0]]).await).expect("JSON");
    assert_eq!((&shown["conversation_id"], &shown["attempts"]), (&json!(two[0]), &json!(4)));
    assert_eq!(shown["discarded_at"], Value::Null);
    assert_queue_agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaying_takes_what_is_meant_and_nothing_else() {
    let world = with_dead_letters().await;
    let (missing, malformed) = (missing(&world), malformed(&world));
    world.simulator.set_faults(Faults::default());
    let before = world.letters().await;

    let said = world.dead(&["replay", "--dry-run"]).await;
    assert_eq!(said.trim(), format!("{} would be asked for again", before.len()));
    assert_eq!((world.letters().await, world.depth(&["fetch", "backfill"]).await), (before, 0));

    let one = malformed.first().expect("there are some");
    world.dead(&["replay", one]).await;
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 1);
    assert_queue_agrees(&world).await;
    world.drain(1).await;
    assert!(world.stored().contains(one) && !letters(&world).await.contains(one));

    let said: Value =
        serde_json::from_str(&world.dead(&["replay", "--class", "not_found", "--json"]).await).expect("JSON");
    assert_eq!(said["replayed"], json!(missing.len()));
    assert_eq!(said["kept"], json!(malformed.len() - 1));
    world.drain(1).await;
    assert!(world.stored().is_superset(&missing));
    assert_queue_agrees(&world).await;

    world.dead(&["replay"]).await;
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert_eq!(world.dead(&["list"]).await.trim(), "no dead letters");
    assert_eq!(world.depth(&["dead", "fetch", "backfill"]).await, 0);
    world.assert_one_report_each();
    assert_eq!(world.count("trabajos WHERE repeticiones = 1"), missing.len() + malformed.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_again_after_a_replay_is_dead_again_with_its_count() {
    let world = with_dead_letters().await;
    for replays in 1..=2 {
        world.dead(&["replay"]).await;
        world.drain(2).await;
        assert!(world.letters().await.values().all(|letter| letter.replays == replays));
        assert_queue_agrees(&world).await;
    }
    assert!(
        world
            .letters()
            .await
            .values()
            .filter(|letter| letter.class == "malformed")
            .all(|letter| letter.attempts == 4)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn discarding_asks_for_a_reason_and_can_be_taken_back() {
    let world = with_dead_letters().await;
    let (missing, malformed) = (missing(&world), malformed(&world));
    let before = world.letters().await;
    let one = malformed.first().expect("there are some");

    for (arguments, remedy) in [
        (vec!["dead", "discard", one], "--reason"),
        (vec!["dead", "discard", "--all"], "--reason"),
        (vec!["dead", "discard", "--all", "--undo", "--reason", "x"], "--reason"),
    ] {
        let refused = exits(world.run("producer", &arguments).await, 64);
        assert!(refused.stderr.contains(remedy), "{}", refused.stderr);
    }
    let refused = world.run("producer", &["dead", "discard", "--reason", "x"]).await;
    assert!(refused.code != Some(0) && refused.stderr.contains("--all"), "{refused:?}");
    world.dead(&["discard", "--dry-run", "--all"]).await;
    assert_eq!(world.letters().await, before);

    world.dead(&["discard", "--class", "not_found", "--reason", "borradas en ElevenLabs"]).await;
    assert_eq!(letters(&world).await, malformed);
    assert_queue_agrees(&world).await;
    let discarded = world.dead(&["list", "--discarded"]).await;
    assert_eq!(lines(&discarded), missing.iter().map(String::as_str).collect());
    let shown = world.dead(&["show", "--discarded"]).await;
    assert_eq!(shown.matches("borradas en ElevenLabs").count(), missing.len());

    // A discard stands, whoever asks.
    world.simulator.set_faults(Faults::default());
    world.sync().await;
    world.dead(&["replay"]).await;
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed().difference(&missing).cloned().collect());

    let (first, rest) = missing.iter().map(String::as_str).collect::<Vec<_>>().split_first().map_or_else(
        || unreachable!("some are missing"),
        |(first, rest)| ((*first).to_owned(), rest.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()),
    );
    world.dead(&["discard", "--undo", &first]).await;
    assert_eq!(letters(&world).await, BTreeSet::from([first.clone()]));
    assert_queue_agrees(&world).await;
    world.dead(&["replay", &first]).await;
    world.drain(1).await;
    assert!(world.stored().contains(&first) && rest.iter().all(|id| !world.stored().contains(id)));

    world.dead(&["discard", "--undo", "--all"]).await;
    world.dead(&["replay"]).await;
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert_eq!(world.depth(&["dead", "fetch", "backfill"]).await, 0);
    assert_eq!(world.count("trabajos WHERE descartado_en IS NOT NULL OR motivo IS NOT NULL"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_an_error_and_nothing_is_done_by_half() {
    let world = with_dead_letters().await;
    let before = world.letters().await;
    let known = before.keys().next().expect("there are some").clone();
    for arguments in [
        vec!["dead", "replay", &known, "conv_nunca"],
        vec!["dead", "discard", &known, "conv_nunca", "--reason", "x"],
        vec!["dead", "show", &known, "conv_nunca"],
        vec!["dead", "discard", "--undo", &known],
    ] {
        let refused = world.run("producer", &arguments).await;
        assert_ne!(refused.code, Some(0));
        let named = if arguments.contains(&"--undo") { known.as_str() } else { "conv_nunca" };
        assert!(
            refused.stderr.contains(named) && refused.stderr.contains("nothing was done"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(world.letters().await, before);
    assert_queue_agrees(&world).await;
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_was_killed_half_way_is_completed_by_the_next() {
    let world = with_dead_letters().await;
    let dead = letters(&world).await;
    let replay = world.start("producer", &["dead", "replay", "--rate", "1"]);
    until("a first job is back in its lane", async || world.depth(&["fetch", "backfill"]).await > 0).await;
    replay.signal("KILL").await;
    assert_eq!(replay.finished().await.code, None);
    // What is not on its way yet is dead still, and marked.
    assert!((1..=dead.len()).contains(&world.letters().await.len()), "it was killed too late");
    assert_eq!(world.count("trabajos WHERE repeticiones = 1 OR repetir_en IS NOT NULL"), dead.len());
    world.expire_leases();
    until("the killed one's messages are back", async || {
        world.depth(&["dead", "fetch", "backfill"]).await >= dead.len()
    })
    .await;

    world.simulator.set_faults(Faults::default());
    world.dead(&["replay"]).await;
    assert_eq!(world.depth(&["dead"]).await, 0);
    world.drain(2).await;
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
    assert!(world.letters().await.is_empty());
    assert_eq!(world.depth(&["dead", "fetch", "backfill"]).await, 0);
    assert_eq!(world.count("trabajos WHERE repeticiones = 1"), dead.len(), "it was one replay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_asked_to_stop_says_so_and_is_completed_by_the_next() {
    let world = with_dead_letters().await;
    let replay = world.start("producer", &["dead", "replay", "--rate", "1"]);
    until("a first job is back in its lane", async || world.depth(&["fetch", "backfill"]).await > 0).await;
    replay.signal("TERM").await;
    exits(replay.finished().await, 1);
    world.simulator.set_faults(Faults::default());
    // A pass does the rest too.
    world.sync().await;
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert_eq!(world.depth(&["dead", "fetch", "backfill"]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_is_at_the_queue() {
    let world = with_dead_letters().await;
    let lock = Lock::on(&world.database, "trabajos");
    let first = world.start("producer", &["dead", "replay"]);
    lock.holds_up("UPDATE trabajos AS book SET repetir_en").await;
    for arguments in [vec!["dead", "replay"], vec!["dead", "discard", "--all", "--reason", "x"]] {
        let second = exits(world.run("producer", &arguments).await, 75);
        assert!(second.stderr.contains("another pass runs"), "{}", second.stderr);
    }
    drop(lock);
    exits(first.finished().await, 0);
    assert_eq!(world.count("trabajos WHERE repeticiones > 1 OR descartado_en IS NOT NULL"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_worker_again_and_again_is_booked_as_crashed() {
    let world = World::new(calls(2)).await;
    // Both as fresh as can be, so that they take one lane.
    world.sync().await;
    let lane = if world.depth(&["fetch"]).await > 0 { "fetch" } else { "backfill" };
    let (count, management) = (world.depth(&[lane]).await, world.management());
    for _ in 0..21 * count {
        management.reject(lane);
    }
    until("the broker has moved them", async || world.depth(&["dead"]).await == count).await;
    assert!(world.letters().await.is_empty(), "nobody has looked yet");

    world.sync().await;
    let letters = world.letters().await;
    assert_eq!(letters.len(), count);
    assert!(
        letters.values().all(|letter| letter.class == "crashed" && letter.http_status.is_none()),
        "{letters:?}"
    );
    assert_queue_agrees(&world).await;
    world.dead(&["replay"]).await;
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert_eq!(world.depth(&["dead"]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_worker_is_found_also_when_the_book_names_as_many_whose_messages_are_gone() {
    let world =
        World::new(Settings { faults: Faults { missing: 1.0, ..Faults::default() }, ..calls(3) }).await;
    world.sync().await;
    world.drain(1).await;
    let management = world.management();
    assert_eq!(world.depth(&["dead"]).await, 3);
    management.purge("dead");
    let body = r#"{"v":1,"conversation_id":"conv_que_mata"}"#;
    management.publish("dead", &json!({ "message_id": "conv_que_mata" }), body);
    until("it lies there", async || world.depth(&["dead"]).await == 1).await;
    exits(world.run("producer", &["reconcile"]).await, 0);
    let letters = world.letters().await;
    assert_eq!((letters.len(), letters["conv_que_mata"].class.as_str()), (4, "crashed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_among_the_dead_of_a_call_that_is_stored_and_in_no_book_is_dropped() {
    let world = World::new(calls(1)).await;
    world.sync().await;
    world.drain(1).await;
    world.database.execute("DELETE FROM trabajos");
    let [id] = world.listed().into_iter().collect::<Vec<_>>().try_into().expect("one");
    let body = format!(r#"{{"v":1,"conversation_id":"{id}"}}"#);
    world.management().publish("dead", &json!({ "message_id": id }), &body);
    until("it lies there", async || world.depth(&["dead"]).await == 1).await;
    world.sync().await;
    assert_eq!(world.depth(&["dead"]).await, 0);
    assert!(world.letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_among_the_dead_is_booked_by_the_next_replay() {
    let world = World::new(calls(1)).await;
    world.sync().await;
    world.drain(1).await;
    let management = world.management();
    let body = r#"{"v":1,"conversation_id":"conv_de_otro_libro"}"#;
    management.publish("dead", &json!({ "message_id": "conv_de_otro_libro" }), body);
    management.publish("dead", &json!({}), "esto no es JSON");
    let first = world.dead(&["replay", "--json"]).await;
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!((&first["crashed"], &first["kept"], &first["replayed"]), (&json!(2), &json!(2), &json!(0)));
    let letters = world.letters().await;
    assert!(letters.contains_key("conv_de_otro_libro") && letters.len() == 2, "{letters:?}");
    assert!(letters.values().all(|letter| letter.class == "crashed"));
    // Asked for like any other: the API does not know the one, and nobody can read the other.
    world.dead(&["replay"]).await;
    world.drain(1).await;
    let letters = world.letters().await;
    assert_eq!(letters["conv_de_otro_libro"].class, "not_found");
    let broken = letters.iter().find(|(id, _)| id.starts_with("broken_")).expect("it has a name of its own");
    assert_eq!(broken.1.class, "broken_message");
    world.dead(&["discard", "--all", "--reason", "no son nuestras"]).await;
    assert_eq!(world.depth(&["dead", "fetch", "backfill"]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_count_by_id_and_a_second_copy_goes() {
    let world = with_dead_letters().await;
    let before = world.letters().await;
    let id = before.keys().next().expect("there are some");
    let body = json!({ "v": 1, "conversation_id": id }).to_string();
    world.management().publish("dead", &json!({ "message_id": id }), &body);
    // And a copy of one that is stored: nobody needs it.
    let stored = world.stored().pop_first().expect("some are stored");
    let body = json!({ "v": 1, "conversation_id": stored }).to_string();
    world.management().publish("dead", &json!({ "message_id": stored }), &body);
    until("both lie there", async || world.depth(&["dead"]).await == before.len() + 2).await;
    assert_eq!(world.letters().await, before);
    world.sync().await;
    assert_eq!(world.letters().await, before);
    assert_queue_agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_whose_message_is_gone_is_made_anew_from_the_book() {
    let world = with_dead_letters().await;
    let one = world.letters().await.into_keys().next().expect("there are some");
    world.management().purge("dead");
    world.simulator.set_faults(Faults::default());
    world.dead(&["replay", &one]).await;
    world.drain(1).await;
    assert!(world.stored().contains(&one));
    world.dead(&["replay"]).await;
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert!(world.letters().await.is_empty());
    assert_eq!(world.depth(&["dead", "fetch", "backfill"]).await, 0);
}

/// How often somebody was at the queue of the dead.
fn turns(world: &World) -> usize {
    world
        .database
        .column("SELECT valla FROM cursores WHERE ambito = 'dead'")
        .first()
        .map_or(0, |turns| turns.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_was_killed_and_whose_messages_are_gone_is_completed_by_a_pass() {
    let world = with_dead_letters().await;
    let dead = letters(&world).await;
    let replay = world.start("producer", &["dead", "replay", "--rate", "1"]);
    until("a first job is back in its lane", async || world.depth(&["fetch", "backfill"]).await > 0).await;
    replay.signal("KILL").await;
    assert_eq!(replay.finished().await.code, None);
    world.expire_leases();
    until("what it held is back", async || world.depth(&["dead", "fetch", "backfill"]).await >= dead.len())
        .await;
    world.management().purge("dead");

    world.sync().await;
    assert!(letters(&world).await.is_empty());
    world.simulator.set_faults(Faults::default());
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
    assert_eq!(world.count("trabajos WHERE repeticiones = 1"), dead.len(), "it was one replay");
    let turns = turns(&world);
    world.sync().await;
    assert_eq!(self::turns(&world), turns, "nothing is left to be done there");
}

/// A worker may give a call up while another stores it: the next pass puts the book right.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_call_with_a_death_in_the_book_is_no_dead_letter_and_keeps_no_pass_busy() {
    let world = with_dead_letters().await;
    let before = letters(&world).await;
    let stored = world.stored().pop_first().expect("some are stored");
    world.database.execute(&format!(
        "UPDATE trabajos SET muerto_en = now(), clase = 'timeout', repetir_en = now() WHERE id_eleven = '{stored}'"
    ));
    assert_eq!(letters(&world).await, before);
    let turns = turns(&world);
    world.sync().await;
    assert_eq!(self::turns(&world), turns);
    let row = format!("trabajos WHERE id_eleven = '{stored}'");
    assert_eq!(world.count(&format!("{row} AND muerto_en IS NULL AND repetir_en IS NULL")), 1);
    assert_eq!(letters(&world).await, before);
    world.dead(&["discard", "--all", "--reason", "ninguna importa"]).await;
    assert_eq!(world.count("trabajos WHERE descartado_en IS NOT NULL"), before.len());
    assert_queue_agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_message_that_is_gone_stays_in_the_book_until_it_is_discarded() {
    let world = with_dead_letters().await;
    world.management().publish("fetch", &json!({}), "esto no es JSON");
    world.drain(1).await;
    let before = letters(&world).await;
    let broken = before.iter().find(|id| id.starts_with("broken_")).expect("it is set aside").clone();
    world.management().purge("dead");
    world.simulator.set_faults(Faults::default());

    let refused = world.run("producer", &["dead", "replay", &broken]).await;
    assert!(refused.code != Some(0) && refused.stderr.contains(&broken), "{refused:?}");
    assert!(letters(&world).await.contains(&broken), "what cannot be asked for again is still dead");
    let turns = turns(&world);
    world.sync().await;
    assert_eq!(self::turns(&world), turns, "and nobody tries again until he is told to");
    // The others are asked for all the same, whatever becomes of this one.
    world.run("producer", &["dead", "replay"]).await;
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert_eq!(letters(&world).await, BTreeSet::from([broken.clone()]));
    world.dead(&["discard", &broken, "--reason", "ilegible"]).await;
    assert!(letters(&world).await.is_empty());
    let refused = world.run("producer", &["dead", "discard", "--undo", "--all"]).await;
    assert!(refused.code != Some(0) && refused.stderr.contains(&broken), "{refused:?}");
    assert_eq!(world.count("trabajos WHERE descartado_en IS NOT NULL"), 1);
    assert_eq!(world.depth(&["dead"]).await, 0);
}

/// A stranger's message lies among them: one with much in its headers is a dead letter like others; one that AMQP's library
/// cannot read keeps what is behind it out of reach, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_message_among_them_is_no_end_of_the_work() {
    let world = with_dead_letters().await;
    let text = "su numero es 55 1234 5678";
    let long_text = long(&text.bytes().cycle().take(60_000).collect::<Vec<u8>>());
    let large = (Properties::none().headers(&[(b"origin", b'S', long_text)]), text.as_bytes().to_vec());
    let latin = (Properties::none().content_type(b"texto/espa\xf1ol"), Vec::new());
    let queue = world.queue("dead");

    publish(&amqp_url(), &queue, &[large]).await;
    exits(world.run("producer", &["reconcile"]).await, 0);
    let stranger = letters(&world).await.into_iter().find(|id| id.starts_with("broken_"));
    let stranger = stranger.expect("it is in the book");
    world.dead(&["discard", &stranger, "--reason", "a stranger's"]).await;
    assert_queue_agrees(&world).await;

    publish(&amqp_url(), &queue, &[latin]).await;
    let before = world.depth(&["dead"]).await;
    for _pass in 0..3 {
        world.sync().await;
        exits(world.run("producer", &["reconcile"]).await, 0);
        until("nothing is there twice", async || world.depth(&["dead"]).await == before).await;
    }
    world.simulator.set_faults(Faults::default());
    let replayed = exits(world.run("producer", &["dead", "replay"]).await, 1);
    assert!(
        replayed.stderr.contains("cannot be read") && replayed.stderr.contains(&queue),
        "{}",
        replayed.stderr
    );
    assert!(!replayed.stderr.contains("5678"), "{}", replayed.stderr);
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert_eq!(letters(&world).await, BTreeSet::new());

    // A person empties the queue; the book has what counts.
    world.management().purge("dead");
    exits(world.run("producer", &["reconcile"]).await, 0);
    until("nothing comes back", async || world.depth(&["dead"]).await == 0).await;
    world.assert_one_report_each();
}
