//! Least rights: what each group of `deploy/postgres/10-roles.sql` may do, and that it may do nothing else.

use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl, sql_query};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use secrecy::SecretString;
use shared::config::DatabaseConfig;
use shared::database::{Database, DatabaseError, SchemaError, check_schema, migrate};
use shared::testing::TestDatabase;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
const LOGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/postgres/20-logins.sql");

/// Who may do what with each column: S selects, I inserts, U updates. The order is productor, trabajador, lector, analista
/// and everybody else. A new column or table makes the test fail until somebody has thought about it, here and in
/// `migrations/grants.sql`.
const OPEN_TO: &str = "\
    __diesel_schema_migrations.run_on    S   S   S  S  -
    __diesel_schema_migrations.version   S   S   S  S  -
    agentes.actualizado_en               SIU -   S  S  -
    agentes.id_agente                    SI  SI  S  S  -
    agentes.nombre                       SIU -   S  S  -
    conversaciones.datos                 -   SIU -  S  -
    conversaciones.duracion              -   SIU S  S  -
    conversaciones.duracion_segundos     S   SIU S  S  -
    conversaciones.estado                S   SIU S  S  -
    conversaciones.evaluacion            -   SIU -  S  -
    conversaciones.exito                 S   SIU S  S  -
    conversaciones.fecha                 S   SIU S  S  -
    conversaciones.fin                   -   SIU S  S  -
    conversaciones.hora_fin              -   SIU S  S  -
    conversaciones.hora_inicio           S   SIU S  S  -
    conversaciones.huella                S   SIU S  S  -
    conversaciones.id_agente             -   SIU S  S  -
    conversaciones.id_conversacion       -   SI  S  S  -
    conversaciones.id_eleven             S   SI  S  S  -
    conversaciones.idioma                -   SIU S  S  -
    conversaciones.inicio                S   SIU S  S  -
    conversaciones.origen                S   SIU S  S  -
    conversaciones.rarezas               S   SIU S  S  -
    conversaciones.resumen               -   SIU -  S  -
    conversaciones.sincronizado_en       S   SIU S  S  -
    conversaciones.tapado                S   SIU S  S  -
    conversaciones.transcripcion         -   SIU -  S  -
    corridas.ambito                      SIU -   S  -  -
    corridas.conocidas                   SIU -   S  -  -
    corridas.empezada_en                 SIU -   S  -  -
    corridas.fallidas                    SIU -   S  -  -
    corridas.id_corrida                  SIU -   S  -  -
    corridas.listadas                    SIU -   S  -  -
    corridas.publicadas                  SIU -   S  -  -
    corridas.resultado                   SIU -   S  -  -
    corridas.terminada_en                SIU -   S  -  -
    corridas.verbo                       SIU -   S  -  -
    cuotas.ambito                        SIU SIU S  -  -
    cuotas.estado                        SIU SIU S  -  -
    cuotas.libre_desde                   SIU SIU S  -  -
    cursores.ambito                      SIU -   S  -  -
    cursores.listado_hasta               SIU -   S  -  -
    cursores.reconciliado_en             SIU -   S  -  -
    cursores.titular                     SIU -   S  -  -
    cursores.valla                       SIU -   S  -  -
    cursores.vence_en                    SIU -   S  -  -
    reportes.editado_en                  -   SU  S  S  -
    reportes.folio                       -   S   S  S  -
    reportes.id_conversacion             -   SI  S  S  -
    reportes.id_extorsion                -   SIU S  SU -
    reportes.lugar                       -   SIU S  SU -
    reportes.modo                        -   SIU S  SU -
    reportes.tiempo                      -   SIU S  SU -
    trabajos.carril                      SIU SI  S  -  -
    trabajos.clase                       SIU SIU S  -  -
    trabajos.descartado_en               SIU SI  S  -  -
    trabajos.http_status                 SIU SIU S  -  -
    trabajos.id_agente                   SIU SI  S  -  -
    trabajos.id_corrida                  SIU SI  S  -  -
    trabajos.id_eleven                   SIU SI  S  -  -
    trabajos.inicio                      SIU SI  S  -  -
    trabajos.intentos                    SIU SIU S  -  -
    trabajos.motivo                      SIU SI  S  -  -
    trabajos.muerto_en                   SIU SIU S  -  -
    trabajos.olvidado_en                 SIU SI  S  -  -
    trabajos.pedido_en                   SIU SI  S  -  -
    trabajos.repeticiones                SIU SI  S  -  -
    trabajos.repetir_en                  SIU SIU S  -  -";

