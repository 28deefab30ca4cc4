//! Syncing again: what is known is not asked for, what is stored is not touched, and the cursor moves only over what was
//! listed whole.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use simulator::{Faults, Settings};
use support::lock::Lock;
use support::{Summary, World, calls, exits, summary, until};

const MINUTE: Duration = Duration::from_mins(1);

/// Every row of the four tables with its version, and how far the two sequences are.
fn versions(world: &World) -> Vec<String> {
    let rows = ["agentes", "conversaciones", "reportes", "trabajos"]
        .map(|table| format!("SELECT '{table} ' || xmin || ' ' || {table}::text AS version FROM {table}"))
        .join(" UNION ALL ");
    let sequences = "SELECT sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences";
    world.database.column(&format!("SELECT version FROM ({rows} UNION ALL {sequences}) AS every ORDER BY 1"))
}

/// The newest start that a cursor has seen, as unix seconds.
fn cursor(world: &World, scope: &str) -> Option<i64> {
    let sql =
        format!("SELECT extract(epoch FROM listado_hasta)::bigint FROM cursores WHERE ambito = '{scope}'");
    world.database.column(&sql).first()?.parse().ok()
}

fn start_of(world: &World, id: &str) -> i64 {
    let detail = world.simulator.conversation_json(id).expect("it is listed");
    detail["metadata"]["start_time_unix_secs"].as_i64().expect("a call starts")
}

fn now(world: &World) -> i64 {
    world.database.value("SELECT extract(epoch FROM now())::bigint").parse().expect("seconds")
}

/// How often each call's detail was asked for since the counts were set to zero.
fn asked(world: &World) -> BTreeSet<(String, u64)> {
    world.simulator.served().details_by_id.into_iter().collect()
}

