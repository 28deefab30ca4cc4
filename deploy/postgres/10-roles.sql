-- Prepares a database for least rights: five groups, and what each may do with the database itself. What each may do
-- with the tables is in migrations/grants.sql, which `producer migrate` carries out whenever it has migrated.
--
-- Run it once per database, as superuser, before the first `producer migrate`:
--     psql -d llamadas -v ON_ERROR_STOP=1 -f 10-roles.sql
-- Again is harmless, and also mends owners after a restore. Without it, one user does everything, as ever.
-- Plain SQL, so any client will do. No superuser at hand (a managed PostgreSQL)? A login with CREATEROLE that owns the
-- database and the tables can run it too; it becomes a member of backend089_migrador.
--
-- It gives nobody a login: 20-logins.sql does, or by hand: CREATE ROLE ana LOGIN IN ROLE backend089_analista.

BEGIN;

-- Roles belong to the whole cluster: another database may have them made already, or be making them right now.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('backend089_migrador', 'Backend-089: dueño de las tablas; las crea y las cambia (producer migrate).'),
        ('backend089_productor', 'Backend-089: pide las llamadas y lleva el libro (producer); no ve lo que se dijo en ellas.'),
        ('backend089_trabajador', 'Backend-089: guarda las llamadas (consumer); no borra nada.'),
        ('backend089_lector', 'Backend-089: lee todo menos transcripciones, resúmenes, datos y evaluaciones; para vigilar.'),
        ('backend089_analista', 'Backend-089: lee las llamadas y corrige sus reportes.')
    ) AS all_of_them (role, purpose)
    LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted.role);
            EXECUTE format('COMMENT ON ROLE %I IS %L', wanted.role, wanted.purpose);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    -- A superuser may hand tables over to anybody; others only to a group of their own.
    IF current_setting('is_superuser') <> 'on' THEN
        GRANT backend089_migrador TO CURRENT_USER;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public
    TO backend089_migrador, backend089_productor, backend089_trabajador, backend089_lector, backend089_analista;
-- This very grant tells `producer migrate` that the database is prepared.
GRANT CREATE ON SCHEMA public TO backend089_migrador;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- The tables that exist already, made by the older system or by a single user, get the owner who will complete them.
DO $$
DECLARE
    ours CONSTANT name[] := '{agentes, conversaciones, reportes, cursores, corridas, trabajos, cuotas, __diesel_schema_migrations}';
    found record;
BEGIN
    -- Whoever was given something of these tables by name may still connect, though PUBLIC may not any more.
    FOR found IN
        SELECT DISTINCT grantee::regrole AS person
        FROM pg_class
            JOIN pg_attribute ON attrelid = pg_class.oid,
            LATERAL (SELECT grantee FROM aclexplode(relacl) UNION SELECT grantee FROM aclexplode(attacl)) AS given
        WHERE relnamespace = 'public'::regnamespace AND relname = ANY (ours) AND relkind = 'r' AND grantee <> 0
    LOOP
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %s', current_database(), found.person);
    END LOOP;

    -- And whoever owned them goes on reading: the older system's login is often that of the reports, too.
    FOR found IN
        SELECT DISTINCT relowner::regrole AS person
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname = ANY (ours) AND relkind = 'r'
            -- Superusers are members of everything.
            AND NOT pg_has_role(relowner, 'backend089_migrador', 'MEMBER')
    LOOP
        EXECUTE format('GRANT backend089_analista TO %s', found.person);
        RAISE NOTICE '% owned the older tables; it may still read them and correct reports, as a member of backend089_analista. To end that: REVOKE backend089_analista FROM %', found.person, found.person;
    END LOOP;

    FOR found IN
        SELECT 'TABLE' AS kind, oid::regclass::text AS thing FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname = ANY (ours) AND relkind = 'r'
            AND relowner <> 'backend089_migrador'::regrole
        -- Sequences that a default names and no column owns: those that are owned follow their table.
        UNION ALL
        SELECT DISTINCT 'SEQUENCE', sequence.oid::regclass::text
        FROM pg_class AS sequence
            JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = sequence.oid
                AND classid = 'pg_attrdef'::regclass
            JOIN pg_attrdef ON pg_attrdef.oid = objid
            JOIN pg_class AS owner ON owner.oid = adrelid
        WHERE sequence.relkind = 'S' AND sequence.relowner <> 'backend089_migrador'::regrole
            AND owner.relnamespace = 'public'::regnamespace AND owner.relname = ANY (ours)
            AND NOT EXISTS (SELECT FROM pg_depend AS owned WHERE owned.classid = 'pg_class'::regclass
                AND owned.objid = sequence.oid AND owned.deptype IN ('a', 'i'))
        UNION ALL
        SELECT DISTINCT 'FUNCTION', pg_proc.oid::regprocedure::text
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE NOT tgisinternal AND pronamespace = 'public'::regnamespace
            AND proowner <> 'backend089_migrador'::regrole
            AND relnamespace = 'public'::regnamespace AND relname = ANY (ours)
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO backend089_migrador', found.kind, found.thing);
    END LOOP;

    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO backend089_migrador, backend089_productor, backend089_trabajador, '
        'backend089_lector, backend089_analista', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

COMMIT;
