//! The API: whether it answers, takes the key, and lists as a pass needs it.

use chrono::{DateTime, TimeDelta, Utc};
use shared::config::ElevenLabsConfig;
use shared::elevenlabs::{ApiError, Client, ListItem, ListQuery, Page, Phase};
use shared::exit::Exit;

use super::report::Report;

const CHECK: &str = "API";

/// Conversations looked at: enough to find one that is still there.
const LOOK_AT: u8 = 10;

/// An API that answers.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) client: Client,
    /// By how much its clock is ahead of ours.
    pub(super) ahead: Option<TimeDelta>,
}

pub(super) async fn check(config: Option<&ElevenLabsConfig>, report: &mut Report) -> Option<Api> {
    let Some(config) = config else {
        report.skipped(CHECK, "not tried: its settings cannot be read");
        return None;
    };
    let client = match config.client() {
        Ok(client) => client,
        Err(problems) => {
            for problem in problems.iter() {
                report.failed(CHECK, Exit::Usage, problem, "set it as .env.example says");
            }
            return None;
        }
    };
    let query = ListQuery { agent_id: config.agent_id.clone(), page_size: LOOK_AT, ..ListQuery::default() };
    let before = now();
    let page = match client.list_conversations(&query).await {
        Ok(page) => page,
        Err(error) => {
            fail(report, "the list of conversations", &error);
            return None;
        }
    };
    // Half-way between question and answer; the header has whole seconds.
    let ahead = page.served_at.map(|served_at| served_at - (before + (now() - before) / 2));
    let origin = config.base_url.origin().ascii_serialization();
    report.good(CHECK, format!("{origin} answers, and takes the key"));
    if page.items.is_empty() {
        let of = if config.agent_id.is_some() { " of ELEVENLABS_AGENT_ID" } else { "" };
        let finding = format!("lists no conversation{of}: details, pages and filters are not tried");
        report.warning(CHECK, finding, "right for a new account; else another key or agent is meant");
    } else {
        detail(&client, &page.items, report).await;
        if let Err(error) = listing(&client, &query, page, report).await {
            fail(report, "the list of conversations", &error);
        }
    }
    Some(Api { client, ahead })
}

/// One that is listed may be gone; the next one is asked for then.
async fn detail(client: &Client, items: &[ListItem], report: &mut Report) {
    for item in items {
        match client.conversation(&item.conversation_id).await {
            Ok(_) => return report.good(CHECK, "a call's detail can be read (convai_read)"),
            Err(ApiError::NotFound { .. }) => {}
            Err(error) => return fail(report, "a call's detail", &error),
        }
    }
    report.warning(
        CHECK,
        format!("none of the {} newest calls has a detail", items.len()),
        "try again when there are new calls",
    );
}

/// What a pass relies on: the next page goes on, and the bounds of time are obeyed.
async fn listing(
    client: &Client,
    query: &ListQuery,
    page: Page,
    report: &mut Report,
) -> Result<(), ApiError> {
    let mut faults = Vec::new();
    if page.items.len() > usize::from(query.page_size) {
        faults.push("gives more than page_size");
    }
    if page.is_cut_short {
        faults.push("says that there is more, and gives no cursor");
    }
    if let Some(cursor) = page.next_cursor.clone() {
        let next = client.list_conversations(&ListQuery { cursor: Some(cursor), ..query.clone() }).await?;
        let is_new =
            |item: &ListItem| page.items.iter().all(|seen| seen.conversation_id != item.conversation_id);
        if !next.items.iter().any(is_new) {
            faults.push("gives the same page again for its cursor");
        }
    }
    if let Some(newest) = page.items.iter().filter_map(|item| item.start).max() {
        let newest = newest.timestamp();
        // An hour of room: whether a bound includes its second is documented nowhere.
        let after = ListQuery { call_start_after_unix: Some(newest + 3_600), ..query.clone() };
        let before = ListQuery { call_start_before_unix: Some(newest - 3_600), ..query.clone() };
        let starts = |page: Page| page.items.into_iter().filter_map(|item| item.start);
        if starts(client.list_conversations(&after).await?).any(|start| start.timestamp() <= newest) {
            faults.push("does not obey call_start_after_unix");
        }
        if starts(client.list_conversations(&before).await?).any(|start| start.timestamp() >= newest) {
            faults.push("does not obey call_start_before_unix");
        }
    }
    if faults.is_empty() {
        report.good(CHECK, "the list goes on page by page, and obeys its bounds of time");
    }
    for fault in faults {
        let finding = format!("the list {fault}");
        report.failed(
            CHECK,
            Exit::Failed,
            finding,
            "is ELEVENLABS_BASE_URL the API itself? Else upgrade this program",
        );
    }
    Ok(())
}

fn fail(report: &mut Report, what: &str, error: &ApiError) {
    let says = |token: &str| error.detail().is_some_and(|detail| detail.says(token));
    let remedy = match error {
        ApiError::KeyRefused { .. } if says("missing_permissions") => {
            "the key lacks the scope convai_read (Agents: read): edit the key, or make one that has it"
        }
        ApiError::KeyRefused { status: 403, .. } => {
            "the key is not allowed from this machine's address: see the key's allow-list"
        }
        ApiError::KeyRefused { .. } => "set ELEVENLABS_API_KEY to a key of the account, not revoked",
        ApiError::Throttled { .. } => "too many requests for now: try again later",
        ApiError::Connection { phase: Phase::Tls, .. } => {
            "the certificate is not trusted here, as where TLS is looked into: add its issuer to the system's certificate \
             store (update-ca-certificates), or name a file that has it in SSL_CERT_FILE"
        }
        error if error.is_service_level() => {
            "check ELEVENLABS_BASE_URL, this machine's network and its proxy; or the API has an outage"
        }
        _ => "another version of the API: upgrade this program",
    };
    report.failed(CHECK, Exit::of(error), format!("{what}: {error}"), remedy);
}

#[expect(clippy::disallowed_methods, reason = "the clock is what is being looked at")]
pub(super) fn now() -> DateTime<Utc> {
    Utc::now()
}
