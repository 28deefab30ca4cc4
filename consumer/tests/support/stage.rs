//! A whole pipeline of a test's own: a simulated API, a broker's namespace, a database.

use std::time::Duration;

use shared::ids::ConversationId;
use shared::job::FetchConversation;
use shared::queue::{Destination, Lane, Message};
use shared::testing::{TestBroker, TestDatabase};
use simulator::{Faults, Settings, Simulator};

use super::until::until;

/// Where fresh jobs wait.
pub(crate) const FETCH: Destination = Destination::Work(Lane::Fetch);

/// So many attempts are spent when the next failure is the last: the test's ladder has three rungs. A job that is asked
/// for with them dies if anything spends another.
pub(crate) const ALL_BUT_ONE: u32 = 3;

/// The pipeline.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) broker: TestBroker,
    pub(crate) database: TestDatabase,
}

impl Stage {
    /// A pipeline whose API has so many calls of the last hour.
    pub(crate) async fn with(calls: u32, faults: Faults) -> Self {
        Self::at(TestBroker::new(), calls, faults).await
    }

    /// The same, at this broker.
    pub(crate) async fn at(broker: TestBroker, calls: u32, faults: Faults) -> Self {
        let settings =
            Settings { conversations: calls, span: Duration::from_hours(1), faults, ..Settings::default() };
        let simulator = Simulator::start(settings).await.expect("a free port");
        Self { simulator, broker, database: TestDatabase::migrated() }
    }

    /// The variables of a worker on it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.broker.variables();
        variables.push(("DATABASE_URL", self.database.url()));
        variables.push(("ELEVENLABS_BASE_URL", self.simulator.base_url().to_owned()));
        variables.push(("ELEVENLABS_API_KEY", Settings::default().api_key));
        // What the API holds, or a busy machine, is waited for.
        variables.push(("ELEVENLABS_TIMEOUT", "5m".to_owned()));
        variables
    }

    /// Asks for calls, as jobs that have spent so many attempts.
    pub(crate) async fn ask(&self, conversation_ids: &[String], attempt: u32) {
        self.ask_in(FETCH, conversation_ids, attempt).await;
    }

    /// The same, in this queue.
    pub(crate) async fn ask_in(&self, queue: Destination, conversation_ids: &[String], attempt: u32) {
        let broker = self.broker.connect().await;
        let publisher = broker.publisher();
        let job = |conversation_id: &String| {
            let conversation_id = ConversationId::parse(conversation_id).expect("an id");
            let job = FetchConversation { conversation_id, agent_id: None, run_id: None };
            let mut message = Message::new(&job);
            message.attempt = attempt;
            (message, queue)
        };
        let jobs: Vec<_> = conversation_ids.iter().map(job).collect();
        for confirmed in publisher.publish_all(&jobs).await {
            confirmed.expect("the broker has the job");
        }
        broker.close().await;
    }

    /// Asks for every call there is; says which.
    pub(crate) async fn ask_for_all(&self, attempt: u32) -> Vec<String> {
        let mut conversation_ids = self.simulator.conversation_ids();
        conversation_ids.sort();
        self.ask(&conversation_ids, attempt).await;
        conversation_ids
    }

    /// The ids of the stored calls, sorted.
    pub(crate) fn stored(&self) -> Vec<String> {
        self.database.column("SELECT id_eleven FROM conversaciones ORDER BY id_eleven COLLATE \"C\"")
    }

    /// Waits until so many messages lie in a queue; takes them, looks at them, and gives them back.
    pub(crate) async fn lying(&self, queue: Destination, count: u32) -> Vec<Message> {
        until("the messages lie in their queue", async || self.broker.depth(queue).await == count).await;
        let broker = self.broker.connect().await;
        let mut subscription = match queue {
            Destination::Work(lane) => broker.subscribe(lane, 1000).await,
            Destination::Dead => broker.subscribe_to_dead(1000).await,
            waiting => panic!("{waiting:?} has no consumer"),
        }
        .expect("a channel");
        let mut messages = Vec::new();
        for _ in 0..count {
            messages.push(subscription.next().await.expect("a delivery").message);
        }
        broker.close().await;
        messages
    }
}
