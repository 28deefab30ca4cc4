//! The real thing, for each test its own: a [`TestDatabase`] made from a template, a [`TestBroker`] namespace, binaries as
//! processes, and a [`Forwarder`] for a network that fails.
//!
//! `./dev test` starts the servers and says where they are.

mod broker;
mod database;
mod forwarder;
mod process;
pub mod reading;
pub mod stranger;

pub use broker::TestBroker;
pub use database::TestDatabase;
pub use forwarder::{Forwarder, Network};
pub use process::{Finished, Process, binary};

/// Where the broker is.
///
/// # Panics
/// When `TEST_AMQP_URL` is not set.
#[must_use]
pub fn amqp_url() -> String {
    variable("TEST_AMQP_URL")
}

/// A variable that `./dev test` sets.
fn variable(name: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told where the servers are, apart from what they configure"
    )]
    let value = std::env::var(name);
    value.unwrap_or_else(|_| {
        panic!("{name} is not set: run the tests with `./dev test`, or after `eval \"$(./dev up)\"`")
    })
}

/// A name that no other test has: it tells the process, so that what crashed runs left behind can be swept.
fn unique(prefix: &str) -> String {
    format!("{prefix}{}x{:08x}", std::process::id(), rand::random::<u32>())
}

/// Whether the process that made this name is gone.
fn is_left_behind(name: &str, prefix: &str) -> bool {
    let process = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.split('x').next())
        .and_then(|id| id.parse::<u32>().ok());
    process
        .is_some_and(|id| id != std::process::id() && !std::path::Path::new(&format!("/proc/{id}")).exists())
}
