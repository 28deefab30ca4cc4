//! The queries run, with the rights of the login that they name; the tables are described as they are; and the way back
//! to the older script, and forth again, loses no correction.

use diesel::connection::SimpleConnection;
use shared::testing::TestDatabase;

use super::document::{all, one, read};
use super::pattern;

/// Two calls with their reports, one of which is corrected, and one that died.
const ROWS: &str = r#"
    INSERT INTO agentes (id_agente, nombre) VALUES ('agent_1', 'Agente 089');
    INSERT INTO conversaciones (id_eleven, id_agente, fecha, inicio, fin, duracion_segundos, transcripcion, estado,
            exito, datos, huella, sincronizado_en)
        VALUES ('conv_1', 'agent_1', current_date, now() - interval '2 min', now() - interval '1 min', 60,
                '[0.0s] USER: una transferencia', 'done', 'success', '{"modo": "llamada"}', '\x01', now()),
            ('conv_2', 'agent_1', current_date, now() - interval '1 h', NULL, 60, '', 'done', NULL, NULL, '\x02', now());
    INSERT INTO reportes (id_conversacion, modo) SELECT id_conversacion, 'llamada' FROM conversaciones ORDER BY id_eleven;
    UPDATE reportes SET modo = 'corregido' WHERE folio = 1;
    INSERT INTO trabajos (id_eleven, carril, muerto_en, clase, intentos) VALUES ('conv_3', 'fetch', now(), 'malformed', 6);
    INSERT INTO corridas (ambito, verbo) VALUES ('*', 'sync');
"#;

/// A database with roles, tables and rights, as an administrator and `producer migrate` leave it.
async fn prepared() -> TestDatabase {
    let database = TestDatabase::empty();
    database.prepare();
    shared::database::migrate(&database.open().await).await.expect("it migrates");
    database.execute(ROWS);
    database
}

#[tokio::test]
async fn every_query_runs_with_the_rights_of_the_login_that_it_names() {
    let database = prepared().await;
    let login = pattern(r"^-- (analista|lector|postgres)\n");
    let mut count = 0;
    for document in all() {
        let mut connection = database.connect();
        // One transaction for each document: what it makes in one block it may use in another.
        connection.batch_execute("BEGIN").expect("a transaction");
        for block in document.blocks().into_iter().filter(|block| block.language == "sql") {
            let place = format!("{}:{}", document.path, block.line);
            let login = login
                .captures(&block.text)
                .unwrap_or_else(|| panic!("{place}: its first line names no login"));
            let role = match &login[1] {
                "postgres" => "NONE".to_owned(),
                login => format!("backend089_{login}"),
            };
            connection.batch_execute(&format!("SET LOCAL ROLE {role}")).expect("a role");
            connection.batch_execute(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
            count += 1;
        }
        connection.batch_execute("ROLLBACK").expect("a transaction");
    }
    assert!(count > 10, "{count} queries were found");
}

#[test]
fn every_column_is_described() {
    let database = TestDatabase::migrated();
    let tables = database.column(
        "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' ORDER BY 1",
    );
    let document = one("docs/data-model.md");
    let (row, name) = (pattern(r"(?m)^\| (`[^|]*) \|"), pattern("`([a-z_]+)`"));
    for table in tables {
        let section = document.section(&format!("`{table}`"));
        let mut described: Vec<String> = row
            .captures_iter(&section)
            .flat_map(|cell| {
                name.captures_iter(&cell[1]).map(|found| found[1].to_owned()).collect::<Vec<_>>()
            })
            .collect();
        described.sort();
        let columns = database.column(&format!(
            "SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY column_name COLLATE \"C\""
        ));
        assert_eq!(described, columns, "{table}");
    }
}

/// What the older script writes of each call, at every run.
const OLDER_SCRIPT: &str = "
    SET ROLE backend089_migrador;
    INSERT INTO agentes (id_agente, nombre) VALUES ('agent_1', 'Agente 089')
        ON CONFLICT (id_agente) DO UPDATE SET nombre = coalesce(excluded.nombre, agentes.nombre);
    INSERT INTO conversaciones (id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion)
        VALUES ('conv_1', 'agent_1', NULL, NULL, NULL, '60 seconds', '[0.0s] USER: soy 55 1234 5678'),
            ('conv_2', 'agent_1', NULL, NULL, NULL, NULL, ''), ('conv_9', 'agent_1', NULL, NULL, NULL, NULL, 'nueva')
        ON CONFLICT (id_eleven) DO UPDATE SET transcripcion = excluded.transcripcion, hora_fin = excluded.hora_fin,
            duracion = excluded.duracion;
    INSERT INTO reportes (id_conversacion, id_extorsion, modo, tiempo, lugar)
        SELECT id_conversacion, 'x', 'de la API', NULL, NULL FROM conversaciones
        ON CONFLICT (id_conversacion) DO UPDATE SET id_extorsion = excluded.id_extorsion, modo = excluded.modo,
            tiempo = excluded.tiempo, lugar = excluded.lugar;
    RESET ROLE";

#[tokio::test]
async fn the_way_back_to_the_older_script_and_forth_again_loses_no_correction() {
    let database = prepared().await;
    let corrected =
        "SELECT row(id_extorsion, modo, tiempo, lugar, editado_en)::text FROM reportes WHERE folio = 1";
    let before = database.value(corrected);
    database.execute(&read("deploy/postgres/back-to-the-script.sql"));
    database.execute(OLDER_SCRIPT);
    assert_ne!(database.value(corrected), before, "the script overwrites it, or this test shows nothing");
    database.execute(&read("deploy/postgres/forth-again.sql"));

    assert_eq!(database.value(corrected), before);
    assert_eq!(
        database.value("SELECT count(*) FROM reportes WHERE editado_en IS NOT NULL"),
        "1",
        "the script's are none"
    );
    let unread = "SELECT id_eleven FROM conversaciones WHERE huella IS NULL";
    assert_eq!(database.column(unread), ["conv_9"], "what the script inserted is adopted");
    assert_eq!(
        database.value("SELECT count(*) FROM conversaciones WHERE huella = '\\x'"),
        "2",
        "the others are read anew"
    );
    database.execute("UPDATE reportes SET lugar = 'otro' WHERE folio = 2");
    assert_eq!(
        database.value("SELECT count(*) FROM reportes WHERE editado_en IS NOT NULL"),
        "2",
        "the trigger works again"
    );
    assert_eq!(database.value("SELECT to_regclass('reportes_corregidos')"), "NULL");
}
