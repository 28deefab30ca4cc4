-- The book: one row per conversation ever asked for. Whether it is stored is read in conversaciones, not kept twice.
-- No foreign key binds it: a job is asked for before its rows exist, and outlives them when a call is erased.
CREATE TABLE trabajos (
    id_eleven TEXT PRIMARY KEY,
    id_agente TEXT,
    id_corrida TEXT,
    inicio TIMESTAMPTZ,
    carril TEXT NOT NULL,
    pedido_en TIMESTAMPTZ NOT NULL DEFAULT now(),
    muerto_en TIMESTAMPTZ,
    clase TEXT,
    http_status INTEGER,
    intentos INTEGER NOT NULL DEFAULT 0,
    repeticiones INTEGER NOT NULL DEFAULT 0,
    repetir_en TIMESTAMPTZ,
    descartado_en TIMESTAMPTZ,
    motivo TEXT,
    olvidado_en TIMESTAMPTZ,
    CONSTRAINT carril_conocido CHECK (carril IN ('fetch', 'backfill')),
    CONSTRAINT muerto_tiene_clase CHECK (muerto_en IS NULL OR clase IS NOT NULL),
    CONSTRAINT descartado_tiene_motivo CHECK (descartado_en IS NULL OR motivo IS NOT NULL),
    CONSTRAINT intentos_no_son_negativos CHECK (intentos >= 0 AND repeticiones >= 0)
);

-- Dead letters are few among many, and looked for often.
CREATE INDEX trabajos_muertos ON trabajos (muerto_en) WHERE muerto_en IS NOT NULL;

COMMENT ON TABLE trabajos IS 'El libro: una fila por conversación que alguna vez se pidió.';
COMMENT ON COLUMN trabajos.id_eleven IS 'Identificador de la conversación en ElevenLabs.';
COMMENT ON COLUMN trabajos.id_agente IS 'Agente, según la lista de conversaciones.';
COMMENT ON COLUMN trabajos.id_corrida IS 'Pasada que la pidió por última vez.';
COMMENT ON COLUMN trabajos.inicio IS 'Inicio de la llamada, según la lista de conversaciones.';
COMMENT ON COLUMN trabajos.carril IS 'Carril por el que se pidió: fetch (menos de 24 h) o backfill.';
COMMENT ON COLUMN trabajos.pedido_en IS 'Cuándo se pidió por última vez.';
COMMENT ON COLUMN trabajos.muerto_en IS 'Cuándo se dio por perdido; NULL: no lo está.';
COMMENT ON COLUMN trabajos.clase IS 'Clase del último error que lo dio por perdido.';
COMMENT ON COLUMN trabajos.http_status IS 'Respuesta HTTP de ese error, si la hubo.';
COMMENT ON COLUMN trabajos.intentos IS 'Intentos gastados cuando se dio por perdido.';
COMMENT ON COLUMN trabajos.repeticiones IS 'Cuántas veces se repitió después de darse por perdido.';
COMMENT ON COLUMN trabajos.repetir_en IS 'Cuándo pidió una persona que se repita; NULL: nadie, o ya está en camino.';
COMMENT ON COLUMN trabajos.descartado_en IS 'Cuándo lo descartó una persona; NULL: no lo está.';
COMMENT ON COLUMN trabajos.motivo IS 'Por qué se descartó u olvidó.';
COMMENT ON COLUMN trabajos.olvidado_en IS 'Cuándo se borró la llamada a propósito; nadie la vuelve a pedir ni a guardar.';
