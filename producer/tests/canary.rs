//! The canary: private data is planted in every field of the API, everything that can go wrong goes wrong, both binaries log
//! at `trace`, and then every place where words are kept is searched. Callers say their numbers in every form that people do.

mod support;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use shared::testing::reading::{Said, spoken_runs};
use simulator::{Faults, Planted, Settings};
use support::management::variable;
use support::{World, calls};

/// The shortest end of a canary that is looked for; the whole of it is compared where it is found.
const KEY: usize = 8;

/// What of the servers' own logs was there before.
struct Logs(HashMap<PathBuf, u64>);

impl Logs {
    fn now() -> Self {
        Self(log_files().into_iter().map(|path| (path.clone(), size(&path))).collect())
    }

    /// What was written since.
    fn since(&self) -> String {
        let mut text = String::new();
        for path in log_files() {
            let mut file = std::fs::File::open(&path).expect("the log can be read");
            let seen = self.0.get(&path).copied().unwrap_or(0);
            // A log that was rotated begins anew.
            let begin = if size(&path) < seen { 0 } else { seen };
            file.seek(SeekFrom::Start(begin)).expect("the log can be read");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("the log can be read");
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        text
    }
}

fn log_files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(variable("TEST_RABBITMQ_LOG")).expect("the broker logs");
    let files = folder.map(|entry| entry.expect("a file").path()).filter(|path| path.is_file());
    files.chain([PathBuf::from(variable("TEST_POSTGRES_LOG"))]).collect()
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// Finds any of many strings in one go.
struct Search {
    by_key: HashMap<[u8; KEY], Vec<Vec<u8>>>,
}

impl Search {
    fn of(words: impl IntoIterator<Item = String>) -> Self {
        let mut by_key: HashMap<[u8; KEY], Vec<Vec<u8>>> = HashMap::new();
        for word in words {
            let word = word.into_bytes();
            let key = word.last_chunk().copied().expect("no canary is shorter");
            by_key.entry(key).or_default().push(word);
        }
        Self { by_key }
    }

    fn found(&self, text: &str) -> Vec<String> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        for end in KEY..=bytes.len() {
            let key = bytes[..end].last_chunk().expect("there are as many");
            for word in self.by_key.get(key).into_iter().flatten() {
                if bytes[..end].ends_with(word) {
                    found.push(String::from_utf8_lossy(word).into_owned());
                }
            }
        }
        found
    }
}

/// The digits of a text, where no more than two other characters stand between two of them, in runs.
fn digit_runs(text: &str) -> String {
    let (mut runs, mut gap) = (String::new(), 0);
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            if gap > 2 {
                runs.push(' ');
            }
            write!(runs, "{digit}").expect("a String takes any text");
            gap = 0;
        } else {
            gap += 1;
        }
    }
    runs
}

/// Every value of every table, a line each, with the name of its column.
fn dump(world: &World) -> Vec<(String, String)> {
    let tables = world.database.column(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    );
    assert!(tables.len() >= 6);
    let mut values = Vec::new();
    for table in tables {
        let columns = world.database.column(&format!(
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' ORDER BY 1"
        ));
        for column in columns {
            let all = world.database.column(&format!("SELECT {column}::text AS value FROM {table}"));
            values.push((format!("{table}.{column}"), all.join("\n")));
        }
    }
    values
}

/// What is wrong with the stored calls: where one tells its line in any reading, and where it has lost what others' numbers
/// and sums there were. Tells also in how many forms the lines were said.
fn wrong_in_rows(world: &World) -> (Vec<String>, usize) {
    let (mut wrong, mut forms) = (Vec::new(), BTreeSet::new());
    let rows = world.database.column(
        "SELECT to_jsonb(t)::text AS value \
         FROM (SELECT * FROM conversaciones LEFT JOIN reportes USING (id_conversacion)) AS t",
    );
    for row in rows {
        let row: Value = serde_json::from_str(&row).expect("a row is JSON");
        let id = row["id_eleven"].as_str().expect("every row has one");
        let planted = world.simulator.planted(id).expect("only what the API lists is stored");
        let Planted { line, told, kept, stranger, .. } = &planted;
        let said = Said { line: line.as_deref(), told, kept, stranger: stranger.as_deref() };
        wrong.extend(said.wrong_in(&row).into_iter().map(|what| format!("{id} {:?}: {what}", planted.forms)));
        forms.extend(planted.forms);
    }
    (wrong, forms.len())
}

/// Everything that can go wrong with some calls, each with private words in reach of an error's text.
fn plant_traps(world: &World) {
    let ids = world.simulator.conversation_ids();
    let number = world.simulator.caller_numbers().remove(0);
    let name = world.simulator.canaries().remove(20);
    let private = || json!(format!("{name} {number}"));
    // Bodies whose shape is another one: serde's errors quote the value they stumble over. Not the transcript: a text in its
    // place is what was said.
    let pointers =
        ["/metadata/main_language", "/metadata", "/analysis", "/status", "/transcript/0/time_in_call_secs"];
    for (id, pointer) in ids.iter().zip(pointers) {
        world.simulator.set_conversation(id, |detail| {
            let value = detail.pointer_mut(pointer).expect("a finished call has it");
            *value = if pointer == "/status" { json!([private()]) } else { private() };
        });
    }
    // A number where an id is expected.
    world.simulator.set_conversation(&ids[5], |detail| detail["agent_id"] = private());
    world.simulator.set_conversation(&ids[6], |detail| detail["conversation_id"] = private());
    world.simulator.set_conversation(&ids[7], |detail| detail["status"] = private());
}

