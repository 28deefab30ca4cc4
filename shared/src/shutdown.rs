//! Two steps to a stop: the first SIGTERM or SIGINT asks to finish what is held (soft), a second one or the end of the
//! grace period asks to drop it (hard).

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Two tokens; the hard one implies the soft one.
#[derive(Clone, Debug)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
}

impl Default for Shutdown {
    fn default() -> Self {
        let hard = CancellationToken::new();
        Self { soft: hard.child_token(), hard }
    }
}

impl Shutdown {
    /// A shutdown that this process's signals ask for. What is still held when `grace` has passed since the first
    /// signal is dropped.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals(grace: Duration) -> std::io::Result<Self> {
        let shutdown = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let asked = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
            log::info!("stopping: finishing what is held; a second signal ends at once");
            asked.soft.cancel();
            tokio::select! {
                _ = terminate.recv() => log::warn!("second signal: ending at once"),
                _ = interrupt.recv() => log::warn!("second signal: ending at once"),
                () = tokio::time::sleep(grace) => {
                    log::warn!("grace period of {} s is over: ending at once", grace.as_secs());
                }
            }
            asked.hard.cancel();
        });
        Ok(shutdown)
    }

    /// Cancelled when nothing new should be taken.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when what is held should be dropped.
    #[must_use]
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }
}
