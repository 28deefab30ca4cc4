//! A database per test.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::MigrationHarness;
use sha2::{Digest, Sha256};
use url::Url;

use super::{is_left_behind, unique, variable};
use crate::config::DatabaseConfig;
use crate::database::Database;
use crate::database::migrations::MIGRATIONS;

const PREFIX: &str = "test_089_";

/// What prepares a database for least rights.
const ROLES: &str = include_str!("../../../deploy/postgres/10-roles.sql");

/// A database of its own, dropped at the end, and its logins with it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl TestDatabase {
    /// An empty database.
    ///
    /// # Panics
    /// When the server is not there; so does everything here.
    #[must_use]
    pub fn empty() -> Self {
        Self::create("template1")
    }

    /// A database with this release's schema: a copy of a template, which is faster than migrating.
    ///
    /// # Panics
    /// As [`TestDatabase::empty`].
    #[must_use]
    pub fn migrated() -> Self {
        Self::create(&template())
    }

    /// A database as this one is now: a dump, restored elsewhere. Whoever is connected to this one is cut off.
    ///
    /// # Panics
    /// As [`TestDatabase::empty`].
    #[must_use]
    pub fn copy(&self) -> Self {
        end_sessions(&mut connect("postgres"), &self.name);
        Self::create(&self.name)
    }

    fn create(template: &str) -> Self {
        let name = unique(PREFIX);
        let mut server = connect("postgres");
        server
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .expect("a database can be made");
        Self { name }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        url_of(&self.name)
    }

    /// Has it prepared for least rights, as an administrator does.
    ///
    /// # Panics
    /// As [`TestDatabase::empty`].
    pub fn prepare(&self) {
        self.execute(ROLES);
    }

    /// A login of this database's own, and a member of a group; returns the URL that it uses.
    ///
    /// # Panics
    /// When there is one of that name, or no such group.
    #[must_use]
    pub fn login(&self, name: &str, group: Option<&str>) -> String {
        let login = format!("{}_{name}", self.name);
        let group = group.map(|group| format!("IN ROLE {group}")).unwrap_or_default();
        self.execute(&format!("CREATE ROLE {login} LOGIN PASSWORD 'una clave' {group}"));
        let mut url = Url::parse(&self.url()).expect("ours is a URL");
        url.set_username(&login).expect("it has a host");
        url.set_password(Some("una clave")).expect("it has a host");
        url.into()
    }

    /// Its configuration, with the default pool.
    #[must_use]
    pub fn config(&self) -> DatabaseConfig {
        DatabaseConfig { url: self.url().into(), pool_size: 4 }
    }

    /// A pool on it.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn open(&self) -> Database {
        Database::open(&self.config(), "test", Duration::from_secs(10))
            .await
            .expect("the test's database answers")
    }

    /// A plain connection: a person at `psql`.
    #[must_use]
    pub fn connect(&self) -> PgConnection {
        connect(&self.name)
    }

    /// Runs statements.
    ///
    /// # Panics
    /// When one fails.
    pub fn execute(&self, sql: &str) {
        self.connect().batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The first column of every row, as text; NULL is `NULL`.
    ///
    /// # Panics
    /// When the query fails.
    #[must_use]
    pub fn column(&self, sql: &str) -> Vec<String> {
        let query = format!(
            "SELECT coalesce((SELECT value FROM jsonb_each_text(to_jsonb(q)) LIMIT 1), 'NULL') AS name FROM ({sql}) AS q"
        );
        let rows: Vec<Name> =
            sql_query(query).load(&mut self.connect()).unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.into_iter().map(|row| row.name).collect()
    }

    /// The one value of a query, as text.
    ///
    /// # Panics
    /// When there is not exactly one.
    #[must_use]
    pub fn value(&self, sql: &str) -> String {
        let mut values = self.column(sql);
        assert_eq!(values.len(), 1, "{sql}");
        values.remove(0)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A server that is gone has dropped it too, as far as this test is concerned.
        if let Ok(mut server) = PgConnection::establish(&url_of("postgres")) {
            server.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).ok();
            for Name { name } in roles(&mut server).iter().filter(|role| role.name.starts_with(&self.name)) {
                server.batch_execute(&format!("DROP ROLE IF EXISTS {name}")).ok();
            }
        }
    }
}

fn url_of(database: &str) -> String {
    let mut url = Url::parse(&variable("TEST_DATABASE_URL")).expect("TEST_DATABASE_URL is a URL");
    url.set_path(database);
    url.into()
}

fn connect(database: &str) -> PgConnection {
    PgConnection::establish(&url_of(database)).expect("the test server answers")
}

/// Ends the sessions in a database, and waits until the last one has ended.
fn end_sessions(server: &mut PgConnection, database: &str) {
    let end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname";
    server.batch_execute(&format!("{end} = '{database}'")).expect("sessions can be ended");
}

/// The template's name; made by the first that needs it, under a lock that every test process sees. Its name tells its
/// migrations apart.
fn template() -> String {
    let template = format!("template_089_{}", fingerprint());
    let mut server = connect("postgres");
    server.batch_execute("SELECT pg_advisory_lock(890890)").expect("the lock can be taken");
    sweep(&mut server);
    let exists = format!("SELECT datname::text AS name FROM pg_database WHERE datname = '{template}'");
    if sql_query(exists).load::<Name>(&mut server).expect("the catalogue can be read").is_empty() {
        let draft = format!("{template}_draft");
        server
            .batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"))
            .expect("a draft can go");
        server.batch_execute(&format!("CREATE DATABASE {draft}")).expect("a database can be made");
        connect(&draft).run_pending_migrations(MIGRATIONS).expect("the migrations apply");
        end_sessions(&mut server, &draft);
        server
            .batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {template}"))
            .expect("nobody uses the draft");
    }
    template
}

/// A hash of every migration's text, so that an edited one makes a new template.
fn fingerprint() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let entries = std::fs::read_dir(folder).expect("the migrations are in the checkout");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a folder").path().join("up.sql")).collect();
    files.sort();
    let mut hash = Sha256::new();
    for text in files.iter().filter_map(|file| std::fs::read(file).ok()) {
        hash.update(text);
    }
    hash.finalize().iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

fn sweep(server: &mut PgConnection) {
    let all = sql_query("SELECT datname::text AS name FROM pg_database").load::<Name>(server);
    for Name { name } in all.expect("the catalogue can be read") {
        if is_left_behind(&name, PREFIX) {
            // Another process may be sweeping too.
            server.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).ok();
        }
    }
    for Name { name } in roles(server).iter().filter(|role| is_left_behind(&role.name, PREFIX)) {
        server.batch_execute(&format!("DROP ROLE IF EXISTS {name}")).ok();
    }
}

fn roles(server: &mut PgConnection) -> Vec<Name> {
    sql_query("SELECT rolname::text AS name FROM pg_roles").load(server).expect("the catalogue can be read")
}
