//! `GET /v1/convai/conversations` and `/{conversation_id}`.

use std::fmt::Write as _;
use std::ops::Bound;

use serde::Serialize;

use super::problem::Problem;
use super::query::Parameters;
use super::reply::{self, Reply};
use crate::body::summary::Summary;
use crate::dice;
use crate::index::Position;
use crate::world::World;

const STATUSES: &[&str] = &["initiated", "in-progress", "processing", "done", "failed"];

/// What a list is asked for.
#[derive(Debug)]
pub(crate) struct Filter {
    cursor: Option<String>,
    page_size: usize,
    is_ascending: bool,
    agent_id: Option<String>,
    start_after: Option<i64>,
    start_before: Option<i64>,
    duration_min: Option<i64>,
    duration_max: Option<i64>,
    call_successful: Option<String>,
    user_id: Option<String>,
    exclude_statuses: Vec<String>,
    has_text: bool,
}

impl Filter {
    pub(crate) fn read(parameters: &mut Parameters) -> Self {
        let page_size = parameters.integer_within("page_size", 1, 100).unwrap_or(30);
        parameters.integer_within("rating_min", 1, 5);
        parameters.integer_within("rating_max", 1, 5);
        Self {
            cursor: parameters.text("cursor").filter(|cursor| !cursor.is_empty()),
            page_size: usize::try_from(page_size).unwrap_or(30),
            is_ascending: parameters.choice("sort_direction", &["asc", "desc"]).as_deref() == Some("asc"),
            agent_id: parameters.text("agent_id"),
            start_after: parameters.integer("call_start_after_unix"),
            start_before: parameters.integer("call_start_before_unix"),
            duration_min: parameters.integer("call_duration_min_secs"),
            duration_max: parameters.integer("call_duration_max_secs"),
            call_successful: parameters.choice("call_successful", &["success", "failure", "unknown"]),
            user_id: parameters.text("user_id"),
            exclude_statuses: parameters.choices("exclude_statuses", STATUSES),
            has_text: parameters.choice("summary_mode", &["exclude", "include"]).as_deref()
                == Some("include"),
        }
    }

    fn admits(&self, summary: &Summary) -> bool {
        let is =
            |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|wanted| wanted == given);
        let secs = i64::try_from(summary.call_duration_secs).unwrap_or(i64::MAX);
        is(&self.agent_id, &summary.agent_id)
            && is(&self.call_successful, &summary.call_successful)
            && (self.user_id.is_none() || self.user_id == summary.user_id)
            && self.duration_min.is_none_or(|least| secs >= least)
            && self.duration_max.is_none_or(|most| secs <= most)
            && !self.exclude_statuses.contains(&summary.status)
    }

    /// The bounds of the list's walk, both sides of the time window included.
    fn bounds(&self, after: Option<Position>) -> (Bound<Position>, Bound<Position>) {
        let mut lower = self.start_after.map_or(Bound::Unbounded, |start| Bound::Included((start, 0)));
        let mut upper =
            self.start_before.map_or(Bound::Unbounded, |start| Bound::Included((start, u32::MAX)));
        if let Some(position) = after {
            *if self.is_ascending { &mut lower } else { &mut upper } = Bound::Excluded(position);
        }
        (lower, upper)
    }

    /// A cursor belongs to the filters it was made with; this tells them apart.
    fn fingerprint(&self) -> u64 {
        let text = format!(
            "{:?}",
            (
                self.is_ascending,
                &self.agent_id,
                self.start_after,
                self.start_before,
                self.duration_min,
                self.duration_max,
                &self.call_successful,
                &self.user_id,
                &self.exclude_statuses,
            )
        );
        dice::draw(0, &text, 0)
    }

    fn write_cursor(&self, position: Position) -> String {
        let text = format!("{}.{}.{:x}", position.0, position.1, self.fingerprint());
        text.bytes().fold(String::with_capacity(2 * text.len()), |mut cursor, byte| {
            write!(cursor, "{byte:02x}").expect("writing to a String cannot fail");
            cursor
        })
    }

    fn read_cursor(&self) -> Result<Option<Position>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let position = || {
            let bytes =
                (0..cursor.len()).step_by(2).map(|at| u8::from_str_radix(cursor.get(at..at + 2)?, 16).ok());
            let text = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
            let mut parts = text.split('.');
            let position = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let fingerprint = u64::from_str_radix(parts.next()?, 16).ok()?;
            (fingerprint == self.fingerprint() && parts.next().is_none()).then_some(position)
        };
        position().map(Some).ok_or_else(Problem::bad_cursor)
    }
}

#[derive(Serialize)]
struct Page {
    conversations: Vec<Summary>,
    next_cursor: Option<String>,
    has_more: bool,
}

/// A page of conversations; `pass` checks the key and the limits.
pub(crate) fn list(
    world: &World,
    filter: &Filter,
    pass: impl FnOnce() -> Result<(), Problem>,
) -> Result<Reply, Problem> {
    pass()?;
    let after = filter.read_cursor()?;
    let mut page =
        Page { conversations: Vec::with_capacity(filter.page_size), next_cursor: None, has_more: false };
    // an id on two pages: the one that ended the page before begins this one
    let count = world.index().len();
    let repeated = after
        .map(|(_, number)| number)
        .filter(|number| filter.page_size > 1 && *number < count && world.knobs().is_repeated(*number));
    if let Some(number) = repeated {
        page.conversations.push(world.summary(number, filter.has_text));
        world.served().repeated += 1;
    }
    let mut last = None;
    world.visit(filter.bounds(after), filter.is_ascending, |position| {
        let summary = world.summary(position.1, filter.has_text);
        if !filter.admits(&summary) {
            return true;
        }
        page.has_more = page.conversations.len() == filter.page_size;
        if !page.has_more {
            page.conversations.push(summary);
            last = Some(position);
        }
        !page.has_more
    });
    if page.has_more {
        page.next_cursor = last.map(|position| filter.write_cursor(position));
    }
    Ok(Reply::json(serde_json::to_vec(&page).expect("a page has text keys only")))
}

/// Checks the parameters of a detail.
pub(crate) fn format(parameters: &mut Parameters) {
    parameters.choice("format", &["json", "opentelemetry"]);
}

/// One conversation.
pub(crate) fn detail(world: &World, id: &str, has_gzip: bool) -> Result<Reply, Problem> {
    let found = world.index().number(id);
    let Some(number) = found else { return Err(Problem::no_conversation(id)) };
    let (is_missing, is_malformed, is_endless) = {
        let knobs = world.knobs();
        (knobs.is_missing(number), knobs.is_malformed(number), knobs.is_endless(number))
    };
    if is_missing {
        return Err(Problem::no_conversation(id));
    }
    let reply = if is_malformed {
        world.served().malformed += 1;
        Reply::json(break_body(world.detail(number), dice::draw(world.seed, "break", number.into())))
    } else {
        Reply::json(world.encoded_detail(number, has_gzip, |body| reply::encode(body.into(), has_gzip)))
    };
    Ok(if is_endless { reply.without_end() } else { reply })
}

/// Four ways in which a body is no conversation.
fn break_body(mut body: Vec<u8>, draw: u64) -> Vec<u8> {
    match draw % 4 {
        0 => body.truncate(body.len() / 2),
        1 => body.clear(),
        2 => body = b"[\"no conversation\"]".to_vec(),
        _ => body.extend_from_slice(b",\"\xff\xfe"),
    }
    body
}

/// The stand-in records no sound.
pub(crate) fn audio(world: &World, id: &str) -> Problem {
    if world.index().number(id).is_some() { Problem::no_audio() } else { Problem::no_conversation(id) }
}
