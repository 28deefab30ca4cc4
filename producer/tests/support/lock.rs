//! A barrier in the database: a lock that another session holds, and before which a process of ours waits.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use shared::testing::TestDatabase;

use super::until;

/// Something that cannot be written, until this is dropped.
pub(crate) struct Lock<'a> {
    database: &'a TestDatabase,
    _connection: PgConnection,
}

impl<'a> Lock<'a> {
    /// On a table: waits for whoever writes it now, and then keeps all others from it. They can read it.
    pub(crate) fn on(database: &'a TestDatabase, table: &str) -> Self {
        Self::by(database, &format!("LOCK TABLE {table} IN SHARE MODE"))
    }

    /// On one conversation's row of the book.
    pub(crate) fn on_row(database: &'a TestDatabase, conversation_id: &str) -> Self {
        let row = format!("SELECT FROM trabajos WHERE id_eleven = '{conversation_id}' FOR UPDATE");
        Self::by(database, &row)
    }

    /// On a conversation that is not in the book: whoever enters it waits, and nobody else.
    pub(crate) fn on_entering(database: &'a TestDatabase, conversation_id: &str) -> Self {
        let row = format!("INSERT INTO trabajos (id_eleven, carril) VALUES ('{conversation_id}', 'fetch')");
        Self::by(database, &row)
    }

    fn by(database: &'a TestDatabase, statement: &str) -> Self {
        let mut connection = database.connect();
        connection
            .batch_execute(&format!("BEGIN; {statement}"))
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        Self { database, _connection: connection }
    }

    /// Waits until a statement that begins like this waits for the lock.
    pub(crate) async fn holds_up(&self, statement: &str) {
        self.holds_up_several(statement, 1).await;
    }

    /// Waits until so many statements that begin like this wait for the lock.
    pub(crate) async fn holds_up_several(&self, statement: &str, count: usize) {
        let are_waiting = format!("SELECT count(*) >= {count} {}", Self::waiting(statement));
        until(statement, async || self.database.value(&are_waiting) == "true").await;
    }

    /// Ends the sessions that wait, so that their statements are never carried out: their process is dead, and the server
    /// would not notice before they are done.
    pub(crate) fn drop_waiting(&self, statement: &str) {
        let waiting = Self::waiting(statement);
        let ended = self.database.column(&format!("SELECT pg_terminate_backend(pid) {waiting}"));
        assert!(!ended.is_empty() && ended.iter().all(|ended| ended == "true"), "{ended:?}");
    }

    fn waiting(statement: &str) -> String {
        format!(
            "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
             AND query LIKE '{statement}%'"
        )
    }
}
