//! Tables that somebody made by hand, of other shapes than ours: they are widened where nothing is lost by it, and otherwise
//! named, and no call is given up for them.

mod support;

use shared::testing::TestDatabase;
use simulator::Settings;
use support::{World, calls, exits};

const AGENTES: &str = "CREATE TABLE agentes (id_agente TEXT PRIMARY KEY, nombre TEXT);";
const CONVERSACIONES: &str = "CREATE TABLE conversaciones (id_conversacion BIGSERIAL PRIMARY KEY, \
    id_eleven TEXT UNIQUE NOT NULL, id_agente TEXT REFERENCES agentes (id_agente), fecha DATE, hora_inicio TIME, \
    hora_fin TIME, duracion TEXT, transcripcion TEXT);";
const REPORTES: &str = "CREATE TABLE reportes (folio BIGSERIAL PRIMARY KEY, \
    id_conversacion BIGINT UNIQUE NOT NULL REFERENCES conversaciones (id_conversacion), id_extorsion TEXT, modo TEXT, \
    tiempo TEXT, lugar TEXT);";

/// A world on a database with the older tables, changed so.
async fn world(changes: &str) -> World {
    let database = TestDatabase::empty();
    database.execute(&format!("{AGENTES} {CONVERSACIONES} {REPORTES} {changes}"));
    World::on(database, Settings { agents: 2, ..calls(6) }).await
}

