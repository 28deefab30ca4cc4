//! A barrier in the database: a lock that another session holds, and before which a process of ours waits.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use shared::testing::TestDatabase;

use super::until;

/// A table that can be read and not written, until this is dropped.
pub(crate) struct Lock<'a> {
    database: &'a TestDatabase,
    _connection: PgConnection,
}

impl<'a> Lock<'a> {
    /// Waits for whoever writes the table now, and then keeps all others from it.
    pub(crate) fn on(database: &'a TestDatabase, table: &str) -> Self {
        let mut connection = database.connect();
        connection
            .batch_execute(&format!("BEGIN; LOCK TABLE {table} IN SHARE MODE"))
            .unwrap_or_else(|error| panic!("{table} can be locked: {error}"));
        Self { database, _connection: connection }
    }

    /// Waits until a statement that begins like this waits for the lock.
    pub(crate) async fn holds_up(&self, statement: &str) {
        let waiting = Self::waiting(statement);
        until(statement, async || self.database.value(&format!("SELECT count(*) {waiting}")) != "0").await;
    }

    /// Ends the session that waits, so that its statement is never carried out: its process is dead, and the server would
    /// not notice before it is done.
    pub(crate) fn drop_waiting(&self, statement: &str) {
        let waiting = Self::waiting(statement);
        let ended = self.database.column(&format!("SELECT pg_terminate_backend(pid) {waiting}"));
        assert_eq!(ended, ["true"]);
    }

    fn waiting(statement: &str) -> String {
        format!(
            "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
             AND query LIKE '{statement}%'"
        )
    }
}
