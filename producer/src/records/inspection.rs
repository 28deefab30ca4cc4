//! What `producer check` reads of the database: the server's own catalogues, and traces of an older system.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};

/// The server, as this role sees it.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Server {
    /// As 150020 for 15.20.
    #[diesel(sql_type = Integer)]
    pub(crate) version_number: i32,
    #[diesel(sql_type = Text)]
    pub(crate) version: String,
    #[diesel(sql_type = Text)]
    pub(crate) role: String,
    #[diesel(sql_type = Text)]
    pub(crate) database: String,
    /// Where unqualified names are looked for; `None`: nowhere.
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) schema: Option<String>,
    #[diesel(sql_type = Text)]
    pub(crate) encoding: String,
    /// Of a session that sets none, as the older system's were.
    #[diesel(sql_type = Text)]
    pub(crate) timezone: String,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) now: DateTime<Utc>,
    /// Connections that this role may take.
    #[diesel(sql_type = Integer)]
    pub(crate) max_connections: i32,
    #[diesel(sql_type = BigInt)]
    pub(crate) connections: i64,
}

/// Looks at the server.
pub(crate) fn server(connection: &mut PgConnection) -> QueryResult<Server> {
    sql_query(
        "SELECT current_setting('server_version_num')::int AS version_number, \
             split_part(current_setting('server_version'), ' ', 1) AS version, \
             current_user::text AS role, current_database()::text AS database, current_schema()::text AS schema, \
             pg_encoding_to_char(encoding)::text AS encoding, \
             (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') AS timezone, clock_timestamp() AS now, \
             current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int \
                 - coalesce(current_setting('reserved_connections', true), '0')::int AS max_connections, \
             (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections \
         FROM pg_database WHERE datname = current_database()",
    )
    .get_result(connection)
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    setting: String,
}

/// The settings that decide what the server's own log quotes, by name.
pub(crate) fn log_settings(connection: &mut PgConnection) -> QueryResult<Vec<(String, String)>> {
    let settings = sql_query(
        "SELECT name, setting FROM pg_settings WHERE name IN ('log_error_verbosity', 'log_parameter_max_length', \
             'log_parameter_max_length_on_error', 'log_statement') ORDER BY name",
    );
    Ok(settings.load::<Setting>(connection)?.into_iter().map(|row| (row.name, row.setting)).collect())
}

/// What the producer does in each table.
const NEEDED: &str = "(VALUES ('__diesel_schema_migrations', 'SELECT', NULL::text[]), \
     ('conversaciones', 'SELECT', '{id_eleven, fecha, hora_inicio, inicio, duracion_segundos, estado, exito, huella, \
         sincronizado_en, tapado, rarezas, origen}'), \
     ('agentes', 'SELECT', NULL), ('agentes', 'INSERT', NULL), ('agentes', 'UPDATE', '{nombre, actualizado_en}'), \
     ('corridas', 'SELECT', NULL), ('corridas', 'INSERT', NULL), ('corridas', 'UPDATE', NULL), \
     ('cuotas', 'SELECT', NULL), ('cuotas', 'INSERT', NULL), ('cuotas', 'UPDATE', NULL), \
     ('cursores', 'SELECT', NULL), ('cursores', 'INSERT', NULL), ('cursores', 'UPDATE', NULL), \
     ('trabajos', 'SELECT', NULL), ('trabajos', 'INSERT', NULL), ('trabajos', 'UPDATE', NULL)) \
     AS needed (name, setting, columns)";

/// The rights that this role lacks: table and right. Tables and columns that are not there are another matter.
pub(crate) fn missing_rights(connection: &mut PgConnection) -> QueryResult<Vec<(String, String)>> {
    let missing = sql_query(format!(
        "SELECT name, string_agg(setting || coalesce(' (' || array_to_string(columns, ', ') || ')', ''), ', ') AS setting \
         FROM {NEEDED} WHERE to_regclass(name) IS NOT NULL \
             AND NOT has_table_privilege(to_regclass(name)::oid, setting) \
             AND (columns IS NULL OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(name) \
                 AND attname = ANY (columns) AND NOT has_column_privilege(attrelid, attnum, setting))) \
         GROUP BY name ORDER BY name"
    ));
    Ok(missing.load::<Setting>(connection)?.into_iter().map(|row| (row.name, row.setting)).collect())
}

/// Traces of an older system that still writes.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub(crate) struct Traces {
    /// Rows without `huella`: the older system's, not read again yet.
    #[diesel(sql_type = BigInt)]
    pub(crate) adopted: i64,
    /// Those of them whose call began after the first migration, so that they cannot have been there before it.
    #[diesel(sql_type = BigInt)]
    pub(crate) written_since: i64,
}

/// Looks for rows that the older system wrote after it was to have stopped. Its times are in `timezone`; the hour is for
/// clocks that differ, and for a day with a change of them.
pub(crate) fn traces(connection: &mut PgConnection, timezone: &str) -> QueryResult<Traces> {
    sql_query(
        "SELECT count(*) AS adopted, count(*) FILTER (WHERE (fecha + hora_inicio) AT TIME ZONE $1 \
             > (SELECT min(run_on) AT TIME ZONE 'UTC' FROM __diesel_schema_migrations) + interval '1 hour') \
             AS written_since FROM conversaciones WHERE huella IS NULL",
    )
    .bind::<Text, _>(timezone)
    .get_result(connection)
}

/// Sessions that are not ours and have written calls in a transaction that is still open: as name and role.
pub(crate) fn foreign_writers(connection: &mut PgConnection) -> QueryResult<Vec<(String, String)>> {
    let writers = sql_query(
        "SELECT DISTINCT application_name AS name, coalesce(usename::text, '') AS setting \
         FROM pg_locks JOIN pg_stat_activity AS session USING (pid) \
         WHERE relation = to_regclass('conversaciones') AND mode = 'RowExclusiveLock' AND granted \
             AND session.datname = current_database() AND application_name !~ '^(producer|consumer)@' \
             AND application_name <> current_setting('application_name') ORDER BY 1, 2",
    );
    Ok(writers.load::<Setting>(connection)?.into_iter().map(|row| (row.name, row.setting)).collect())
}