/// What the database itself says of that, one column a line.
const COLUMNS: &str = "\
    SELECT concat_ws(' ', relname || '.' || attname, string_agg(coalesce(nullif( \
        CASE WHEN has_column_privilege(role, pg_class.oid, attnum, 'SELECT') THEN 'S' ELSE '' END || \
        CASE WHEN has_column_privilege(role, pg_class.oid, attnum, 'INSERT') THEN 'I' ELSE '' END || \
        CASE WHEN has_column_privilege(role, pg_class.oid, attnum, 'UPDATE') THEN 'U' ELSE '' END || \
        CASE WHEN has_column_privilege(role, pg_class.oid, attnum, 'REFERENCES') THEN 'R' ELSE '' END, ''), '-'), \
        ' ' ORDER BY position)) AS line \
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped, \
        unnest('{backend089_productor, backend089_trabajador, backend089_lector, backend089_analista, public}'::text[]) \
            WITH ORDINALITY AS roles (role, position) \
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') \
    GROUP BY relname, attname ORDER BY relname COLLATE \"C\", attname COLLATE \"C\"";

/// Everything beyond reading and writing rows that anybody but the owner was granted.
const BEYOND: &str = "\
    SELECT concat_ws(' ', relname, grantee::regrole, privilege_type) FROM pg_class, aclexplode(relacl) \
    WHERE relnamespace = 'public'::regnamespace AND grantee <> relowner \
        AND privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE') ORDER BY 1";

const OWNERS: &str = "SELECT DISTINCT relowner::regrole::text FROM pg_class \
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'i') \
    UNION SELECT DISTINCT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace";

/// A prepared database that a member of the owners' group has migrated.
async fn prepared() -> TestDatabase {
    let database = TestDatabase::empty();
    database.prepare();
    migrate(&open(&database.login("m", Some("backend089_migrador"))).await).await.expect("it migrates");
    database
}

async fn open(url: &str) -> Database {
    let config = DatabaseConfig { url: SecretString::from(url.to_owned()), pool_size: 2 };
    Database::open(&config, "test", std::time::Duration::from_secs(10)).await.expect("the login is taken")
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("the login is taken")
}

fn rights(database: &TestDatabase) -> (Vec<String>, Vec<String>) {
    (database.column(COLUMNS), database.column(BEYOND))
}

/// Rows for those who may read some to find.
const ROWS: &str = "\
    INSERT INTO agentes VALUES ('agent_1', 'Uno'); \
    INSERT INTO conversaciones (id_eleven, id_agente, estado, transcripcion) VALUES ('conv_1', 'agent_1', 'done', 'Hola'); \
    INSERT INTO reportes (id_conversacion, modo) SELECT id_conversacion, 'Visita' FROM conversaciones; \
    INSERT INTO trabajos (id_eleven, carril) VALUES ('conv_1', 'fetch'); \
    INSERT INTO cursores (ambito) VALUES ('*'); \
    INSERT INTO corridas (ambito, verbo) VALUES ('*', 'sync')";

#[tokio::test]
async fn every_column_is_open_to_whom_it_should_be() {
    let database = prepared().await;
    let expected: Vec<String> =
        OPEN_TO.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let (columns, beyond) = rights(&database);
    assert_eq!(columns, expected, "see migrations/grants.sql");
    let sequences = ["conversaciones_id_conversacion_seq", "reportes_folio_seq"];
    assert_eq!(beyond, sequences.map(|sequence| format!("{sequence} backend089_trabajador USAGE")));
    assert_eq!(database.column(OWNERS), ["backend089_migrador"]);
}

