//! Whether the older system's tables, made by hand, take what a worker writes: what the server's catalogues say of their
//! shape, what of it can be mended without a loss, and a call of no value that is written and taken back.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};

use super::DatabaseError;

/// Finds what does not fit. A key may be of any whole number's type, and a text of any text's.
const MISFITS: &str = include_str!("fitness/misfits.sql");

/// Writes a call of no value, and takes it back: each table, inserted into and updated, as a worker does. What was in the
/// way stands in a setting of the transaction then.
const TRIAL: &str = include_str!("fitness/trial.sql");

/// Something about a table for which it takes less than it must.
#[derive(Clone, Debug, Eq, PartialEq, QueryableByName)]
pub struct Misfit {
    /// Table and column, and what is the matter with it.
    #[diesel(sql_type = Text)]
    pub finding: String,
    /// A statement, or what to do before it.
    #[diesel(sql_type = Text)]
    pub remedy: String,
    /// Whether calls cannot be stored for it.
    #[diesel(sql_type = Bool)]
    pub is_fatal: bool,
    /// The statement that mends it without a loss.
    #[diesel(sql_type = Nullable<Text>)]
    mend: Option<String>,
}

/// Lists what does not fit, the worst first.
///
/// # Errors
/// What the database says.
pub fn misfits(connection: &mut PgConnection) -> QueryResult<Vec<Misfit>> {
    sql_query(MISFITS).load(connection)
}

/// Mends what can be mended without a loss, each by itself; returns what was, and what was not.
pub(super) fn mend(connection: &mut PgConnection) -> QueryResult<(Vec<Misfit>, Vec<Misfit>)> {
    let (mut mended, mut left) = (Vec::new(), Vec::new());
    for misfit in misfits(connection)? {
        let statement = misfit.mend.clone();
        let done = statement.map(|mend| connection.transaction(|connection| connection.batch_execute(&mend)));
        match done {
            Some(Ok(())) => mended.push(misfit),
            Some(Err(error @ Error::BrokenTransactionManager)) => return Err(error),
            Some(Err(_)) | None => left.push(misfit),
        }
    }
    Ok((mended, left))
}

#[derive(QueryableByName)]
struct Outcome {
    #[diesel(sql_type = Text)]
    sqlstate: String,
    #[diesel(sql_type = Text)]
    message: String,
}

/// What the SQLSTATE of a failed trial begins with when it says nothing of the tables: a lock, a deadlock, a cancelled
/// statement, a full or stopping server, one that is read only.
const PASSING: [&str; 7] = ["08", "25", "40", "53", "55", "57", "58"];

/// Tries to write a call; `false`: this login may not.
///
/// # Errors
/// [`DatabaseError::Unfit`] when no call at all can be written, or what the database says.
pub(super) fn try_call(connection: &mut PgConnection) -> QueryResult<Result<bool, DatabaseError>> {
    let outcome = connection.transaction(|connection| {
        connection.batch_execute(TRIAL)?;
        sql_query("SELECT current_setting('backend089.ensayo') AS sqlstate, current_setting('backend089.motivo') AS message")
            .get_result::<Outcome>(connection)
    })?;
    if outcome.sqlstate.is_empty() || PASSING.iter().any(|passing| outcome.sqlstate.starts_with(passing)) {
        return Ok(Ok(true));
    }
    if outcome.sqlstate == "42501" {
        return Ok(Ok(false));
    }
    let fatal = misfits(connection)?.into_iter().find(|misfit| misfit.is_fatal);
    let known = fatal.map(|misfit| format!("; {}: {}", misfit.finding, misfit.remedy)).unwrap_or_default();
    Ok(Err(DatabaseError::Unfit { reason: format!("{}{known}", outcome.message) }))
}
