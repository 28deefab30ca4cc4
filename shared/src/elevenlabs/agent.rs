//! Agents: who takes the calls. Of all that is known of one, its id, its name, and what it collects are read.

use serde::Deserialize;
use serde_json::Value;

use super::body;
use super::error::ApiError;
use super::page::{self, flag, next_cursor, text};
use crate::ids::AgentId;

/// An agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    /// Its id.
    pub agent_id: AgentId,
    /// Its name; empty counts as none.
    pub name: Option<String>,
    /// Ids of the data-collection items it fills; `None` when it does not say, as in a list, or says it in the newer way,
    /// by reference.
    pub data_items: Option<Vec<String>>,
}

/// One page of the list of agents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentsPage {
    /// The agents with a usable id.
    pub agents: Vec<Agent>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    agent_id: AgentId,
    #[serde(default)]
    name: Value,
    // A value, read on its own: an odd setting must not cost the name.
    #[serde(default)]
    platform_settings: Value,
}

#[derive(Deserialize)]
struct PageWire {
    agents: Vec<Value>,
    #[serde(default)]
    has_more: Value,
    #[serde(default)]
    next_cursor: Value,
}

impl Agent {
    /// Parses the answer to a question for one agent, which must be about that one.
    pub(super) fn parse(asked: &AgentId, body: &[u8]) -> Result<Self, ApiError> {
        let wire: Wire = body::parse(body)?;
        if wire.agent_id != *asked {
            return Err(ApiError::MALFORMED);
        }
        let name = name(Some(&wire.name));
        Ok(Self { agent_id: wire.agent_id, name, data_items: data_items(&wire.platform_settings) })
    }
}

impl AgentsPage {
    /// Parses a page that was asked for with `cursor`; an agent without a usable id is left out.
    pub(super) fn parse(cursor: Option<&str>, body: &[u8]) -> Result<Self, ApiError> {
        let wire: PageWire = body::parse(body)?;
        let agents = wire.agents.iter().filter_map(|item| {
            let agent_id = AgentId::parse(text(item.get("agent_id"))?).ok()?;
            Some(Agent { agent_id, name: name(item.get("name")), data_items: None })
        });
        Ok(Self {
            agents: agents.collect(),
            next_cursor: next_cursor(flag(&wire.has_more), page::cursor(&wire.next_cursor), cursor),
        })
    }
}

/// A name, without U+0000, which PostgreSQL cannot hold; `None` if there is nothing else.
fn name(field: Option<&Value>) -> Option<String> {
    text(field).map(|name| name.replace('\0', "")).filter(|name| !name.is_empty())
}

/// The items that an agent's settings define; one that was moved to items by reference may leave the older place empty.
fn data_items(platform_settings: &Value) -> Option<Vec<String>> {
    let items = platform_settings.get("data_collection")?.as_object()?;
    let by_reference = platform_settings.get("analysis_items").is_some_and(|items| !items.is_null());
    (!by_reference || !items.is_empty()).then(|| items.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_an_id_and_perhaps_a_name() {
        let asked = AgentId::parse("agent_1").expect("an id");
        for (body, name) in [
            (
                r#"{"agent_id":"agent_1","name":"Línea 089","conversation_config":{"x":[1]}}"#,
                Some("Línea 089"),
            ),
            (r#"{"agent_id":"agent_1","name":null}"#, None),
            (r#"{"agent_id":"agent_1","name":""}"#, None),
            (r#"{"agent_id":"agent_1"}"#, None),
            (r#"{"agent_id":"agent_1","name":7}"#, None),
            (r#"{"agent_id":"agent_1","name":"L\u0000ínea","name":null}"#, Some("Línea")),
            (r#"{"agent_id":"agent_1","name":"\u0000"}"#, None),
        ] {
            let agent = Agent::parse(&asked, body.as_bytes()).expect(body);
            assert_eq!(agent.name.as_deref(), name, "{body}");
        }
        for body in [r#"{"agent_id":"agent_2"}"#, "{}", "[]"] {
            assert_eq!(Agent::parse(&asked, body.as_bytes()).expect_err(body).class(), "malformed", "{body}");
        }
    }

    #[test]
    fn what_an_agent_collects_is_read_where_it_says_so() {
        let asked = AgentId::parse("agent_1").expect("an id");
        for (settings, items) in [
            (r#"{"data_collection":{"lugar":{"type":"string"},"modo":{}}}"#, Some(vec!["lugar", "modo"])),
            (r#"{"data_collection":{},"analysis_items":null}"#, Some(vec![])),
            (r#"{"data_collection":{},"analysis_items":{"data_collection":[]}}"#, None),
            (r#"{"data_collection":[]}"#, None),
            ("{}", None),
            ("7", None),
        ] {
            let body = format!(r#"{{"agent_id":"agent_1","name":"x","platform_settings":{settings}}}"#);
            let agent = Agent::parse(&asked, body.as_bytes()).expect(settings);
            let expected = items.map(|items| items.into_iter().map(String::from).collect::<Vec<_>>());
            assert_eq!(agent.data_items, expected, "{settings}");
        }
    }

    #[test]
    fn an_odd_agent_does_not_sink_its_page() {
        let body = br#"{"agents":[7,{"name":"x"},{"agent_id":"agent_1","name":5}],"has_more":true,"next_cursor":"c"}"#;
        let page = AgentsPage::parse(None, body).expect("a page");
        assert_eq!(page.agents.len(), 1);
        assert_eq!(page.agents[0].name, None);
        assert_eq!(page.next_cursor.as_deref(), Some("c"));
    }
}
