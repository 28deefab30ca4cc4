//! The small inputs of `../shared/cases`, read as the files they are and fed where each says. A file of a known feed is
//! driven by what its first line says is right; one whose feed or right no driver knows fails, so that none is skipped unseen.

#[path = "../support/mod.rs"]
mod support;

mod case;
mod stub;

use std::collections::BTreeMap;

use case::{Case, Feed};
use serde_json::{Value, json};
use shared::testing::{Finished, TestDatabase};
use stub::{Answer, Served, Stub};
use support::{KEY, World, calls, exits};

/// Cases that are not driven here, and why: the issue that asks for what is not built yet, or the test that has it.
const NOT_HERE: [(&str, &str); 15] = [
    ("10-list-cursor-cycle", "issue 14"),
    ("12-agents-cursor-cycle", "issue 14"),
    ("13-key-400", "issue 14"),
    ("14-google-400-html", "issue 14"),
    ("16-404-for-all", "issue 14"),
    ("17-unfinished-older-than-window", "issue 14"),
    ("18-table-locked", "issue 14"),
    ("25-odd-id-in-list", "issue 14"),
    ("27-goes-on-after-done", "issue 14"),
    ("30-404-at-first", "issue 14"),
    ("31-maintenance-200", "issue 14"),
    ("51-refetch-that-fails.json", "issue 14"),
    ("56-date-ahead-and-future-start.json", "issue 14"),
    ("60-open-edit-during-refetch.txt", "issue 14"),
    ("61-untrusted-certificate.txt", "told in words; shared/src/elevenlabs/tests/client.rs has it"),
];

const MASK: &str = "[línea de quien llama]";

/// The cases of one feed; what is not built is left out, and said. `None` where there is no folder of cases.
#[expect(clippy::print_stdout, reason = "what was not tried belongs to what a test says")]
fn cases() -> Option<Vec<Case>> {
    let Some(folder) = case::folder() else {
        println!("skipped: there is no ../shared/cases beside this clone");
        return None;
    };
    let mut cases = case::all(&folder);
    cases.retain(|case| {
        let why = NOT_HERE.iter().find(|(name, _)| *name == case.name).map(|(_, why)| why);
        if let Some(why) = why {
            println!("{}: not covered here ({why})", case.name);
        }
        why.is_none()
    });
    Some(cases)
}

fn path(of: &str) -> String {
    format!("/v1/convai/{of}")
}

fn body(json: &Value) -> Answer {
    Answer(200, json.to_string().into_bytes())
}

/// A list of these conversations, and of no agents.
fn lists(ids: &[String]) -> Served {
    let items: Vec<Value> = ids
        .iter()
        .map(|id| json!({"conversation_id": id, "agent_id": "agent_stub", "status": "done", "start_time_unix_secs": 1_795_836_000}))
        .collect();
    BTreeMap::from([
        (
            path("conversations"),
            body(&json!({"conversations": items, "has_more": false, "next_cursor": null})),
        ),
        (path("agents"), body(&json!({"agents": [], "has_more": false, "next_cursor": null}))),
    ])
}

/// The first id in a body that need not be JSON.
fn id_in(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    let after = text.split_once("\"conversation_id\"").unwrap_or_else(|| panic!("no id in {text}")).1;
    after.split('"').nth(1).expect("a text").to_owned()
}

