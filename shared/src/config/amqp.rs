//! `AMQP_*`: the broker.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Environment, FromEnvironment, Problems, Section};

/// How to reach the broker, and what its queues are called.
#[derive(Clone, Debug)]
pub struct AmqpConfig {
    /// `AMQP_URL`, with its password.
    pub url: SecretString,
    /// `AMQP_MANAGEMENT_URL`: RabbitMQ's management API, for what AMQP cannot tell.
    pub management_url: Option<SecretString>,
    /// `AMQP_NAMESPACE`: first part of every exchange and queue name.
    pub namespace: String,
    /// `AMQP_RETRY_DELAYS`: the rungs of the ladder.
    pub retry_delays: Vec<Duration>,
    /// `AMQP_UNFINISHED_DELAYS`: how long a call not finished at the source waits, when younger and when older than 1 h.
    pub unfinished_delays: [Duration; 2],
}

/// Namespaces longer than this make queue names that AMQP's 255 bytes may not hold.
const MAX_NAMESPACE: usize = 100;

const MINUTE: Duration = Duration::from_mins(1);

impl FromEnvironment for AmqpConfig {
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
        let mut section = Section::new(environment, "AMQP_", problems);
        let url = section
            .secret("url")
            .map(|url| url.unwrap_or_else(|| "amqp://guest:guest@localhost:5672/%2f".into()));
        let url = url.filter(|url| {
            let well_formed = Url::parse(url.expose_secret())
                .is_ok_and(|url| matches!(url.scheme(), "amqp" | "amqps") && url.host_str().is_some());
            if !well_formed {
                section.problem("url", "expected amqp://user:password@host:5672/%2f, or amqps:// for TLS");
            }
            well_formed
        });
        let management_url = section.secret("management_url").filter(|url| {
            let well_formed = url.as_ref().is_none_or(|url| {
                Url::parse(url.expose_secret())
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            });
            if !well_formed {
                section.problem("management_url", "expected http://user:password@host:15672, or https://");
            }
            well_formed
        });
        let namespace = section.parsed(
            "namespace",
            "089".to_owned(),
            "1 to 100 letters, digits, '.', '_' or '-'",
            |text| {
                let fits = text.len() <= MAX_NAMESPACE && !text.starts_with("amq.");
                let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
                (fits && is_name).then(|| text.to_owned())
            },
        );
        let retry_delays =
            section.durations("retry_delays", vec![MINUTE / 4, MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE]);
        let unfinished_delays = section.durations("unfinished_delays", vec![MINUTE, 15 * MINUTE]);
        let unfinished_delays = unfinished_delays.and_then(|delays| {
            let pair = <[Duration; 2]>::try_from(delays).ok();
            if pair.is_none() {
                section.problem("unfinished_delays", "expected two durations, such as 1m,15m");
            }
            pair
        });
        section.finish();
        Some(Self {
            url: url?,
            management_url: management_url?,
            namespace: namespace?,
            retry_delays: retry_delays?,
            unfinished_delays: unfinished_delays?,
        })
    }
}
