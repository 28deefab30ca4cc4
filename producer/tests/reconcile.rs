//! Reconciliation: what was asked for and is nowhere, what was never asked for, and what has changed at its source are asked
//! for again, and nothing else is.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared::queue::Topology;
use shared::testing::Finished;
use simulator::{Faults, Settings};
use support::lock::Lock;
use support::{World, calls, exits, until};

const LANES: [&str; 2] = ["fetch", "backfill"];

/// Longer than any test lasts: an answer that never comes.
const NEVER: Duration = Duration::from_hours(1);

fn json_of(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// `producer reconcile …` that succeeds.
async fn reconcile(world: &World, more: &[&str]) -> Value {
    let arguments: Vec<&str> = ["reconcile", "--json"].into_iter().chain(more.iter().copied()).collect();
    json_of(&exits(world.run("producer", &arguments).await, 0))
}

/// What was asked for: lost, unasked, changed, finished.
fn asked(said: &Value) -> [u64; 4] {
    ["lost", "unasked", "changed", "finished"].map(|reason| said[reason].as_u64().expect("a count"))
}

fn named(said: &Value, reason: &str) -> BTreeSet<String> {
    let ids = said["ids"][reason].as_array().map_or(&[][..], Vec::as_slice);
    ids.iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
}

/// Everything was asked for longer ago than a job may take: the ladder, and an hour.
fn let_time_pass(world: &World) {
    world.database.execute("UPDATE trabajos SET pedido_en = pedido_en - interval '2 hours'");
}

/// Every row of the book and the passes with its version: what a rehearsal must not touch.
fn versions(world: &World) -> Vec<String> {
    let rows = ["trabajos", "cursores", "corridas"]
        .map(|table| format!("SELECT '{table} ' || xmin || ' ' || {table}::text AS version FROM {table}"))
        .join(" UNION ALL ");
    world.database.column(&format!("SELECT version FROM ({rows}) AS every ORDER BY 1"))
}

/// The rows that analysts read, and how far the folios are.
fn rows(world: &World) -> Vec<String> {
    world.database.column(
        "SELECT version FROM (SELECT xmin || conversaciones::text AS version FROM conversaciones \
         UNION ALL SELECT xmin || reportes::text FROM reportes \
         UNION ALL SELECT sequencename || last_value FROM pg_sequences) AS every ORDER BY 1",
    )
}

fn assert_whole(world: &World) {
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
    let folios = "SELECT max(folio) || ' of ' || count(*) FROM reportes";
    let count = world.count("reportes");
    assert_eq!(world.database.value(folios), format!("{count} of {count}"), "no folio was drawn in vain");
}

/// When a scope was last reconciled.
fn reconciled_at(world: &World) -> String {
    world.database.value("SELECT coalesce(reconciliado_en::text, '-') FROM cursores WHERE ambito = '*'")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_queue_is_repaired_when_its_jobs_are_overdue_and_once() {
    let world = World::new(calls(230)).await;
    world.sync().await;
    for lane in LANES {
        world.management().purge(lane);
    }
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4], "a job may take as long as its ladder");
    let_time_pass(&world);

    let before = versions(&world);
    let said = reconcile(&world, &["--dry-run"]).await;
    assert_eq!(asked(&said), [230, 0, 0, 0]);
    assert_eq!(named(&said, "lost"), world.listed());
    let said = exits(world.run("producer", &["reconcile", "--dry-run"]).await, 0).stdout;
    assert!(said.contains("nothing was done") && said.contains("230 lost"), "{said}");
    assert_eq!((versions(&world), world.depth(&LANES).await), (before, 0));

    let said = reconcile(&world, &[]).await;
    assert_eq!((asked(&said), &said["pending"], &said["queued"]), ([230, 0, 0, 0], &json!(230), &json!(0)));
    assert!(said["ids"].is_null());
    assert_eq!(world.depth(&LANES).await, 230);
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4]);
    let_time_pass(&world);
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4], "the queues hold them");
    assert_eq!(
        world.count("corridas WHERE verbo = 'reconcile' AND publicadas = 230 AND resultado = 'completa'"),
        1
    );
    world.drain(2).await;
    assert_whole(&world);
    let_time_pass(&world);
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_lanes_the_one_that_lost_its_jobs_is_repaired() {
    let world = World::new(calls(150)).await;
    world.sync().await;
    let fresh = world.texts("SELECT id_eleven FROM trabajos WHERE carril = 'fetch'");
    assert!(fresh.len() > 3);
    // The old calls were asked for first, and are waiting longest; they still lie in their queue.
    world.database.execute(
        "UPDATE trabajos SET pedido_en = now() - CASE carril WHEN 'fetch' THEN interval '2 hours' ELSE interval '3 days' END",
    );
    world.management().purge("fetch");
    let said = reconcile(&world, &["--dry-run"]).await;
    assert_eq!(named(&said, "lost"), fresh);
    assert_eq!(asked(&reconcile(&world, &[]).await), [fresh.len() as u64, 0, 0, 0]);
    assert_eq!(world.depth(&["fetch"]).await, fresh.len());
    world.drain(1).await;
    assert_whole(&world);
    assert!(world.simulator.served().details_by_id.values().all(|&times| times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_broker_is_repaired() {
    let world = World::new(calls(60)).await;
    world.sync().await;
    let broker = world.broker.connect().await;
    Topology::new(world.broker.config()).delete(&broker).await.expect("everything can go");
    broker.close().await;
    let_time_pass(&world);
    assert_eq!(asked(&reconcile(&world, &[]).await), [60, 0, 0, 0]);
    world.drain(1).await;
    assert_whole(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_dump_is_repaired() {
    let mut world = World::new(calls(80)).await;
    world.sync().await;
    let dump = world.database.copy();
    // What the dump does not know: 80 jobs that were answered, 5 calls, and a call given up.
    world.drain(1).await;
    let new = world.simulator.add_conversations(5);
    world.sync().await;
    world.drain(1).await;
    assert_whole(&world);
    world.set("DATABASE_URL", dump.url());
    world.database = dump;
    assert!(world.stored().is_empty());
    let_time_pass(&world);
    let said = reconcile(&world, &[]).await;
    assert_eq!(asked(&said), [80, new.len() as u64, 0, 0]);
    world.drain(2).await;
    assert_whole(&world);
    assert_eq!(world.sync().await.published, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_that_lost_a_page_is_completed_within_the_window() {
    let mut world = World::new(calls(120)).await;
    world.set("SYNC_OVERLAP", "1s");
    world.sync().await;
    world.drain(1).await;
    // Calls of the last days of which nothing is left; the cursor is past them.
    let gone = "inicio > now() - interval '2 days' AND inicio < (SELECT max(inicio) FROM trabajos)";
    let ids = world.texts(&format!("SELECT id_eleven FROM trabajos WHERE {gone}"));
    assert!(ids.len() > 3);
    let rows =
        format!("FROM conversaciones WHERE id_eleven IN (SELECT id_eleven FROM trabajos WHERE {gone})");
    world.database.execute(&format!(
        "DELETE FROM reportes WHERE id_conversacion IN (SELECT id_conversacion {rows}); DELETE {rows}"
    ));
    world.database.execute(&format!("DELETE FROM trabajos WHERE {gone}"));
    assert_eq!(world.sync().await.published, 0);
    world.set("RECONCILE_WINDOW", "1h");
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4]);
    world.unset("RECONCILE_WINDOW");
    assert_eq!(asked(&reconcile(&world, &[]).await), [0, ids.len() as u64, 0, 0]);
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_at_its_source_is_fetched_again_and_nothing_else() {
    let faults = Faults { unknown_status: 0.05, ..Faults::default() };
    let mut world = World::new(Settings { faults, ..calls(150) }).await;
    world.set("RECONCILE_WINDOW", "200d");
    world.sync().await;
    world.drain(1).await;
    let not_final: BTreeSet<_> = world.simulator.ids_unknown_status().into_iter().collect();
    assert!(not_final.len() > 2);
    assert_eq!(world.texts("SELECT id_eleven FROM conversaciones WHERE estado = 'needs_review'"), not_final);
    let_time_pass(&world);
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4], "as it is stored, so it is listed");

    let done =
        world.texts("SELECT id_eleven FROM conversaciones WHERE estado = 'done' AND exito = 'success'");
    let mut expected: BTreeSet<String> = done.into_iter().take(3).collect();
    let ids: Vec<&String> = expected.iter().collect();
    world.simulator.set_conversation(ids[0], |detail| detail["status"] = json!("failed"));
    world.simulator.set_conversation(ids[1], |detail| detail["metadata"]["call_duration_secs"] = json!(4321));
    world
        .simulator
        .set_conversation(ids[2], |detail| detail["analysis"]["call_successful"] = json!("failure"));
    let values = format!(
        "SELECT estado FROM conversaciones WHERE id_eleven = '{}' UNION ALL \
         SELECT duracion FROM conversaciones WHERE id_eleven = '{}' UNION ALL \
         SELECT exito FROM conversaciones WHERE id_eleven = '{}'",
        ids[0], ids[1], ids[2]
    );
    world.simulator.set_faults(Faults::default());
    expected.extend(not_final);

    let said = reconcile(&world, &["--dry-run"]).await;
    assert_eq!(named(&said, "changed"), expected);
    assert_eq!(asked(&reconcile(&world, &[]).await), [0, 0, expected.len() as u64, 0]);
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4], "they are on their way");
    world.simulator.reset_counts();
    world.drain(1).await;
    let fetched: BTreeSet<_> = world.simulator.served().details_by_id.into_keys().collect();
    assert_eq!(fetched, expected);
    assert_eq!(world.database.column(&values), ["failed", "4321 seconds", "failure"]);
    assert_eq!(world.count("conversaciones WHERE estado NOT IN ('done', 'failed')"), 0);
    assert_whole(&world);
    let_time_pass(&world);
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_and_a_detail_that_say_it_differently_do_not_keep_a_call_in_motion() {
    let faults =
        Faults { emptied: 0.2, unknown_status: 0.1, off_document: 0.3, repeat: 1.0, ..Faults::default() };
    let mut world = World::new(Settings { faults, ..calls(400) }).await;
    world.set("RECONCILE_WINDOW", "200d");
    world.sync().await;
    world.drain(2).await;
    let_time_pass(&world);
    let said = reconcile(&world, &["--dry-run"]).await;
    assert_eq!((asked(&said), &said["listed"]), ([0; 4], &json!(400)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_dead_those_that_have_finished_are_replayed_and_others_left_alone() {
    let faults = Faults { in_progress: 0.3, missing: 0.2, ..Faults::default() };
    let mut world = World::new(Settings { faults, ..calls(80) }).await;
    world.set("RECONCILE_WINDOW", "200d");
    world.sync().await;
    world.drain(1).await;
    let letters = world.letters().await;
    let of_class = |class: &str| -> BTreeSet<String> {
        letters.values().filter(|letter| letter.class == class).map(|l| l.conversation_id.clone()).collect()
    };
    let (mut unfinished, missing) = (of_class("unfinished"), of_class("not_found"));
    assert!(unfinished.len() > 4 && missing.len() > 4, "{letters:?}");
    let discarded = unfinished.pop_first().expect("there are some");
    world.dead(&["discard", &discarded, "--reason", "llamada de prueba"]).await;
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4], "none has finished");

    world.simulator.finish_in_progress();
    let said = reconcile(&world, &["--dry-run"]).await;
    assert_eq!(named(&said, "finished"), unfinished);
    assert_eq!(world.count("trabajos WHERE repetir_en IS NOT NULL"), 0);
    // Their messages are gone with all others: the book has them.
    world.management().purge("dead");
    assert_eq!(asked(&reconcile(&world, &[]).await), [0, 0, 0, unfinished.len() as u64]);
    until("all has been tried", async || {
        world.drain(1).await;
        world.depth(&["unfinished.300ms", "unfinished.600ms", "fetch", "backfill"]).await == 0
    })
    .await;
    let expected: BTreeSet<_> =
        world.listed().into_iter().filter(|id| !missing.contains(id) && *id != discarded).collect();
    assert_eq!(world.stored(), expected);
    assert_eq!(world.letters().await.into_keys().collect::<BTreeSet<_>>(), missing);
    assert_eq!(
        world.texts("SELECT id_eleven FROM trabajos WHERE repeticiones > 0"),
        unfinished,
        "the others were left alone"
    );
    world.assert_one_report_each();

    // Discarded, or given up for another reason: not asked for, however long ago, and whatever the list says.
    let_time_pass(&world);
    world.simulator.set_faults(Faults::default());
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4]);
    // Nor when a call is forgotten on purpose.
    let one = missing.first().expect("there are some");
    world.database.execute(&format!(
        "UPDATE trabajos SET olvidado_en = now(), muerto_en = NULL, motivo = 'x' WHERE id_eleven = '{one}'"
    ));
    assert_eq!(asked(&reconcile(&world, &[]).await), [0; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_wait_to_be_finished_are_held_and_not_lost() {
    let faults = Faults { in_progress: 1.0, ..Faults::default() };
    let settings = Settings { faults, span: Duration::from_hours(12), ..calls(20) };
    let world = World::new(settings).await;
    world.sync().await;
    world.drain(1).await;
    let_time_pass(&world);
    // They go round between their queue and a worker; there is none now, so all come to lie before it.
    until("all lie in a lane", async || world.depth(&LANES).await == 20).await;
    let said = reconcile(&world, &["--dry-run"]).await;
    assert_eq!(said["pending"], json!(20));
    assert_eq!(asked(&said), [0; 4], "{said}");
    world.simulator.finish_in_progress();
    until("all are stored", async || {
        world.drain(1).await;
        world.stored() == world.listed()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_there_twice_is_written_once() {
    // As many as a worker holds while none of them ends.
    let world = World::new(calls(16)).await;
    world.sync().await;
    // A worker holds them all, and nobody can see that it does.
    world.simulator.update_faults(|faults| faults.latency = NEVER);
    let worker = world.start("consumer", &[]);
    until("all are held", async || world.depth(&LANES).await == 0).await;
    let_time_pass(&world);
    world.simulator.update_faults(|faults| faults.latency = Duration::ZERO);
    let stopped = worker;
    stopped.signal("STOP").await;
    assert_eq!(asked(&reconcile(&world, &[]).await)[0], 16);
    stopped.signal("KILL").await;
    stopped.finished().await;
    until("both copies of each are there", async || world.depth(&LANES).await == 32).await;
    world.drain(2).await;
    assert_whole(&world);
    assert!(world.letters().await.is_empty());
    assert_eq!(world.depth(&["dead"]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_reconciles_when_it_is_due() {
    let mut world = World::new(calls(40)).await;
    let reconciliations = |world: &World| world.count("corridas WHERE verbo = 'reconcile'");
    world.sync().await;
    assert_eq!(reconciliations(&world), 0, "all that there is was asked for just now");
    let first = reconciled_at(&world);
    world.sync().await;
    assert_eq!((reconciliations(&world), reconciled_at(&world)), (0, first.clone()));

    for lane in LANES {
        world.management().purge(lane);
    }
    let_time_pass(&world);
    world.database.execute("UPDATE cursores SET reconciliado_en = now() - interval '5 hours 50 minutes'");
    let said = json_of(&exits(world.run("producer", &["sync", "--json"]).await, 0));
    assert!(said["reconciled"].is_null(), "{said}");
    world.set("RECONCILE_EVERY", "5h");
    let said = exits(world.run("producer", &["sync"]).await, 0).stdout;
    assert!(said.contains("reconciled:") && said.contains("40 lost"), "{said}");
    assert_eq!(reconciliations(&world), 1);
    assert!(reconciled_at(&world) > first);
    world.drain(1).await;
    assert_whole(&world);

    // A first pass that knows something has not asked for everything.
    world.database.execute("DELETE FROM cursores");
    world.sync().await;
    assert_eq!(reconciliations(&world), 2, "it was never done");

    // Nor has one that was shown nothing: what the book has may be lost all the same.
    let empty = World::new(calls(0)).await;
    empty.sync().await;
    assert_eq!(reconciliations(&empty), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_and_a_pass_is_one_too() {
    let world = World::new(calls(30)).await;
    world.sync().await;
    for lane in LANES {
        world.management().purge(lane);
    }
    let_time_pass(&world);
    let lock = Lock::on(&world.database, "trabajos");
    let first = world.start("producer", &["reconcile", "--json"]);
    lock.holds_up("UPDATE trabajos").await;
    for verb in ["reconcile", "sync"] {
        let second = exits(world.run("producer", &[verb]).await, 75);
        assert!(second.stderr.contains("another pass runs"), "{}", second.stderr);
    }
    drop(lock);
    assert_eq!(asked(&json_of(&exits(first.finished().await, 0))), [30, 0, 0, 0]);
    assert_eq!(world.depth(&LANES).await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_published_is_said_and_asked_for_by_the_next_time() {
    let world = World::new(calls(250)).await;
    world.sync().await;
    let before = reconciled_at(&world);
    for lane in LANES {
        world.management().purge(lane);
    }
    let_time_pass(&world);
    let lock = Lock::on(&world.database, "trabajos");
    let failing = world.start("producer", &["reconcile", "--json"]);
    lock.holds_up("UPDATE trabajos").await;
    world.management().unbind("backfill");
    drop(lock);
    let said = json_of(&exits(failing.finished().await, 1));
    assert!(said["failed"].as_u64() > Some(0), "{said}");
    assert_eq!(reconciled_at(&world), before);
    assert_eq!(world.count("corridas WHERE verbo = 'reconcile' AND resultado = 'incompleta'"), 1);

    let first = asked(&said)[0];
    let second = asked(&reconcile(&world, &[]).await)[0];
    assert!(first > 0 && second > 0);
    assert_eq!(first + second, 250);
    world.drain(2).await;
    assert_whole(&world);
    assert!(world.simulator.served().details_by_id.values().all(|&times| times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_mapping_is_applied_to_a_stretch_of_history() {
    let mut world = World::new(calls(120)).await;
    world.set("REPORT_LUGAR", "no_such_item");
    world.sync().await;
    world.drain(1).await;
    assert_eq!(world.count("reportes WHERE lugar IS NOT NULL"), 0);
    let before = rows(&world);
    let instant = |days: u32| {
        world.database.value(&format!(
            "SELECT to_char(now() - interval '{days} days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        ))
    };
    let (from, to) = (instant(60), instant(20));
    let within = format!(
        "conversaciones WHERE inicio >= '{from}'::timestamptz - interval '1 second' AND inicio <= '{to}'"
    );
    let expected = world.count(&within);
    assert!(expected > 10);
    let refetch = ["--refetch", "--from", &from, "--to", &to];

    let rehearsed = reconcile(&world, &[&refetch[..], &["--dry-run"]].concat()).await;
    assert_eq!((&rehearsed["published"], world.depth(&LANES).await), (&json!(expected), 0));
    let said = reconcile(&world, &refetch).await;
    assert_eq!((&said["listed"], &said["published"]), (&json!(expected), &json!(expected)));
    assert_eq!(world.depth(&["backfill"]).await, expected);
    world.drain(1).await;
    assert_eq!(rows(&world), before, "the mapping is the same: nothing is written");

    // Calls that the API does not have any more stay as they are stored.
    world.simulator.update_faults(|faults| faults.missing = 0.2);
    let missing: BTreeSet<_> = world.simulator.ids_missing().into_iter().collect();
    world.unset("REPORT_LUGAR");
    reconcile(&world, &refetch).await;
    world.drain(1).await;
    let written = world.texts(
        "SELECT id_eleven FROM conversaciones JOIN reportes USING (id_conversacion) WHERE lugar IS NOT NULL",
    );
    assert!(written.len() > 5 && written.is_disjoint(&missing));
    assert!(written.is_subset(&world.texts(&format!("SELECT id_eleven FROM {within}"))));
    assert!(world.letters().await.is_empty(), "what is stored is not dead");
    assert_eq!(world.depth(&["dead"]).await, 0);
    assert_whole(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_said_with_its_remedy() {
    let world = World::new(calls(1)).await;
    for (arguments, remedy) in [
        (vec!["--refetch"], "--from"),
        (vec!["--from", "2026-01-01", "--to", "2026-01-02"], "--refetch"),
        (vec!["--refetch", "--from", "2026-01-02", "--to", "2026-01-01"], "earlier day first"),
        (vec!["--refetch", "--from", "ayer", "--to", "2026-01-01"], "--from: expected a date"),
        (vec!["--refetch", "--from", "2026-01-01", "--to", "2999-01-01"], "--to: lies in the future"),
    ] {
        let arguments: Vec<&str> = ["reconcile"].into_iter().chain(arguments).collect();
        let refused = exits(world.run("producer", &arguments).await, 64);
        assert!(refused.stderr.contains(remedy), "{remedy}: {}", refused.stderr);
    }
    assert_eq!(world.count("cursores"), 0);
}