async fn at(stub: &Stub, database: TestDatabase) -> World {
    let mut world = World::on(database, calls(0)).await;
    world.set("ELEVENLABS_BASE_URL", stub.base_url.clone());
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_stored_as_is_right() {
    let Some(cases) = cases() else { return };
    let details: Vec<(&Case, &Vec<u8>)> = cases
        .iter()
        .filter_map(|case| if let Feed::Detail(body) = &case.feed { Some((case, body)) } else { None })
        .collect();
    let ids: Vec<String> = details.iter().map(|(_, body)| id_in(body)).collect();
    let mut served = lists(&ids);
    for (id, (_, body)) in ids.iter().zip(&details) {
        served.insert(path(&format!("conversations/{id}")), Answer(200, (*body).clone()));
    }
    let stub = Stub::serving(KEY, served).await;
    let world = at(&stub, TestDatabase::migrated()).await;
    exits(world.run("producer", &["sync"]).await, 0);
    exits(world.run("consumer", &["--drain"]).await, 0);
    assert!(world.letters().await.is_empty(), "{:?}", world.letters().await);
    for (id, (case, _)) in ids.iter().zip(&details) {
        let row = world.database.value(&format!(
            "SELECT jsonb_build_object('c', to_jsonb(c), 'r', to_jsonb(r)) FROM conversaciones AS c \
             LEFT JOIN reportes AS r USING (id_conversacion) WHERE id_eleven = '{id}'"
        ));
        let row: Value =
            serde_json::from_str(&row).unwrap_or_else(|_| panic!("{}: it is not stored", case.name));
        assert_detail(case, &row);
    }
}

/// Holds a stored row against what its case says is right.
fn assert_detail(case: &Case, row: &Value) {
    let Case { name, right, .. } = case;
    let said = row["c"]["transcripcion"].as_str().unwrap_or_default();
    let mut is_known = false;
    let mut right_if = |says: bool, holds: bool| {
        assert!(!says || holds, "{name}: {right}: {row}");
        is_known |= says;
    };
    right_if(
        right.starts_with("masked") || right.starts_with("decide: mask") || right.contains(MASK),
        said.contains(MASK) && !said.contains("5678"),
    );
    right_if(right.starts_with('['), said == right);
    right_if(right.contains("U+FFFD"), said.contains('\u{fffd}'));
    right_if(right.contains("the transcript is stored"), said.contains(MASK) || said.contains("5678"));
    right_if(right.starts_with("one line a turn"), said.lines().count() == 1);
    right_if(
        right.starts_with("the value as text"),
        row["c"]["datos"]
            .as_object()
            .is_some_and(|items| !items.is_empty() && items.values().all(Value::is_string)),
    );
    // `column = 'value'`; and what is quoted with a "stay".
    let equal = right.split_once(" = '").and_then(|(before, _)| before.rsplit(['.', ' ']).next());
    right_if(
        equal.is_some(),
        equal.is_some_and(|column| row["r"][column].as_str() == case.quoted().first().copied()),
    );
    let text = row.to_string();
    right_if(right.ends_with("stay"), case.quoted().iter().all(|quoted| text.contains(quoted)));
    right_if(
        right == "decide: a column, or not stored",
        row["c"]["origen"].is_string() && row["r"].is_null(),
    );
    assert!(is_known, "{name}: nothing here knows how to tell whether this is right: {right}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_as_is_right() {
    let Some(cases) = cases() else { return };
    for case in &cases {
        match &case.feed {
            Feed::List(page) => {
                let stub = Stub::serving(KEY, lists(&[])).await;
                let mut served = lists(&[]);
                served.insert(path("conversations"), Answer(200, page.clone()));
                stub.serve(served);
                let world = at(&stub, TestDatabase::migrated()).await;
                let synced = world.sync().await;
                assert!(
                    case.right.contains("two items are taken"),
                    "{}: no driver for: {}",
                    case.name,
                    case.right
                );
                assert_eq!((synced.listed, synced.published), (2, 2), "{}", case.name);
            }
            Feed::Agents(page) => {
                let mut served = lists(&["conv_1".to_owned()]);
                served.insert(path("agents"), Answer(200, page.clone()));
                let stub = Stub::serving(KEY, served).await;
                let world = at(&stub, TestDatabase::migrated()).await;
                world
                    .database
                    .execute("INSERT INTO agentes (id_agente) VALUES ('agent_nul'), ('agent_good')");
                world.sync().await;
                let names = world.database.column("SELECT nombre FROM agentes ORDER BY id_agente");
                assert!(
                    case.quoted().iter().all(|quoted| names.iter().any(|name| name == quoted)),
                    "{names:?}"
                );
                assert!(names.iter().any(|name| name == "Buena"), "{names:?}");
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_taken_as_is_right() {
    let Some(cases) = cases() else { return };
    for case in &cases {
        match &case.feed {
            Feed::Environment(text) => {
                let stub = Stub::serving(KEY, lists(&[])).await;
                let mut world = at(&stub, TestDatabase::migrated()).await;
                for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
                    world.set(name, value);
                }
                assert!(case.right.contains("are skipped"), "{}: no driver for: {}", case.name, case.right);
                exits(world.run("producer", &["sync"]).await, 0);
                exits(world.run("consumer", &["--drain"]).await, 0);
            }
            Feed::Dotenv(text) => {
                let key = text.lines().find_map(|line| line.strip_prefix("ELEVENLABS_API_KEY="));
                let stub = Stub::serving(key.expect("a key"), lists(&[])).await;
                let mut world = at(&stub, TestDatabase::migrated()).await;
                world.unset("ELEVENLABS_API_KEY");
                assert!(case.right.contains("as written"), "{}: no driver for: {}", case.name, case.right);
                let folder = tempfile::tempdir().expect("a folder");
                std::fs::write(folder.path().join(".env"), text).expect("a writable folder");
                let mut command = tokio::process::Command::new(shared::testing::binary("producer"));
                command.arg("sync").env_clear().envs(world.variables()).current_dir(&folder);
                let output = command.output().await.expect("it starts");
                assert!(
                    output.status.success(),
                    "{}: {}",
                    case.name,
                    String::from_utf8_lossy(&output.stderr)
                );
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adopted_tables_are_taken_or_named() {
    let Some(cases) = cases() else { return };
    for case in &cases {
        match &case.feed {
            Feed::Sql(text) => {
                let database = TestDatabase::empty();
                database.execute(OLDER);
                database.execute(text.lines().next().expect("a statement"));
                adopted(case, database, &Value::Null).await;
            }
            Feed::Steps(steps) if steps["adopt"].is_string() => {
                let database = TestDatabase::empty();
                database.execute(steps["adopt"].as_str().expect("statements"));
                adopted(case, database, steps).await;
            }
            _ => {}
        }
    }
}

/// The older system's tables.
const OLDER: &str = "CREATE TABLE agentes (id_agente TEXT PRIMARY KEY, nombre TEXT); \
    CREATE TABLE conversaciones (id_conversacion BIGSERIAL PRIMARY KEY, id_eleven TEXT UNIQUE NOT NULL, \
    id_agente TEXT REFERENCES agentes (id_agente), fecha DATE, hora_inicio TIME, hora_fin TIME, duracion TEXT, \
    transcripcion TEXT); \
    CREATE TABLE reportes (folio BIGSERIAL PRIMARY KEY, \
    id_conversacion BIGINT UNIQUE NOT NULL REFERENCES conversaciones (id_conversacion), id_extorsion TEXT, modo TEXT, \
    tiempo TEXT, lugar TEXT);";

/// Either `migrate` widens what is in the way and says so, and every call is stored; or `check` names it, the worker waits,
/// and no call is given up.
async fn adopted(case: &Case, database: TestDatabase, steps: &Value) {
    let long = json!({"conversation_id": "conv_0", "status": "done", "transcript": [{"role": "user", "message": "x".repeat(80)}],
        "analysis": {"data_collection_results": {"lugar": {"value": "y".repeat(80)}}}});
    let details: BTreeMap<String, Answer> = match steps["phases"][0]["details"].as_object() {
        Some(details) => {
            details.iter().map(|(id, answers)| (id.clone(), body(&answers[0]["json"]))).collect()
        }
        None => BTreeMap::from([("conv_0".to_owned(), body(&long))]),
    };
    let mut served = lists(&details.keys().cloned().collect::<Vec<_>>());
    served.extend(details.iter().map(|(id, answer)| (path(&format!("conversations/{id}")), answer.clone())));
    let stub = Stub::serving(KEY, served).await;
    let world = at(&stub, database).await;
    let migrated = world.run("producer", &["migrate"]).await;
    exits(world.run("producer", &["sync"]).await, 0);
    let drained = world.run("consumer", &["--drain", "--wait", "2s"]).await;
    let checked = world.run("producer", &["check"]).await;
    let Case { name, right, .. } = case;
    assert!(world.letters().await.is_empty(), "{name}: {right}: {}", drained.stderr);
    if checked.stdout.contains("its tables take a call") {
        assert!(migrated.stderr.contains("mended"), "{name}: {right}: {}", migrated.stderr);
        assert_eq!(
            (drained.code, world.stored().len()),
            (Some(0), details.len()),
            "{name}: {}",
            drained.stderr
        );
    } else {
        let says = |finished: &Finished| {
            finished.stdout.contains("ALTER TABLE") || finished.stderr.contains("ALTER TABLE")
        };
        assert!(says(&checked) && drained.code == Some(69), "{name}: {right}: {checked:?} {drained:?}");
        assert!(world.stored().is_empty(), "{name}");
    }
}

#[test]
fn every_case_has_a_driver() {
    let Some(cases) = cases() else { return };
    for (name, _) in NOT_HERE {
        assert!(
            case::folder().is_some_and(|folder| folder.join(name).exists()),
            "{name} is gone: so should its line"
        );
    }
    for Case { name, right, feed } in &cases {
        match feed {
            Feed::Told(feed) => panic!("{name}: no driver for its feed ({feed}), of which is right: {right}"),
            Feed::Steps(steps) => assert!(steps["adopt"].is_string(), "{name}: no driver for its steps"),
            Feed::Detail(_)
            | Feed::List(_)
            | Feed::Agents(_)
            | Feed::Environment(_)
            | Feed::Dotenv(_)
            | Feed::Sql(_) => {}
        }
    }
}
