//! A namespace at the broker per test.

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::config::{AmqpConfig, Environment};
use crate::queue::{Broker, Destination, Topology};

use super::{unique, variable};

/// How long a broker may take until it lets a test in.
const LONGEST: Duration = Duration::from_mins(1);

/// A namespace of its own; its queues are deleted at the end.
#[derive(Debug)]
pub struct TestBroker {
    config: AmqpConfig,
}

impl TestBroker {
    /// A namespace with a ladder of 100 ms, 200 ms and 300 ms, and unfinished calls waiting 300 ms or 600 ms.
    ///
    /// # Panics
    /// When `TEST_AMQP_URL` is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::at(variable("TEST_AMQP_URL"))
    }

    /// The same, at a broker of this URL.
    ///
    /// # Panics
    /// Never: every variable has a default.
    #[must_use]
    pub fn at(url: String) -> Self {
        let millis = Duration::from_millis;
        let defaults: AmqpConfig = Environment::default().read().expect("every variable has a default");
        let config = AmqpConfig {
            url: url.into(),
            namespace: unique("test-"),
            retry_delays: vec![millis(100), millis(200), millis(300)],
            unfinished_delays: [millis(300), millis(600)],
            ..defaults
        };
        Self { config }
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &AmqpConfig {
        &self.config
    }

    /// The variables of a process that uses it.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let list = |delays: &[Duration]| {
            delays.iter().map(|delay| format!("{}ms", delay.as_millis())).collect::<Vec<_>>().join(",")
        };
        vec![
            ("AMQP_URL", self.config.url.expose_secret().to_owned()),
            ("AMQP_NAMESPACE", self.config.namespace.clone()),
            ("AMQP_RETRY_DELAYS", list(&self.config.retry_delays)),
            ("AMQP_UNFINISHED_DELAYS", list(&self.config.unfinished_delays)),
        ]
    }

    /// A connection to it; one that is busy is waited for.
    ///
    /// # Panics
    /// When the broker is not there.
    pub async fn connect(&self) -> Broker {
        let began = Instant::now();
        loop {
            match Broker::connect(&self.config, "test").await {
                Ok(broker) => return broker,
                Err(error) => assert!(began.elapsed() < LONGEST, "the test broker does not answer: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many messages lie ready in the queue of a destination.
    ///
    /// # Panics
    /// When the broker is not there.
    pub async fn depth(&self, destination: Destination) -> u32 {
        let broker = self.connect().await;
        let depth = broker.depth(&broker.topology().queue(destination)).await.expect("the queue is there");
        broker.close().await;
        depth
    }
}

impl Default for TestBroker {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        let config = self.config.clone();
        // A thread of its own: this may run inside a runtime, which must not be blocked on itself.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            runtime.block_on(async {
                let topology = Topology::new(&config);
                if let Ok(broker) = Broker::connect(&config, "test-cleaning").await {
                    topology.delete(&broker).await.ok();
                    broker.close().await;
                }
            });
        });
        cleaning.join().ok();
    }
}
