//! The handle of a running simulator.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::call::is_nobodys;
use crate::faults::Faults;
use crate::http::app;
use crate::http::wire::{Wire, WireListener};
use crate::index::Entry;
use crate::knobs::Knobs;
use crate::served::Served;
use crate::settings::Settings;
use crate::world::World;

/// How long stopping waits for answers that are being written.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// A running stand-in for the API; dropping it shuts it down.
#[derive(Debug)]
pub struct Simulator {
    world: Arc<World>,
    base_url: String,
    stopping: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts serving on the runtime this is called from.
    ///
    /// # Errors
    /// If a fault is out of range, or the port cannot be had.
    pub async fn start(settings: Settings) -> std::io::Result<Self> {
        settings
            .faults
            .check()
            .map_err(|reason| std::io::Error::new(std::io::ErrorKind::InvalidInput, reason))?;
        let listener = TcpListener::bind((settings.host, settings.port)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let world = Arc::new(World::new(&settings));
        let stopping = CancellationToken::new();
        let service = app::router(Arc::clone(&world)).into_make_service_with_connect_info::<Wire>();
        let server = axum::serve(WireListener(listener), service)
            .with_graceful_shutdown(stopping.clone().cancelled_owned());
        let task = tokio::spawn(async move {
            // axum's accept loop retries by itself and ends only when told to
            drop(server.await);
        });
        Ok(Self { world, base_url, stopping, task: Some(task) })
    }

    /// Shuts down: no new connections, answers under way get two seconds.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(STOP_PATIENCE, &mut task).await.is_err()
        {
            task.abort();
        }
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.world.knobs().faults.clone()
    }

    /// Puts other faults in force.
    ///
    /// # Panics
    /// If a share is not between 0 and 1.
    pub fn set_faults(&self, faults: Faults) {
        faults.check().expect("faults are within their ranges");
        self.world.knobs_mut().set(faults);
    }

    /// Changes some of the faults in force.
    ///
    /// # Panics
    /// If a share is not between 0 and 1.
    pub fn update_faults(&self, change: impl FnOnce(&mut Faults)) {
        let mut faults = self.faults();
        change(&mut faults);
        self.set_faults(faults);
    }

    /// What was served, with the requests for each conversation.
    #[must_use]
    pub fn served(&self) -> Served {
        self.world.counts(true)
    }

    /// Sets the counts to zero.
    pub fn reset_counts(&self) {
        self.world.reset_counts();
    }

    /// Ids that a list can show now, newest first.
    #[must_use]
    pub fn conversation_ids(&self) -> Vec<String> {
        let (index, knobs) = (self.world.index(), self.world.knobs());
        let bounds = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
        let listed = index.between(bounds.0, bounds.1).rev().map(|(_, number)| number);
        listed
            .filter(|number| !knobs.is_late(*number, index.entry(*number)))
            .map(|number| index.id(number))
            .collect()
    }

    /// Ids of all agents; with two or more, the last is the deleted one.
    #[must_use]
    pub fn agent_ids(&self) -> Vec<String> {
        self.world.agents.iter().map(|agent| agent.id.clone()).collect()
    }

    /// The agent that answers 404 and whose conversations are still listed.
    #[must_use]
    pub fn deleted_agent_id(&self) -> Option<&str> {
        self.world.agents.iter().find(|agent| agent.is_deleted).map(|agent| agent.id.as_str())
    }

    /// Adds calls that start now and come first in the list; tells their ids.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn add_conversations(&self, count: u32) -> Vec<String> {
        self.world.add_conversations(count)
    }

    /// Has requests for the details of these ids wait, and of no others, until this is called again.
    pub fn hold<'a>(&self, conversation_ids: impl IntoIterator<Item = &'a String>) {
        self.world.hold(conversation_ids.into_iter().cloned().collect());
    }

    /// Finishes the calls that go on now.
    pub fn finish_in_progress(&self) {
        self.world.finish_in_progress();
    }

    /// The detail of a conversation as its state is now, faults of the connection aside.
    #[must_use]
    pub fn conversation_json(&self, conversation_id: &str) -> Option<Value> {
        let number = self.world.index().number(conversation_id)?;
        Some(self.world.detail_value(number))
    }

    /// Writes a conversation by hand, starting from what it is now; its row in lists follows.
    ///
    /// Faults that shape content (in progress, emptied, unknown status) leave it alone from then on.
    ///
    /// # Panics
    /// If there is no such conversation.
    pub fn set_conversation(&self, conversation_id: &str, change: impl FnOnce(&mut Value)) {
        let number = self.world.index().number(conversation_id).expect("the conversation exists");
        self.world.write(number, change);
    }

    /// Ids that are listed and whose detail is a 404.
    #[must_use]
    pub fn ids_missing(&self) -> Vec<String> {
        self.ids(|knobs, number, _| knobs.is_missing(number))
    }

    /// Ids of what is nobody's call, as its source says: a part of the mix.
    #[must_use]
    pub fn ids_of_nobody(&self) -> Vec<String> {
        self.ids(|_, number, _| is_nobodys(number))
    }

    /// Ids whose detail is a broken body.
    #[must_use]
    pub fn ids_malformed(&self) -> Vec<String> {
        self.ids(|knobs, number, _| knobs.is_malformed(number))
    }

    /// Ids whose call goes on now.
    #[must_use]
    pub fn ids_in_progress(&self) -> Vec<String> {
        self.ids(Knobs::is_in_progress)
    }

    /// Ids that no list shows yet.
    #[must_use]
    pub fn ids_late(&self) -> Vec<String> {
        self.ids(Knobs::is_late)
    }

    /// Ids that are listed twice when a page ends with them.
    #[must_use]
    pub fn ids_repeated(&self) -> Vec<String> {
        self.ids(|knobs, number, _| knobs.is_repeated(number))
    }

    /// Ids whose transcript was emptied by retention.
    #[must_use]
    pub fn ids_emptied(&self) -> Vec<String> {
        self.ids(|knobs, number, _| knobs.is_emptied(number))
    }

    /// Ids with a status that no document knows.
    #[must_use]
    pub fn ids_unknown_status(&self) -> Vec<String> {
        self.ids(|knobs, number, _| knobs.has_unknown_status(number))
    }

    /// Ids whose detail leaves the document.
    #[must_use]
    pub fn ids_off_document(&self) -> Vec<String> {
        self.ids(|knobs, number, _| knobs.is_off_document(number))
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    fn ids(&self, is_wanted: impl Fn(&Knobs, u32, &Entry) -> bool) -> Vec<String> {
        let (index, knobs) = (self.world.index(), self.world.knobs());
        let wanted = (0..index.len()).filter(|number| is_wanted(&knobs, *number, index.entry(*number)));
        wanted.map(|number| index.id(number)).collect()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}
