//! The API with as little as it can be asked with.

use std::sync::Arc;

use anyhow::Context;
use serde::Deserialize;
use tokio::sync::mpsc;

/// The key that the benchmark's simulator takes.
pub(crate) const KEY: &str = "bench";

/// A client.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    conversations: Arc<str>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    conversations: Vec<Item<'a>>,
    next_cursor: Option<&'a str>,
}

#[derive(Deserialize)]
struct Item<'a> {
    conversation_id: &'a str,
}

impl Api {
    /// A client of the simulator at this base URL.
    pub(crate) fn new(base_url: &str) -> anyhow::Result<Self> {
        super::install_tls_provider();
        let http = reqwest::Client::builder().tls_certs_only([]).no_proxy().build()?;
        Ok(Self { http, conversations: format!("{base_url}/v1/convai/conversations").into() })
    }

    /// The body of an answer.
    async fn get(&self, url: &str) -> anyhow::Result<impl AsRef<[u8]> + use<>> {
        let response = self.http.get(url).header("xi-api-key", KEY).send().await?;
        Ok(response.error_for_status()?.bytes().await?)
    }

    /// The body of one conversation.
    pub(crate) async fn detail(&self, conversation_id: &str) -> anyhow::Result<impl AsRef<[u8]> + use<>> {
        self.get(&format!("{}/{conversation_id}", self.conversations)).await
    }

    /// Sends the ids of all conversations, a page at a time.
    pub(crate) async fn list(&self, pages: mpsc::Sender<Vec<String>>) -> anyhow::Result<()> {
        let mut cursor = String::new();
        loop {
            let body = self.get(&format!("{}?page_size=100{cursor}", self.conversations)).await?;
            let page: Page<'_> = serde_json::from_slice(body.as_ref())?;
            let ids = page.conversations.iter().map(|item| item.conversation_id.to_owned()).collect();
            pages.send(ids).await.ok().context("somebody takes the pages")?;
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(()),
            }
        }
    }
}
