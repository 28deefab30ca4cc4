//! The client: five reading requests, each bounded in time and size.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;
use url::Url;

use super::agent::{Agent, AgentsPage};
use super::body::{self, Body};
use super::conversation::Conversation;
use super::error::{ApiError, Phase};
use super::key::{ApiKey, KeyError};
use super::page::{ListQuery, MAX_PAGE_SIZE, Page};
use super::refusal;
use super::transport::{self, ClientError};
use crate::ids::{AgentId, ConversationId};

/// What a client needs to know.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Where the API is; a path in it comes before the API's own.
    pub base_url: Url,
    /// The secret sent with each request.
    pub api_key: ApiKey,
    /// The longest that one request may take, its body included.
    pub timeout: Duration,
    /// How many idle connections are kept.
    pub concurrency: usize,
    /// The longest body that is taken, in bytes after decompression.
    pub max_body_bytes: usize,
}

impl ClientSettings {
    /// 32 MiB: the longest conversations seen are a hundredth of it.
    pub const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;
}

/// What a request waits for before it is made: a share of a rate that others use too. `Err`: it must not be made.
pub type Leave = dyn Fn() -> BoxFuture<'static, Result<(), NoLeave>> + Send + Sync;

/// Whether a request may be made cannot be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoLeave;

/// A client of the API. Clones share their connections and their key.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    leave: Option<Arc<Leave>>,
}

struct Inner {
    http: reqwest::Client,
    base_url: Url,
    key: RwLock<ApiKey>,
    max_body_bytes: usize,
    /// The turn of long bodies, one at a time.
    long: Arc<Semaphore>,
}

/// One conversation, as it came.
pub struct ConversationBody {
    conversation_id: ConversationId,
    body: Body,
}

struct Answer {
    body: Body,
    served_at: Option<DateTime<Utc>>,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError`] when the settings cannot be used or TLS cannot be set up.
    pub fn new(settings: ClientSettings) -> Result<Self, ClientError> {
        let http = transport::build(&settings)?;
        let ClientSettings { base_url, api_key, max_body_bytes, .. } = settings;
        let inner = Inner {
            http,
            base_url,
            key: RwLock::new(api_key),
            max_body_bytes,
            long: Arc::new(Semaphore::new(1)),
        };
        Ok(Self { inner: Arc::new(inner), leave: None })
    }

    /// The same client, with something to wait for before each request.
    #[must_use]
    pub fn with_leave(self, leave: Arc<Leave>) -> Self {
        Self { leave: Some(leave), ..self }
    }

    /// Reads the key again from the file it came from; says whether it is another one now. Requests in flight go on
    /// with the old one.
    ///
    /// # Errors
    /// [`KeyError`] when the file holds no usable key; the old one stays.
    pub fn reload_key(&self) -> Result<bool, KeyError> {
        let mut key = self.inner.key.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = key.rotated()?;
        let is_another = fresh.is_some();
        if let Some(fresh) = fresh {
            *key = fresh;
        }
        Ok(is_another)
    }

    /// One page of the list of conversations.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn list_conversations(&self, query: &ListQuery) -> Result<Page, ApiError> {
        let answer = self.get(&["conversations"], &query.parameters()).await?;
        Page::parse(query, &answer.body.unpacked()?, answer.served_at)
    }

    /// One conversation.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::Malformed`] also when the answer is about another conversation.
    pub async fn conversation(&self, conversation_id: &ConversationId) -> Result<Conversation, ApiError> {
        self.conversation_body(conversation_id).await?.parse()
    }

    /// The body of one conversation: for who reads it elsewhere.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn conversation_body(
        &self,
        conversation_id: &ConversationId,
    ) -> Result<ConversationBody, ApiError> {
        let answer = self.get(&["conversations", conversation_id.as_str()], &[]).await?;
        Ok(ConversationBody { conversation_id: conversation_id.clone(), body: answer.body })
    }

    /// One agent.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::NotFound`] for a deleted agent, whose conversations outlive it.
    pub async fn agent(&self, agent_id: &AgentId) -> Result<Agent, ApiError> {
        let answer = self.get(&["agents", agent_id.as_str()], &[]).await?;
        Agent::parse(agent_id, &answer.body.unpacked()?)
    }

    /// One page of the list of agents, beginning at a cursor.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn agents(&self, cursor: Option<&str>) -> Result<AgentsPage, ApiError> {
        let mut query = vec![("page_size", MAX_PAGE_SIZE.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let answer = self.get(&["agents"], &query).await?;
        AgentsPage::parse(cursor, &answer.body.unpacked()?)
    }

    /// Asks for a list of one, to see whether the API answers and takes the key.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn probe(&self) -> Result<(), ApiError> {
        self.list_conversations(&ListQuery { page_size: 1, ..ListQuery::default() }).await?;
        Ok(())
    }

    async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, ApiError> {
        if let Some(leave) = &self.leave {
            leave().await.map_err(|NoLeave| ApiError::NoLeave)?;
        }
        let request = self.inner.http.get(self.url(path, query)).header("xi-api-key", self.key_header());
        let response = request.send().await.map_err(|error| transport::classify(&error, Phase::Answer))?;
        if response.status().is_success() {
            let served_at = body::served_at(response.headers());
            let body = Body::receive(response, self.inner.max_body_bytes, &self.inner.long).await?;
            return Ok(Answer { body, served_at });
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body::beginning(response, refusal::MAX_BYTES).await;
        // An answer may repeat the key that it refuses.
        let body = body::without(&body, self.key_header().as_bytes());
        Err(refusal::classify(status, &headers, &body, SystemTime::now()))
    }

    fn key_header(&self) -> HeaderValue {
        self.inner.key.read().unwrap_or_else(PoisonError::into_inner).header_value()
    }

    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.inner.base_url.clone();
        // An `http` or `https` URL, which `transport::build` has seen to, always has a path to add to.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["v1", "convai"]).extend(path);
        }
        url.set_query(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl ConversationBody {
    /// The conversation inside.
    ///
    /// # Errors
    /// [`ApiError::NotJson`]; [`ApiError::TooLarge`] or [`ApiError::Connection`] when it cannot be unpacked;
    /// [`ApiError::Malformed`] also when it is another conversation.
    pub fn parse(&self) -> Result<Conversation, ApiError> {
        let conversation = Conversation::parse(&self.body.unpacked()?)?;
        if conversation.conversation_id == self.conversation_id {
            Ok(conversation)
        } else {
            Err(ApiError::MALFORMED)
        }
    }
}

impl fmt::Debug for ConversationBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConversationBody").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Client(..)")
    }
}

#[cfg(test)]
#[path = "tests/client.rs"]
mod tests;
