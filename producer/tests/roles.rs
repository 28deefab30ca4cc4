//! Least rights: each program does its whole job with a login of its own group, and says so when it has another's.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl, sql_query};
use shared::testing::TestDatabase;
use simulator::{Faults, Settings};
use support::lock::Lock;
use support::{World, calls, exits};

/// As the older system made them, with a login of its own, another sequence than ours, and a report of one call.
const OLDER_TABLES: &str = "
    CREATE SEQUENCE folios START 500;
    CREATE TABLE agentes (id_agente TEXT PRIMARY KEY, nombre TEXT);
    CREATE TABLE conversaciones (
        id_conversacion BIGSERIAL PRIMARY KEY,
        id_eleven TEXT UNIQUE NOT NULL,
        id_agente TEXT REFERENCES agentes (id_agente),
        fecha DATE, hora_inicio TIME, hora_fin TIME, duracion TEXT, transcripcion TEXT
    );
    CREATE TABLE reportes (
        folio BIGINT PRIMARY KEY DEFAULT nextval('folios'),
        id_conversacion BIGINT UNIQUE NOT NULL REFERENCES conversaciones (id_conversacion),
        id_extorsion TEXT, modo TEXT, tiempo TEXT, lugar TEXT
    );
    INSERT INTO conversaciones (id_eleven, transcripcion) VALUES ('conv_de_antes', '[0.0s] AGENT: Hola');
    INSERT INTO reportes (id_conversacion, modo) SELECT id_conversacion, 'Visita' FROM conversaciones;";

/// A prepared database and a login of each group, at work in a world.
struct Staff {
    world: World,
    logins: BTreeMap<&'static str, String>,
}

impl Staff {
    async fn at(database: TestDatabase, settings: Settings) -> Self {
        database.prepare();
        let login = |name| (name, database.login(name, Some(&format!("backend089_{name}"))));
        let logins = ["migrador", "productor", "trabajador", "lector"].map(login).into();
        Self { world: World::on(database, settings).await, logins }
    }

    /// What runs from now on logs in like this.
    fn log_in(&mut self, login: &str) -> &World {
        self.world.set("DATABASE_URL", &self.logins[login]);
        &self.world
    }

    async fn migrate(&mut self) {
        self.log_in("migrador").migrate().await;
    }

    /// The whole job, with calls that fail and are looked after.
    async fn do_the_whole_job(&mut self) {
        assert!(self.log_in("productor").sync().await.published > 0);
        self.log_in("trabajador").drain(2).await;
        let world = self.log_in("productor");
        let dead: BTreeSet<String> = world.letters().await.into_keys().collect();
        let (first, last) = (dead.first().expect("some are missing"), dead.last().expect("some are missing"));
        assert_ne!(first, last);
        world.dead(&["show", first]).await;
        world.dead(&["discard", last, "--reason", "prueba"]).await;
        world.dead(&["list", "--discarded"]).await;
        world.dead(&["discard", last, "--undo"]).await;
        world.dead(&["discard", last, "--reason", "prueba"]).await;
        world.simulator.set_faults(Faults::default());
        world.dead(&["replay"]).await;
        // Those that are there already change at their source and are asked for again.
        let stored: Vec<String> = world.stored().intersection(&world.listed()).cloned().collect();
        for id in &stored {
            world.simulator.set_conversation(id, |detail| {
                detail["analysis"]["transcript_summary"] = "otro resumen".into();
                detail["analysis"]["data_collection_results"]["lugar"]["value"] = "otro lugar".into();
            });
            let job = serde_json::json!({ "v": 1, "conversation_id": id }).to_string();
            world.management().publish("fetch", &serde_json::json!({ "message_id": id }), &job);
        }
        let world = self.log_in("trabajador");
        world.drain(2).await;
        let expected: BTreeSet<String> = world.listed().into_iter().filter(|id| id != last).collect();
        assert!(world.stored().is_superset(&expected) && !world.stored().contains(last));
        assert!(world.count("conversaciones WHERE resumen = 'otro resumen'") >= stored.len());
        world.assert_one_report_each();
        let world = self.log_in("productor");
        world.sync().await;
        assert!(world.letters().await.is_empty());
        assert_eq!(world.count("corridas WHERE verbo = 'sync' AND resultado = 'completa'"), 2);
        assert_eq!(world.count("agentes WHERE nombre IS NULL AND actualizado_en IS NULL"), 0);
        for verb in ["check", "status"] {
            exits(world.run("producer", &[verb]).await, 0);
        }
    }
}

