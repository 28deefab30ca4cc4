-- One login for each group of 10-roles.sql, with the passwords from secret files. For psql, as superuser:
--     psql -d llamadas -f 20-logins.sql                                      the files are in /run/secrets
--     psql -d llamadas -v secrets=/etc/backend-089/secrets -f 20-logins.sql  or elsewhere
-- The files are postgres_<login>_password, and whoever runs psql must be allowed to read them. Run again, it sets the
-- passwords anew.

\set ON_ERROR_STOP on
\if :{?secrets}
\else
  \set secrets /run/secrets
\endif
\set migrador `cat :'secrets'/postgres_migrador_password`
\set productor `cat :'secrets'/postgres_productor_password`
\set trabajador `cat :'secrets'/postgres_trabajador_password`
\set lector `cat :'secrets'/postgres_lector_password`
\set analista `cat :'secrets'/postgres_analista_password`

-- Passwords must not reach the server's log, whatever it is told to log.
SELECT set_config(setting, value, false)
FROM (VALUES ('log_statement', 'none'), ('log_duration', 'off'), ('log_min_duration_statement', '-1'),
    ('log_min_duration_sample', '-1'), ('log_transaction_sample_rate', '0'), ('log_min_error_statement', 'panic'))
    AS quiet (setting, value)
WHERE current_setting('is_superuser') = 'on' \g /dev/null

SELECT '' IN (:'migrador', :'productor', :'trabajador', :'lector', :'analista') AS missing \gset
\if :missing
  DO $$ BEGIN
      RAISE 'a password is missing: each of postgres_{migrador,productor,trabajador,lector,analista}_password must be readable and not empty';
  END $$;
\endif

BEGIN;

SELECT format('CREATE ROLE %I LOGIN IN ROLE %I', login, 'backend089_' || login)
FROM unnest('{migrador, productor, trabajador, lector, analista}'::text[]) AS login
WHERE to_regrole(login) IS NULL \gexec

ALTER ROLE migrador LOGIN PASSWORD :'migrador';
ALTER ROLE productor LOGIN PASSWORD :'productor';
ALTER ROLE trabajador LOGIN PASSWORD :'trabajador';
ALTER ROLE lector LOGIN PASSWORD :'lector';
ALTER ROLE analista LOGIN PASSWORD :'analista';

-- Also for a login that was there before.
SELECT format('GRANT %I TO %I', 'backend089_' || login, login)
FROM unnest('{migrador, productor, trabajador, lector, analista}'::text[]) AS login
WHERE NOT pg_has_role(login, 'backend089_' || login, 'USAGE') \gexec

COMMIT;