#[tokio::test]
async fn every_table_has_its_owner_also_where_a_single_user_made_it() {
    let database = TestDatabase::migrated();
    assert_ne!(database.column(OWNERS), ["backend089_migrador"]);
    database.prepare();
    assert_eq!(
        database.column(OWNERS),
        ["backend089_migrador"],
        "deploy/postgres/10-roles.sql lists every table"
    );
    let migrador = open(&database.login("m", Some("backend089_migrador"))).await;
    assert_eq!(migrate(&migrador).await.expect("it migrates"), [""; 0]);
    assert_eq!(rights(&database), rights(&prepared().await));
}

#[tokio::test]
async fn migrating_again_mends_rights_and_changes_none() {
    let database = prepared().await;
    let before = rights(&database);
    let migrador = database.login("otro", Some("backend089_migrador"));
    for spoil in [
        "SELECT",
        "GRANT SELECT ON conversaciones TO backend089_lector, PUBLIC",
        "GRANT DELETE, TRUNCATE, UPDATE (folio) ON reportes TO backend089_trabajador",
        "REVOKE ALL ON trabajos FROM backend089_productor",
    ] {
        database.execute(spoil);
        migrate(&open(&migrador).await).await.expect("it migrates");
        assert_eq!(rights(&database), before, "{spoil}");
    }
}

#[tokio::test]
async fn a_later_release_is_migrated_by_any_login_of_the_group() {
    let database = prepared().await;
    let before = rights(&database);
    let migrations = FileBasedMigrations::from_path(MIGRATIONS).expect("the folder of migrations");
    for login in ["a", "b"] {
        database.connect().revert_last_migration(migrations.clone()).expect("down");
        let migrador = open(&database.login(login, Some("backend089_migrador"))).await;
        assert_eq!(migrate(&migrador).await.expect("it migrates").len(), 1);
        assert_eq!(check_schema(&migrador).await, Ok(()));
        assert_eq!(
            (rights(&database), database.column(OWNERS)),
            (before.clone(), vec!["backend089_migrador".to_owned()])
        );
    }
    // And by a superuser, who leaves nothing behind that belongs to him.
    database.connect().revert_last_migration(migrations).expect("down");
    migrate(&database.open().await).await.expect("it migrates");
    assert_eq!(database.column(OWNERS), ["backend089_migrador"]);
}

#[tokio::test]
async fn whoever_does_not_own_the_tables_is_told_who_does() {
    let database = TestDatabase::empty();
    database.prepare();
    for up_to_date in [false, true] {
        for group in ["productor", "trabajador", "lector", "analista"] {
            let url = database.login(&format!("{group}_{up_to_date}"), Some(&format!("backend089_{group}")));
            let refused = migrate(&open(&url).await).await.expect_err("it is not the owner's");
            assert!(
                matches!(&refused, SchemaError::NotOwner { login } if login.contains(group)),
                "{refused}"
            );
            assert!(refused.to_string().contains("a login of that group"));
        }
        let migrador = database.login(&format!("m_{up_to_date}"), Some("backend089_migrador"));
        migrate(&open(&migrador).await).await.expect("it migrates");
    }
    // A dump that was restored by somebody else: the remedy is named, and it is one.
    database.execute("ALTER TABLE reportes OWNER TO postgres");
    let migrador = open(&database.login("m", Some("backend089_migrador"))).await;
    let refused = migrate(&migrador).await.expect_err("not all is the owner's");
    assert!(refused.to_string().contains("10-roles.sql"), "{refused}");
    database.prepare();
    migrate(&migrador).await.expect("it migrates");
}

#[tokio::test]
async fn a_database_that_was_not_prepared_has_a_single_user() {
    let prepared_one = TestDatabase::empty();
    prepared_one.prepare(); // so that the groups are there, for the sake of another database
    let database = TestDatabase::empty();
    let single = database.login("unica", None);
    database.execute(&format!(
        "GRANT CREATE ON SCHEMA public TO {}_unica",
        database.value("SELECT current_database()")
    ));
    migrate(&open(&single).await).await.expect("it migrates");
    assert_eq!(database.column("SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relacl IS NOT NULL"), [""; 0]);
    assert!(database.column(OWNERS)[0].ends_with("_unica"));
}

