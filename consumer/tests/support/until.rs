//! Waiting for a condition: looked at again and again, and never taken for granted.

use std::time::Duration;

use tokio::time::Instant;

/// What does not come fails its test after this long. A database that hangs is given up after 75 s, and a worker may meet it
/// twice in a row.
pub(crate) const LONGEST: Duration = Duration::from_mins(5);

const LOOK_EVERY: Duration = Duration::from_millis(30);

/// Waits until the condition holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + LONGEST;
    while !condition().await {
        assert!(Instant::now() < deadline, "it did not come: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
