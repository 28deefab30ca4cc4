//! A client for the tests: a running simulator and requests to it.
#![expect(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "these are tests, though not marked as such")]

use reqwest::header::HeaderMap;
use serde_json::Value;
use simulator::{Settings, Simulator};

pub(crate) const KEY: &str = "k";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// `detail.<field>` of an error.
    pub(crate) fn detail(&self, field: &str) -> String {
        self.json()["detail"][field].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn client() -> reqwest::Client {
    // plain HTTP needs none, and building a client without one panics
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A simulator and a client of it.
pub(crate) struct Visitor {
    pub(crate) simulator: Simulator,
    pub(crate) client: reqwest::Client,
    pub(crate) key: String,
}

impl Visitor {
    pub(crate) async fn new(settings: Settings) -> Self {
        let simulator = Simulator::start(Settings { api_key: KEY.to_owned(), ..settings }).await.unwrap();
        Self { simulator, client: client(), key: KEY.to_owned() }
    }

    pub(crate) async fn try_get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{path}", self.simulator.base_url());
        let response = self.client.get(url).header("xi-api-key", &self.key).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    pub(crate) async fn detail_answer(&self, id: &str) -> Answer {
        self.get(&format!("/v1/convai/conversations/{id}")).await
    }

    pub(crate) async fn detail(&self, id: &str) -> Value {
        let answer = self.detail_answer(id).await;
        assert_eq!(answer.status, 200);
        answer.json()
    }

    /// All pages of a list.
    pub(crate) async fn pages(&self, query: &str) -> Vec<Value> {
        let mut pages: Vec<Value> = vec![];
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/v1/convai/conversations?{query}{cursor}")).await.json();
            let next = page["next_cursor"].as_str().map(str::to_owned);
            assert_eq!(page["has_more"].as_bool(), Some(next.is_some()));
            pages.push(page);
            let Some(next) = next else { return pages };
            cursor = format!("&cursor={next}");
        }
    }

    /// All rows of a list.
    pub(crate) async fn rows(&self, query: &str) -> Vec<Value> {
        let pages = self.pages(query).await;
        pages.iter().flat_map(|page| page["conversations"].as_array().unwrap().clone()).collect()
    }

    pub(crate) async fn ids(&self, query: &str) -> Vec<String> {
        self.rows(query).await.iter().map(|row| row["conversation_id"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn control(&self, method: reqwest::Method, path: &str, body: &str) -> Answer {
        let url = format!("{}/control/{path}", self.simulator.base_url());
        let response = self.client.request(method, url).body(body.to_owned()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }
}
