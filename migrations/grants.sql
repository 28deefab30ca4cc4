-- Who may do what with the tables. `producer migrate` runs this after the migrations, every time, in a database that
-- deploy/postgres/10-roles.sql has prepared; so rights and tables of a release always fit. It begins with taking
-- everything back: what is not listed here is not allowed, and a right that a later release drops is gone. Whoever
-- needs more gets it by a role of his own, which is left alone.
--
-- Nobody gets DELETE or TRUNCATE. A new table, and a new column of one that is granted by column, is open to nobody
-- until it is listed here; the test `every_column_is_open_to_whom_it_should_be` fails until somebody has decided.
DO $$
DECLARE
    -- A role that somebody has dropped is missed by nobody.
    groups CONSTANT text[] := ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname IN
        ('backend089_productor', 'backend089_trabajador', 'backend089_lector', 'backend089_analista'));
    relation record;
BEGIN
    FOR relation IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relowner = current_user::regrole AND relkind IN ('r', 'p', 'S')
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', relation.name, array_to_string(array_prepend('PUBLIC', groups), ', '));
    END LOOP;

    -- Asks for calls and keeps the book. Of a stored call: whether it is stored, what tells that it has changed at its source,
    -- and counts of how it was read; never what was said.
    IF 'backend089_productor' = ANY (groups) THEN
        GRANT SELECT ON __diesel_schema_migrations TO backend089_productor;
        GRANT SELECT, INSERT, UPDATE ON cursores, corridas, trabajos, cuotas TO backend089_productor;
        GRANT SELECT, INSERT, UPDATE (nombre, actualizado_en) ON agentes TO backend089_productor;
        GRANT SELECT (id_eleven, fecha, hora_inicio, inicio, duracion_segundos, estado, exito, huella, sincronizado_en, tapado,
                rarezas, origen)
            ON conversaciones TO backend089_productor;
    END IF;

    -- Stores calls. Keys and folios never change, and what a person decided in the book stays.
    IF 'backend089_trabajador' = ANY (groups) THEN
        GRANT SELECT ON __diesel_schema_migrations TO backend089_trabajador;
        GRANT SELECT (id_agente), INSERT (id_agente) ON agentes TO backend089_trabajador;
        GRANT SELECT, INSERT, UPDATE (id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion, inicio, fin,
                duracion_segundos, estado, resumen, idioma, exito, datos, evaluacion, huella, sincronizado_en, tapado,
                rarezas, origen)
            ON conversaciones TO backend089_trabajador;
        GRANT SELECT, INSERT (id_conversacion, id_extorsion, modo, tiempo, lugar),
                UPDATE (id_extorsion, modo, tiempo, lugar, editado_en)
            ON reportes TO backend089_trabajador;
        GRANT SELECT, INSERT, UPDATE (muerto_en, clase, http_status, intentos, repetir_en) ON trabajos TO backend089_trabajador;
        GRANT SELECT, INSERT, UPDATE ON cuotas TO backend089_trabajador;
        -- By what the defaults say, not by name: an adopted table may have come with other sequences.
        FOR relation IN
            SELECT DISTINCT sequence.oid::regclass AS name
            FROM pg_attrdef JOIN pg_depend ON classid = 'pg_attrdef'::regclass AND objid = pg_attrdef.oid
                JOIN pg_class AS sequence ON refclassid = 'pg_class'::regclass AND refobjid = sequence.oid
            WHERE sequence.relkind = 'S' AND adrelid IN ('conversaciones'::regclass, 'reportes'::regclass)
        LOOP
            EXECUTE format('GRANT USAGE ON SEQUENCE %s TO backend089_trabajador', relation.name);
        END LOOP;
    END IF;

    -- Watches: everything but transcripts, summaries, collected data and evaluations.
    IF 'backend089_lector' = ANY (groups) THEN
        GRANT SELECT ON __diesel_schema_migrations, agentes, cursores, corridas, trabajos, cuotas, reportes TO backend089_lector;
        GRANT SELECT (id_conversacion, id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, inicio, fin,
                duracion_segundos, estado, idioma, exito, huella, sincronizado_en, tapado, rarezas, origen)
            ON conversaciones TO backend089_lector;
    END IF;

    -- Reads calls and corrects their reports.
    IF 'backend089_analista' = ANY (groups) THEN
        GRANT SELECT ON __diesel_schema_migrations, agentes, conversaciones, reportes TO backend089_analista;
        GRANT UPDATE (id_extorsion, modo, tiempo, lugar) ON reportes TO backend089_analista;
    END IF;
END
$$;
