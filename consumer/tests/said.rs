//! Property: a line that is said in a call, in any form that the simulator knows, is in no column in any reading; what stands
//! beside it stays byte by byte. `./dev fuzz said` tries a hundred thousand calls.

use consumer::normalize::{MASK, normalize};
use serde_json::{Value, json};
use shared::config::ReportConfig;
use shared::database::rows::CallRows;
use shared::elevenlabs::Conversation;
use shared::testing::reading::tells_line;
use simulator::voice::{FORMS, any, other};

/// Calls that are tried, unless `SAID_CASES` says how many.
const CASES: u64 = 4_000;

/// A call from a number, with what must stay.
struct Call {
    number: String,
    kept: Vec<String>,
    others: [String; 2],
    body: Value,
}

impl Call {
    fn new(case: u64) -> Self {
        // Any odd number far from the powers of two spreads the cases over all numbers.
        let spread = case.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let lada = ["55", "33", "81", "22", "99", "64"][usize::try_from(case % 6).expect("six")];
        let number = format!("{lada}{:08}", spread % 100_000_000);
        let form = &FORMS[usize::try_from(spread).expect("64 bits") % FORMS.len()];
        let said = if case.is_multiple_of(2) { any(&number, case) } else { form.say(&number, case) };
        let (one, two) = (other(&number, case, case), other(&number, case / 16, case + 1));
        let mut turns = vec![turn("agent", "Línea 089, ¿qué desea reportar?"), turn("user", &one.sentence)];
        turns.push(turn("agent", "¿De qué número llama?"));
        for text in &said {
            turns.push(turn("user", text));
            turns.push(turn("agent", "Sí, le escucho."));
        }
        turns.push(turn("user", &two.sentence));
        let summary = format!("Llama del {}. {}", any(&number, case + 1).join(" "), two.sentence);
        let item = any(&number, case + 2).join(", ");
        let body = json!({"conversation_id": "conv_1", "status": "done", "transcript": turns,
            "metadata": {"phone_call": {"external_number": format!("+52{number}")}},
            "analysis": {"transcript_summary": summary, "data_collection_results": {
                "contacto": {"value": item}, "lada": {"value": &number[..2]}, "numero": {"value": &number[2..]},
                "dicho": {"value": one.sentence}}}});
        Self { number, kept: vec![one.kept, two.kept], others: [one.sentence, two.sentence], body }
    }

    /// Faults of the rows, one each.
    fn faults(&self, rows: &CallRows) -> Vec<String> {
        let row = &rows.conversation;
        let datos = row.datos.as_ref().map(ToString::to_string).unwrap_or_default();
        let summary = row.resumen.clone().unwrap_or_default();
        let columns = [&row.transcripcion, &summary, &datos];
        // What stands beside the line may hold some of its digits by chance.
        let own = |column: &str| column.replace(&self.others[0], "").replace(&self.others[1], "");
        let told = columns
            .iter()
            .filter(|column| tells_line(&own(column), &self.number))
            .map(|column| format!("tells: {column}"));
        let lost = self
            .kept
            .iter()
            .filter(|kept| !row.transcripcion.contains(kept.as_str()))
            .map(|kept| format!("lost: {kept}"));
        let idle = (!row.transcripcion.contains(MASK)).then(|| "nothing is masked".to_owned());
        told.chain(lost).chain(idle).collect()
    }
}

fn turn(role: &str, text: &str) -> Value {
    json!({"role": role, "message": text, "time_in_call_secs": 1})
}

#[test]
fn the_line_is_in_no_column_and_the_rest_stays() {
    #[expect(clippy::disallowed_methods, reason = "no setting of a program's")]
    let cases =
        std::env::var("SAID_CASES").ok().map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    let mut wrong = Vec::new();
    for case in 0..cases {
        let call = Call::new(case);
        let conversation = Conversation::parse(call.body.to_string().as_bytes()).expect("a conversation");
        let rows = normalize(&conversation, &ReportConfig::default());
        let faults = call.faults(&rows);
        if !faults.is_empty() {
            wrong.push(format!("{case}, {}: {faults:#?}\n{}", call.number, call.body["transcript"]));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {cases} calls, among them {}",
        wrong.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
}
