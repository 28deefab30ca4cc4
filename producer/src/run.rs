//! A run of a verb that asks for calls: a row of `corridas`, and in its name the last two steps for a page, publish and
//! record.

use anyhow::bail;
use chrono::Utc;
use shared::database::{Database, book};
use shared::queue::{Broker, Publisher};
use shared::shutdown::Shutdown;
use tokio::time::Instant;

use crate::lease::Lease;
use crate::publish::{Wanted, publish};
use crate::records::{self, Counts};

/// Why a run that was stopped came to no end.
pub(crate) const STOPPED: &str =
    "stopped before the end; what was done is kept, and the next time does the rest";

/// A run, or a rehearsal of one, which neither publishes nor writes.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    database: &'a Database,
    earnest: Option<Earnest<'a>>,
}

#[derive(Debug)]
struct Earnest<'a> {
    id: String,
    lease: &'a Lease,
    publisher: Publisher,
}

impl<'a> Run<'a> {
    /// Enters a run of a verb that begins.
    pub(crate) async fn begin(
        database: &'a Database,
        broker: &Broker,
        lease: &'a Lease,
        verb: &'static str,
    ) -> anyhow::Result<Self> {
        let publisher = broker.publisher();
        let scope = lease.scope().to_owned();
        let id = database.run(move |connection| records::begin_run(connection, &scope, verb)).await?;
        Ok(Self { database, earnest: Some(Earnest { id, lease, publisher }) })
    }

    /// A rehearsal.
    pub(crate) fn rehearse(database: &'a Database) -> Self {
        Self { database, earnest: None }
    }

    pub(crate) fn is_rehearsal(&self) -> bool {
        self.earnest.is_none()
    }

    /// Publishes a page's jobs, and records those that were confirmed. Returns how many; the others have been logged.
    pub(crate) async fn ask(&self, wanted: &[Wanted]) -> anyhow::Result<usize> {
        let Some(Earnest { id, publisher, .. }) = &self.earnest else { return Ok(wanted.len()) };
        if wanted.is_empty() {
            return Ok(0);
        }
        #[expect(clippy::disallowed_methods, reason = "the clock is read once a page")]
        let now = Utc::now();
        let began = Instant::now();
        let asked = publish(publisher, wanted, id, now).await;
        let (count, run_id) = (asked.len(), id.clone());
        let record = move |connection: &mut _| {
            // By the database's clock, and before a worker can have stored it: `pedido_en` after `sincronizado_en` means
            // that it was asked for again since.
            book::record(connection, &run_id, &asked, began.elapsed().as_secs_f64())
        };
        self.database.run(record).await?;
        Ok(count)
    }

    /// Whether it is to go on; asked once a page.
    pub(crate) fn go_on(&self, shutdown: &Shutdown) -> anyhow::Result<()> {
        if shutdown.soft().is_cancelled() {
            bail!(STOPPED);
        }
        if self.earnest.as_ref().is_some_and(|earnest| earnest.lease.lost().is_cancelled()) {
            bail!("another pass has taken over; this one gave no sign for too long");
        }
        Ok(())
    }

    /// Enters how it ended.
    pub(crate) async fn end(self, counts: Counts, came_to_its_end: bool) -> anyhow::Result<()> {
        let Some(Earnest { id, .. }) = self.earnest else { return Ok(()) };
        let result = match (came_to_its_end, counts.failed) {
            (true, 0) => "completa",
            (true, _) => "incompleta",
            (false, _) => "interrumpida",
        };
        self.database.run(move |connection| records::end_run(connection, &id, counts, result)).await?;
        Ok(())
    }
}