/// Rows that PostgreSQL refuses, in the three ways there are: by a constraint, which it would quote in a DETAIL; by an error
/// whose own text holds a value; and by a value's form.
fn plant_refusals(world: &World) {
    world
        .database
        .connect()
        .batch_execute(
            "ALTER TABLE conversaciones ADD CONSTRAINT prueba CHECK (length(transcripcion) % 5 <> 0) NOT VALID; \
             CREATE FUNCTION rechaza() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN \
                 IF length(NEW.transcripcion) % 7 = 0 THEN RAISE EXCEPTION 'rechazada: %', NEW.id_eleven; END IF; \
                 IF length(NEW.transcripcion) % 11 = 0 THEN PERFORM NEW.transcripcion::integer; END IF; \
                 RETURN NEW; \
             END $$; \
             CREATE TRIGGER rechaza BEFORE INSERT ON conversaciones FOR EACH ROW EXECUTE FUNCTION rechaza();",
        )
        .expect("the tables can be changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_kept_anywhere() {
    let logs_before = Logs::now();
    let faults = Faults {
        error_5xx: 0.05,
        dropped: 0.03,
        html: 0.03,
        malformed: 0.05,
        missing: 0.05,
        in_progress: 0.05,
        off_document: 0.2,
        unknown_status: 0.05,
        emptied: 0.05,
        ..Faults::default()
    };
    let mut world = World::new(Settings { agents: 4, seed: 89, faults, ..calls(320) }).await;
    plant_traps(&world);
    plant_refusals(&world);
    world.set("RUST_LOG", "trace");
    let key = "sk_canary_4be1d8";
    let mut kept: Vec<(String, String)> = Vec::new();
    let mut keep = |verb: &str, finished: shared::testing::Finished| {
        kept.push((format!("the log of {verb}"), finished.stderr));
        kept.push((format!("what {verb} prints"), finished.stdout));
        finished.code
    };

    // One item has no usable id, which is a failed one.
    assert_eq!(keep("sync", world.run("producer", &["sync"]).await), Some(1));
    for finished in world.drain(2).await {
        keep("drain", finished);
    }
    let letters = world.letters().await;
    for class in ["row_refused", "database", "malformed", "not_found", "unfinished"] {
        assert!(letters.values().any(|letter| letter.class == class), "nothing died of {class}");
    }
    for arguments in [&["dead", "list"][..], &["dead", "show"], &["dead", "show", "--json"]] {
        assert_eq!(keep("dead", world.run("producer", arguments).await), Some(0));
    }
    // Once more with another format, and as another who has no right to be here.
    world.set("LOG_FORMAT", "json");
    assert_eq!(keep("dead replay", world.run("producer", &["dead", "replay"]).await), Some(0));
    for finished in world.drain(1).await {
        keep("drain", finished);
    }
    world.set("ELEVENLABS_API_KEY", key);
    assert_eq!(keep("sync", world.run("producer", &["sync"]).await), Some(77));
    world.set("ELEVENLABS_API_KEY", support::KEY);

    // Not one row is missing its log: the search below must not pass for want of anything to search.
    let everything: usize = kept.iter().map(|(_, text)| text.len()).sum();
    assert!(everything > 50_000, "only {everything} bytes were logged");
    for queue in ["dead", "fetch", "backfill", "retry.100ms", "unfinished.300ms", "unfinished.600ms"] {
        let messages = world.management().messages(queue, 1000);
        kept.push((format!("the queue {queue}"), serde_json::to_string(&messages).expect("JSON")));
    }
    kept.push(("the servers' own logs".to_owned(), logs_before.since()));
    assert!(kept.iter().any(|(place, text)| place == "the queue dead" && text.contains("conv_")));
    let values = dump(&world);
    assert!(
        values.iter().any(|(column, text)| column == "conversaciones.transcripcion" && text.len() > 50_000)
    );
    assert!(world.count("conversaciones WHERE transcripcion LIKE '%[línea de quien llama]%'") > 0);
    kept.extend(values);

    let (wrong, forms) = wrong_in_rows(&world);
    assert!(forms >= 40, "the lines were said in {forms} forms only");
    assert!(wrong.is_empty(), "{} of the rows: {wrong:#?}", wrong.len());

    let canaries =
        Search::of(world.simulator.canaries().into_iter().chain([key.to_owned(), support::KEY.to_owned()]));
    let numbers = Search::of(world.simulator.caller_numbers());
    for (place, text) in &kept {
        let found = canaries.found(text);
        assert!(found.is_empty(), "{place} holds {found:?}");
        let found = numbers.found(&format!("{}\n{}", digit_runs(text), spoken_runs(text)));
        assert!(found.is_empty(), "{place} holds the numbers {found:?}");
    }
}

#[test]
fn the_search_finds_what_it_is_for() {
    let numbers = Search::of(["5512345678".to_owned()]);
    for text in
        ["mi número es el 55 1234 5678, gracias", "(55) 12-34-56-78", "+525512345678", "5.5.1.2.3.4.5.6.7.8"]
    {
        assert_eq!(numbers.found(&digit_runs(text)), ["5512345678"], "{text}");
    }
    let spoken = spoken_runs("es el cincuenta y cinco doce treinta y cuatro cinco seis siete ocho");
    assert_eq!(numbers.found(&spoken), ["5512345678"]);
    assert!(numbers.found(&digit_runs("a las 5, 512 pesos; el 34 y el 5678")).is_empty());
    let words = Search::of(["Zutano-0123456789ab".to_owned()]);
    assert_eq!(words.found("…\"Zutano-0123456789ab\"").len(), 1);
    assert!(words.found("Fulano-0123456789ab").is_empty());
}