fn once_each<'a>(ids: impl IntoIterator<Item = &'a String>) -> BTreeSet<(String, u64)> {
    ids.into_iter().map(|id| (id.clone(), 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn syncing_again_changes_no_row_and_draws_no_number() {
    let mut world = World::new(calls(150)).await;
    // The whole list lies within the overlap, so that every call is met again.
    world.set("SYNC_OVERLAP", "200d");
    assert_eq!(world.sync().await, Summary { listed: 150, published: 150, known: 0, failed: 0 });
    world.drain(2).await;
    assert_eq!(asked(&world), once_each(&world.listed()));
    let before = versions(&world);
    assert!(before.len() > 450);
    world.simulator.reset_counts();

    for _ in 0..2 {
        assert_eq!(world.sync().await, Summary { listed: 150, published: 0, known: 150, failed: 0 });
        world.drain(1).await;
    }
    assert_eq!(versions(&world), before);
    assert_eq!(asked(&world), BTreeSet::new());

    let new = world.simulator.add_conversations(7);
    assert_eq!(world.sync().await, Summary { listed: 157, published: 7, known: 150, failed: 0 });
    world.drain(1).await;
    assert_eq!(asked(&world), once_each(&new));
    let after: BTreeSet<_> = versions(&world).into_iter().collect();
    let is_row = |version: &&String| !version.contains("_seq ");
    assert!(before.iter().filter(is_row).all(|version| after.contains(version)));
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_and_not_stored_yet_is_not_asked_for_again() {
    let world = World::new(calls(30)).await;
    world.sync().await;
    assert_eq!(world.sync().await.published, 0);
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_lists_from_its_cursor_on_with_an_overlap() {
    let mut world = World::new(calls(250)).await;
    world.sync().await;
    let newest = start_of(&world, &world.simulator.conversation_ids()[0]);
    assert_eq!(cursor(&world, "*"), Some(newest));
    let within = |world: &World, secs: i64| {
        world.listed().iter().filter(|id| start_of(world, id) >= newest - secs).count()
    };

    world.set("SYNC_OVERLAP", "1s");
    let listed = world.sync().await.listed;
    // Whether the API includes the second it is asked for is documented nowhere, so one more is asked for.
    assert_eq!(listed, within(&world, 2));
    world.set("SYNC_OVERLAP", "72h");
    let listed = world.sync().await.listed;
    assert_eq!(listed, within(&world, 72 * 3600 + 1));
    assert!(within(&world, 2) < listed && listed < 250);
    assert_eq!(cursor(&world, "*"), Some(newest), "listing older calls again does not move it back");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_pass_begins_where_it_is_told_to() {
    let mut world = World::new(calls(100)).await;
    let since = now(&world) - 20 * 24 * 3600;
    let text = world.database.value(&format!(
        "SELECT to_char(to_timestamp({since}) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    ));
    world.set("SYNC_SINCE", text);
    let expected: BTreeSet<_> =
        world.listed().into_iter().filter(|id| start_of(&world, id) >= since - 1).collect();
    assert!(!expected.is_empty() && expected.len() < 100);
    assert_eq!(world.sync().await.published, expected.len());
    assert_eq!(world.booked(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_start_at_no_sane_instant_are_asked_for_and_ignored_for_the_cursor() {
    let mut world = World::new(calls(40)).await;
    let ids = world.simulator.conversation_ids();
    let newest_sane = start_of(&world, &ids[4]);
    let far_future = 4_102_444_800;
    for (id, start) in ids.iter().zip([far_future, now(&world) + 3600, 0, -5]) {
        world
            .simulator
            .set_conversation(id, |detail| detail["metadata"]["start_time_unix_secs"] = json!(start));
    }
    // A clock that is a little off is right a little later: that must not hide what comes meanwhile.
    assert_eq!(world.sync().await, Summary { listed: 40, published: 40, known: 0, failed: 0 });
    assert_eq!(cursor(&world, "*"), Some(newest_sane));
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());

    let new = world.simulator.add_conversations(1);
    // The simulator puts it on top, in the second of the newest there is; a real one starts when it starts.
    let start = now(&world) - 5;
    world
        .simulator
        .set_conversation(&new[0], |detail| detail["metadata"]["start_time_unix_secs"] = json!(start));
    world.set("SYNC_OVERLAP", "1s");
    assert_eq!(world.sync().await.published, 1);
    assert_eq!(cursor(&world, "*"), Some(start));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cursor_moves_only_when_nothing_failed() {
    let mut world = World::new(calls(300)).await;
    let lock = Lock::on(&world.database, "trabajos");
    let pass = world.start("producer", &["sync", "--json"]);
    lock.holds_up("INSERT INTO trabajos").await;
    // From the second page on, what is published to this lane finds no queue.
    world.management().unbind("backfill");
    drop(lock);
    let failing = summary(&exits(pass.finished().await, 1));
    assert!(failing.listed == 300 && failing.failed > 0 && failing.published > 0, "{failing:?}");
    assert_eq!(failing.published + failing.failed, 300);
    assert_eq!(cursor(&world, "*"), None);
    assert_eq!(world.count("corridas WHERE resultado = 'incompleta'"), 1);

    // Connecting binds it again; what failed is asked for, and only that.
    let again = world.sync().await;
    assert_eq!((again.published, again.known), (failing.failed, failing.published));
    assert!(cursor(&world, "*").is_some());
    world.drain(2).await;
    assert_eq!(asked(&world), once_each(&world.listed()));
    assert_eq!(world.stored(), world.listed());

    // An item without a usable id cannot be asked for: the pass says so. It is no failed publish: if the cursor waited for
    // it, every later pass would list the whole history since.
    let before = cursor(&world, "*");
    let new = world.simulator.add_conversations(2);
    let id = &new[0];
    world.simulator.set_conversation(id, |detail| detail["conversation_id"] = json!("+52 55 1234 5678"));
    let failing = world.run("producer", &["sync", "--json"]).await;
    assert!(!failing.stderr.contains("1234"));
    let failing = summary(&exits(failing, 1));
    assert_eq!((failing.published, failing.failed), (1, 1));
    assert!(cursor(&world, "*") > before);
    world.simulator.set_conversation(id, |detail| detail["conversation_id"] = json!(id));
    world.set("SYNC_OVERLAP", "1m");
    assert_eq!(world.sync().await.published, 1);
    assert!(cursor(&world, "*") > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_on_two_pages_is_asked_for_once() {
    let faults = Faults { repeat: 1.0, ..Faults::default() };
    let world = World::new(Settings { faults, ..calls(350) }).await;
    assert_eq!(world.sync().await, Summary { listed: 350, published: 350, known: 0, failed: 0 });
    assert!(world.simulator.served().repeated >= 3);
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 350);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_appear_late_are_found_within_the_overlap() {
    let faults = Faults { late: 0.3, ..Faults::default() };
    let world = World::new(Settings { faults, span: 50 * MINUTE, ..calls(60) }).await;
    let late: BTreeSet<_> = world.simulator.ids_late().into_iter().collect();
    assert!(late.len() > 5);
    assert_eq!(world.sync().await.published, 60 - late.len());
    assert!(world.booked().is_disjoint(&late));
    world.simulator.set_faults(Faults::default());
    assert_eq!(world.sync().await.published, late.len());
    assert_eq!(world.booked(), world.listed());
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_asked_for_when_unknown_or_a_day_old_and_never_lose_their_name() {
    let mut world = World::new(Settings { agents: 4, ..calls(120) }).await;
    let requests = |world: &World| {
        let served = world.simulator.served();
        (served.agents_list, served.agent_detail)
    };
    let names = |world: &World| world.texts("SELECT id_agente || ' ' || coalesce(nombre, '-') FROM agentes");
    let deleted = world.simulator.deleted_agent_id().expect("the last one is deleted").to_owned();
    world.sync().await;
    world.drain(1).await;
    // One list for all of them, and a request for the one that it does not show.
    assert_eq!(requests(&world), (1, 1));
    let known = names(&world);
    assert_eq!(known.len(), 4);
    assert!(known.contains(&format!("{deleted} -")));
    assert_eq!(known.iter().filter(|name| name.ends_with(" -")).count(), 1);

    world.simulator.add_conversations(20);
    world.sync().await;
    world.drain(1).await;
    assert_eq!(requests(&world), (1, 1), "names of today are not asked for");

    let a_day_ago = "actualizado_en = now() - interval '25 hours'";
    world.database.execute(&format!("UPDATE agentes SET {a_day_ago} WHERE id_agente <> '{deleted}'"));
    world.sync().await;
    assert_eq!(requests(&world), (2, 1));
    assert_eq!(world.count("agentes WHERE actualizado_en > now() - interval '1 hour'"), 4);

    // An agent that had a name when it was deleted keeps it.
    world.database.execute(&format!(
        "UPDATE agentes SET nombre = 'Línea 089', {a_day_ago} WHERE id_agente = '{deleted}'"
    ));
    world.set("SYNC_OVERLAP", "1s");
    world.sync().await;
    assert_eq!(requests(&world), (3, 2));
    assert!(names(&world).contains(&format!("{deleted} Línea 089")));
    assert_eq!(
        world.count(&format!(
            "agentes WHERE id_agente = '{deleted}' AND actualizado_en > now() - interval '1 hour'"
        )),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pass_at_a_time() {
    let world = World::new(calls(30)).await;
    let lock = Lock::on(&world.database, "trabajos");
    let first = world.start("producer", &["sync", "--json"]);
    lock.holds_up("INSERT INTO trabajos").await;
    let second = exits(world.run("producer", &["sync"]).await, 75);
    assert!(second.stderr.contains("another pass runs"), "{}", second.stderr);
    assert_eq!(world.count("corridas"), 1);
    drop(lock);
    let first = summary(&exits(first.finished().await, 0));
    assert_eq!(first.published, 30);
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 30);
    assert_eq!(world.sync().await.failed, 0, "the turn was given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_may_be_made_of_one_agents_calls_only() {
    let mut world = World::new(Settings { agents: 3, ..calls(150) }).await;
    let agent_id = world.simulator.agent_ids()[0].clone();
    let is_of_agent = |id: &String| {
        world.simulator.conversation_json(id).expect("it is listed")["agent_id"] == json!(agent_id)
    };
    let expected: BTreeSet<_> = world.listed().into_iter().filter(is_of_agent).collect();
    assert!(expected.len() > 20 && expected.len() < 150);

    world.set("ELEVENLABS_AGENT_ID", agent_id.clone());
    assert_eq!(world.sync().await.published, expected.len());
    assert_eq!(world.booked(), expected);
    assert!(cursor(&world, &agent_id).is_some());
    assert_eq!(cursor(&world, "*"), None, "each scope has a cursor of its own");

    world.unset("ELEVENLABS_AGENT_ID");
    let everything = world.sync().await;
    assert_eq!((everything.published, everything.known), (150 - expected.len(), expected.len()));
    until("every job lies in its lane", async || world.depth(&["fetch", "backfill"]).await == 150).await;
}
