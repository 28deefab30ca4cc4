//! The API changes its types without notice: each value of a body is replaced by every JSON type in turn. Whatever comes is
//! stored, as far as it goes, and the caller's line is masked in all of it.

use consumer::normalize::normalize;
use serde_json::{Value, json};
use shared::config::ReportConfig;
use shared::database::rows::CallRows;
use shared::elevenlabs::{ApiError, Conversation};
use simulator::{Settings, Simulator};

const LINE: &str = "5512345678";

/// One step of a path.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// The paths of all values, the root's first.
fn paths(value: &Value) -> Vec<Vec<Step>> {
    let mut found = vec![Vec::new()];
    let children: Vec<(Step, &Value)> = match value {
        Value::Array(values) => {
            values.iter().enumerate().map(|(index, value)| (Step::Index(index), value)).collect()
        }
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect()
        }
        _ => Vec::new(),
    };
    for (step, child) in children {
        found.extend(paths(child).into_iter().map(|path| [vec![step.clone()], path].concat()));
    }
    found
}

fn at<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::Index(index) => &mut value[*index],
    })
}

/// What may stand where something else stood, as JSON that no parser needs to take.
fn replacements(was: &Value) -> Vec<String> {
    let deep = format!("{}{was}{}", "[".repeat(300), "]".repeat(300));
    let fixed = [
        "null",
        "true",
        "false",
        "0",
        "5",
        "-1.5",
        "1e300",
        "1e999",
        "1e-20000",
        "NaN",
        "-Infinity",
        "\"\"",
        "\"x\"",
        "\"60\"",
        r#""\ud83d""#,
        r#""\u0000""#,
        "[]",
        "{}",
        r#"["x",5,null]"#,
        r#"{"a":{"b":["x"]}}"#,
        r#"{"value":5}"#,
        "123456789012345678901234567890123456789012345678901234567890",
    ];
    let around = [format!("[{was}]"), format!(r#"{{"a":{was}}}"#), format!("[[{was}],[]]"), deep];
    let as_text = match was {
        Value::String(_) => None,
        other => Some(Value::String(other.to_string()).to_string()),
    };
    fixed.into_iter().map(str::to_owned).chain(around).chain(as_text).collect()
}

/// Where the other JSON is put in.
const HOLE: &str = "«hueco»";

/// Every value replaced by every type: the path, what was put there, and the body.
fn drifted(body: &Value) -> impl Iterator<Item = (Vec<Step>, String, String)> {
    paths(body).into_iter().flat_map(move |path| {
        let mut body = body.clone();
        let was = std::mem::replace(at(&mut body, &path), json!(HOLE));
        let body = body.to_string();
        replacements(&was).into_iter().map(move |json| {
            let drifted = body.replace(&format!("\"{HOLE}\""), &json);
            (path.clone(), json, drifted)
        })
    })
}

fn is_key(path: &[Step], key: &str) -> bool {
    matches!(path, [Step::Key(own)] if own == key)
}

fn rows(body: &str) -> Result<CallRows, ApiError> {
    Conversation::parse(body.as_bytes()).map(|call| normalize(&call, &ReportConfig::default()))
}

fn serialized(rows: &CallRows) -> String {
    serde_json::to_string(&(&rows.conversation, &rows.report)).expect("rows serialize")
}

fn digits(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| if c.is_ascii_digit() { c } else { '|' }).collect()
}

/// Every key of an object said twice: once as it was, before or after it every type; the path, and the body.
fn repeated(body: &Value) -> impl Iterator<Item = (Vec<Step>, String)> {
    paths(body).into_iter().flat_map(move |path| {
        let Some(Step::Key(key)) = path.last().cloned() else { return Vec::new() };
        let mut body = body.clone();
        let was = std::mem::replace(at(&mut body, &path), json!(HOLE));
        let (body, was) = (body.to_string(), was.to_string());
        let others =
            ["null", "true", "5", "\"\"", "\"x y\"", "[]", "{}", r#"["x y"]"#, r#"{"a":{"b":["x y"]}}"#];
        let twice = others
            .into_iter()
            .flat_map(|other| [format!("{was},\"{key}\":{other}"), format!("{other},\"{key}\":{was}")]);
        twice.map(|twice| (path.clone(), body.replace(&format!("\"{HOLE}\""), &twice))).collect()
    })
}

/// A call with a value in every field that is read; its caller is known by all fields that say so.
fn whole() -> Value {
    serde_json::from_str(include_str!("fixtures/whole.json")).expect("JSON")
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was tried belongs to what a test says")]
fn every_path_by_every_type_is_stored_as_far_as_it_goes_and_masked() {
    let whole = whole();
    let turns = ["Línea 089, ¿qué desea reportar?", "Me piden dinero", "Lo anoto. ¿Dónde fue?", "En Puebla"];
    let (mut count, mut refused) = (0, 0);
    for (path, json, body) in drifted(&whole) {
        count += 1;
        let needs = path.is_empty() || is_key(&path, "conversation_id");
        let rows = match rows(&body) {
            Ok(rows) => rows,
            Err(error) => {
                assert!(needs, "{path:?} by {json}: {error}");
                refused += 1;
                continue;
            }
        };
        let text = serialized(&rows);
        assert!(!text.contains("\\u0000"), "{path:?} by {json}: {text}");
        assert!(!digits(&text).contains(LINE), "{path:?} by {json}: {text}");
        let in_turn = |index: usize| match path.as_slice() {
            [] => true,
            [Step::Key(key)] => key == "transcript",
            [Step::Key(key), Step::Index(turn), ..] => key == "transcript" && *turn == index,
            _ => false,
        };
        for (index, turn) in turns.iter().enumerate().filter(|(index, _)| !in_turn(*index)) {
            assert!(
                rows.conversation.transcripcion.contains(turn),
                "{path:?} by {json}, turn {index}: {text}"
            );
        }
    }
    println!("{count} bodies, {refused} of them without an id");
    assert!(count > 2000 && refused < 60, "{count}, {refused}");
}

/// Of two values of one key the one counts that says most; none is refused, whichever comes first.
#[test]
#[expect(clippy::print_stdout, reason = "how much was tried belongs to what a test says")]
fn every_key_said_twice_is_stored_and_masked() {
    let mut count = 0;
    for (path, body) in repeated(&whole()) {
        count += 1;
        let rows = rows(&body).unwrap_or_else(|error| panic!("{path:?}: {error}: {body}"));
        let text = serialized(&rows);
        assert_eq!(rows.conversation.conversation_id.as_str(), "conv_1", "{body}");
        assert!(!digits(&text).contains(LINE), "{path:?}: {text}: {body}");
        // Of two texts the later one counts.
        let is_message = matches!(path.last(), Some(Step::Key(key)) if key == "message");
        let is_kept = rows.conversation.transcripcion.contains("En Puebla");
        assert!(is_kept || is_message, "{path:?}: {text}: {body}");
    }
    println!("{count} bodies");
    assert!(count > 1000, "{count}");
}

#[test]
fn a_text_that_is_packed_in_something_else_is_kept() {
    for packed in [
        json!(["Me piden dinero"]),
        json!({"text": "Me piden dinero"}),
        json!([[{"type": "text", "text": "Me piden"}], "dinero"]),
        json!({"role": "user", "message": "Me piden dinero"}),
    ] {
        let mut body = whole();
        body["transcript"][1]["message"] = packed.clone();
        let text = rows(&body.to_string()).expect("a call").conversation.transcripcion;
        let plain = text
            .replace("text Me", "Me")
            .replace("text dinero", "dinero")
            .replace("user ", "")
            .replace(" user", "");
        assert!(plain.contains("Me piden dinero"), "{packed}: {text}");
    }
    for (transcript, expected) in [
        (json!("Me piden dinero"), "[0.0s] UNKNOWN: Me piden dinero"),
        (
            json!(["Me piden", null, {"role": "user", "message": "dinero"}]),
            "[0.0s] UNKNOWN: Me piden\n[0.0s] USER: dinero",
        ),
        (json!({"turns": [{"role": "user", "message": "dinero"}]}), "[0.0s] USER: dinero"),
        (json!({"role": "user", "message": "dinero"}), "[0.0s] USER: dinero"),
        (json!({"0": {"role": "user", "message": "dinero"}}), "[0.0s] USER: dinero"),
    ] {
        let mut body = whole();
        body["transcript"] = transcript;
        assert_eq!(rows(&body.to_string()).expect("a call").conversation.transcripcion, expected);
    }
}

/// A call whose caller is known by one field alone.
fn known_by(path: &[&str], value: &Value) -> Value {
    let mut body = json!({"conversation_id": "conv_1", "status": "done",
        "transcript": [{"role": "user", "message": "mi numero es 55 1234 5678", "time_in_call_secs": 3}]});
    let mut place = &mut body;
    for key in path {
        place = &mut place[*key];
    }
    *place = value.clone();
    body
}

#[test]
fn an_identifier_of_any_shape_in_any_of_its_places_is_masked() {
    const PLACES: [&[&str]; 13] = [
        &["user_id"],
        &["metadata", "phone_call", "external_number"],
        &["metadata", "phone_call", "sip_header_dynamic_variables", "sip_contact_uri"],
        &["metadata", "whatsapp", "whatsapp_user_id"],
        &["metadata", "whatsapp", "recipient", "phone"],
        &["metadata", "whatsapp", "recipient", "bsuid"],
        &["metadata", "sms", "sms_user_phone_number"],
        &["metadata", "batch_call", "batch_call_recipient_id"],
        &["metadata", "initiator_id"],
        &["conversation_initiation_client_data", "user_id"],
        &["conversation_initiation_client_data", "dynamic_variables", "system__caller_id"],
        &["conversation_initiation_client_data", "dynamic_variables", "customer_phone"],
        &["conversation_initiation_client_data", "dynamic_variables", "x"],
    ];
    let plain = |json: &str| serde_json::from_str::<Value>(json).expect(json);
    let shapes = [
        json!(LINE),
        json!("+525512345678"),
        json!(5_512_345_678_i64),
        plain("5512345678.0"),
        plain("5.512345678e9"),
        json!([LINE]),
        json!({"a": LINE}),
        json!(["x", {"b": [true, {"c": 5_512_345_678_i64}]}, "y"]),
    ];
    for path in PLACES {
        for shape in &shapes {
            let body = known_by(path, shape);
            let text = serialized(&rows(&body.to_string()).expect("a call"));
            assert!(!digits(&text).contains(LINE), "{path:?} {shape}: {text}");
            // What holds the field is packed in a list, or is the number itself.
            for depth in 1..path.len() {
                let mut packed = body.clone();
                let outer = at(
                    &mut packed,
                    &path[..depth].iter().map(|key| Step::Key((*key).into())).collect::<Vec<_>>(),
                );
                *outer = json!([outer.clone()]);
                let text = serialized(&rows(&packed.to_string()).expect("a call"));
                assert!(!digits(&text).contains(LINE), "{path:?} at {depth} {shape}: {text}");
            }
            // The same key twice: the second says nothing, or something else.
            let key = path[path.len() - 1];
            let json = body.to_string();
            let other = if key == "x" { "null" } else { r#""otro""# };
            for twice in ["null", other] {
                let repeated = json
                    .replace(&format!("\"{key}\":{shape}"), &format!("\"{key}\":{shape},\"{key}\":{twice}"));
                assert_ne!(repeated, json);
                let text = serialized(&rows(&repeated).expect("a call"));
                assert!(!digits(&text).contains(LINE), "{path:?} {shape} twice, {twice}: {text}");
            }
        }
    }
}

#[test]
fn a_mended_body_and_the_same_body_as_documented_give_the_same() {
    let whole = whole().to_string();
    let expected = rows(&whole).expect("a call");
    // Odd where nothing is read: the lenient reader reads all, and finds nothing that is odd.
    for odd in [
        format!("\u{feff}{whole}"),
        whole.replacen('{', r#"{"rating":NaN,"#, 1),
        whole.replacen('{', r#"{"x":"\ud83d","#, 1),
        whole.replacen('{', &format!(r#"{{"x":{}{},"#, "[".repeat(10_000), "]".repeat(10_000)), 1),
    ] {
        assert_eq!(rows(&odd).expect("a call"), expected, "{}", &odd[..40]);
    }
    let mut twice = rows(&whole.replacen('{', r#"{"status":null,"#, 1)).expect("a call");
    assert_eq!(twice.conversation.rarezas.take(), Some(json!({"(repetido)": 1})));
    assert_eq!(twice, expected);
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how much was tried belongs to what a test says")]
async fn every_path_of_the_simulators_bodies_by_every_type_is_stored() {
    let settings =
        Settings { conversations: 30, newest_start: Some(1_795_836_000), seed: 15, ..Settings::default() };
    let simulator = Simulator::start(settings).await.expect("a simulator");
    let bodies = simulator.conversation_ids().into_iter().filter_map(|id| simulator.conversation_json(&id));
    // Short ones, since each is read some thousand times.
    let mut bodies: Vec<Value> = bodies.collect();
    bodies.sort_by_key(|body| body.to_string().len());
    let mut count = 0;
    for body in bodies.iter().take(2) {
        for (path, json, drifted) in drifted(body) {
            count += 1;
            let outcome = rows(&drifted);
            let needs = path.is_empty() || is_key(&path, "conversation_id");
            assert!(needs || outcome.is_ok(), "{path:?} by {json}: {outcome:?}");
        }
    }
    println!("{count} bodies");
    assert!(count > 5000, "{count}");
    simulator.stop().await;
}
