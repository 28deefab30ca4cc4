//! What is asked over HTTP beside the API: the simulator's switches and counts, and RabbitMQ's process.

use serde::Deserialize;
use serde_json::{Value, json};

/// What the simulator says that it has served, since its counts were last reset.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Served {
    /// Requests for a page of conversations.
    pub(crate) list: u64,
    /// Requests for one conversation.
    pub(crate) detail: u64,
    /// Answers 2xx.
    pub(crate) status_2xx: u64,
    /// Answers 429.
    pub(crate) status_429: u64,
    pub(crate) first_list_unix_us: Option<u64>,
    pub(crate) last_list_unix_us: Option<u64>,
    pub(crate) first_detail_unix_us: Option<u64>,
    pub(crate) last_detail_unix_us: Option<u64>,
}

/// The simulator's `/control`.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    http: reqwest::Client,
    base_url: String,
}

impl Control {
    /// Of the simulator at this base URL.
    pub(crate) fn new(base_url: &str) -> anyhow::Result<Self> {
        Ok(Self { http: client()?, base_url: format!("{base_url}/control") })
    }

    /// What was served.
    pub(crate) async fn served(&self) -> anyhow::Result<Served> {
        let answer = self.http.get(format!("{}/served", self.base_url)).send().await?;
        Ok(serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?)
    }

    /// Counts from zero.
    pub(crate) async fn reset(&self) -> anyhow::Result<()> {
        self.http.post(format!("{}/reset-counts", self.base_url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Changes some of the faults.
    pub(crate) async fn faults(&self, patch: &Value) -> anyhow::Result<()> {
        let request = self.http.patch(format!("{}/faults", self.base_url)).body(patch.to_string());
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Sets the time that each detail takes, and no other fault.
    pub(crate) async fn latency(&self, millis: u32) -> anyhow::Result<()> {
        self.faults(&json!({
            "latency": format!("{millis}ms"), "only_details": true, "rate_limit": null, "retry_after": null,
        }))
        .await
    }

    /// Adds calls that start now.
    pub(crate) async fn add(&self, count: u32) -> anyhow::Result<()> {
        let url = format!("{}/conversations?n={count}", self.base_url);
        self.http.post(url).send().await?.error_for_status()?;
        Ok(())
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    crate::bare::install_tls_provider();
    Ok(reqwest::Client::builder().tls_certs_only([]).no_proxy().build()?)
}

/// The node at this management API: its process, and its version.
pub(crate) async fn rabbitmq(management_url: &str) -> anyhow::Result<(Option<u32>, String)> {
    #[derive(Deserialize)]
    struct Node {
        os_pid: Option<String>,
    }
    #[derive(Deserialize)]
    struct Overview {
        rabbitmq_version: String,
    }
    let http = client()?;
    let get = async |path: &str| -> anyhow::Result<_> {
        let answer = http.get(format!("{management_url}/api/{path}")).send().await?;
        Ok(answer.error_for_status()?.bytes().await?)
    };
    let nodes: Vec<Node> = serde_json::from_slice(&get("nodes").await?)?;
    let overview: Overview = serde_json::from_slice(&get("overview").await?)?;
    let pid = nodes.into_iter().find_map(|node| node.os_pid?.parse().ok());
    Ok((pid, overview.rabbitmq_version))
}
