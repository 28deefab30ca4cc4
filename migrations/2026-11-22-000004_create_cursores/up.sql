-- How far each scope has been listed, and who is listing it now. The lease lives in a row, not in an advisory lock: it
-- works across hosts and through connection poolers, and the fencing number lets a pass that was overtaken notice it.
CREATE TABLE cursores (
    ambito TEXT PRIMARY KEY,
    listado_hasta TIMESTAMPTZ,
    reconciliado_en TIMESTAMPTZ,
    titular TEXT,
    vence_en TIMESTAMPTZ,
    valla BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT arrendamiento_entero CHECK ((titular IS NULL) = (vence_en IS NULL))
);

COMMENT ON TABLE cursores IS 'Hasta dónde se ha listado cada ámbito y quién lo lista ahora.';
COMMENT ON COLUMN cursores.ambito IS 'Identificador del agente cuyas llamadas se listan; * son todos.';
COMMENT ON COLUMN cursores.listado_hasta IS 'El inicio más reciente visto en una pasada completa; nunca retrocede. NULL: ninguna todavía.';
COMMENT ON COLUMN cursores.reconciliado_en IS 'Última reconciliación completa.';
COMMENT ON COLUMN cursores.titular IS 'Proceso que lista ahora; NULL: ninguno.';
COMMENT ON COLUMN cursores.vence_en IS 'Cuándo pierde su turno ese proceso si no da señales.';
COMMENT ON COLUMN cursores.valla IS 'Número de turno; crece con cada titular y se comprueba al mover el cursor.';