#[tokio::test]
async fn what_a_group_is_not_for_is_refused() {
    let database = prepared().await;
    database.execute(ROWS);
    let everybody = [
        "CREATE TABLE mia (a INT)",
        "CREATE TEMP TABLE mia (a INT)",
        "CREATE FUNCTION mia() RETURNS INT LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE conversaciones ADD COLUMN mia TEXT",
        "DROP TABLE trabajos",
        "ALTER TABLE reportes DISABLE TRIGGER ALL",
        "SET ROLE backend089_migrador",
        "INSERT INTO __diesel_schema_migrations VALUES ('99991231000001')",
        "DELETE FROM __diesel_schema_migrations",
        "DELETE FROM agentes",
        "DELETE FROM conversaciones",
        "DELETE FROM reportes",
        "DELETE FROM trabajos",
        "DELETE FROM corridas",
        "DELETE FROM cursores",
        "TRUNCATE reportes",
        "TRUNCATE conversaciones CASCADE",
        "TRUNCATE trabajos",
        "UPDATE reportes SET folio = folio + 1",
        "UPDATE reportes SET id_conversacion = id_conversacion + 1",
        "UPDATE conversaciones SET id_eleven = 'conv_2'",
        "UPDATE conversaciones SET id_conversacion = id_conversacion + 1",
        "SELECT setval('reportes_folio_seq', 1)",
    ];
    let of_a_group = [
        ("productor", "SELECT transcripcion FROM conversaciones"),
        ("productor", "SELECT resumen FROM conversaciones"),
        ("productor", "SELECT datos, evaluacion FROM conversaciones"),
        ("productor", "SELECT * FROM conversaciones"),
        ("productor", "SELECT conversaciones FROM conversaciones"),
        ("productor", "SELECT estado FROM conversaciones WHERE transcripcion LIKE 'H%'"),
        ("productor", "COPY conversaciones TO STDOUT"),
        ("productor", "SELECT modo FROM reportes"),
        ("productor", "UPDATE conversaciones SET estado = 'failed'"),
        ("productor", "INSERT INTO conversaciones (id_eleven) VALUES ('conv_2')"),
        ("productor", "UPDATE agentes SET id_agente = 'agent_2'"),
        ("trabajador", "SELECT * FROM cursores"),
        ("trabajador", "UPDATE cursores SET valla = 0"),
        ("trabajador", "SELECT * FROM corridas"),
        ("trabajador", "SELECT nombre FROM agentes"),
        ("trabajador", "UPDATE agentes SET nombre = 'Dos'"),
        ("trabajador", "UPDATE trabajos SET descartado_en = now(), motivo = 'x'"),
        ("trabajador", "UPDATE trabajos SET olvidado_en = now()"),
        ("trabajador", "INSERT INTO reportes (folio, id_conversacion) VALUES (7, 1)"),
        ("lector", "SELECT transcripcion FROM conversaciones"),
        ("lector", "SELECT resumen FROM conversaciones"),
        ("lector", "SELECT datos FROM conversaciones"),
        ("lector", "SELECT evaluacion FROM conversaciones"),
        ("lector", "SELECT count(conversaciones) FROM conversaciones"),
        ("lector", "UPDATE reportes SET modo = 'Llamada'"),
        ("lector", "UPDATE conversaciones SET estado = 'failed'"),
        ("lector", "UPDATE trabajos SET muerto_en = NULL"),
        ("lector", "INSERT INTO agentes VALUES ('agent_2')"),
        ("analista", "UPDATE conversaciones SET transcripcion = ''"),
        ("analista", "UPDATE reportes SET editado_en = NULL"),
        ("analista", "INSERT INTO reportes (id_conversacion) VALUES (1)"),
        ("analista", "SELECT * FROM trabajos"),
        ("analista", "SELECT * FROM cursores"),
        ("analista", "SELECT * FROM corridas"),
        ("analista", "UPDATE agentes SET nombre = 'Dos'"),
    ];
    for group in ["productor", "trabajador", "lector", "analista"] {
        let url = database.login(group, Some(&format!("backend089_{group}")));
        let mut connection = connect(&url);
        let own = of_a_group.iter().filter(|(of, _)| *of == group).map(|(_, statement)| *statement);
        for statement in everybody.into_iter().chain(own) {
            let refused = connection.batch_execute(statement).expect_err(&format!("{group}: {statement}"));
            let text = refused.to_string();
            assert!(
                ["permission denied", "must be owner"].iter().any(|no| text.starts_with(no)),
                "{statement}: {text}"
            );
        }
    }
    let stranger =
        PgConnection::establish(&database.login("ninguno", None)).err().expect("it is in no group");
    assert!(stranger.to_string().contains("permission denied for database"), "{stranger}");
}

