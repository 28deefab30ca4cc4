//! What the database says: the one place of the drill with SQL in it.
//!
//! The drill keeps a record of its own beside the tables, by triggers: every folio that is drawn goes to the server's log,
//! also from a transaction that fails, and every change of a row that should never change goes to a table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use shared::config::DatabaseConfig;
use shared::database::{Database, DatabaseError};

/// The drill's database.
const NAME: &str = "drill";

/// How long a server that restarts is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a folio in the server's log is recognized.
pub const DRAWN: &str = "drill: drawn ";

const RECORD: &str = "
CREATE SCHEMA drill;
CREATE TABLE drill.changes (id BIGSERIAL PRIMARY KEY, what TEXT NOT NULL);
CREATE FUNCTION drill.drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE LOG 'drill: drawn % for %', NEW.folio,
        (SELECT id_eleven FROM conversaciones WHERE id_conversacion = NEW.id_conversacion);
    RETURN NEW;
END $$;
CREATE TRIGGER drill_drawn BEFORE INSERT ON reportes FOR EACH ROW EXECUTE FUNCTION drill.drawn();
CREATE FUNCTION drill.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO drill.changes (what) VALUES (format('%s of %s: %s -> %s', lower(TG_OP), TG_TABLE_NAME,
        CASE WHEN TG_TABLE_NAME = 'reportes' THEN to_jsonb(OLD) ->> 'folio' ELSE to_jsonb(OLD) ->> 'id_eleven' END,
        CASE WHEN TG_OP = 'DELETE' THEN 'nothing'
             WHEN TG_TABLE_NAME = 'reportes' THEN to_jsonb(NEW) ->> 'folio' ELSE to_jsonb(NEW) ->> 'id_eleven' END));
    RETURN NULL;
END $$;
CREATE TRIGGER drill_deleted AFTER DELETE ON reportes FOR EACH ROW EXECUTE FUNCTION drill.changed();
CREATE TRIGGER drill_changed AFTER UPDATE ON reportes FOR EACH ROW
    WHEN (OLD.folio <> NEW.folio OR OLD.id_conversacion <> NEW.id_conversacion) EXECUTE FUNCTION drill.changed();
CREATE TRIGGER drill_deleted AFTER DELETE ON conversaciones FOR EACH ROW EXECUTE FUNCTION drill.changed();
CREATE TRIGGER drill_changed AFTER UPDATE ON conversaciones FOR EACH ROW
    WHEN (OLD.id_eleven <> NEW.id_eleven OR OLD.id_conversacion <> NEW.id_conversacion)
    EXECUTE FUNCTION drill.changed();
CREATE TRIGGER drill_deleted AFTER DELETE ON trabajos FOR EACH ROW EXECUTE FUNCTION drill.changed();
CREATE FUNCTION drill.full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
END $$;
";

/// Every table that is written, with the stand-in for a full disk on it.
const FULL: &str = "
CREATE TRIGGER drill_full BEFORE INSERT OR UPDATE ON conversaciones EXECUTE FUNCTION drill.full();
CREATE TRIGGER drill_full BEFORE INSERT OR UPDATE ON trabajos EXECUTE FUNCTION drill.full();";
const FREE: &str = "
DROP TRIGGER IF EXISTS drill_full ON conversaciones;
DROP TRIGGER IF EXISTS drill_full ON trabajos;";

/// A stored call, with its report.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Stored {
    /// The key of its row.
    pub key: i64,
    /// Whether its state is final.
    pub is_final: bool,
    /// The folios of its reports; one, if all is well, and none of what is nobody's call.
    pub folios: Vec<i64>,
}

/// What became of a call, in the book.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// Asked for.
    Open,
    /// Set aside.
    Dead,
    /// Discarded by a person.
    Discarded,
}

/// The database, as the drill sees it: not through the networks that fail.
#[derive(Clone, Debug)]
pub struct Ledger {
    database: Database,
    url: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Bool)]
    flag: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    other: Option<i64>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(connection: &mut PgConnection, query: &str) -> QueryResult<Vec<String>> {
    Ok(sql_query(query).load::<Line>(connection)?.into_iter().map(|row| row.line).collect())
}

impl Ledger {
    /// Makes the drill's database, on the small disk when there is one.
    ///
    /// # Errors
    /// What the server says.
    pub async fn create(server_url: &str, small_disk: Option<&Path>) -> anyhow::Result<Self> {
        let server = open(server_url).await?;
        let place = small_disk.map(|disk| disk.join("tables").display().to_string());
        let made = move |connection: &mut PgConnection| match place {
            Some(place) => {
                connection.batch_execute(&format!("CREATE TABLESPACE small LOCATION '{place}'"))?;
                connection.batch_execute(&format!("CREATE DATABASE {NAME} TABLESPACE small"))
            }
            None => connection.batch_execute(&format!("CREATE DATABASE {NAME}")),
        };
        server.run(made).await?;
        let url = server_url.strip_suffix("postgres").unwrap_or(server_url).to_owned() + NAME;
        Ok(Self { database: open(&url).await?, url })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Begins the record; the tables must be there.
    ///
    /// # Errors
    /// What the server says.
    pub async fn record(&self) -> Result<(), DatabaseError> {
        self.database.run(|connection| connection.batch_execute(RECORD)).await
    }

    /// Has every write refused as on a full disk, or no more.
    ///
    /// # Errors
    /// What the server says.
    pub async fn refuse_writes(&self, is_full: bool) -> Result<(), DatabaseError> {
        self.database.run(move |connection| connection.batch_execute(if is_full { FULL } else { FREE })).await
    }

    /// Cuts every session off but our own.
    ///
    /// # Errors
    /// What the server says.
    pub async fn terminate_sessions(&self) -> Result<(), DatabaseError> {
        let cut = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = '{NAME}' AND application_name NOT LIKE 'drill%'"
        );
        self.database.run(move |connection| connection.batch_execute(&cut)).await
    }

