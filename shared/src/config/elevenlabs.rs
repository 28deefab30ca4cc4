//! `ELEVENLABS_*`: the API.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{Environment, FromEnvironment, Problems, Section};
use crate::elevenlabs::{ApiKey, Client, ClientSettings, is_loopback};
use crate::ids::AgentId;

/// Where the API key came from; a file is read again when the key is refused, since keys are rotated there.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `ELEVENLABS_API_KEY`.
    Variable(SecretString),
    /// `ELEVENLABS_API_KEY_FILE`.
    File(PathBuf),
}

/// How to reach the API.
#[derive(Clone, Debug)]
pub struct ElevenLabsConfig {
    /// The key, or its file.
    pub api_key: KeySource,
    /// `ELEVENLABS_BASE_URL`: https, unless the host is loopback or `ELEVENLABS_ALLOW_HTTP=true`.
    pub base_url: Url,
    /// `ELEVENLABS_AGENT_ID`: only this agent's conversations.
    pub agent_id: Option<AgentId>,
    /// `ELEVENLABS_CONCURRENCY`: most requests in flight in this process.
    pub concurrency: usize,
    /// `ELEVENLABS_TIMEOUT`: one request.
    pub timeout: Duration,
    /// `ELEVENLABS_RATE_LIMIT`: the time between two requests of all processes together; `None` is no such budget.
    pub rate_limit: Option<Duration>,
    /// `ELEVENLABS_MAX_BODY`: the longest answer that is taken, unpacked.
    pub max_body_bytes: usize,
}

impl ElevenLabsConfig {
    /// A client for this API.
    ///
    /// # Errors
    /// [`Problems`] when the key cannot stand in a header, or its file cannot be read any more.
    pub fn client(&self) -> Result<Client, Problems> {
        let (variable, key) = match &self.api_key {
            KeySource::Variable(key) => ("ELEVENLABS_API_KEY", ApiKey::new(key.clone())),
            KeySource::File(path) => ("ELEVENLABS_API_KEY_FILE", ApiKey::from_file(path)),
        };
        let api_key = key.map_err(|error| Problems::one(variable, &error.to_string()))?;
        let settings = ClientSettings {
            base_url: self.base_url.clone(),
            api_key,
            timeout: self.timeout,
            concurrency: self.concurrency,
            max_body_bytes: self.max_body_bytes,
        };
        Client::new(settings).map_err(|error| Problems::one("ELEVENLABS_BASE_URL", &error.to_string()))
    }
}

impl FromEnvironment for ElevenLabsConfig {
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
        let mut section = Section::new(environment, "ELEVENLABS_", problems);
        let file = environment.value("ELEVENLABS_API_KEY_FILE").map(PathBuf::from);
        let api_key = match (section.secret("api_key"), file) {
            (Some(Some(_)), Some(file)) => Some(KeySource::File(file)),
            (Some(Some(key)), None) => Some(KeySource::Variable(key)),
            (Some(None), _) => {
                section.problem(
                    "api_key",
                    "required: a key with the scope convai_read (or ELEVENLABS_API_KEY_FILE)",
                );
                None
            }
            (None, _) => None,
        };
        let allow_http = section.boolean("allow_http", false);
        let base_url = section
            .text("base_url")
            .map_or_else(|| Url::parse("https://api.elevenlabs.io").ok(), |text| Url::parse(&text).ok());
        if base_url.as_ref().is_none_or(|url| !is_safe(url, allow_http == Some(true))) {
            section.problem(
                "base_url",
                "expected an https:// URL (http:// only for loopback, or with ELEVENLABS_ALLOW_HTTP=true)",
            );
        }
        let agent_id = section.parsed("agent_id", None, "an agent's id, such as agent_…", |text| {
            AgentId::parse(text).ok().map(Some)
        });
        let concurrency = section.number("concurrency", 8, 1, 1000);
        let timeout = section.duration("timeout", Duration::from_secs(30));
        let rate_limit = section.rate("rate_limit");
        let max_body_bytes = section.size("max_body", ClientSettings::MAX_BODY_BYTES);
        section.finish();
        Some(Self {
            api_key: api_key?,
            base_url: base_url?,
            agent_id: agent_id?,
            concurrency: concurrency?,
            timeout: timeout?,
            rate_limit: rate_limit?,
            max_body_bytes: max_body_bytes?,
        })
    }
}

/// The key travels with every request: never in the clear past this machine, unless told so.
fn is_safe(url: &Url, allow_http: bool) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && (is_loopback(url) || allow_http))
}
