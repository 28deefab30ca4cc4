use serde_json::json;
use shared::config::ReportConfig;
use shared::elevenlabs::Conversation;

use super::super::normalize;

const FIXTURE: &[u8] = include_bytes!("../../../tests/fixtures/conversation.json");

#[test]
fn a_whole_call_becomes_these_rows() {
    let conversation = Conversation::parse(FIXTURE).expect("a conversation");
    let rows = normalize(&conversation, &ReportConfig::default());
    let huella = rows.huella.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let rows = json!({"conversation": rows.conversation, "report": rows.report, "huella": huella});
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../tests/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // As text: insta's own serializer does not know how serde_json keeps a number's digits.
    settings.bind(|| insta::assert_snapshot!("normalized_call", format!("{rows:#}")));
}

#[test]
fn nothing_of_what_is_not_listed_is_in_the_rows() {
    let conversation = Conversation::parse(FIXTURE).expect("a conversation");
    let rows = normalize(&conversation, &ReportConfig::default());
    let text = format!("{rows:?}");
    for absent in
        ["00001234", "00 00 12 34", "rationale", "explicitly", "Bearer", "registrar", "entries", "0089"]
    {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
}
