-- Whoever may correct a report may also say of himself what the worker says: a change is the worker's only if the session's
-- login is of the worker's group, too. In a database that deploy/postgres/10-roles.sql has not prepared (the grant that is
-- looked for is given by it alone) there is a single login, and its word has to do. The path is fixed, so that nobody's
-- own functions answer for the server's.
CREATE OR REPLACE FUNCTION reportes_anota_edicion() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    es_del_trabajador CONSTANT boolean :=
        coalesce(current_setting('backend089.escritor', true), '') = 'consumer'
        AND (coalesce(pg_has_role(session_user, to_regrole('backend089_trabajador'), 'MEMBER'), true)
            OR NOT EXISTS (SELECT FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'public'
                AND grantee = to_regrole('backend089_migrador') AND privilege_type = 'CREATE'));
BEGIN
    IF (NEW.id_extorsion, NEW.modo, NEW.tiempo, NEW.lugar)
            IS DISTINCT FROM (OLD.id_extorsion, OLD.modo, OLD.tiempo, OLD.lugar)
        AND NOT es_del_trabajador
    THEN
        NEW.editado_en := now();
    END IF;
    RETURN NEW;
END
$$;
