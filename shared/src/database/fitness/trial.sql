SET LOCAL lock_timeout = '5s';
SET LOCAL backend089.escritor = 'consumer';
-- The block below is a transaction within this one: whatever it writes goes with the error that it ends with. Keys are
-- given, so that no number is drawn. What refuses one text may take another: only what refuses each of several is in the way. Who may not give a folio draws one, where something of the table's own may refuse it.
DO $trial$
DECLARE
    id CONSTANT text := 'conv_ensayo_' || gen_random_uuid();
    key CONSTANT bigint := -1 - (random() * 1000000000)::bigint;
    step text;
    said text;
    message text;
    may_number CONSTANT boolean := has_column_privilege('reportes', 'folio', 'INSERT');
    is_guarded CONSTANT boolean :=
        EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'reportes'::regclass AND NOT tgisinternal AND tgenabled <> 'D'
            AND tgname <> 'reportes_anota_edicion')
        OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'reportes'::regclass AND contype IN ('c', 'x'));
BEGIN
FOREACH said IN ARRAY ARRAY[repeat('[0.0s] USER: hola ', 50), '[0.0s] AGENT: Diga', '[0.0s] USER: Sí, diga'] LOOP
BEGIN
    step := 'agentes';
    INSERT INTO agentes (id_agente) VALUES (id) ON CONFLICT DO NOTHING;
    step := 'conversaciones';
    INSERT INTO conversaciones (id_conversacion, id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion,
            transcripcion, inicio, fin, duracion_segundos, estado, resumen, idioma, exito, datos, evaluacion, tapado,
            rarezas, origen, huella, sincronizado_en)
        OVERRIDING SYSTEM VALUE
        SELECT key, id, id, current_date, localtime, localtime, '90 seconds'::text, said,
            now(), now(), 90, 'done'::text, repeat('Resumen ', 20), 'es'::text, 'success'::text, '{"lugar": "x"}'::jsonb,
            '{}'::jsonb, '{}'::jsonb, '{}'::jsonb, 'twilio'::text, '\x00'::bytea, now()
        ON CONFLICT (id_eleven) DO NOTHING;
    PERFORM FROM conversaciones WHERE id_eleven = ANY (ARRAY[id]) ORDER BY id_eleven FOR UPDATE;
    UPDATE conversaciones SET
            id_agente = coalesce(id, id_agente), fecha = coalesce(current_date, fecha),
            hora_inicio = coalesce(localtime(0), hora_inicio), hora_fin = coalesce(localtime(0), hora_fin),
            duracion = coalesce('91 seconds'::text, duracion), transcripcion = coalesce('hola'::text, transcripcion),
            inicio = coalesce(now(), inicio), fin = coalesce(now(), fin),
            duracion_segundos = coalesce(nullif(91, 0), duracion_segundos), estado = coalesce('done'::text, estado),
            resumen = coalesce('Otro'::text, resumen), idioma = coalesce('es'::text, idioma),
            exito = coalesce('failure'::text, exito), datos = coalesce('{"modo": 1}'::jsonb || datos, datos),
            evaluacion = coalesce('{}'::jsonb || evaluacion, evaluacion), tapado = '{"numero": 1}'::jsonb,
            rarezas = NULL, origen = coalesce('widget'::text, origen), huella = '\x01'::bytea, sincronizado_en = now()
        WHERE id_eleven = id;
    step := 'reportes';
    IF may_number THEN
        INSERT INTO reportes (folio, id_conversacion, id_extorsion, modo, tiempo, lugar) OVERRIDING SYSTEM VALUE
            SELECT key, key, 'extorsión'::text, 'llamada'::text, 'ayer'::text, 'Toluca'::text;
    ELSIF is_guarded THEN
        INSERT INTO reportes (id_conversacion, id_extorsion, modo, tiempo, lugar)
            SELECT key, 'extorsión'::text, 'llamada'::text, 'ayer'::text, 'Toluca'::text;
    END IF;
    UPDATE reportes SET id_extorsion = coalesce('otra'::text, id_extorsion), modo = coalesce('visita'::text, modo),
            tiempo = coalesce('hoy'::text, tiempo), lugar = coalesce('Lerma'::text, lugar)
        WHERE id_conversacion = key;
    IF EXISTS (SELECT FROM pg_attribute WHERE NOT atthasdef AND attidentity = '' AND (attrelid, attname)
            IN (('conversaciones'::regclass, 'id_conversacion'), ('reportes'::regclass, 'folio'))) THEN
        RAISE 'a key has no default';
    END IF;
    IF EXISTS (SELECT FROM reportes WHERE id_conversacion = key AND editado_en IS NOT NULL) THEN
        RAISE 'the login is not of the group backend089_trabajador: what it writes would pass for a person''s correction';
    END IF;
    RAISE SQLSTATE '08901';
EXCEPTION
    WHEN SQLSTATE '08901' THEN
        PERFORM set_config('backend089.ensayo', '', true), set_config('backend089.motivo', '', true);
        EXIT;
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
        PERFORM set_config('backend089.ensayo', SQLSTATE, true),
            set_config('backend089.motivo', format('%s: %s, SQLSTATE %s', step, message, SQLSTATE), true);
        -- A check and what a trigger raises may hang on what is said; nothing else does.
        EXIT WHEN SQLSTATE <> '23514' AND left(SQLSTATE, 2) <> 'P0';
END;
END LOOP;
END
$trial$;
