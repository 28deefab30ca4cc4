//! Who this process is, for those who look at connections and leases.

/// A name such as `consumer@host:1234`, for `pg_stat_activity`, RabbitMQ's pages and leases.
#[must_use]
pub fn name(binary: &str) -> String {
    let host = gethostname::gethostname();
    format!("{binary}@{}:{}", host.to_string_lossy(), std::process::id())
}