fn with_missing_calls() -> Settings {
    Settings { faults: Faults { missing: 0.2, ..Faults::default() }, agents: 3, ..calls(40) }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_program_does_its_whole_job_with_its_own_login() {
    let mut staff = Staff::at(TestDatabase::empty(), with_missing_calls()).await;
    staff.migrate().await;
    staff.do_the_whole_job().await;
    staff.migrate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_is_handed_over_and_its_people_go_on_reading() {
    let database = TestDatabase::empty();
    let name = database.value("SELECT current_database()");
    let older = database.login("anterior", None);
    let bi = database.login("informes", None);
    database.execute(&format!("GRANT CREATE ON SCHEMA public TO {name}_anterior"));
    let connect = |url: &str| PgConnection::establish(url).expect("the login is taken");
    let grant = format!(
        "GRANT SELECT (folio, modo) ON reportes TO {name}_informes; GRANT SELECT ON reportes TO PUBLIC"
    );
    connect(&older).batch_execute(&format!("{OLDER_TABLES}{grant}")).expect("its own tables");

    let mut staff = Staff::at(database, with_missing_calls()).await;
    staff.migrate().await;
    staff.do_the_whole_job().await;

    let world = &staff.world;
    assert_eq!(world.count("reportes WHERE folio = 500 AND modo = 'Visita'"), 1);
    assert_eq!(world.count("reportes WHERE folio < 500"), 0, "folios go on where they were");
    let mut reports = connect(&bi);
    assert!(sql_query("SELECT folio, modo FROM reportes").execute(&mut reports).is_ok());
    assert!(sql_query("SELECT lugar FROM reportes").execute(&mut reports).is_err(), "not by way of PUBLIC");
    let mut owner = connect(&older);
    owner
        .batch_execute("SELECT transcripcion FROM conversaciones; UPDATE reportes SET lugar = 'Centro' WHERE folio = 500")
        .expect("it reads and corrects");
    for statement in
        ["DELETE FROM reportes", "DROP TABLE reportes", "UPDATE conversaciones SET transcripcion = ''"]
    {
        assert!(owner.batch_execute(statement).is_err(), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_login_is_named_and_costs_no_job() {
    let mut staff = Staff::at(TestDatabase::empty(), calls(10)).await;
    let refused = exits(staff.log_in("productor").run("producer", &["migrate"]).await, 64);
    assert!(refused.stderr.contains("backend089_migrador"), "{}", refused.stderr);
    staff.migrate().await;
    for login in ["trabajador", "lector"] {
        let refused = exits(staff.log_in(login).run("producer", &["sync"]).await, 64);
        assert!(refused.stderr.contains("denies the login a right"), "{}", refused.stderr);
    }
    staff.log_in("productor").sync().await;
    for login in ["productor", "lector"] {
        let refused = exits(staff.log_in(login).run("consumer", &[]).await, 64);
        assert!(refused.stderr.contains("denies the login a right"), "{}", refused.stderr);
    }
    assert_eq!(staff.world.count("conversaciones"), 0);

    // A right that goes while the worker works.
    let world = staff.log_in("trabajador");
    let lock = Lock::on(&world.database, "agentes");
    let worker = world.start("consumer", &[]);
    lock.holds_up("INSERT INTO agentes").await;
    world.database.execute("REVOKE INSERT ON conversaciones FROM backend089_trabajador");
    drop(lock);
    exits(worker.finished().await, 64);
    assert_eq!(world.count("conversaciones"), 0);

    staff.migrate().await;
    let world = staff.log_in("trabajador");
    world.drain(1).await;
    assert_eq!(world.stored(), world.listed());
    assert_eq!(world.count("trabajos WHERE clase IS NOT NULL"), 0);
}
