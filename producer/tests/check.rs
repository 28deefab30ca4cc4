//! Every dependency and setting, tried: each thing that fails is named with its remedy, sets the exit code, and keeps nothing
//! else from being tried.

mod support;

use std::os::unix::fs::PermissionsExt;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use serde_json::{Value, json};
use shared::testing::TestDatabase;
use simulator::Settings;
use support::management::variable;
use support::{KEY, World, calls, exits};

/// Stands where a secret would.
const SECRET: &str = "s3cr3t-0f-th3-t3st";

/// `check --json`, which ends with this code.
async fn check(world: &World, code: i32) -> Value {
    let finished = exits(world.run("producer", &["check", "--json"]).await, code);
    for text in [&finished.stdout, &finished.stderr] {
        assert!(!text.contains(SECRET) && !text.contains(KEY), "{text}");
    }
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// The findings of this outcome.
fn of<'a>(told: &'a Value, outcome: &str) -> Vec<&'a Value> {
    let findings = told["findings"].as_array().expect("there is a list");
    findings.iter().filter(|finding| finding["outcome"] == outcome).collect()
}

/// There is a finding of this outcome whose text and remedy have all of these words.
#[track_caller]
fn has(told: &Value, outcome: &str, words: &[&str]) {
    let text = |finding: &Value| format!("{} {} {}", finding["check"], finding["found"], finding["remedy"]);
    let found =
        of(told, outcome).into_iter().any(|finding| words.iter().all(|word| text(finding).contains(word)));
    assert!(found, "no finding that is {outcome} has all of {words:?}: {told:#}");
}

