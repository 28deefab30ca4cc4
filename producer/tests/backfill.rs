//! Backfill: a stretch of history, whole, without touching the cursor of a pass; and when it is stopped, from where it was.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared::testing::Finished;
use simulator::Settings;
use support::lock::Lock;
use support::{Summary, World, calls, exits, summary, until};

const LANES: [&str; 2] = ["fetch", "backfill"];

/// Longer than any test lasts: an answer that never comes.
const NEVER: Duration = Duration::from_hours(1);

const DAY: Duration = Duration::from_hours(24);

/// An instant so many days ago.
fn days_ago(world: &World, days: u32) -> String {
    world.database.value(&format!(
        "SELECT to_char(now() AT TIME ZONE 'UTC' - interval '{days} days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    ))
}

/// What starts between two instants, as the API is asked: with a second more at either end.
fn between(world: &World, from: &str, to: &str) -> BTreeSet<String> {
    let instant = |text: &str| -> i64 {
        let sql = format!("SELECT extract(epoch FROM '{text}'::timestamptz)::bigint");
        world.database.value(&sql).parse().expect("seconds")
    };
    let (from, to) = (instant(from), instant(to));
    let start = |id: &String| {
        let detail = world.simulator.conversation_json(id).expect("it is listed");
        detail["metadata"]["start_time_unix_secs"].as_i64().expect("a call starts")
    };
    world.listed().into_iter().filter(|id| (from - 1..=to).contains(&start(id))).collect()
}

async fn backfill(world: &World, from: &str, to: &str) -> Finished {
    world.run("producer", &["backfill", "--from", from, "--to", to, "--json"]).await
}

async fn done(world: &World, from: &str, to: &str) -> Summary {
    summary(&exits(backfill(world, from, to).await, 0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_of_history_is_asked_for_whole_and_no_cursor_moves() {
    let world = World::new(calls(400)).await;
    let (from, to) = (days_ago(&world, 40), days_ago(&world, 10));
    let expected = between(&world, &from, &to);
    assert!(expected.len() > 50 && expected.len() < 300);
    let first = done(&world, &from, &to).await;
    assert_eq!((first.published, first.failed), (expected.len(), 0));
    assert_eq!(world.booked(), expected);
    assert_eq!(world.depth(&["backfill"]).await, expected.len());
    assert_eq!(world.count("cursores WHERE listado_hasta IS NOT NULL OR titular IS NOT NULL"), 0);
    let run = "corridas WHERE verbo = 'backfill' AND resultado = 'completa' AND ambito LIKE 'backfill:%'";
    assert_eq!(world.count(run), 1);

    // All of it again: everything is known.
    let again = done(&world, &from, &to).await;
    assert_eq!((again.published, again.known), (0, again.listed));
    // A pass goes on as if nothing had been, and asks for the rest.
    let pass = world.sync().await;
    assert_eq!((pass.listed, pass.known), (400, expected.len()));
    world.drain(2).await;
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
    assert!(world.simulator.served().details_by_id.values().all(|&times| times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_one_of_the_time_zone_and_the_last_one_is_whole() {
    let mut world = World::new(Settings { span: 6 * DAY, ..calls(200) }).await;
    world.set("TIMEZONE", "America/Tijuana");
    let day = |back: u32| {
        world.database.value(&format!(
            "SELECT to_char((now() AT TIME ZONE 'America/Tijuana')::date - {back}, 'YYYY-MM-DD')"
        ))
    };
    let midnight = |date: &str| {
        world.database.value(&format!(
            "SELECT to_char('{date}'::timestamp AT TIME ZONE 'America/Tijuana' AT TIME ZONE 'UTC', \
             'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        ))
    };
    let (first, last) = (day(4), day(3));
    let expected = between(&world, &midnight(&first), &midnight(&day(2)));
    assert!(expected.len() > 10);
    assert_eq!(done(&world, &first, &last).await.published, expected.len());
    assert_eq!(world.booked(), expected);
    // Up to today: its calls are fresh, and go where fresh calls go.
    let today = day(0);
    done(&world, &first, &today).await;
    assert_eq!(world.booked(), between(&world, &midnight(&first), &days_ago(&world, 0)));
    let fresh = world.count("trabajos WHERE inicio > now() - interval '24 hours'");
    assert!(fresh > 0);
    assert_eq!(world.depth(&["fetch"]).await, fresh);
}

/// Stops a backfill of 20 days by a signal when some of them are done and the API keeps it waiting, and has it done by the
/// same command.
async fn stopped_by(signal: &str, code: Option<i32>) {
    let world = World::new(Settings { span: 19 * DAY, ..calls(300) }).await;
    let to = days_ago(&world, 0);
    let from = world.database.value(&format!(
        "SELECT to_char('{to}'::timestamptz AT TIME ZONE 'UTC' - interval '20 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    ));
    // The newest call is the first one: this one is of about the tenth day.
    let lock = Lock::on_entering(&world.database, &world.simulator.conversation_ids()[150]);
    let verb = world.start("producer", &["backfill", "--from", &from, "--to", &to]);
    lock.holds_up("INSERT INTO trabajos").await;
    world.simulator.update_faults(|faults| faults.latency = NEVER);
    drop(lock);
    let in_flight = async || world.simulator.served().in_flight == 1;
    until("the API keeps it waiting", in_flight).await;
    verb.signal(signal).await;
    if signal == "TERM" {
        // It is within its page: a second signal ends it at once.
        verb.signal(signal).await;
    }
    assert_eq!(verb.finished().await.code, code);
    world.simulator.update_faults(|faults| faults.latency = Duration::ZERO);
    let days = |world: &World| -> u64 {
        let sql =
            format!("SELECT extract(day FROM listado_hasta - '{from}'::timestamptz)::bigint FROM cursores");
        world.database.value(&sql).parse().expect("days")
    };
    let (before, booked) = (days(&world), world.booked().len());
    assert!((4..20).contains(&before), "{before} days are done");
    assert_eq!(backfill(&world, &from, &to).await.code, Some(75), "its turn lasts until it expires");
    world.expire_leases();
    world.simulator.reset_counts();
    let rest = done(&world, &from, &to).await;
    // A day of so few calls is one page.
    assert_eq!(world.simulator.served().list, 20 - before);
    assert_eq!(rest.published, 300 - booked);
    assert_eq!(world.booked(), world.listed());
    world.drain(2).await;
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_goes_on_where_it_was() {
    stopped_by("KILL", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_in_the_middle_it_goes_on_where_it_was() {
    stopped_by("TERM", Some(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_page_is_published_and_before_it_is_recorded_it_loses_nothing() {
    let world = World::new(Settings { span: 3 * DAY, ..calls(60) }).await;
    let (from, to) = (days_ago(&world, 4), days_ago(&world, 0));
    let lock = Lock::on(&world.database, "trabajos");
    let verb = world.start("producer", &["backfill", "--from", &from, "--to", &to]);
    lock.holds_up("INSERT INTO trabajos").await;
    verb.signal("KILL").await;
    verb.finished().await;
    lock.drop_waiting("INSERT INTO trabajos");
    drop(lock);
    let published = world.depth(&LANES).await;
    assert!(published > 0 && world.booked().is_empty());
    world.expire_leases();
    assert_eq!(done(&world, &from, &to).await.published, 60);
    world.drain(2).await;
    assert_eq!(world.stored(), world.listed());
    world.assert_one_report_each();
    let asked = world.simulator.served().details_by_id;
    assert_eq!(asked.values().sum::<u64>(), 60 + published as u64);
    assert!(world.letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_kind_at_a_time_and_a_pass_beside_it() {
    let world = World::new(calls(50)).await;
    let (from, to) = (days_ago(&world, 100), days_ago(&world, 0));
    world.simulator.update_faults(|faults| faults.latency = NEVER);
    let first = world.start("producer", &["backfill", "--from", &from, "--to", &to, "--json"]);
    until("it lists", async || world.simulator.served().list >= 1).await;
    world.simulator.update_faults(|faults| faults.latency = Duration::ZERO);
    let second = exits(backfill(&world, &from, &to).await, 75);
    assert!(second.stderr.contains("another pass runs"), "{}", second.stderr);
    assert_eq!(world.sync().await.published, 50, "fresh calls do not wait for old ones");
    first.signal("KILL").await;
    first.finished().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_published_is_asked_for_by_the_same_command() {
    let world = World::new(Settings { span: 9 * DAY, ..calls(90) }).await;
    let (from, to) = (days_ago(&world, 10), days_ago(&world, 0));
    let lock = Lock::on(&world.database, "trabajos");
    let failing = world.start("producer", &["backfill", "--from", &from, "--to", &to, "--json"]);
    lock.holds_up("INSERT INTO trabajos").await;
    world.management().unbind("backfill");
    drop(lock);
    let failing = exits(failing.finished().await, 1);
    assert!(failing.stderr.contains("run this again"), "{}", failing.stderr);
    let failing = summary(&failing);
    assert!(failing.failed > 0 && failing.published > 0, "{failing:?}");
    assert_eq!(world.count("cursores WHERE listado_hasta IS NOT NULL"), 1);
    let rest = done(&world, &from, &to).await;
    assert_eq!(rest.published + failing.published, 90);
    assert_eq!(world.depth(&LANES).await, 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_dates_are_said_with_their_remedy() {
    let world = World::new(calls(1)).await;
    for (from, to, remedy) in [
        ("2026-01-02", "2026-01-01", "earlier day first"),
        ("2026-02-30", "2026-03-01", "--from: expected a date such as 2026-01-31"),
        ("01/02/2026", "mañana", "--to: expected a date"),
        ("2999-01-01", "2999-01-02", "--from: lies in the future"),
        ("2026-01-01", "2999-01-02", "--to: lies in the future"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", "earlier day first"),
    ] {
        let refused = exits(backfill(&world, from, to).await, 64);
        assert!(refused.stderr.contains(remedy), "{remedy}: {}", refused.stderr);
    }
    for arguments in [vec!["backfill"], vec!["backfill", "--from", "2026-01-01"]] {
        let refused = exits(world.run("producer", &arguments).await, 64);
        assert!(refused.stderr.contains("--to"), "{}", refused.stderr);
    }
    assert_eq!((world.count("cursores"), world.simulator.served().list), (0, 0));
    let said = exits(world.run("producer", &["backfill", "--help"]).await, 0).stdout;
    assert!(said.contains("The last day, all of it") && said.contains("TIMEZONE"), "{said}");
    let nothing = json!({ "listed": 0, "published": 0, "known": 0, "failed": 0 });
    let said = exits(backfill(&world, "2016-01-01", "2016-01-02").await, 0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&said).expect("JSON"), nothing);
}
