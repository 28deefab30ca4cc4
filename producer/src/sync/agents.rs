//! Agents' names: asked for only when an agent is unknown, or its name older than 24 h.

use std::collections::{BTreeMap, BTreeSet};

use shared::database::Database;
use shared::elevenlabs::{ApiError, Client};
use shared::ids::AgentId;

use crate::discover::ask;
use crate::records;

/// Brings the names up to date of the agents seen in a pass, and of those known before.
pub(super) async fn refresh(
    client: &Client,
    database: &Database,
    seen: BTreeSet<AgentId>,
) -> anyhow::Result<()> {
    let seen: Vec<String> = seen.into_iter().map(Into::into).collect();
    let stale = database.run(move |connection| records::stale_agents(connection, &seen)).await?;
    if stale.is_empty() {
        return Ok(());
    }
    let mut names = listed(client).await?;
    let mut agents = Vec::with_capacity(stale.len());
    for id in stale {
        let name = match names.remove(&id) {
            Some(name) => name,
            None => match single(client, &id).await {
                Ok(name) => name,
                Err(error) => {
                    log::warn!("the name of agent {id} could not be had: {error}");
                    continue;
                }
            },
        };
        agents.push((id, name));
    }
    log::info!("names of {} agents brought up to date", agents.len());
    database.run(move |connection| records::name_agents(connection, &agents)).await?;
    Ok(())
}

/// Every agent that the list shows: one request for a hundred, where a detail has some hundred kilobytes.
async fn listed(client: &Client) -> Result<BTreeMap<String, Option<String>>, ApiError> {
    let mut names = BTreeMap::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = ask(|| client.agents(cursor.as_deref())).await?;
        names.extend(page.agents.into_iter().map(|agent| (agent.agent_id.to_string(), agent.name)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(names);
        }
    }
}

/// One that the list does not show: archived, or gone; its conversations outlive it.
async fn single(client: &Client, id: &str) -> Result<Option<String>, ApiError> {
    let Ok(agent_id) = AgentId::parse(id) else { return Ok(None) };
    match ask(|| client.agent(&agent_id)).await {
        Ok(agent) => Ok(agent.name),
        Err(ApiError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