#[tokio::test]
async fn a_reader_watches_and_an_analyst_corrects() {
    let database = prepared().await;
    database.execute(ROWS);
    let mut reader = connect(&database.login("l", Some("backend089_lector")));
    for statement in [
        "SELECT count(*) FROM conversaciones",
        "SELECT id_conversacion, id_eleven, estado, inicio, fin, duracion, huella FROM conversaciones",
        "SELECT * FROM reportes JOIN agentes ON true",
        "SELECT * FROM trabajos, corridas, cursores, __diesel_schema_migrations",
    ] {
        assert_eq!(
            sql_query(statement).execute(&mut reader).ok().map(|rows| rows > 0),
            Some(true),
            "{statement}"
        );
    }
    let mut analyst = connect(&database.login("a", Some("backend089_analista")));
    analyst
        .batch_execute(
            "SELECT * FROM reportes JOIN conversaciones USING (id_conversacion) JOIN agentes USING (id_agente); \
             UPDATE reportes SET id_extorsion = 'a', modo = 'Llamada', tiempo = 'c', lugar = 'd' WHERE folio = 1",
        )
        .expect("that is what it is for");
    assert_eq!(database.value("SELECT modo FROM reportes WHERE editado_en IS NOT NULL"), "Llamada");
}

/// What whoever may correct a report may do to pass for the worker.
const PASSING: [&str; 4] = [
    "SET backend089.escritor = 'consumer'",
    "BEGIN; SET LOCAL backend089.escritor = 'consumer'",
    "SELECT set_config('backend089.escritor', 'consumer', false)",
    "SET search_path = public, pg_catalog; SET backend089.escritor = 'consumer'",
];

/// Corrects the one report after these words, and says whether that counts as a person's.
fn is_correction(database: &TestDatabase, url: &str, words: &str) -> bool {
    database.execute(
        "ALTER TABLE reportes DISABLE TRIGGER USER; UPDATE reportes SET modo = 'Visita', editado_en = NULL; \
        ALTER TABLE reportes ENABLE TRIGGER USER",
    );
    connect(url)
        .batch_execute(&format!("{words}; UPDATE reportes SET modo = 'Llamada'; COMMIT"))
        .expect("it may correct a report");
    assert_eq!(database.value("SELECT modo FROM reportes"), "Llamada");
    database.value("SELECT editado_en IS NOT NULL FROM reportes") == "true"
}

