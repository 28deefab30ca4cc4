//! `producer watch` as a process, through every outage, and what `producer health` says of it.

mod support;

use std::time::Duration;

use shared::testing::{Finished, Forwarder, Network, Process, TestDatabase};
use simulator::{Faults, Settings};
use support::lock::Lock;
use support::{KEY, World, calls, exits, until};
use tempfile::TempDir;
use tokio::time::Instant;

const WATCH: [&str; 3] = ["watch", "--every", "200ms"];

/// Longer than any test lasts: an answer that never comes.
const NEVER: Duration = Duration::from_hours(1);

/// A world whose processes have a temporary folder of their own: `health` finds those of this test only.
async fn world(settings: Settings) -> (World, TempDir) {
    world_on(TestDatabase::migrated(), settings).await
}

async fn world_on(database: TestDatabase, settings: Settings) -> (World, TempDir) {
    let mut world = World::on(database, settings).await;
    let folder = tempfile::tempdir().expect("a folder");
    world.set("TMPDIR", folder.path().to_str().expect("UTF-8"));
    (world, folder)
}

async fn health(world: &World) -> Finished {
    world.run("producer", &["health"]).await
}

async fn is_well(world: &World) {
    until("the watch is well", async || health(world).await.code == Some(0)).await;
}

/// Waits until the watch is not well, and says this.
async fn is_unwell(world: &World, why: &str) {
    until(why, async || {
        let Finished { code, stdout, .. } = health(world).await;
        code == Some(1) && stdout.contains(why)
    })
    .await;
}

async fn all_are_booked(world: &World) {
    until("every call is asked for", async || world.booked() == world.listed()).await;
}

/// New calls come, and are asked for without anybody's doing.
async fn is_watching(world: &World) {
    world.simulator.add_conversations(3);
    all_are_booked(world).await;
    is_well(world).await;
}

async fn stops(world: &World, watch: Process) -> Finished {
    watch.signal("TERM").await;
    let finished = exits(watch.finished().await, 0);
    assert_eq!(world.count("cursores WHERE titular IS NOT NULL"), 0, "its turn is given back");
    assert_eq!(health(world).await.code, Some(1));
    finished
}