/// What each check came to, apart from those named.
#[track_caller]
fn others_are_good(told: &Value, but: &[&str]) {
    for finding in told["findings"].as_array().expect("there is a list") {
        let name = finding["check"].as_str().expect("a name");
        assert!(but.contains(&name) || finding["outcome"] == "good", "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_nothing_fails_and_no_word_of_a_call_is_shown() {
    let mut world = World::new(calls(30)).await;
    world.set("AMQP_MANAGEMENT_URL", variable("TEST_AMQP_MANAGEMENT_URL"));
    world.set("DATA_ITEMS", "lugar,modo");
    let told = check(&world, 0).await;
    others_are_good(&told, &[]);
    assert_eq!((&told["failed"], &told["warnings"], &told["exit_code"]), (&json!(0), &json!(0), &json!(0)));
    for check in ["configuration", "API", "database", "clock", "broker", "mapping", "older system"] {
        assert!(of(&told, "good").iter().any(|finding| finding["check"] == check), "{check}");
    }
    let finished = exits(world.run("producer", &["check"]).await, 0);
    let last = finished.stdout.lines().last().expect("a count");
    assert!(last.starts_with("good: ") && last.ends_with("warnings: 0, failed: 0"), "{last}");
    for canary in world.simulator.canaries() {
        assert!(!finished.stdout.contains(&canary) && !finished.stderr.contains(&canary));
    }
    assert_eq!((world.stored().len(), world.booked().len()), (0, 0), "nothing is stored or asked for");
    assert_eq!(world.depth(&["fetch", "backfill", "dead"]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_management_api_what_it_would_tell_is_unknown() {
    let world = World::new(calls(5)).await;
    let told = check(&world, 0).await;
    has(&told, "skipped", &["broker", "unknown", "AMQP_MANAGEMENT_URL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_and_one_without_the_scope_are_told_apart() {
    let mut world = World::new(calls(5)).await;
    world.set("ELEVENLABS_API_KEY", SECRET);
    let told = check(&world, 77).await;
    has(&told, "failed", &["API", "refused", "invalid_api_key", "ELEVENLABS_API_KEY"]);
    others_are_good(&told, &["API", "broker", "mapping"]);
    world.set("ELEVENLABS_API_KEY", KEY);
    world.simulator.update_faults(|faults| faults.scope_missing = true);
    has(&check(&world, 77).await, "failed", &["API", "missing_permissions", "convai_read"]);
    world.simulator.update_faults(|faults| faults.only_details = true);
    has(&check(&world, 77).await, "failed", &["a call's detail", "convai_read"]);
    world.set("ELEVENLABS_BASE_URL", "http://127.0.0.1:1");
    has(&check(&world, 69).await, "failed", &["API", "connection lost", "ELEVENLABS_BASE_URL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_without_calls_and_one_whose_newest_call_is_gone_are_no_failures() {
    let world = World::new(calls(0)).await;
    has(&check(&world, 0).await, "warning", &["lists no conversation"]);
    let faults = simulator::Faults { missing: 0.5, ..simulator::Faults::default() };
    let world = World::new(Settings { faults, ..calls(30) }).await;
    has(&check(&world, 0).await, "good", &["a call's detail can be read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_variables_are_all_named_and_the_rest_is_tried() {
    let mut world = World::new(calls(5)).await;
    for (name, value) in [
        ("AMQP_NAMSPACE", "12"),
        ("SYNC_SINCE", "yesterday"),
        ("TIMEZONE", "America/Atlantis"),
        ("WORKER_PREFETCH", "many"),
        ("LOG_FORMAT", "xml"),
        ("DB_HOST", "db.example"),
        ("DB_USER", "u"),
        ("DB_NAME", "n"),
    ] {
        world.set(name, value);
    }
    let told = check(&world, 64).await;
    for name in ["AMQP_NAMSPACE", "SYNC_SINCE", "TIMEZONE", "WORKER_PREFETCH", "LOG_FORMAT"] {
        has(&told, "failed", &["configuration", name]);
    }
    has(&told, "warning", &["DATABASE_URL", "DB_*"]);
    has(&told, "skipped", &["broker"]);
    has(&told, "good", &["API", "takes the key"]);
    has(&told, "good", &["database", "the schema is this release's"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_everybody_may_read_is_a_warning() {
    let mut world = World::new(calls(5)).await;
    let path = std::env::temp_dir().join(format!("check-key-{}", std::process::id()));
    std::fs::write(&path, KEY).expect("a file");
    world.unset("ELEVENLABS_API_KEY");
    world.set("ELEVENLABS_API_KEY_FILE", path.to_string_lossy());
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
    mode(0o644);
    has(&check(&world, 0).await, "warning", &["ELEVENLABS_API_KEY_FILE", "chmod o="]);
    mode(0o600);
    let told = check(&world, 0).await;
    assert!(of(&told, "warning").iter().all(|finding| finding["check"] != "configuration"), "{told}");
    std::fs::remove_file(path).expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let world = World::new(calls(5)).await;
    for (secs, which) in [(300, "behind"), (-300, "ahead of")] {
        world.simulator.update_faults(|faults| faults.date_shift_secs = secs);
        let told = check(&world, 1).await;
        has(&told, "failed", &["clock", which, "the API's", "NTP"]);
    }
    world.simulator.update_faults(|faults| faults.date_shift_secs = 20);
    check(&world, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_looked_at_whatever_its_schema() {
    let world = World::on(TestDatabase::empty(), calls(5)).await;
    let told = check(&world, 75).await;
    has(&told, "failed", &["database", "older than this program", "producer migrate"]);
    has(&told, "skipped", &["older system"]);
    others_are_good(&told, &["database", "broker", "mapping", "calls", "older system"]);
    world.migrate().await;
    check(&world, 0).await;
    world.database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    has(&check(&world, 64).await, "failed", &["newer than this program", "29990101000000", "install"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_or_is_away_has_its_own_code() {
    let mut world = World::new(calls(5)).await;
    let url = world.database.url();
    world.set("DATABASE_URL", url.replace("postgres:postgres@", &format!("postgres:{SECRET}@")));
    has(&check(&world, 64).await, "failed", &["database", "refuses the login", "DATABASE_URL"]);
    world.set("DATABASE_URL", format!("postgres://postgres:{SECRET}@127.0.0.1:1/x"));
    let told = check(&world, 69).await;
    has(&told, "failed", &["database", "cannot be reached", "DATABASE_URL"]);
    has(&told, "good", &["broker", "RabbitMQ takes the login"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_a_role_lacks_are_granted_by_the_remedy() {
    let mut world = World::new(calls(5)).await;
    let role = format!("role_{}", world.database.value("SELECT current_database()::text AS v"));
    let _guard = Role(world.database.connect(), role.clone());
    world.database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'"));
    world.set("DATABASE_URL", world.database.url().replace("postgres:postgres@", &format!("{role}:x@")));
    let told = check(&world, 64).await;
    has(&told, "failed", &["lacks", "INSERT", "trabajos", "GRANT"]);
    for finding in of(&told, "failed") {
        let remedy = finding["remedy"].as_str().expect("a remedy");
        if remedy.starts_with("GRANT") {
            world.database.execute(remedy);
        }
    }
    let told = check(&world, 0).await;
    has(&told, "good", &["has the rights"]);
    exits(world.run("producer", &["sync"]).await, 0);
    exits(world.run("producer", &["status"]).await, 1);
}

/// Roles belong to the server, not to the database: dropped at the end.
struct Role(PgConnection, String);

impl Drop for Role {
    fn drop(&mut self) {
        let name = &self.1;
        self.0.batch_execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_log_that_quotes_rows_is_a_warning() {
    let mut world = World::new(calls(5)).await;
    // As the server's own settings would be: these come with the session.
    let options = "options=-c%20log_error_verbosity%3Ddefault%20-c%20log_statement%3Dmod";
    world.set("DATABASE_URL", format!("{}?{options}", world.database.url()));
    let told = check(&world, 0).await;
    has(
        &told,
        "warning",
        &[
            "database",
            "log_error_verbosity = default",
            "log_statement = mod",
            "ALTER SYSTEM SET log_error_verbosity = terse;",
            "pg_reload_conf",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_refuses_or_is_away_has_its_own_code() {
    let mut world = World::new(calls(5)).await;
    let url = variable("TEST_AMQP_URL");
    world.set("AMQP_URL", url.replace("guest:guest", &format!("guest:{SECRET}")));
    let told = check(&world, 64).await;
    has(&told, "failed", &["broker", "refuses the login", "AMQP_URL"]);
    others_are_good(&told, &["broker", "mapping"]);
    world.set("AMQP_URL", format!("amqp://guest:{SECRET}@127.0.0.1:1/%2f"));
    has(&check(&world, 69).await, "failed", &["broker", "cannot be reached", "AMQP_URL"]);
    world.set("AMQP_URL", url);
    world.set(
        "AMQP_MANAGEMENT_URL",
        variable("TEST_AMQP_MANAGEMENT_URL").replace("guest:guest", &format!("guest:{SECRET}")),
    );
    has(&check(&world, 64).await, "failed", &["broker", "AMQP_MANAGEMENT_URL", "monitoring"]);
    world.set("AMQP_MANAGEMENT_URL", format!("http://guest:{SECRET}@127.0.0.1:1"));
    has(&check(&world, 69).await, "failed", &["broker", "management API cannot be reached"]);
    world.set("AMQP_MANAGEMENT_URL", SECRET);
    has(&check(&world, 64).await, "failed", &["AMQP_MANAGEMENT_URL", "http://user:password@host:15672"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_queue_that_is_declared_otherwise_is_named() {
    let world = World::new(calls(5)).await;
    for queue in ["fetch", "retry.200ms"] {
        world.management().declare_classic(queue);
    }
    let told = check(&world, 64).await;
    for queue in ["fetch", "retry.200ms"] {
        has(
            &told,
            "failed",
            &["broker", &format!("'{}'", world.queue(queue)), "delete_queue", "AMQP_NAMESPACE"],
        );
    }
    assert_eq!(of(&told, "failed").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_the_brokers_user_lacks_are_one_finding_with_one_remedy() {
    let mut world = World::new(calls(5)).await;
    let management = world.management();
    let user = format!("user-{}", world.queue("x"));
    let queues = format!("^{}\\.", world.broker.config().namespace);
    // First none to declare, then none to publish to the exchange.
    for rights in [["^$", ".*", ".*"], [".*", &queues, ".*"]] {
        management.set_user(&user, SECRET, rights);
        world.set("AMQP_URL", variable("TEST_AMQP_URL").replace("guest:guest", &format!("{user}:{SECRET}")));
        let told = check(&world, 64).await;
        has(
            &told,
            "failed",
            &["broker", "lacks rights", "ACCESS_REFUSED", &user, "rabbitmqctl set_permissions"],
        );
        assert_eq!(of(&told, "failed").len(), 1, "{told:#}");
    }
    management.set_user(&user, SECRET, [".*", ".*", ".*"]);
    world.set("AMQP_MANAGEMENT_URL", variable("TEST_AMQP_MANAGEMENT_URL").replace("guest:guest@", ""));
    has(&check(&world, 64).await, "failed", &["management API refuses the user", "monitoring"]);
    management.delete_user(&user);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_makes_jobs_vanish_is_a_warning() {
    let mut world = World::new(calls(5)).await;
    world.set("AMQP_MANAGEMENT_URL", variable("TEST_AMQP_MANAGEMENT_URL"));
    check(&world, 0).await;
    let policy = world.management().set_policy(&json!({ "max-length": 10 }));
    support::until("the policy is in force", async || {
        of(&check(&world, 0).await, "warning")
            .iter()
            .any(|finding| finding.to_string().contains("max-length"))
    })
    .await;
    has(&check(&world, 0).await, "warning", &["broker", &policy, "max-length", &world.queue("fetch")]);
    world.management().clear_policy(&policy);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_names_what_no_agent_collects_is_a_warning() {
    let mut world = World::new(calls(5)).await;
    let told = check(&world, 0).await;
    has(&told, "good", &["mapping", "four columns"]);
    has(&told, "warning", &["mapping", "DATA_ITEMS", "telefono_contacto"]);
    let remedy = of(&told, "warning")[0]["remedy"].as_str().expect("a remedy").to_owned();
    world.set("DATA_ITEMS", remedy.strip_prefix("DATA_ITEMS=").expect("a value"));
    world.set("REPORT_LUGAR", "lugar,lugra");
    world.set("REPORT_TIEMPO", "cuando");
    let told = check(&world, 0).await;
    has(&told, "warning", &["REPORT_LUGAR", "no agent collects lugra", "id_extorsion"]);
    has(&told, "warning", &["REPORT_TIEMPO", "no agent collects cuando"]);
    assert_eq!(of(&told, "warning").len(), 2, "{told:#}");
    world.unset("REPORT_LUGAR");
    world.unset("REPORT_TIEMPO");
    let agents = world.simulator.agent_ids();
    world.set("ELEVENLABS_AGENT_ID", agents[0].as_str());
    others_are_good(&check(&world, 0).await, &["broker"]);
    world.set("ELEVENLABS_AGENT_ID", "agent_of_nobody");
    has(&check(&world, 64).await, "failed", &["ELEVENLABS_AGENT_ID", "no such agent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_system_that_still_writes_leaves_traces() {
    let world = World::new(calls(5)).await;
    // Adopted: it was there before.
    world.database.execute(
        "INSERT INTO conversaciones (id_eleven, fecha, hora_inicio) VALUES ('conv_before', '2025-01-01', '10:00')",
    );
    has(&check(&world, 0).await, "good", &["older system", "1 of its calls"]);
    world.database.execute(
        "INSERT INTO conversaciones (id_eleven, fecha, hora_inicio) VALUES ('conv_since', current_date + 2, '10:00')",
    );
    has(
        &check(&world, 0).await,
        "warning",
        &["older system", "1 calls that began after the migration", "stop it"],
    );
    world.database.execute("DELETE FROM conversaciones");
    let mut session = world.database.connect();
    session
        .batch_execute(
            "SET application_name = 'sync_conversations'; BEGIN; \
                        INSERT INTO conversaciones (id_eleven) VALUES ('conv_now')",
        )
        .expect("it can be written");
    has(
        &check(&world, 0).await,
        "warning",
        &["older system", "sync_conversations", "role postgres", "stop it"],
    );
    drop(session);
}
