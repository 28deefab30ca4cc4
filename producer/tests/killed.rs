//! A sync that is killed, wherever it is: the next one, when the dead one's turn is over, leaves every call as one row, and
//! no more than the two pages in hand were asked for twice.

mod support;

use std::time::Duration;

use shared::testing::Process;
use support::lock::Lock;
use support::{World, calls, until};

/// Three pages, of which a pass has two in hand.
const CALLS: u32 = 250;

/// What one page holds.
const PAGE: usize = 100;

/// Longer than any test lasts: an answer that never comes.
const NEVER: Duration = Duration::from_hours(1);

async fn kill(pass: Process) {
    pass.signal("KILL").await;
    assert_eq!(pass.finished().await.code, None);
}

/// Goes on after the kill; `recorded` and `published` are the jobs that the dead pass left in the book and the queues.
async fn goes_on(world: &World, recorded: usize, published: usize) {
    assert_eq!(world.count("trabajos"), recorded);
    assert_eq!(world.depth(&["fetch", "backfill"]).await, published);
    assert!(published - recorded <= 2 * PAGE);
    assert_eq!(world.count("cursores WHERE listado_hasta IS NOT NULL"), 0);
    assert_eq!(world.run("producer", &["sync"]).await.code, Some(75), "its turn lasts until it expires");

    world.expire_leases();
    let total = CALLS as usize;
    let summary = world.sync().await;
    assert_eq!((summary.listed, summary.published, summary.known), (total, total - recorded, recorded));
    assert_eq!(world.count("cursores WHERE listado_hasta IS NOT NULL"), 1);
    world.drain(2).await;
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
    assert!(world.letters().await.is_empty());
    let asked = world.simulator.served().details_by_id;
    assert!(asked.values().all(|&times| times <= 2));
    assert_eq!(asked.values().filter(|&&times| times == 2).count(), published - recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_first_page() {
    let world = World::new(calls(CALLS)).await;
    world.simulator.update_faults(|faults| faults.latency = NEVER);
    let pass = world.start("producer", &["sync"]);
    until("a page is asked for", async || world.simulator.served().list >= 1).await;
    kill(pass).await;
    world.simulator.update_faults(|faults| faults.latency = Duration::ZERO);
    goes_on(&world, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_page_is_published_and_before_it_is_recorded() {
    let world = World::new(calls(CALLS)).await;
    let lock = Lock::on(&world.database, "trabajos");
    let pass = world.start("producer", &["sync"]);
    until("both pages in hand are published", async || world.depth(&["fetch", "backfill"]).await == 2 * PAGE)
        .await;
    lock.holds_up_several("INSERT INTO trabajos", 2).await;
    kill(pass).await;
    lock.drop_waiting("INSERT INTO trabajos");
    drop(lock);
    goes_on(&world, 0, 2 * PAGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_two_pages() {
    let world = World::new(calls(CALLS)).await;
    let lock = Lock::on(&world.database, "trabajos");
    let pass = world.start("producer", &["sync"]);
    until("two pages are in hand", async || world.depth(&["fetch", "backfill"]).await == 2 * PAGE).await;
    world.simulator.update_faults(|faults| faults.latency = NEVER);
    drop(lock);
    until("the third page is asked for", async || {
        world.simulator.served().list >= 3 && world.count("trabajos") == 2 * PAGE
    })
    .await;
    kill(pass).await;
    world.simulator.update_faults(|faults| faults.latency = Duration::ZERO);
    goes_on(&world, 2 * PAGE, 2 * PAGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_all_is_recorded_and_before_the_cursor_moves() {
    let world = World::new(calls(CALLS)).await;
    let first_page = Lock::on(&world.database, "trabajos");
    let pass = world.start("producer", &["sync"]);
    first_page.holds_up("INSERT INTO trabajos").await;
    // By now the pass has its turn; it writes this table again when it moves the cursor.
    let cursor = Lock::on(&world.database, "cursores");
    drop(first_page);
    cursor.holds_up("UPDATE cursores SET listado_hasta").await;
    kill(pass).await;
    cursor.drop_waiting("UPDATE cursores SET listado_hasta");
    drop(cursor);
    goes_on(&world, CALLS as usize, CALLS as usize).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_was_overtaken_does_not_move_the_cursor() {
    let world = World::new(calls(CALLS)).await;
    let lock = Lock::on(&world.database, "trabajos");
    let first = world.start("producer", &["sync"]);
    lock.holds_up("INSERT INTO trabajos").await;
    // It sleeps through the end of its turn, and another takes over.
    first.signal("STOP").await;
    world.expire_leases();
    drop(lock);
    let other = world.sync().await;
    assert_eq!((other.listed, other.failed), (CALLS as usize, 0));
    let cursor = "SELECT listado_hasta || ' ' || valla FROM cursores WHERE ambito = '*'";
    let before = world.database.value(cursor);
    first.signal("CONT").await;
    let overtaken = first.finished().await;
    assert_eq!(overtaken.code, Some(1), "{}", overtaken.stderr);
    assert!(overtaken.stderr.contains("another pass has taken over"), "{}", overtaken.stderr);
    assert_eq!(world.database.value(cursor), before);
    world.drain(2).await;
    assert_eq!(world.stored(), world.listed());
}
