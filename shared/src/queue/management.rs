//! RabbitMQ's management API, for what AMQP cannot tell: its version, its alarms, policies, and what consumers hold.
//! Optional: `AMQP_MANAGEMENT_URL`. Only read, and nothing of its texts is repeated but names.

use std::error::Error;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use crate::config::AmqpConfig;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why the management API says nothing. Its address is not repeated: it holds a password.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ManagementError {
    /// No answer.
    #[error("RabbitMQ's management API cannot be reached ({reason}): check AMQP_MANAGEMENT_URL")]
    Unreachable {
        /// What the system said.
        reason: String,
    },
    /// User and password are refused, or the user lacks the tag that lets it ask.
    #[error(
        "RabbitMQ's management API refuses the user: check AMQP_MANAGEMENT_URL, and give the user the tag \
         `monitoring` (rabbitmqctl set_user_tags USER monitoring)"
    )]
    Refused,
    /// Anything else: what answers may not be it.
    #[error("RabbitMQ's management API gives no usable answer ({reason}): check AMQP_MANAGEMENT_URL")]
    Unusable {
        /// What is wrong with it.
        reason: String,
    },
}

/// The management API, in one virtual host.
#[derive(Debug)]
pub struct Management {
    http: reqwest::Client,
    base_url: Url,
    user: String,
    password: SecretString,
    vhost: String,
}

/// What the management API knows of a queue. A broker that has just begun leaves out what it has not counted yet.
#[derive(Clone, Debug, Deserialize)]
pub struct ManagedQueue {
    /// Its full name.
    pub name: String,
    /// Messages that consumers hold.
    #[serde(default, rename = "messages_unacknowledged")]
    pub held: Option<u64>,
    /// The policy that applies to it.
    #[serde(default)]
    pub policy: Option<String>,
    #[serde(default)]
    effective_policy_definition: Option<Value>,
}

impl ManagedQueue {
    /// What its policies set.
    #[must_use]
    pub fn policy_keys(&self) -> Vec<&str> {
        let keys = self.effective_policy_definition.as_ref().and_then(Value::as_object);
        keys.map_or_else(Vec::new, |keys: &Map<String, Value>| keys.keys().map(String::as_str).collect())
    }
}

/// What the management API knows of a consumer. It learns of one within seconds.
#[derive(Clone, Debug)]
pub struct ManagedConsumer {
    /// The full name of the queue that it consumes.
    pub queue: String,
    /// The name of its channel.
    pub channel: String,
    /// How many deliveries it holds at most.
    pub prefetch: u64,
}

#[derive(Deserialize)]
struct Consumer {
    queue: Named,
    channel_details: Named,
    prefetch_count: u64,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Overview {
    rabbitmq_version: String,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mem_alarm: bool,
    #[serde(default)]
    disk_free_alarm: bool,
}

impl Management {
    /// The management API of the configuration, if it names one. Without a user of its own, `AMQP_URL`'s is taken.
    ///
    /// # Errors
    /// [`ManagementError::Unusable`] when no client can be made.
    pub fn new(config: &AmqpConfig) -> Result<Option<Self>, ManagementError> {
        let Some(url) = &config.management_url else { return Ok(None) };
        let parse = |url: &SecretString| Url::parse(url.expose_secret()).map_err(unusable);
        let (mut base_url, amqp) = (parse(url)?, parse(&config.url)?);
        let login = if base_url.username().is_empty() { &amqp } else { &base_url };
        let (user, password) = (decoded(login.username()), decoded(login.password().unwrap_or_default()));
        // Not an address that can be without either: the configuration has seen to its scheme.
        base_url.set_username("").and_then(|()| base_url.set_password(None)).ok();
        crate::install_tls_provider();
        let mut builder = reqwest::Client::builder().redirect(Policy::none()).timeout(TIMEOUT).no_proxy();
        if base_url.scheme() == "http" {
            // Without TLS a missing certificate store is no reason to fail.
            builder = builder.tls_certs_only([]);
        }
        let vhost = match amqp.path() {
            "" | "/" => "/".to_owned(),
            path => decoded(path.trim_start_matches('/')),
        };
        let http = builder.build().map_err(unusable)?;
        Ok(Some(Self { http, base_url, user, password: password.into(), vhost }))
    }

    /// The broker's version.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn version(&self) -> Result<String, ManagementError> {
        Ok(self.get::<Overview>(&["overview"]).await?.rabbitmq_version)
    }

    /// The alarms that are on: a broker in need takes no messages.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn alarms(&self) -> Result<Vec<String>, ManagementError> {
        let nodes: Vec<Node> = self.get(&["nodes"]).await?;
        let alarm = |is_on: bool, what: &str, node: &Node| is_on.then(|| format!("{what} on {}", node.name));
        let of_node = |node: &Node| {
            [alarm(node.mem_alarm, "memory", node), alarm(node.disk_free_alarm, "disk space", node)]
        };
        Ok(nodes.iter().flat_map(of_node).flatten().collect())
    }

    /// The queues whose names begin with a prefix.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn queues(&self, prefix: &str) -> Result<Vec<ManagedQueue>, ManagementError> {
        let mut queues: Vec<ManagedQueue> = self.get(&["queues", &self.vhost]).await?;
        queues.retain(|queue| queue.name.starts_with(prefix));
        Ok(queues)
    }

    /// The consumers of queues whose names begin with a prefix.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn consumers(&self, prefix: &str) -> Result<Vec<ManagedConsumer>, ManagementError> {
        let consumers: Vec<Value> = self.get(&["consumers", &self.vhost]).await?;
        // One whose channel it does not know yet is not one that it knows.
        let known = consumers.into_iter().filter_map(|consumer| serde_json::from_value(consumer).ok());
        let told = known.map(|consumer: Consumer| ManagedConsumer {
            queue: consumer.queue.name,
            channel: consumer.channel_details.name,
            prefetch: consumer.prefetch_count,
        });
        Ok(told.filter(|consumer| consumer.queue.starts_with(prefix)).collect())
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, ManagementError> {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        let request = self.http.get(url).basic_auth(&self.user, Some(self.password.expose_secret()));
        let response = request.send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(ManagementError::Refused),
            status => {
                return Err(ManagementError::Unusable { reason: format!("status {}", status.as_u16()) });
            }
        }
        let body = response.bytes().await.map_err(unreachable)?;
        serde_json::from_slice(&body)
            .map_err(|_| ManagementError::Unusable { reason: "not what it is documented to say".to_owned() })
    }
}

/// A part of a URL as it is meant; one that is not well encoded stays as it is.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(byte) = byte else { return text.to_owned() };
        bytes.push(byte);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The innermost cause: the outer ones repeat the address.
fn unreachable(error: reqwest::Error) -> ManagementError {
    let error = error.without_url();
    let innermost = std::iter::successors(Some(&error as &dyn Error), |&error| error.source()).last();
    ManagementError::Unreachable { reason: innermost.map_or_else(String::new, ToString::to_string) }
}

fn unusable(error: impl Error) -> ManagementError {
    ManagementError::Unusable { reason: error.to_string() }
}