#[tokio::test]
async fn a_correction_is_the_worker_s_only_if_the_login_is_a_worker_s_too() {
    let database = prepared().await;
    database.execute(ROWS);
    database.execute(
        "CREATE FUNCTION pg_has_role(name, oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    );
    let (analyst, worker) = ("backend089_analista", "backend089_trabajador");
    let [analyst, worker] =
        [("a", analyst), ("t", worker)].map(|(name, group)| database.login(name, Some(group)));
    let owner = database.login("dueño", Some("backend089_migrador"));
    for words in PASSING {
        assert!(is_correction(&database, &analyst, words), "{words}");
        assert!(is_correction(&database, &owner, words), "{words}");
    }
    assert!(!is_correction(&database, &worker, PASSING[0]));
    assert!(is_correction(&database, &worker, "RESET ALL"));
    let name = database.value("SELECT current_database()");
    database.execute(&format!("ALTER ROLE {name}_a SET backend089.escritor = 'consumer'"));
    assert!(is_correction(&database, &analyst, "RESET ALL"));
}

#[tokio::test]
async fn in_a_database_of_a_single_login_its_word_has_to_do() {
    let prepared_one = TestDatabase::empty();
    prepared_one.prepare(); // so that the groups are there, for the sake of another database
    let database = TestDatabase::empty();
    let single = database.login("unica", None);
    let name = database.value("SELECT current_database()");
    database.execute(&format!("GRANT CREATE ON SCHEMA public TO {name}_unica"));
    migrate(&open(&single).await).await.expect("it migrates");
    database.execute(ROWS);
    assert!(!is_correction(&database, &single, PASSING[0]));
    assert!(is_correction(&database, &single, "RESET ALL"));
}

#[tokio::test]
async fn a_right_that_is_missing_is_called_that() {
    let database = prepared().await;
    let reader = open(&database.login("l", Some("backend089_lector"))).await;
    let write = reader.run(|connection| connection.batch_execute("UPDATE trabajos SET clase = 'x'")).await;
    let error = write.expect_err("a reader writes nothing");
    assert!(matches!(&error, DatabaseError::Forbidden { reason } if reason.contains("trabajos")), "{error}");
    assert!(error.is_outage() && error.to_string().contains("producer migrate"), "{error}");
}

/// Programs start while the tables are made: those are granted last.
#[tokio::test]
async fn whoever_comes_while_rights_are_being_given_waits_for_them() {
    let database = prepared().await;
    let before = rights(&database);
    let mut migrating = database.connect();
    migrating.batch_execute("SELECT pg_advisory_lock(89089)").expect("nobody else migrates");
    database.execute("REVOKE ALL ON __diesel_schema_migrations FROM backend089_productor");
    let productor = open(&database.login("p", Some("backend089_productor"))).await;
    let check = tokio::spawn(async move { check_schema(&productor).await });
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while database.value(waiting) == "0" {
        assert!(!check.is_finished(), "it waits");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    database.execute("GRANT SELECT ON __diesel_schema_migrations TO backend089_productor");
    migrating.batch_execute("SELECT pg_advisory_unlock(89089)").expect("it was held");
    assert_eq!(check.await.expect("it does not panic"), Ok(()));
    assert_eq!(rights(&database), before);
}

/// As an administrator runs it, and as the container of PostgreSQL does at its first start.
#[tokio::test]
async fn the_script_for_logins_takes_passwords_from_files() {
    const LOGIN: [&str; 5] = ["migrador", "productor", "trabajador", "lector", "analista"];
    if Command::new("psql").arg("--version").output().is_err() {
        eprintln!("skipped: there is no psql on this machine");
        return;
    }
    let database = TestDatabase::empty();
    database.prepare();
    let folder = std::env::temp_dir().join(format!("089 secretos {}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    let write = |login: &str, password: &str| {
        std::fs::write(folder.join(format!("postgres_{login}_password")), password).expect("a file");
    };
    let run = || {
        Command::new("psql")
            .args([
                "-X",
                "-q",
                "-d",
                &database.url(),
                "-v",
                &format!("secrets={}", folder.display()),
                "-f",
                LOGINS,
            ])
            .output()
            .expect("psql is there")
    };
    let url = |login: &str, password: &str| {
        let mut url = url::Url::parse(&database.url()).expect("a URL");
        url.set_username(login).expect("it has a host");
        url.set_password(Some(password)).expect("it has a host");
        url.to_string()
    };
    LOGIN[1..].iter().for_each(|login| write(login, "otra"));
    write(LOGIN[0], "\n");
    let refused = run();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a password is missing"), "{refused:?}");
    assert_eq!(refused.status.code(), Some(3));
    for attempt in 0..2 {
        for login in LOGIN {
            write(login, &format!("la'clave \"$HOME\" de {login} {attempt}\n"));
        }
        let output = run();
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        for login in LOGIN {
            let mut connection = connect(&url(login, &format!("la'clave \"$HOME\" de {login} {attempt}")));
            connection.batch_execute(&format!("SET ROLE backend089_{login}")).expect("it is in its group");
        }
    }
    std::fs::remove_dir_all(&folder).expect("it is ours");
    for login in LOGIN {
        database.execute(&format!("DROP ROLE {login}"));
    }
}
