//! The one message: fetch this conversation. It carries ids only; what is private stays at its source until the process
//! that stores it asks for it.

use serde::{Deserialize, Serialize};

use crate::ids::{self, AgentId, ConversationId};

/// The `type` property of the message.
pub const MESSAGE_TYPE: &str = "fetch_conversation.v1";

/// The one version of the body there is.
pub const VERSION: u32 = 1;

/// A request to fetch one conversation and store it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FetchConversation {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its agent, as the list says.
    pub agent_id: Option<AgentId>,
    /// The pass that asked, `corridas.id_corrida`.
    pub run_id: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Body {
    v: u32,
    conversation_id: ConversationId,
    agent_id: Option<AgentId>,
    run_id: Option<String>,
}

/// A body that is no job of ours. What it says is not repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UndecodableJob {
    /// Made by a later release.
    #[error("job version {0}, this release knows version {VERSION}: upgrade the consumer, then replay")]
    UnknownVersion(u32),
    /// Not the JSON of a job.
    #[error("not a job: expected JSON with v, conversation_id, agent_id, run_id")]
    Garbage,
}

/// Only the version: a later one may have changed all else.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

impl FetchConversation {
    /// The body of the message.
    ///
    /// # Panics
    /// Never: a struct of strings and a number always has a JSON form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let body = Body {
            v: VERSION,
            conversation_id: self.conversation_id.clone(),
            agent_id: self.agent_id.clone(),
            run_id: self.run_id.clone(),
        };
        serde_json::to_vec(&body).expect("strings and a number have a JSON form")
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// [`UndecodableJob`] when it is of another version or no job at all.
    pub fn decode(body: &[u8]) -> Result<Self, UndecodableJob> {
        let Version { v } = serde_json::from_slice(body).map_err(|_| UndecodableJob::Garbage)?;
        if v != VERSION {
            return Err(UndecodableJob::UnknownVersion(v));
        }
        let body: Body = serde_json::from_slice(body).map_err(|_| UndecodableJob::Garbage)?;
        // Whoever wrote it: what goes into the book is of the form of an id.
        let run_id = body.run_id.filter(|run_id| ids::is_id(run_id));
        Ok(Self { conversation_id: body.conversation_id, agent_id: body.agent_id, run_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_the_way_through_the_broker() {
        let job = FetchConversation {
            conversation_id: ConversationId::parse("conv_1").expect("an id"),
            agent_id: AgentId::parse("agent_1").ok(),
            run_id: Some("r".into()),
        };
        assert_eq!(
            String::from_utf8(job.encode()).expect("UTF-8"),
            r#"{"v":1,"conversation_id":"conv_1","agent_id":"agent_1","run_id":"r"}"#
        );
        assert_eq!(FetchConversation::decode(&job.encode()), Ok(job));
    }

    #[test]
    fn what_is_no_job_is_told_apart() {
        let cases: [(&[u8], UndecodableJob); 6] = [
            (b"", UndecodableJob::Garbage),
            (b"\xff\xfe", UndecodableJob::Garbage),
            (b"[]", UndecodableJob::Garbage),
            (br#"{"v":1}"#, UndecodableJob::Garbage),
            (br#"{"v":1,"conversation_id":"a b"}"#, UndecodableJob::Garbage),
            (br#"{"v":2,"ids":[]}"#, UndecodableJob::UnknownVersion(2)),
        ];
        for (body, expected) in cases {
            assert_eq!(FetchConversation::decode(body), Err(expected));
        }
        // Absent is null: other publishers need not know the agent or have a run.
        assert!(FetchConversation::decode(br#"{"v":1,"conversation_id":"conv_1"}"#).is_ok());
    }
}
