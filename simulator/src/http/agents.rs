//! `GET /v1/convai/agents` and `/{agent_id}`.

use serde_json::json;

use super::problem::Problem;
use super::query::Parameters;
use super::reply::Reply;
use crate::agents::Agent;
use crate::body::agent;
use crate::world::World;

/// What a list of agents is asked for.
#[derive(Debug)]
pub(crate) struct Filter {
    cursor: Option<String>,
    page_size: usize,
    search: Option<String>,
    is_archived: bool,
    is_ascending: bool,
}

impl Filter {
    pub(crate) fn read(parameters: &mut Parameters) -> Self {
        let page_size = parameters.integer_within("page_size", 1, 100).unwrap_or(30);
        parameters.choice("sort_by", &["name", "created_at", "call_count_7d"]);
        Self {
            cursor: parameters.text("cursor").filter(|cursor| !cursor.is_empty()),
            page_size: usize::try_from(page_size).unwrap_or(30),
            search: parameters.text("search").map(|search| search.to_lowercase()),
            is_archived: parameters.flag("archived").unwrap_or(false),
            is_ascending: parameters.choice("sort_direction", &["asc", "desc"]).as_deref() == Some("asc"),
        }
    }
}

/// A page of agents, newest first; `pass` checks the key and the limits.
pub(crate) fn list(
    world: &World,
    filter: &Filter,
    pass: impl FnOnce() -> Result<(), Problem>,
) -> Result<Reply, Problem> {
    pass()?;
    let offset = match &filter.cursor {
        None => 0,
        Some(cursor) => cursor
            .strip_prefix("agents_")
            .and_then(|at| at.parse::<usize>().ok())
            .ok_or_else(Problem::bad_cursor)?,
    };
    let is_wanted = |agent: &&Agent| {
        !agent.is_deleted
            && !filter.is_archived
            && filter.search.as_ref().is_none_or(|search| agent.name.to_lowercase().contains(search))
    };
    let mut agents: Vec<&Agent> = world.agents.iter().filter(is_wanted).collect();
    if !filter.is_ascending {
        agents.reverse();
    }
    let last_call = world.index().newest();
    let end = offset.saturating_add(filter.page_size);
    let rows: Vec<_> =
        agents.iter().skip(offset).take(filter.page_size).map(|agent| agent::row(agent, last_call)).collect();
    let next_cursor = (end < agents.len()).then(|| format!("agents_{end}"));
    let page = json!({ "agents": rows, "has_more": next_cursor.is_some(), "next_cursor": next_cursor });
    Ok(Reply::json(page.to_string().into_bytes()))
}

/// One agent.
pub(crate) fn detail(world: &World, id: &str) -> Result<Reply, Problem> {
    let agent = world.agents.iter().find(|agent| agent.id == id && !agent.is_deleted);
    match agent {
        Some(agent) => Ok(Reply::json(agent::detail(agent).to_string().into_bytes())),
        None => Err(Problem::no_agent(id)),
    }
}
