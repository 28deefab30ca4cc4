//! One at a time: a lease in a row of `cursores`, so that it holds across hosts and through connection poolers. A pass
//! takes the turn of its scope, and who moves dead letters takes theirs.

use std::time::Duration;

use shared::database::{Database, DatabaseError};
use shared::ids::AgentId;
use shared::process;
use tokio_util::sync::CancellationToken;

use crate::records::{self, Turn};

/// How long a holder that gives no sign keeps its turn.
const LASTS: Duration = Duration::from_mins(1);

/// How often a turn is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(15);

/// The scope of a list: the agent whose conversations it shows, or all.
pub(crate) fn scope(agent_id: Option<&AgentId>) -> &str {
    agent_id.map_or("*", AgentId::as_str)
}

/// Another process holds the turn.
#[derive(Clone, Debug, thiserror::Error)]
#[error("another pass runs ({holder}); unless it gives a sign, its turn ends at {until}")]
pub struct AnotherPass {
    holder: String,
    until: String,
}

/// A scope's turn, renewed for as long as this lives.
#[derive(Debug)]
pub struct Lease {
    database: Database,
    scope: String,
    turn: Turn,
    renewal: tokio::task::JoinHandle<()>,
    lost: CancellationToken,
}

impl Lease {
    /// Takes the turn of a scope, does something, and gives the turn back however that ended; or says who has it.
    ///
    /// # Errors
    /// What the work says, or else what the database says.
    pub(crate) async fn during<T>(
        database: &Database,
        scope: &str,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<Result<T, AnotherPass>> {
        let lease = match Self::take(database, scope).await? {
            Ok(lease) => lease,
            Err(another) => return Ok(Err(another)),
        };
        let outcome = work(&lease).await;
        let given_back = lease.give_back().await;
        let done = outcome?;
        given_back?;
        Ok(Ok(done))
    }

    async fn take(database: &Database, scope: &str) -> Result<Result<Self, AnotherPass>, DatabaseError> {
        let (name, holder) = (scope.to_owned(), process::name("producer"));
        let taken = database
            .run(move |connection| {
                match records::take_turn(connection, &name, &holder, LASTS.as_secs_f64())? {
                    Some(turn) => Ok(Ok(turn)),
                    None => records::holder(connection, &name).map(Err),
                }
            })
            .await?;
        let turn = match taken {
            Ok(turn) => turn,
            Err((holder, until)) => {
                let until = until.map_or_else(
                    || "any moment".to_owned(),
                    |until| until.format("%H:%M:%S UTC").to_string(),
                );
                return Ok(Err(AnotherPass {
                    holder: holder.unwrap_or_else(|| "just ended".to_owned()),
                    until,
                }));
            }
        };
        let lost = CancellationToken::new();
        let renewal = tokio::spawn(renew(database.clone(), scope.to_owned(), turn.fence, lost.clone()));
        Ok(Ok(Self { database: database.clone(), scope: scope.to_owned(), turn, renewal, lost }))
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    pub(crate) fn turn(&self) -> &Turn {
        &self.turn
    }

    /// Cancelled when another has taken the turn.
    #[must_use]
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    async fn give_back(self) -> Result<(), DatabaseError> {
        let (scope, fence) = (self.scope.clone(), self.turn.fence);
        self.database.run(move |connection| records::give_turn_back(connection, &scope, fence)).await?;
        Ok(())
    }
}

impl Drop for Lease {
    /// A turn that nobody holds any more is not renewed for ever.
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn renew(database: Database, scope: String, fence: i64, lost: CancellationToken) {
    loop {
        tokio::time::sleep(RENEWED_EVERY).await;
        let name = scope.clone();
        match database
            .run(move |connection| records::keep_turn(connection, &name, fence, LASTS.as_secs_f64()))
            .await
        {
            Ok(true) => {}
            Ok(false) => return lost.cancel(),
            // The turn lasts for three more renewals, and the cursor is fenced whatever happens.
            Err(error) => log::warn!("the lease of {scope} could not be renewed: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::testing::TestDatabase;

    use super::*;

    #[tokio::test]
    async fn a_turn_is_given_back_however_the_work_ends_and_the_works_own_error_is_told() {
        let test = TestDatabase::migrated();
        let database = test.open().await;
        let holder = "SELECT coalesce(titular, 'nobody') FROM cursores";
        let during = Lease::during(&database, "*", async |_| {
            assert_ne!(test.value(holder), "nobody");
            let second = Lease::during(&database, "*", async |_| Ok(())).await.expect("it answers");
            assert!(second.is_err(), "one at a time");
            Ok(7)
        });
        assert_eq!(during.await.expect("it answers").expect("nobody else"), 7);
        assert_eq!(test.value(holder), "nobody");
        let failed = Lease::during(&database, "*", async |_| -> anyhow::Result<()> {
            // Nor can the turn be given back any more.
            test.execute("ALTER TABLE cursores RENAME TO away");
            anyhow::bail!("the work's own")
        });
        assert_eq!(failed.await.expect_err("it failed").to_string(), "the work's own");
    }

    #[tokio::test]
    async fn a_turn_that_is_dropped_is_renewed_no_more() {
        let database = TestDatabase::migrated();
        let lease = Lease::take(&database.open().await, "*").await.expect("it answers").expect("nobody else");
        let renewal = lease.renewal.abort_handle();
        drop(lease);
        while !renewal.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}
