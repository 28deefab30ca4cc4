//! How it goes, on one screen: each rule that makes it not well, with its remedy and exit code, and what is shown when a part
//! cannot be looked at.

mod support;

use serde_json::{Value, json};
use shared::queue::Lane;
use simulator::{Faults, Settings};
use support::management::variable;
use support::{World, calls, exits, until};

/// `status --json`, which ends with this code.
async fn status(world: &World, code: i32) -> Value {
    let finished = exits(world.run("producer", &["status", "--json"]).await, code);
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// The rules that are broken, in the order they are told.
fn rules(status: &Value) -> Vec<&str> {
    let problems = status["problems"].as_array().expect("there is a list");
    problems.iter().filter_map(|problem| problem["rule"].as_str()).collect()
}

/// A world where everything was fetched and stored.
async fn done(count: u32) -> World {
    let world = World::new(calls(count)).await;
    world.sync().await;
    world.drain(1).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_where_all_is_done_is_well_and_everything_is_told() {
    let mut world = done(20).await;
    world.set("AMQP_MANAGEMENT_URL", variable("TEST_AMQP_MANAGEMENT_URL"));
    let told = status(&world, 0).await;
    assert_eq!((&told["is_well"], rules(&told)), (&json!(true), vec![]));
    let database = &told["database"];
    let newest =
        world.database.value("SELECT extract(epoch FROM max(inicio))::bigint::text AS v FROM conversaciones");
    let told_newest = database["newest_call_began_at"].as_str().expect("an instant");
    let told_newest = chrono::DateTime::parse_from_rfc3339(told_newest).expect("an instant").timestamp();
    assert_eq!(told_newest.to_string(), newest);
    let pass = &database["last_complete"];
    assert_eq!(
        (&pass["listed"], &pass["published"], &pass["result"]),
        (&json!(20), &json!(20), &json!("completa"))
    );
    assert_eq!(database["cursors"][0]["scope"], "*");
    assert_eq!(database["unanswered"], json!({ "count": 0, "oldest_asked_at": null, "overdue": 0 }));
    assert_eq!((&database["dead"], &database["discarded"]), (&json!([]), &json!(0)));
    assert_eq!(database["last_runs"].as_array().map(Vec::len), Some(1), "the pass");
    let queues = told["broker"]["queues"].as_array().expect("queues");
    assert_eq!(queues.len(), 8, "two lanes, three rungs, two for unfinished calls, the dead");
    assert!(queues.iter().all(|queue| queue["waiting"] == 0), "{queues:?}");
    assert_eq!(told["broker"]["held_unknown"], Value::Null);

    let screen = exits(world.run("producer", &["status"]).await, 0).stdout;
    assert_eq!(screen.lines().last(), Some("well"), "{screen}");
    assert!(
        screen.lines().count() <= 25 && screen.lines().all(|line| line.chars().count() <= 80),
        "{screen}"
    );
    assert!(screen.contains("America/Mexico_City"), "{screen}");
    assert!(world.simulator.canaries().iter().all(|canary| !screen.contains(canary)));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_are_not_known_and_rows_of_an_older_mask_are_told() {
    let world = done(40).await;
    world.database.execute("UPDATE conversaciones SET tapado = '{\"identificadores\": 1}'");
    assert_eq!(status(&world, 0).await["warnings"], json!([]));
    world.database.execute(
        "UPDATE conversaciones SET tapado = '{\"identificadores\": 0, \"repetido\": 1}' \
         WHERE id_conversacion IN (SELECT id_conversacion FROM conversaciones ORDER BY inicio DESC LIMIT 10)",
    );
    let told = status(&world, 0).await;
    let warned: Vec<&str> =
        told["warnings"].as_array().expect("a list").iter().filter_map(|one| one["rule"].as_str()).collect();
    assert_eq!(warned, ["unknown_callers", "repeated_identifier"], "{told}");
    let checked = world.run("producer", &["check"]).await.stdout;
    assert!(checked.contains("none is as an older release"), "{checked}");
    world.database.execute("UPDATE conversaciones SET tapado = NULL");
    assert_eq!(status(&world, 0).await["warnings"], json!([]), "of an older release nothing is known");
    let checked = world.run("producer", &["check"]).await.stdout;
    assert!(checked.contains("as an older release has masked them"), "{checked}");
    assert!(checked.contains("producer reconcile --refetch --from"), "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_without_any_pass_is_well_and_nothing_is_declared_in_it() {
    let world = World::new(calls(1)).await;
    let told = status(&world, 0).await;
    assert_eq!(told["database"]["last_ended"], Value::Null);
    let queues = told["broker"]["queues"].as_array().expect("queues");
    assert!(
        queues.iter().all(|queue| queue["waiting"].is_null()),
        "looking has declared a queue: {queues:?}"
    );
    let screen = exits(world.run("producer", &["status"]).await, 0).stdout;
    assert!(screen.contains("producer sync") && screen.contains("no queue"), "{screen}");
    assert_eq!(world.simulator.served().requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_wait_where_nobody_consumes_are_not_well() {
    let world = World::new(calls(30)).await;
    world.sync().await;
    let told = status(&world, 1).await;
    assert!(!rules(&told).is_empty() && rules(&told).iter().all(|rule| *rule == "no_consumer"), "{told}");
    assert_eq!(told["database"]["unanswered"]["count"], 30);
    assert_eq!(world.depth(&["fetch", "backfill"]).await, 30, "nothing is taken by looking");
    let screen = exits(world.run("producer", &["status"]).await, 1).stdout;
    assert!(screen.contains("NOT WELL: ") && screen.contains("-> consumer --drain"), "{screen}");
    assert!(screen.contains("HELD by consumers is unknown: AMQP_MANAGEMENT_URL is not set"), "{screen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_did_not_complete_is_not_well_until_one_does() {
    let world = done(5).await;
    for (result, failed) in [("incompleta", 3), ("interrumpida", 0)] {
        world.database.execute(&format!(
            "INSERT INTO corridas (ambito, verbo, terminada_en, resultado, fallidas) \
             VALUES ('*', 'sync', now(), '{result}', {failed})"
        ));
        let told = status(&world, 1).await;
        assert_eq!(rules(&told), ["last_pass"]);
        assert_eq!(told["problems"][0]["remedy"], "producer sync");
    }
    // One that ended without a word: its process was killed, and its turn is over.
    world.database.execute("INSERT INTO corridas (ambito, verbo) VALUES ('*', 'sync')");
    assert_eq!(rules(&status(&world, 1).await), ["last_pass"]);
    // What is not a pass proves nothing, either way.
    world.database.execute(
        "INSERT INTO corridas (ambito, verbo, terminada_en, resultado) VALUES ('*', 'reconcile', now(), 'completa')",
    );
    assert_eq!(rules(&status(&world, 1).await), ["last_pass"]);
    world.sync().await;
    assert_eq!(rules(&status(&world, 0).await), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_a_complete_pass_is_not_well_unless_one_runs() {
    let world = done(5).await;
    let age = |minutes: u32| {
        world.database.execute(&format!(
            "UPDATE corridas SET empezada_en = now() - interval '{} minutes', terminada_en = now() - interval '{minutes} minutes'",
            minutes + 90,
        ));
    };
    age(50);
    status(&world, 0).await;
    age(70);
    assert_eq!(rules(&status(&world, 1).await), ["stale"]);
    world.database.execute(
        "INSERT INTO corridas (ambito, verbo) VALUES ('*', 'sync'); \
         UPDATE cursores SET titular = 'producer@elsewhere:7', vence_en = now() + interval '1 minute'",
    );
    let told = status(&world, 0).await;
    assert_eq!(told["database"]["cursors"][0]["holder"], "producer@elsewhere:7");
    let screen = exits(world.run("producer", &["status"]).await, 0).stdout;
    assert!(
        screen.lines().any(|line| line.starts_with("running now") && line.contains("elsewhere:7")),
        "{screen}"
    );
    world.expire_leases();
    assert_eq!(rules(&status(&world, 1).await), ["last_pass", "stale"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_not_well_and_discarded_ones_are() {
    let faults = Faults { missing: 0.3, ..Faults::default() };
    let world = World::new(Settings { faults, ..calls(20) }).await;
    world.sync().await;
    world.drain(1).await;
    let count = world.letters().await.len();
    let told = status(&world, 1).await;
    assert_eq!(rules(&told), ["dead_letters"]);
    assert_eq!(told["database"]["dead"], json!([{ "class": "not_found", "count": count }]));
    assert!(
        told["problems"][0]["remedy"].as_str().is_some_and(|remedy| remedy.contains("producer dead list"))
    );
    world.dead(&["discard", "--all", "--reason", "gone"]).await;
    assert_eq!(status(&world, 0).await["database"]["discarded"], count);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_nowhere_and_long_without_an_answer_are_not_well() {
    let world = World::new(calls(12)).await;
    world.sync().await;
    world.database.execute("UPDATE trabajos SET pedido_en = now() - interval '3 hours'");
    // They wait: that nobody consumes is one thing, that they are lost would be another.
    let told = status(&world, 1).await;
    assert!(!rules(&told).contains(&"unanswered"), "{told}");
    assert_eq!(told["database"]["unanswered"]["overdue"], 12);
    for lane in ["fetch", "backfill"] {
        world.management().purge(lane);
    }
    let told = status(&world, 1).await;
    assert_eq!(rules(&told), ["unanswered"]);
    assert!(told["problems"][0]["what"].as_str().is_some_and(|what| what.starts_with("12 jobs")), "{told}");
    // A row of the older system is no answer, one of a worker's is.
    world.database.execute(
        "INSERT INTO conversaciones (id_eleven, huella) \
         SELECT id_eleven, CASE WHEN row_number() OVER () > 4 THEN '\\x00'::bytea END FROM trabajos",
    );
    let told = status(&world, 1).await;
    assert!(told["problems"][0]["what"].as_str().is_some_and(|what| what.starts_with("4 jobs")), "{told}");
    world.database.execute("UPDATE trabajos SET pedido_en = now()");
    status(&world, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_holds_more_by_another_consumer_counts_once_and_hides_no_job_that_is_nowhere() {
    let mut world = World::new(calls(60)).await;
    world.set("AMQP_MANAGEMENT_URL", variable("TEST_AMQP_MANAGEMENT_URL"));
    world.sync().await;
    world.database.execute("UPDATE trabajos SET pedido_en = now() - interval '3 hours'");
    for lane in ["fetch", "backfill"] {
        world.management().purge(lane);
    }
    for _ in 0..10 {
        world.management().publish("fetch", &json!({}), "{}");
    }
    let broker = world.broker.connect().await;
    let mut worker = broker.subscribe(Lane::Fetch, 2).await.expect("it consumes");
    worker.widen(4).await.expect("it consumes");
    // Until the management API knows both consumers, each counts as one that holds what a worker may.
    until("they count as one", async || {
        let told = world.run("producer", &["status", "--json"]).await.stdout;
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let lane = &told["broker"]["queues"][0];
        (&lane["consumers"], &lane["waiting"]) == (&json!(1), &json!(6))
    })
    .await;
    let told = status(&world, 1).await;
    assert_eq!(rules(&told), ["unanswered"], "{told}");
    // 10 are on their way: 6 wait, and 4 are held.
    assert!(told["problems"][0]["what"].as_str().is_some_and(|what| what.starts_with("50 jobs")), "{told}");
    drop(worker);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_away_is_said_and_the_rest_is_shown() {
    let mut world = done(5).await;
    let (amqp, database) = (variable("TEST_AMQP_URL"), world.database.url());
    world.set("AMQP_URL", "amqp://guest:s3cr3t@127.0.0.1:1/%2f");
    let told = status(&world, 1).await;
    assert_eq!((rules(&told), &told["broker"]), (vec!["broker"], &Value::Null));
    assert_eq!(told["database"]["last_complete"]["listed"], 5);
    let screen = exits(world.run("producer", &["status"]).await, 1);
    assert!(
        screen.stdout.contains("the broker says nothing") && screen.stdout.contains("sync"),
        "{screen:?}"
    );
    assert!(!screen.stdout.contains("s3cr3t") && !screen.stderr.contains("s3cr3t"));

    world.set("DATABASE_URL", away(&database));
    exits(world.run("producer", &["status"]).await, 69);

    world.set("AMQP_URL", amqp);
    let told = status(&world, 1).await;
    assert_eq!((rules(&told), &told["database"]), (vec!["database"], &Value::Null));
    assert_eq!(told["broker"]["queues"].as_array().map(Vec::len), Some(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_migrated_is_not_well() {
    let world = World::on(shared::testing::TestDatabase::empty(), calls(1)).await;
    let told = status(&world, 1).await;
    assert_eq!(
        (rules(&told), &told["problems"][0]["remedy"]),
        (vec!["database"], &json!("producer migrate"))
    );
}

/// The same URL, at a port where nobody listens.
fn away(url: &str) -> String {
    let (before, rest) = url.rsplit_once(':').expect("a port");
    let (_, database) = rest.split_once('/').expect("a database");
    format!("{before}:1/{database}")
}
