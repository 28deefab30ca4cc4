//! Settings that narrow, and masks that change a key: what is stored already goes when its call is read again.

use consumer::normalize::{MASK, normalize};
use consumer::persist::Written::{self, Inserted, Unchanged, Updated};
use consumer::persist::upsert;
use diesel::Connection;
use serde_json::{Value, json};
use shared::config::{DataItems, ReportConfig, ReportItems};
use shared::elevenlabs::Conversation;
use shared::testing::TestDatabase;

/// A finished call with these collected values, of a caller with this number.
fn body(values: &Value, caller: Option<&str>) -> Value {
    json!({
        "conversation_id": "conv_1", "agent_id": "agent_1", "status": "done", "user_id": caller,
        "metadata": { "start_time_unix_secs": 1_795_359_600, "call_duration_secs": 3 },
        "analysis": {
            "data_collection_results": values,
            "evaluation_criteria_results": { "telefono": { "result": "success" } },
        },
    })
}

fn kept(ids: &[&str]) -> DataItems {
    DataItems::Listed(ids.iter().map(|&id| id.to_owned()).collect())
}

/// Reads a body as a worker with this setting does, and writes it.
fn read(database: &TestDatabase, body: &Value, data_items: DataItems) -> Written {
    let conversation = Conversation::parse(body.to_string().as_bytes()).expect("a conversation");
    let items = ReportItems { lugar: vec!["sitio".to_owned()], ..ReportItems::default() };
    let config = ReportConfig { data_items, items, ..ReportConfig::default() };
    let rows = [normalize(&conversation, &config)];
    let written = database.connect().transaction(|connection| upsert(connection, &rows));
    written.expect("the database takes this row")[0]
}

fn value(database: &TestDatabase, column: &str) -> String {
    database.value(&format!("SELECT {column} FROM conversaciones"))
}

fn datos(database: &TestDatabase) -> Value {
    serde_json::from_str(&value(database, "coalesce(datos, 'null')::text")).expect("JSON")
}

const VALUES: [(&str, &str); 3] = [("sitio", "Toluca"), ("telefono", "5500000000"), ("nombre", "Ana")];

fn values() -> Value {
    VALUES.into_iter().map(|(id, value)| (id.to_owned(), json!({ "value": value }))).collect()
}

#[test]
fn what_is_not_kept_any_more_leaves_the_row_when_its_call_is_read_again() {
    let all = body(&values(), None);
    let mut unanalysed = all.clone();
    unanalysed["analysis"] = Value::Null;
    let nulls = body(&json!({ "sitio": null, "telefono": null, "nombre": { "value": null } }), None);
    for again in [&all, &unanalysed, &nulls, &body(&json!({}), None)] {
        for (setting, expected) in [
            (kept(&["sitio", "nombre"]), json!({ "sitio": "Toluca", "nombre": "Ana" })),
            (kept(&["sitio"]), json!({ "sitio": "Toluca" })),
            (kept(&["another"]), Value::Null),
            (kept(&[]), Value::Null),
        ] {
            let database = TestDatabase::migrated();
            assert_eq!(read(&database, &all, DataItems::All), Inserted);
            assert_eq!(read(&database, again, setting.clone()), Updated, "{setting:?}");
            assert_eq!(datos(&database), expected, "{setting:?} of {again}");
            assert_eq!(value(&database, "evaluacion::text"), r#"{"telefono": "success"}"#);
            assert_eq!(database.value("SELECT lugar FROM reportes"), "Toluca");
            let before = value(&database, "xmin::text");
            assert_eq!(read(&database, again, setting), Unchanged);
            assert_eq!(value(&database, "xmin::text"), before);
        }
    }
}

#[test]
fn a_list_that_is_narrowed_further_takes_effect_also_where_the_body_has_lost_its_values() {
    let database = TestDatabase::migrated();
    let emptied = body(&json!({}), None);
    read(&database, &body(&values(), None), DataItems::All);
    assert_eq!(read(&database, &emptied, kept(&["nombre", "sitio"])), Updated);
    assert_eq!(read(&database, &emptied, kept(&["sitio", "nombre", "sitio"])), Unchanged);
    assert_eq!(read(&database, &emptied, kept(&["sitio"])), Updated);
    assert_eq!(datos(&database), json!({ "sitio": "Toluca" }));
    // What the source does not have any more cannot come back; what it has, does.
    assert_eq!(read(&database, &emptied, DataItems::All), Updated);
    assert_eq!(datos(&database), json!({ "sitio": "Toluca" }));
    assert_eq!(read(&database, &body(&values(), None), DataItems::All), Updated);
    assert_eq!(datos(&database), Value::from_iter(VALUES));
}

#[test]
fn a_key_in_which_the_caller_s_line_is_masked_now_does_not_stay_beside_the_masked_one() {
    let with_line = json!({ "tel 5512345678": "sí", "sitio": "Toluca", "hora": "ayer" });
    let masked = format!("tel {MASK}");
    for setting in [DataItems::All, kept(&["tel 5512345678", "hora"])] {
        let database = TestDatabase::migrated();
        let mut before = body(&with_line, None);
        before["analysis"]["evaluation_criteria_results"] =
            json!({ "es 5512345678": { "result": "success" } });
        read(&database, &before, setting.clone());
        let mut after = before.clone();
        after["user_id"] = json!("+525512345678");
        assert_eq!(read(&database, &after, setting.clone()), Updated);
        let mut expected = json!({ "sitio": "Toluca", "hora": "ayer" });
        expected[&masked] = json!("sí");
        if setting != DataItems::All {
            expected.as_object_mut().expect("an object").remove("sitio");
        }
        assert_eq!(datos(&database), expected, "{setting:?}");
        assert_eq!(value(&database, "evaluacion::text"), format!(r#"{{"es {MASK}": "success"}}"#));
        // A masked key stays like any other.
        after["analysis"]["data_collection_results"] = json!({});
        assert_eq!(read(&database, &after, setting), Updated);
        assert_eq!(datos(&database), expected);
    }
}