#[tokio::test(flavor = "multi_thread")]
async fn new_calls_are_asked_for_without_anybody_running_a_sync() {
    let (world, folder) = world(calls(20)).await;
    assert_eq!(exits(health(&world).await, 1).stdout.lines().count(), 1);
    let watch = world.start("producer", &WATCH);
    for _ in 0..3 {
        is_watching(&world).await;
    }
    let passes = || world.count("corridas WHERE terminada_en IS NOT NULL");
    let before = passes();
    until("passes with nothing new", async || passes() > before + 2).await;
    let found = health(&world).await.stdout;
    assert!(found.contains("last pass: 9 listed, 0 published, 9 known, 0 failed"), "{found}");
    let finished = stops(&world, watch).await;
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 29, "each is asked for once");
    let said = finished.stderr.lines().filter(|line| line.contains("INFO")).count();
    assert!(said < passes() + 15, "a line a pass, and a few more:\n{}", finished.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_between_two_passes_ends_at_once() {
    let (world, _folder) = world(calls(5)).await;
    // The next pass would be tomorrow; and the first one is made at once.
    let watch = world.start("producer", &["watch", "--every", "24h"]);
    until("it waits", async || health(&world).await.stdout.contains("waiting; last pass: 5 listed")).await;
    all_are_booked(&world).await;
    stops(&world, watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_a_pass_records_the_pages_in_hand_and_is_clean() {
    let (world, _folder) = world(calls(250)).await;
    let listed = world.simulator.conversation_ids();
    let [first_page, second_page] = [0, 100].map(|at| Lock::on_entering(&world.database, &listed[at]));
    let watch = world.start("producer", &WATCH);
    first_page.holds_up_several("INSERT INTO trabajos", 2).await;
    world.simulator.update_faults(|faults| faults.latency = NEVER);
    watch.signal("TERM").await;
    drop(first_page);
    // The second page's jobs are published by now, and in no book.
    until("the first page is recorded", async || world.count("trabajos") == 100).await;
    drop(second_page);
    let finished = exits(watch.finished().await, 0);
    assert!(finished.stderr.contains("stopped before the end"), "{}", finished.stderr);
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 200);
    assert_eq!(world.count("trabajos"), 200);
    assert_eq!(world.count("corridas WHERE publicadas = 200"), 1);
    assert_eq!(world.count("cursores WHERE titular IS NOT NULL OR listado_hasta IS NOT NULL"), 0);
    world.simulator.update_faults(|faults| faults.latency = Duration::ZERO);
    assert_eq!(world.sync().await.published, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_pass_is_well_while_it_takes_pages() {
    let (world, _folder) = world(calls(250)).await;
    world.simulator.update_faults(|faults| faults.refuse_key = true);
    let watch = world.start("producer", &WATCH);
    is_unwell(&world, "the API key is refused").await;
    let lock = Lock::on(&world.database, "trabajos");
    world.simulator.update_faults(|faults| faults.refuse_key = false);
    lock.holds_up("INSERT INTO trabajos").await;
    is_unwell(&world, "passing; last pass: failed").await;
    world.simulator.update_faults(|faults| faults.latency = NEVER);
    drop(lock);
    is_well(&world).await;
    assert!(health(&world).await.stdout.contains("passing"), "and the second page never comes");
    stops(&world, watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_watches_at_once_never_overlap_and_lose_nothing() {
    let faults = Faults { latency: Duration::from_millis(50), ..Faults::default() };
    let (world, _folder) = world(Settings { faults, ..calls(250) }).await;
    let watches = [world.start("producer", &WATCH), world.start("producer", &WATCH)];
    for _ in 0..5 {
        is_watching(&world).await;
    }
    for watch in watches {
        watch.signal("TERM").await;
        exits(watch.finished().await, 0);
    }
    let overlapping = "corridas AS a JOIN corridas AS b ON a.id_corrida < b.id_corrida \
                       AND a.empezada_en < b.terminada_en AND b.empezada_en < a.terminada_en";
    assert_eq!(world.count(overlapping), 0);
    assert_eq!(world.booked(), world.listed());
    assert_eq!(world.depth(&["fetch", "backfill"]).await, world.listed().len(), "each is asked for once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_another_pass_holds_is_skipped() {
    let (world, _folder) = world(calls(20)).await;
    let lock = Lock::on(&world.database, "trabajos");
    let sync = world.start("producer", &["sync"]);
    lock.holds_up("INSERT INTO trabajos").await;
    let watch = world.start("producer", &WATCH);
    until("it skips", async || health(&world).await.stdout.contains("last pass: none, another pass runs"))
        .await;
    assert_eq!(health(&world).await.code, Some(0));
    assert_eq!(world.count("corridas"), 1);
    drop(lock);
    exits(sync.finished().await, 0);
    is_watching(&world).await;
    stops(&world, watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_api_is_outlived() {
    let (world, _folder) = world(calls(5)).await;
    let watch = world.start("producer", &WATCH);
    is_watching(&world).await;
    world.simulator.update_faults(|faults| faults.outage = true);
    is_unwell(&world, "last pass: failed, server error: status 503").await;
    world.simulator.update_faults(|faults| faults.outage = false);
    is_watching(&world).await;
    stops(&world, watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_that_is_longer_than_the_interval_is_honoured() {
    let (world, _folder) = world(calls(5)).await;
    let watch = world.start("producer", &WATCH);
    is_watching(&world).await;
    // Longer than a pass waits itself.
    let retry_after = Duration::from_secs(12);
    let before = Instant::now();
    world.simulator.update_faults(|faults| {
        (faults.concurrency_limit, faults.retry_after) = (Some(0), Some(retry_after));
    });
    is_unwell(&world, "throttled").await;
    assert!(world.simulator.served().status_429 > 0);
    world.simulator.update_faults(|faults| faults.concurrency_limit = None);
    is_watching(&world).await;
    let elapsed = before.elapsed();
    assert!(elapsed >= retry_after);
    let most = 1 + elapsed.as_secs() / retry_after.as_secs();
    assert!(world.simulator.served().status_429 <= most, "it asked before it might");
    stops(&world, watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_is_read_again_from_its_file() {
    let (mut world, folder) = world(calls(5)).await;
    let file = folder.path().join("key");
    std::fs::write(&file, "sk_of_before").expect("a file");
    world.unset("ELEVENLABS_API_KEY");
    world.set("ELEVENLABS_API_KEY_FILE", file.to_str().expect("UTF-8"));
    let watch = world.start("producer", &WATCH);
    is_unwell(&world, "check ELEVENLABS_API_KEY").await;
    std::fs::write(&file, KEY).expect("a file");
    is_watching(&world).await;
    let finished = stops(&world, watch).await;
    assert!(finished.stderr.contains("the API key is refused: status 401"), "{}", finished.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_or_a_database_that_is_away_for_a_while_is_outlived() {
    for (variable, why) in [("AMQP_URL", "the broker"), ("DATABASE_URL", "PostgreSQL")] {
        let (mut world, _folder) = world(calls(5)).await;
        let server = world.variables().into_iter().find(|(name, _)| *name == variable);
        let network = Forwarder::before(server.expect("it is set").1).await;
        world.set(variable, network.url());
        let watch = world.start("producer", &WATCH);
        is_watching(&world).await;
        network.set(Network::Cut);
        is_unwell(&world, why).await;
        network.set(Network::Up);
        is_watching(&world).await;
        stops(&world, watch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_that_are_missing_are_waited_for() {
    let (world, _folder) = world_on(TestDatabase::empty(), calls(5)).await;
    let watch = world.start("producer", &WATCH);
    until("it waits", async || health(&world).await.stdout.contains("beginning")).await;
    world.migrate().await;
    is_watching(&world).await;
    stops(&world, watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_person_can_mend_ends_it_at_once() {
    let (mut world, _folder) = world(calls(5)).await;
    let amqp =
        world.broker.variables().into_iter().find(|(name, _)| *name == "AMQP_URL").expect("it is set").1;
    world.set("AMQP_URL", amqp.replace("guest:guest", "guest:wrong"));
    exits(world.run("producer", &WATCH).await, 64);
    world.set("AMQP_URL", "https://example.org");
    exits(world.run("producer", &WATCH).await, 64);
    world.set("AMQP_URL", amqp);
    world.database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')");
    exits(world.run("producer", &WATCH).await, 64);
    exits(world.run("producer", &["watch", "--every", "0s"]).await, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_whose_folder_cannot_be_written_works_and_says_so_once() {
    let (mut world, _folder) = world(calls(5)).await;
    world.set("TMPDIR", "/nowhere");
    let watch = world.start("producer", &WATCH);
    all_are_booked(&world).await;
    let passes = || world.count("corridas WHERE terminada_en IS NOT NULL");
    until("passes", async || passes() > 2).await;
    let finished = stops(&world, watch).await;
    assert_eq!(finished.stderr.matches("cannot be written").count(), 1, "{}", finished.stderr);
}
