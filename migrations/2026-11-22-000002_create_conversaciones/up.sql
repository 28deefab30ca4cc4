-- The older system's table, kept and completed. The new columns are all nullable, so that adopting a table of any
-- size rewrites no row.
CREATE TABLE IF NOT EXISTS conversaciones (
    id_conversacion BIGSERIAL PRIMARY KEY,
    id_eleven TEXT UNIQUE NOT NULL,
    id_agente TEXT REFERENCES agentes (id_agente),
    fecha DATE,
    hora_inicio TIME,
    hora_fin TIME,
    duracion TEXT,
    transcripcion TEXT
);

ALTER TABLE conversaciones
    ADD COLUMN IF NOT EXISTS inicio TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS fin TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS duracion_segundos INTEGER,
    ADD COLUMN IF NOT EXISTS estado TEXT,
    ADD COLUMN IF NOT EXISTS resumen TEXT,
    ADD COLUMN IF NOT EXISTS idioma TEXT,
    ADD COLUMN IF NOT EXISTS exito TEXT,
    ADD COLUMN IF NOT EXISTS datos JSONB,
    ADD COLUMN IF NOT EXISTS evaluacion JSONB,
    ADD COLUMN IF NOT EXISTS huella BYTEA,
    ADD COLUMN IF NOT EXISTS sincronizado_en TIMESTAMPTZ,
    ADD CONSTRAINT duracion_no_es_negativa CHECK (duracion_segundos >= 0);

COMMENT ON TABLE conversaciones IS 'Una fila por llamada. Nada en ella dice quién llamó.';
COMMENT ON COLUMN conversaciones.id_conversacion IS 'Clave propia.';
COMMENT ON COLUMN conversaciones.id_eleven IS 'Identificador de la conversación en ElevenLabs.';
COMMENT ON COLUMN conversaciones.id_agente IS 'Agente que atendió la llamada.';
COMMENT ON COLUMN conversaciones.fecha IS 'Día en que empezó, en la zona horaria configurada (TIMEZONE).';
COMMENT ON COLUMN conversaciones.hora_inicio IS 'Hora en que empezó, en la zona horaria configurada (TIMEZONE).';
COMMENT ON COLUMN conversaciones.hora_fin IS 'Hora en que terminó, en la misma zona; NULL si la duración es cero o se desconoce.';
COMMENT ON COLUMN conversaciones.duracion IS 'Duración como texto, por ejemplo "95 seconds"; NULL si es cero o se desconoce.';
COMMENT ON COLUMN conversaciones.transcripcion IS 'Una línea por turno: "[12.0s] AGENT: texto"; los turnos sin texto no aparecen.';
COMMENT ON COLUMN conversaciones.inicio IS 'Instante en que empezó.';
COMMENT ON COLUMN conversaciones.fin IS 'Instante en que terminó; NULL si la duración es cero o se desconoce.';
COMMENT ON COLUMN conversaciones.duracion_segundos IS 'Duración en segundos.';
COMMENT ON COLUMN conversaciones.estado IS 'Estado en ElevenLabs; done y failed son finales. NULL: fila del sistema anterior que aún no se ha vuelto a leer.';
COMMENT ON COLUMN conversaciones.resumen IS 'Resumen que hizo ElevenLabs.';
COMMENT ON COLUMN conversaciones.idioma IS 'Idioma principal, por ejemplo es.';
COMMENT ON COLUMN conversaciones.exito IS 'Si la llamada alcanzó su objetivo: success, failure o unknown.';
COMMENT ON COLUMN conversaciones.datos IS 'Valores recogidos por el agente, por id de dato, sin justificaciones.';
COMMENT ON COLUMN conversaciones.evaluacion IS 'Resultado de cada criterio de evaluación, por id de criterio, sin justificaciones.';
COMMENT ON COLUMN conversaciones.huella IS 'SHA-256 de la fila y su reporte tal como se recibieron por última vez; NULL: fila del sistema anterior que aún no se ha vuelto a leer.';
COMMENT ON COLUMN conversaciones.sincronizado_en IS 'Cuándo se escribió por última vez.';
