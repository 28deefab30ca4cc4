//! One step alone, as a process of its own: by our code, or bare. It prints how long it took, and its CPU time.

mod bare;
mod ours;

use std::io::Write as _;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::bare::Api;
use crate::measure::own_cpu_secs;

/// A step of the job.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Part {
    /// All pages of the list.
    List,
    /// A job for each call, confirmed.
    Publish,
    /// Each job taken and acked.
    Consume,
    /// Each body, by so many requests at a time; ours parses it as well, bare does not.
    Fetch,
    /// From a body in memory to rows, on one thread.
    Normalize,
    /// Rows in memory, into the tables.
    Persist,
}

/// Whose way it is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Side {
    /// By `shared` and `consumer`.
    Ours,
    /// As the reference does it.
    Bare,
}

/// What to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long, value_enum)]
    part: Part,
    #[arg(long, value_enum)]
    side: Side,
    /// Base URL of the simulator
    #[arg(long)]
    api: String,
    /// Requests in flight
    #[arg(long)]
    concurrency: usize,
}

/// What it took.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Took {
    /// How many calls it was about.
    pub(crate) calls: u32,
    pub(crate) secs: f64,
    pub(crate) cpu_secs: f64,
}

struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), own_cpu_secs())
    }

    fn stop(&self, calls: usize) -> anyhow::Result<Took> {
        let (secs, cpu_secs) = (self.0.elapsed().as_secs_f64(), own_cpu_secs() - self.1);
        Ok(Took { calls: u32::try_from(calls)?, secs, cpu_secs })
    }
}

impl Options {
    /// Does it, and prints what it took.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let took = match self.side {
            Side::Ours => self.ours().await?,
            Side::Bare => self.bare().await?,
        };
        Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&took)?)?)
    }

    /// The ids of all calls.
    async fn ids(&self) -> anyhow::Result<Vec<String>> {
        let api = Api::new(&self.api)?;
        let (pages, mut listed) = mpsc::channel(4);
        let collected = async {
            let mut ids = Vec::new();
            while let Some(page) = listed.recv().await {
                ids.extend::<Vec<String>>(page);
            }
            Ok(ids)
        };
        Ok(tokio::try_join!(api.list(pages), collected)?.1)
    }

    /// The bodies of all calls.
    async fn bodies(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let api = Api::new(&self.api)?;
        let bodies = stream::iter(self.ids().await?).map(|id| {
            let api = api.clone();
            async move { anyhow::Ok(api.detail(&id).await?.as_ref().to_vec()) }
        });
        bodies.buffer_unordered(self.concurrency).try_collect().await
    }
}
