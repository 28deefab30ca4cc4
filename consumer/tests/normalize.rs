//! Whole calls of the simulator, through the client and the normalizer: nothing private comes out of it.

use std::collections::HashMap;
use std::time::Duration;

use consumer::normalize::normalize;
use shared::config::ReportConfig;
use shared::database::rows::CallRows;
use shared::elevenlabs::{ApiError, ApiKey, Client, ClientSettings, ListQuery};
use shared::ids::ConversationId;
use shared::testing::reading::Said;
use simulator::{Faults, Planted, Settings, Simulator};

/// Enough to show every trait that the simulator gives to calls.
const CALLS: u32 = 450;

async fn simulator(faults: Faults) -> (Simulator, Client) {
    let settings = Settings { conversations: CALLS, seed: 89, faults, ..Settings::default() };
    let api_key = ApiKey::new(settings.api_key.as_str()).expect("a key");
    let simulator = Simulator::start(settings).await.expect("a simulator");
    let client = Client::new(ClientSettings {
        base_url: simulator.base_url().parse().expect("a URL"),
        api_key,
        timeout: Duration::from_secs(30),
        concurrency: 2,
        max_body_bytes: ClientSettings::MAX_BODY_BYTES,
    });
    (simulator, client.expect("a client"))
}

async fn all_ids(client: &Client) -> Vec<ConversationId> {
    let mut query = ListQuery::default();
    let mut ids = Vec::new();
    loop {
        let page = client.list_conversations(&query).await.expect("a page");
        assert_eq!(page.unusable, 0);
        assert!(page.served_at.is_some());
        ids.extend(page.items.into_iter().map(|item| item.conversation_id));
        query.cursor = match page.next_cursor {
            Some(cursor) => Some(cursor),
            None => return ids,
        };
    }
}

fn serialized(rows: &CallRows) -> String {
    serde_json::to_string(&(&rows.conversation, &rows.report)).expect("rows serialize")
}

/// Digits without their separators; anything else alphanumeric stands between them.
fn digits_of(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| if c.is_ascii_digit() { c } else { '|' }).collect()
}

/// The private strings, found quickly by how they begin.
struct Canaries(HashMap<Vec<u8>, Vec<String>>);

impl Canaries {
    const BEGINNING: usize = 6;

    fn new(canaries: impl IntoIterator<Item = String>) -> Self {
        let mut by_beginning: HashMap<Vec<u8>, Vec<String>> = HashMap::new();
        for canary in canaries {
            let canary = canary.to_lowercase();
            by_beginning.entry(canary.as_bytes()[..Self::BEGINNING].to_vec()).or_default().push(canary);
        }
        Self(by_beginning)
    }

    fn in_text(&self, text: &str) -> Option<&String> {
        let places = text.as_bytes().windows(Self::BEGINNING).enumerate();
        let candidates = places.filter_map(|(place, beginning)| Some((place, self.0.get(beginning)?)));
        candidates
            .flat_map(|(place, canaries)| canaries.iter().map(move |canary| (place, canary)))
            .find(|(place, canary)| text.as_bytes()[*place..].starts_with(canary.as_bytes()))
            .map(|(_, canary)| canary)
    }
}

fn assert_nothing_private(rows: &CallRows, canaries: &Canaries, numbers: &Canaries) {
    let text = serialized(rows);
    assert_eq!(canaries.in_text(&text.to_lowercase()), None, "{text}");
    assert_eq!(numbers.in_text(&digits_of(&text)), None, "{text}");
    assert!(!text.contains("\\u0000"), "{text}");
}

/// A row with its report still tells its line, or has lost what was said beside it.
fn wrong_in(rows: &CallRows, simulator: &Simulator) -> Vec<String> {
    let id = rows.conversation.conversation_id.as_str();
    let Planted { line, told, kept, stranger, forms } = simulator.planted(id).expect("it is listed");
    let mut row = serde_json::to_value(&rows.conversation).expect("rows serialize");
    let report = serde_json::to_value(&rows.report).expect("rows serialize");
    if let (Some(row), Some(report)) = (row.as_object_mut(), report.as_object()) {
        row.extend(report.clone());
    }
    let said = Said { line: line.as_deref(), told: &told, kept: &kept, stranger: stranger.as_deref() };
    said.wrong_in(&row).into_iter().map(|what| format!("{id} {forms:?}: {what}")).collect()
}

#[tokio::test]
async fn no_call_brings_its_caller_into_a_row() {
    let (simulator, client) = simulator(Faults::default()).await;
    let canaries = Canaries::new(simulator.canaries());
    let numbers = Canaries::new(simulator.caller_numbers());
    let ids = all_ids(&client).await;
    assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), simulator.conversation_ids());
    let raw = simulator.conversation_json(ids[0].as_str()).expect("a body").to_string().to_lowercase();
    assert!(canaries.in_text(&raw).is_some(), "the search finds what is there");
    let (mut masked, mut wrong) = (0, Vec::new());
    for conversation_id in &ids {
        let conversation = client.conversation(conversation_id).await.expect("a conversation");
        let rows = normalize(&conversation, &ReportConfig::default());
        assert_eq!(rows.conversation.conversation_id, *conversation_id);
        wrong.extend(wrong_in(&rows, &simulator));
        assert_nothing_private(&rows, &canaries, &numbers);
        masked += usize::from(serialized(&rows).contains(consumer::normalize::MASK));
    }
    assert!(wrong.is_empty(), "{} of the rows: {wrong:#?}", wrong.len());
    assert!(masked > 0, "no call reads its caller's line aloud");
    simulator.stop().await;
}

#[tokio::test]
async fn bodies_that_leave_the_document_give_rows_or_a_typed_error() {
    let (simulator, client) = simulator(Faults {
        off_document: 0.5,
        unknown_status: 0.2,
        emptied: 0.2,
        malformed: 0.2,
        ..Faults::default()
    })
    .await;
    let canaries = Canaries::new(simulator.canaries());
    let numbers = Canaries::new(simulator.caller_numbers());
    let broken = simulator.ids_malformed();
    for conversation_id in all_ids(&client).await {
        match client.conversation(&conversation_id).await {
            Ok(conversation) => {
                assert!(!broken.contains(&conversation_id.to_string()));
                assert_nothing_private(
                    &normalize(&conversation, &ReportConfig::default()),
                    &canaries,
                    &numbers,
                );
            }
            Err(ApiError::Malformed { .. } | ApiError::NotJson { .. }) => {
                assert!(broken.contains(&conversation_id.to_string()), "{conversation_id}");
            }
            Err(other) => panic!("{conversation_id}: {other:?}"),
        }
    }
    simulator.stop().await;
}