/// All calls are stored, with a report each, and none is dead.
async fn store_everything(world: &World) {
    exits(world.run("consumer", &["--drain"]).await, 0);
    assert_eq!(world.count("conversaciones WHERE huella IS NOT NULL"), 6);
    world.assert_one_report_each();
    assert!(world.letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_widened_without_a_loss_is() {
    for change in [
        "ALTER TABLE reportes ALTER lugar TYPE varchar(5), ALTER modo TYPE char(9), ALTER id_extorsion TYPE char(1)",
        "ALTER TABLE conversaciones ALTER transcripcion TYPE varchar(60), ALTER duracion TYPE varchar(10)",
        "ALTER TABLE conversaciones ALTER id_eleven TYPE char(60), ALTER id_agente TYPE varchar(8); \
         ALTER TABLE agentes ALTER id_agente TYPE varchar(8), ALTER nombre TYPE varchar(3)",
        "ALTER TABLE conversaciones DROP CONSTRAINT conversaciones_id_eleven_key; \
         ALTER TABLE reportes DROP CONSTRAINT reportes_id_conversacion_key; \
         ALTER TABLE conversaciones DROP CONSTRAINT conversaciones_id_agente_fkey; \
         ALTER TABLE agentes DROP CONSTRAINT agentes_pkey",
        "ALTER TABLE conversaciones DROP CONSTRAINT conversaciones_id_eleven_key; \
         CREATE UNIQUE INDEX ON conversaciones (id_eleven) WHERE fecha > '2020-01-01'",
        "ALTER TABLE reportes ALTER lugar SET NOT NULL, ALTER tiempo SET NOT NULL; \
         ALTER TABLE conversaciones ALTER hora_fin SET NOT NULL, ALTER duracion SET NOT NULL",
    ] {
        let world = world(change).await;
        let migrated = world.migrate().await;
        assert!(migrated.stderr.contains(": mended"), "{change}: {}", migrated.stderr);
        let checked = world.run("producer", &["check"]).await;
        assert!(checked.stdout.contains("its tables take a call"), "{change}: {}", checked.stdout);
        world.sync().await;
        store_everything(&world).await;
        assert_eq!(world.count("reportes WHERE folio > 6"), 0, "a trial draws no folio");
        let again = world.migrate().await;
        assert!(!again.stderr.contains("mended"), "{}", again.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_smaller_type_will_do() {
    let world = world(
        "ALTER TABLE conversaciones ALTER id_conversacion TYPE int; \
        ALTER TABLE reportes ALTER folio TYPE int, ALTER id_conversacion TYPE int",
    )
    .await;
    world.migrate().await;
    world.sync().await;
    store_everything(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_no_call_is_named_and_waited_for_and_costs_no_call() {
    const RAISES: &str =
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no hoy'; END $$;";
    let raising =
        |when: &str| format!("{RAISES} CREATE TRIGGER propio {when} FOR EACH ROW EXECUTE FUNCTION no()");
    for (change, named, remedy) in [
        (
            "ALTER TABLE conversaciones ALTER duracion TYPE integer USING NULL".to_owned(),
            "conversaciones.duracion is integer",
            "ALTER TABLE conversaciones ALTER COLUMN duracion TYPE text USING duracion::text",
        ),
        (
            "CREATE TYPE modos AS ENUM ('llamada'); ALTER TABLE reportes ALTER modo TYPE modos USING NULL"
                .to_owned(),
            "reportes.modo is modos",
            "ALTER TABLE reportes ALTER modo TYPE text USING modo::text",
        ),
        (
            "ALTER TABLE reportes ALTER lugar TYPE integer USING NULL".to_owned(),
            "reportes.lugar is integer",
            "ALTER TABLE reportes ALTER lugar TYPE text",
        ),
        (
            "ALTER TABLE conversaciones ADD oficina TEXT NOT NULL".to_owned(),
            "conversaciones.oficina is NOT NULL",
            "ALTER TABLE conversaciones ALTER oficina SET DEFAULT 'Toluca'",
        ),
        (
            "ALTER TABLE reportes ADD turno INT NOT NULL".to_owned(),
            "reportes.turno is NOT NULL",
            "ALTER TABLE reportes ALTER turno DROP NOT NULL",
        ),
        (
            "ALTER TABLE conversaciones DROP CONSTRAINT conversaciones_id_eleven_key; \
             INSERT INTO conversaciones (id_eleven) VALUES ('conv_doble'), ('conv_doble')"
                .to_owned(),
            "conversaciones.id_eleven is not UNIQUE",
            "DELETE FROM conversaciones; ALTER TABLE conversaciones ADD UNIQUE (id_eleven)",
        ),
        (
            "ALTER TABLE reportes ALTER folio DROP DEFAULT".to_owned(),
            "reportes.folio has no default",
            "ALTER TABLE reportes ALTER folio SET DEFAULT nextval('reportes_folio_seq')",
        ),
        (
            "ALTER TABLE conversaciones ALTER transcripcion TYPE varchar(60); \
             CREATE VIEW textos AS SELECT transcripcion FROM conversaciones"
                .to_owned(),
            "conversaciones.transcripcion is character varying(60)",
            "DROP VIEW textos; ALTER TABLE conversaciones ALTER transcripcion TYPE text",
        ),
        (
            raising("BEFORE INSERT ON conversaciones"),
            "conversaciones: no hoy",
            "DROP TRIGGER propio ON conversaciones",
        ),
        (raising("AFTER INSERT ON reportes"), "reportes: no hoy", "DROP TRIGGER propio ON reportes"),
        (raising("BEFORE INSERT ON agentes"), "agentes: no hoy", "DROP TRIGGER propio ON agentes"),
        (
            "ALTER TABLE reportes ADD CONSTRAINT propia CHECK (lugar IN ('Metepec'))".to_owned(),
            "propia",
            "ALTER TABLE reportes DROP CONSTRAINT propia",
        ),
    ] {
        let world = world(&change).await;
        world.migrate().await;
        let checked = exits(world.run("producer", &["check"]).await, 1);
        let line = checked.stdout.lines().find(|line| line.starts_with("✗ database")).unwrap_or_default();
        assert!(line.contains(named), "{change}: {}", checked.stdout);
        world.sync().await;
        let drained = exits(world.run("consumer", &["--drain", "--wait", "1s"]).await, 69);
        assert!(
            drained.stderr.contains("takes no call") && drained.stderr.contains(named),
            "{}",
            drained.stderr
        );
        assert!(world.letters().await.is_empty());
        assert_eq!(world.count("conversaciones WHERE huella IS NOT NULL"), 0);
        world.database.execute(remedy);
        store_everything(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changes_under_a_worker_costs_no_call_either() {
    let mut world = world("").await;
    world.set("AMQP_RETRY_DELAYS", "100ms,100ms");
    world.migrate().await;
    world.sync().await;
    // Rows of whatever call but the trial's of the start, so that only a batch meets it.
    world.database.execute(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'consumer%') > 0 \
                 AND EXISTS (SELECT FROM vistas) THEN RAISE 'no hoy'; END IF; \
             IF NEW.id_eleven NOT LIKE 'conv_ensayo%' THEN PERFORM nextval('visto'); END IF; RETURN NEW; END $$; \
         CREATE SEQUENCE visto; CREATE VIEW vistas AS SELECT FROM pg_sequences WHERE sequencename = 'visto' \
             AND last_value IS NOT NULL; \
         CREATE TRIGGER propio BEFORE INSERT ON conversaciones FOR EACH ROW EXECUTE FUNCTION no()",
    );
    let drained = exits(world.run("consumer", &["--drain", "--wait", "1s"]).await, 69);
    assert!(drained.stderr.contains("no hoy"), "{}", drained.stderr);
    assert!(world.letters().await.is_empty());
    world.database.execute("DROP TRIGGER propio ON conversaciones");
    exits(world.run("consumer", &["--drain"]).await, 0);
    assert!(world.letters().await.is_empty());
    assert_eq!(world.count("conversaciones"), 6);
}
