//! Waiting for a condition: looked at again and again, and never taken for granted.

use std::time::Duration;

use tokio::time::Instant;

/// What does not come fails its test after this long.
pub(crate) const LONGEST: Duration = Duration::from_mins(2);

const LOOK_EVERY: Duration = Duration::from_millis(30);

/// Waits until the condition holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + LONGEST;
    while !condition().await {
        assert!(Instant::now() < deadline, "it did not come: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