    /// Every stored call.
    ///
    /// # Errors
    /// What the server says.
    pub async fn stored(&self) -> Result<BTreeMap<String, Stored>, DatabaseError> {
        let rows: Vec<Row> = self
            .database
            .run(|connection| {
                sql_query(
                    "SELECT id_eleven AS name, id_conversacion AS number, folio AS other, \
                         coalesce(estado IN ('done', 'failed'), false) AS flag \
                     FROM conversaciones LEFT JOIN reportes USING (id_conversacion) ORDER BY folio",
                )
                .load(connection)
            })
            .await?;
        let mut stored = BTreeMap::new();
        for Row { name, number, flag, other } in rows {
            let row = Stored { key: number, is_final: flag, folios: Vec::new() };
            stored.entry(name).or_insert(row).folios.extend(other);
        }
        Ok(stored)
    }

    /// The book. What is stored in a final state is not dead, whatever a copy of its job came to.
    ///
    /// # Errors
    /// What the server says.
    pub async fn book(&self) -> Result<BTreeMap<String, Entry>, DatabaseError> {
        let rows: Vec<Row> = self
            .database
            .run(|connection| {
                sql_query(
                    "SELECT id_eleven AS name, descartado_en IS NOT NULL AS flag, NULL::bigint AS other, \
                         CASE WHEN muerto_en IS NOT NULL AND NOT EXISTS (SELECT FROM conversaciones AS stored \
                             WHERE stored.id_eleven = trabajos.id_eleven AND stored.estado IN ('done', 'failed')) \
                         THEN 1::bigint ELSE 0 END AS number FROM trabajos",
                )
                .load(connection)
            })
            .await?;
        let entry = |row: &Row| match (row.flag, row.number) {
            (true, _) => Entry::Discarded,
            (false, 0) => Entry::Open,
            (false, _) => Entry::Dead,
        };
        Ok(rows.into_iter().map(|row| (row.name.clone(), entry(&row))).collect())
    }

    /// Changes of what never changes.
    ///
    /// # Errors
    /// What the server says.
    pub async fn changes(&self) -> Result<Vec<String>, DatabaseError> {
        self.database
            .run(|connection| lines(connection, "SELECT what AS line FROM drill.changes ORDER BY id"))
            .await
    }

    /// The last folio that the sequence has given out.
    ///
    /// # Errors
    /// What the server says.
    pub async fn last_folio(&self) -> Result<i64, DatabaseError> {
        let query = "SELECT 'folio' AS name, is_called AS flag, NULL::bigint AS other, \
                     CASE WHEN is_called THEN last_value ELSE 0 END AS number FROM reportes_folio_seq";
        let rows: Vec<Row> = self.database.run(move |connection| sql_query(query).load(connection)).await?;
        Ok(rows.first().map_or(0, |row| row.number))
    }

    /// How many dead letters and discards there are of each class.
    ///
    /// # Errors
    /// What the server says.
    pub async fn classes(&self) -> Result<BTreeMap<String, i64>, DatabaseError> {
        let query = "SELECT clase AS name, count(*) AS number, NULL::bigint AS other, false AS flag FROM trabajos \
                     WHERE muerto_en IS NOT NULL AND NOT EXISTS (SELECT FROM conversaciones AS stored \
                         WHERE stored.id_eleven = trabajos.id_eleven AND stored.estado IN ('done', 'failed')) \
                     GROUP BY clase";
        let rows: Vec<Row> = self.database.run(move |connection| sql_query(query).load(connection)).await?;
        Ok(rows.into_iter().map(|row| (row.name, row.number)).collect())
    }

    /// The tables that there are.
    ///
    /// # Errors
    /// What the server says.
    pub async fn tables(&self) -> Result<BTreeSet<String>, DatabaseError> {
        let query = "SELECT table_schema || '.' || table_name AS line FROM information_schema.tables \
                     WHERE table_schema NOT IN ('pg_catalog', 'information_schema')";
        Ok(self.database.run(move |connection| lines(connection, query)).await?.into_iter().collect())
    }

    /// Every row of a table, as text.
    ///
    /// # Errors
    /// What the server says.
    pub async fn rows(&self, table: &str) -> Result<Vec<String>, DatabaseError> {
        let query = format!("SELECT to_jsonb(t)::text AS line FROM {table} AS t");
        self.database.run(move |connection| lines(connection, &query)).await
    }
}

async fn open(url: &str) -> anyhow::Result<Database> {
    let config = DatabaseConfig { url: url.to_owned().into(), pool_size: 2 };
    Ok(Database::open(&config, "drill", PATIENCE).await?)
}
