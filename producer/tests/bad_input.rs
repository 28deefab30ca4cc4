//! Bad input: each with its exit code, the variable or flag at fault, and the remedy, for both binaries, and never with a
//! value that may be a secret.

mod support;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use shared::testing::{Finished, TestDatabase, binary};
use simulator::{Faults, Settings, Simulator};
use support::{World, calls, exits, until};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// Stands where a secret would.
const SECRET: &str = "s3cr3t-0f-th3-t3st";

/// Both, with what each is told to do.
const BOTH: [(&str, &[&str]); 2] = [("producer", &["sync"]), ("consumer", &["--drain", "--wait", "1s"])];

/// It ended with this code, and said all of these, each on a line of its own that tells what to do; and no secret.
#[track_caller]
fn says(finished: Finished, code: i32, remedies: &[&[&str]]) -> Finished {
    let finished = exits(finished, code);
    for words in remedies {
        let line = finished.stderr.lines().find(|line| words.iter().all(|word| line.contains(word)));
        assert!(line.is_some(), "no line has all of {words:?}:\n{}", finished.stderr);
    }
    assert!(!finished.stderr.contains(SECRET) && !finished.stdout.contains(SECRET), "{finished:?}");
    finished
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_flags_are_wrong_usage() {
    let world = World::new(calls(1)).await;
    for (binary, arguments, word) in [
        ("producer", &["sink"][..], "sink"),
        ("producer", &[], "Usage"),
        ("producer", &["sync", "--jsn"], "--jsn"),
        ("producer", &["dead"], "Usage"),
        ("producer", &["dead", "list", "--limit", "0"], "--limit"),
        ("producer", &["dead", "list", "--older-than", "yesterday"], "--older-than"),
        ("producer", &["dead", "replay", "--rate", "0"], "--rate"),
        ("producer", &["dead", "discard", "--all"], "--reason"),
        ("consumer", &["--drian"], "--drian"),
        ("consumer", &["--wait", "5s"], "--drain"),
        ("consumer", &["--drain", "--wait", "soon"], "--wait"),
        ("consumer", &["now"], "now"),
    ] {
        says(world.run(binary, arguments).await, 64, &[&[word]]);
    }
    for binary in ["producer", "consumer"] {
        let help = exits(world.run(binary, &["--help"]).await, 0);
        assert!(help.stdout.contains("Exit codes") && help.stderr.is_empty());
        exits(world.run(binary, &["--version"]).await, 0);
    }
    assert_eq!(world.simulator.served().requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn discarding_everything_by_accident_is_wrong_usage() {
    let world = World::new(calls(1)).await;
    let refused = world.run("producer", &["dead", "discard", "--reason", "x"]).await;
    says(refused, 64, &[&["--all"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_variable_is_named_at_once() {
    for (binary, arguments) in BOTH {
        let none: [(&str, &str); 0] = [];
        let finished = shared::testing::Process::start(binary, arguments, &none).finished().await;
        let remedies: [&[&str]; 2] = [
            &["ELEVENLABS_API_KEY", "required", "convai_read", "ELEVENLABS_API_KEY_FILE"],
            &["DATABASE_URL", "required", "postgres://", "DB_HOST"],
        ];
        says(finished, 64, &remedies);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_variable_is_named_at_once() {
    let mut world = World::new(calls(1)).await;
    for (name, value) in [
        ("ELEVENLABS_BASE_URL", "http://api.example.com/s3cr3t-0f-th3-t3st"),
        ("ELEVENLABS_AGENT_ID", "an agent/s3cr3t-0f-th3-t3st"),
        ("ELEVENLABS_CONCURRENCY", "0"),
        ("ELEVENLABS_TIMEOUT", "30"),
        ("ELEVENLABS_MAX_BODY", "32MB"),
        ("DATABASE_URL", "s3cr3t-0f-th3-t3st"),
        ("DATABASE_POOL_SIZE", "many"),
        ("AMQP_URL", "http://guest:s3cr3t-0f-th3-t3st@localhost"),
        ("AMQP_NAMESPACE", "089/prod"),
        ("AMQP_RETRY_DELAYS", "15s,soon"),
        ("AMQP_NAMSPACE", "12"),
    ] {
        world.set(name, value);
    }
    let common: [&[&str]; 11] = [
        &["ELEVENLABS_BASE_URL", "https://"],
        &["ELEVENLABS_AGENT_ID", "agent_"],
        &["ELEVENLABS_CONCURRENCY", "from 1 to"],
        &["ELEVENLABS_TIMEOUT", "15s"],
        &["ELEVENLABS_MAX_BODY", "32MiB"],
        &["DATABASE_URL", "postgres://user:password@"],
        &["DATABASE_POOL_SIZE", "whole number"],
        &["AMQP_URL", "amqps://"],
        &["AMQP_NAMESPACE", "letters"],
        &["AMQP_RETRY_DELAYS", "15s"],
        &["AMQP_NAMSPACE", "AMQP_NAMESPACE is meant"],
    ];
    world.set("SYNC_SINCE", "yesterday");
    world.set("SYNC_OVERLAP", "-1h");
    let own: [&[&str]; 2] = [&["SYNC_SINCE", "2026-01-31"], &["SYNC_OVERLAP", "15s"]];
    says(world.run("producer", &["sync"]).await, 64, &[&common[..], &own].concat());

    world.set("WORKER_PREFETCH", "-5");
    world.set("WORKER_BATCH_DELAY", "20");
    world.set("TIMEZONE", "Marte/Olympus");
    let own: [&[&str]; 3] = [
        &["WORKER_PREFETCH", "whole number"],
        &["WORKER_BATCH_DELAY", "500ms"],
        &["TIMEZONE", "America/Mexico_City"],
    ];
    says(world.run("consumer", &[]).await, 64, &[&common[..], &own].concat());
    assert_eq!(world.simulator.served().requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_malformed_settings_are_named() {
    for (name, value, remedy) in [
        ("LOG_FORMAT", "xml", "json"),
        ("ELEVENLABS_API_KEY_FILE", "/nowhere/s3cr3t", "ELEVENLABS_API_KEY"),
        ("DATABASE_URL_FILE", "/nowhere/s3cr3t", "DATABASE_URL"),
        ("ELEVENLABS_ALLOW_HTTP", "maybe", "true or false"),
        ("AMQP_UNFINISHED_DELAYS", "1m", "two durations"),
    ] {
        for (binary, arguments) in BOTH {
            let mut world = World::new(calls(1)).await;
            world.set(name, value);
            says(world.run(binary, arguments).await, 64, &[&[name, remedy]]);
        }
    }
    for (binary, arguments) in BOTH {
        let mut world = World::new(calls(1)).await;
        world.set("ELEVENLABS_API_KEY", format!("{SECRET}\u{f1}"));
        says(world.run(binary, arguments).await, 64, &[&["ELEVENLABS_API_KEY", "header"]]);
        world.unset("DATABASE_URL");
        world.set("DB_HOST", "localhost");
        world.set("DB_PASSWORD", SECRET);
        let missing: [&[&str]; 2] = [&["DB_NAME", "required"], &["DB_USER", "required"]];
        says(world.run(binary, arguments).await, 64, &missing);
    }
}

/// Runs a binary in a folder of its own, with a file `.env` and these variables.
async fn run_beside(
    file: &[u8],
    name: &str,
    arguments: &[&str],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Finished {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    std::fs::write(folder.path().join(".env"), file).expect("a file");
    let mut command = Command::new(binary(name));
    command.args(arguments).env_clear().envs(variables).current_dir(&folder);
    let output = command.output().await.expect("a binary of ours starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// The variables of a world, but this one.
fn without(world: &World, left_out: &str) -> Vec<(OsString, OsString)> {
    let variables = world.variables().into_iter().filter(|(name, _)| *name != left_out);
    variables.map(|(name, value)| (name.into(), value.into())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_in_the_env_file_that_assigns_nothing_is_named_and_not_repeated() {
    let world = World::new(calls(1)).await;
    for (file, line) in [
        (format!("ELEVENLABS_API_KEY {SECRET}\n"), "line 1"),
        (format!("A=1\n= {SECRET}\n"), "line 2"),
        (format!("# one\n\nA=\"{SECRET}\n"), "line 3"),
    ] {
        for (name, arguments) in BOTH {
            let finished = run_beside(file.as_bytes(), name, arguments, without(&world, "")).await;
            says(finished, 64, &[&[".env", line, "NAME=value"]]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_env_file_is_taken_as_it_is_written() {
    for key in ["bench-key$x", "$HOME", "k\\3", "k#3\"'s", "${k}"] {
        let settings = Settings { api_key: key.to_owned(), ..calls(1) };
        let simulator = Simulator::start(settings).await.expect("a port is free");
        let mut world = World::new(calls(1)).await;
        world.set("ELEVENLABS_BASE_URL", simulator.base_url());
        let file = format!("\u{feff}# the key\r\nELEVENLABS_API_KEY={key}\r\n");
        let variables = without(&world, "ELEVENLABS_API_KEY");
        let synced = run_beside(file.as_bytes(), "producer", &["sync"], variables).await;
        assert_eq!(synced.code, Some(0), "{key}: {}", synced.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_is_no_utf_8_does_not_count_as_none() {
    let world = World::new(calls(1)).await;
    for (name, arguments) in BOTH {
        let mut variables = without(&world, "");
        variables.push(("ELEVENLABS_AGENT_ID".into(), OsStr::from_bytes(b"agent_\xff").to_owned()));
        variables.push(("SOMEBODY_ELSE_S".into(), OsStr::from_bytes(b"\xff").to_owned()));
        let finished = run_beside(b"", name, arguments, variables).await;
        assert!(!finished.stderr.contains("SOMEBODY"), "{}", finished.stderr);
        says(finished, 64, &[&["ELEVENLABS_AGENT_ID", "no UTF-8"]]);
    }
    assert_eq!(world.simulator.served().requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_somebody_else_s_is_warned_of_once_and_ends_nothing() {
    let mut world = World::new(calls(1)).await;
    world.set("DATABASE_ADAPTER", SECRET);
    world.set("AMQP_PORT", "tcp://10.0.0.1:5672");
    let synced = world.run("producer", &["sync"]).await;
    assert_eq!(synced.code, Some(0), "{}", synced.stderr);
    assert_eq!(synced.stderr.matches("DATABASE_ADAPTER").count(), 1, "{}", synced.stderr);
    assert!(!synced.stderr.contains("AMQP_PORT") && !synced.stderr.contains(SECRET), "{}", synced.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_reached_is_unavailable() {
    let mut world = World::new(calls(1)).await;
    world.set("DATABASE_URL", format!("postgres://ana:{SECRET}@127.0.0.1:1/llamadas"));
    for arguments in [&["sync"][..], &["migrate"], &["dead", "list"]] {
        says(world.run("producer", arguments).await, 69, &[&["PostgreSQL", "DATABASE_URL"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_cannot_be_reached_is_unavailable() {
    let mut world = World::new(calls(1)).await;
    world.set("AMQP_URL", format!("amqp://guest:{SECRET}@127.0.0.1:1/%2f"));
    says(world.run("producer", &["sync"]).await, 69, &[&["broker", "AMQP_URL"]]);
}

/// So many jobs wait for better times; the broker learns a moment later that their worker has ended.
async fn are_waiting(world: &World, count: usize) {
    until("the jobs are back", async || world.depth(&["fetch", "backfill"]).await >= count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_cannot_be_reached_is_unavailable() {
    let mut world = World::new(calls(1)).await;
    world.sync().await;
    world.set("ELEVENLABS_BASE_URL", "http://127.0.0.1:1");
    says(world.run("producer", &["sync"]).await, 69, &[&["connection lost while connecting"]]);
    says(world.run("consumer", &["--drain", "--wait", "1s"]).await, 69, &[&["API does not answer"]]);
    are_waiting(&world, 1).await;
    assert!(world.letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_waits_for_its_dependencies_and_says_so_until_it_is_stopped() {
    for (variable, url) in [
        ("AMQP_URL", format!("amqp://guest:{SECRET}@127.0.0.1:1/%2f")),
        ("DATABASE_URL", format!("postgres://ana:{SECRET}@127.0.0.1:1/llamadas")),
    ] {
        let mut world = World::new(calls(1)).await;
        world.set(variable, url);
        let mut worker = Command::new(binary("consumer"))
            .env_clear()
            .envs(world.variables())
            .current_dir(std::env::temp_dir())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a binary of ours starts");
        let mut stderr = BufReader::new(worker.stderr.take().expect("it is piped"));
        let mut line = String::new();
        let waiting = tokio::time::timeout(Duration::from_mins(1), async {
            while !(line.contains(variable) && line.contains("cannot be reached")) {
                line.clear();
                assert_ne!(stderr.read_line(&mut line).await.expect("text"), 0, "it ended");
                assert!(!line.contains(SECRET), "{line}");
            }
        });
        assert!(waiting.await.is_ok(), "it waits for what {variable} names and does not say so");
        let pid = worker.id().expect("it runs").to_string();
        let kill = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(kill.expect("kill is there").success());
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).await.expect("text");
        assert_eq!(worker.wait().await.expect("it ends").code(), Some(0), "{rest}");
        assert!(!rest.contains(SECRET));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_wrong_configuration() {
    let mut world = World::new(calls(1)).await;
    let right = world.database.url();
    let (login, place) = right.split_once('@').expect("with a login");
    let user = login.rsplit_once(':').expect("with a password").0.to_owned();
    for wrong in [format!("{user}:{SECRET}@{place}"), format!("{right}_que_no_existe")] {
        world.set("DATABASE_URL", wrong);
        for (binary, arguments) in BOTH {
            says(
                world.run(binary, arguments).await,
                64,
                &[&["PostgreSQL refuses the login", "DATABASE_URL"]],
            );
        }
        says(world.run("producer", &["migrate"]).await, 64, &[&["DATABASE_URL"]]);
    }
    world.set("DATABASE_URL", right.clone());
    let broker: String =
        world.variables().into_iter().find(|(name, _)| *name == "AMQP_URL").expect("it is set").1.into();
    let (scheme, place) =
        (broker.split_once("://").expect("a URL").0, broker.rsplit_once('@').expect("a login").1);
    let (host, _) = place.split_once('/').expect("a virtual host");
    for wrong in [
        format!("{scheme}://guest:{SECRET}@{place}"),
        broker.replace(place, &format!("{host}/que_no_existe")),
    ] {
        world.set("AMQP_URL", wrong);
        for (binary, arguments) in BOTH {
            says(world.run(binary, arguments).await, 64, &[&["refuses the login", "AMQP_URL"]]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_said_with_its_scope() {
    let mut world = World::new(calls(3)).await;
    world.sync().await;
    world.set("ELEVENLABS_API_KEY", SECRET);
    says(world.run("producer", &["sync"]).await, 77, &[&["key is refused", "401"]]);
    let drain = world.run("consumer", &["--drain", "--wait", "1s"]).await;
    says(drain, 77, &[&["refuses the key", "ELEVENLABS_API_KEY", "convai_read"]]);
    world.set("ELEVENLABS_API_KEY", support::KEY);
    world.simulator.update_faults(|faults| faults.scope_missing = true);
    says(world.run("producer", &["sync"]).await, 77, &[&["key is refused", "missing_permissions"]]);
    are_waiting(&world, 3).await;
    assert!(world.letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_without_end_is_for_later() {
    let world = World::new(calls(3)).await;
    world.sync().await;
    let throttled =
        Faults { concurrency_limit: Some(0), retry_after: Some(Duration::from_mins(2)), ..Faults::default() };
    world.simulator.set_faults(throttled);
    says(world.run("producer", &["sync"]).await, 75, &[&["throttled"]]);
    says(world.run("consumer", &["--drain", "--wait", "1s"]).await, 75, &[&["throttling (429)"]]);
    are_waiting(&world, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_time_zone_is_wrong_configuration() {
    let mut world = World::new(calls(1)).await;
    world.set("TIMEZONE", "Mexico");
    says(world.run("consumer", &["--drain"]).await, 64, &[&["TIMEZONE", "America/Mexico_City"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_newer_than_the_binary_is_left_alone() {
    let world = World::new(calls(1)).await;
    world.database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    for arguments in [&["sync"][..], &["migrate"], &["dead", "list"], &["dead", "replay"]] {
        says(
            world.run("producer", arguments).await,
            64,
            &[&["newer than this program", "29991231000001", "install"]],
        );
    }
    says(world.run("consumer", &["--drain"]).await, 64, &[&["newer than this program", "install"]]);
    assert_eq!((world.count("corridas"), world.simulator.served().requests()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_migrated_is_for_later() {
    let world = World::on(TestDatabase::empty(), calls(1)).await;
    for arguments in [&["sync"][..], &["dead", "list"], &["dead", "replay"]] {
        says(world.run("producer", arguments).await, 75, &[&["older than this program", "producer migrate"]]);
    }
    // A worker waits a minute for it: it may have been started beside the migration.
    says(world.run("consumer", &["--drain"]).await, 75, &[&["older than this program", "producer migrate"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_when_the_database_is_migrated_meanwhile() {
    let world = World::on(TestDatabase::empty(), calls(3)).await;
    let worker = world.start("consumer", &["--drain"]);
    until("it has looked at the schema", async || {
        world.count("pg_stat_activity WHERE datname = current_database() AND query LIKE '%__diesel_schema_migrations%' AND pid <> pg_backend_pid()") > 0
    })
    .await;
    world.migrate().await;
    exits(worker.finished().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_another_make_is_wrong_configuration() {
    let world = World::new(calls(1)).await;
    world.management().declare_classic("fetch");
    for (binary, arguments) in BOTH {
        says(world.run(binary, arguments).await, 64, &[&["refuses a queue", "AMQP_NAMESPACE"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_no_jobs_are_set_aside_and_the_others_worked() {
    let world = World::new(calls(2)).await;
    world.sync().await;
    let management = world.management();
    let bodies = [
        ("", "esto no es JSON"),
        ("", "{\"v\":1}"),
        ("", ""),
        ("conv_de_otra_version", "{\"v\":2,\"ids\":[\"conv_de_otra_version\"]}"),
        ("", "{\"v\":1,\"conversation_id\":\"../../agents\"}"),
    ];
    for (message_id, body) in bodies {
        let properties = if message_id.is_empty() { json!({}) } else { json!({ "message_id": message_id }) };
        management.publish("fetch", &properties, body);
    }
    let drained = world.drain(1).await.remove(0);
    says(
        drained,
        0,
        &[&["set aside", "job version 2", "upgrade the consumer"], &["set aside", "expected JSON"]],
    );
    assert_eq!(world.stored(), world.listed());
    let letters = world.letters().await;
    assert_eq!(letters.len(), bodies.len());
    assert!(letters.values().all(|letter| letter.class == "broken_message"), "{letters:?}");
    assert!(letters.contains_key("conv_de_otra_version"));
    let ids: BTreeSet<_> = world.listed();
    assert!(letters.keys().all(|id| !ids.contains(id)));
    assert_eq!((world.depth(&["dead"]).await, world.depth(&["fetch", "backfill"]).await), (bodies.len(), 0));
    // Their content is kept as it was: a later release may understand it.
    let kept: BTreeSet<String> = management
        .messages("dead", 20)
        .iter()
        .filter_map(|message| Some(message["payload"].as_str()?.to_owned()))
        .collect();
    assert_eq!(kept, bodies.iter().map(|(_, body)| (*body).to_owned()).collect());
}
