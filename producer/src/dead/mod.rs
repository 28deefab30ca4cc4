//! `producer dead`: what was set aside.
//!
//! Listing and showing read the book. Replay and discard mark the book first, and then rotate the queue once so that the
//! messages follow: interrupted half-way, the next rotation does the rest.

mod discard;
mod letters;
mod list;
mod message;
mod replay;
mod rotate;
mod selection;

pub use replay::replay_conversations;
pub use rotate::book_crashed;

use shared::config::{AmqpConfig, DatabaseConfig, Environment};
use shared::database::Database;
use shared::exit::Exit;
use shared::queue::Broker;
use shared::shutdown::Shutdown;

use crate::lease::{AnotherPass, Lease};
use crate::open;

/// The name of the one turn at the queue, among the scopes of `cursores`.
const TURN: &str = "dead";

/// What can be done with dead letters.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List them, the oldest first, and count them by class; looks at the database only
    List(list::Options),
    /// Show all that is known of some
    Show(list::ShowOptions),
    /// Ask for them again
    Replay(replay::Options),
    /// Set them aside for good, with a reason; can be taken back
    Discard(discard::Options),
}

impl Verb {
    /// Does what the verb says.
    ///
    /// # Errors
    /// Whatever keeps it from being done.
    pub async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        match self {
            Self::List(options) => options.run(environment).await,
            Self::Show(options) => options.run(environment).await,
            Self::Replay(options) => options.run(environment, shutdown).await,
            Self::Discard(options) => options.run(environment, shutdown).await,
        }
    }
}

async fn open_database(environment: &Environment) -> anyhow::Result<Database> {
    Ok(open::database(&environment.read::<DatabaseConfig>()?).await?)
}

/// What a verb has at hand while its turn at the queue lasts.
#[derive(Clone, Copy, Debug)]
struct Queue<'a> {
    broker: &'a Broker,
    database: &'a Database,
    lease: &'a Lease,
    shutdown: &'a Shutdown,
}

impl Queue<'_> {
    /// Whether to stop, for whatever reason.
    fn is_over(&self) -> bool {
        self.shutdown.soft().is_cancelled() || self.lease.lost().is_cancelled()
    }
}

/// Does something at the queue, one at a time; or says who is there.
async fn at_queue<T>(
    broker: &Broker,
    database: &Database,
    shutdown: &Shutdown,
    work: impl AsyncFnOnce(Queue<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Result<T, AnotherPass>> {
    Lease::during(database, TURN, async |lease| work(Queue { broker, database, lease, shutdown }).await).await
}

/// The same for a verb; `None` when another is there, which has been said.
async fn by_hand<T>(
    environment: &Environment,
    shutdown: &Shutdown,
    work: impl AsyncFnOnce(Queue<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let (database, amqp) = environment.read::<(DatabaseConfig, AmqpConfig)>()?;
    let database = open::database(&database).await?;
    let broker = open::broker(&amqp).await?;
    let done = at_queue(&broker, &database, shutdown, work).await?;
    broker.close().await;
    Ok(done.map_err(|another| log::error!("{another}")).ok())
}
