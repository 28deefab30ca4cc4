-- The older system's table, as it was made by hand: an existing one is kept with its rows and only completed.
CREATE TABLE IF NOT EXISTS agentes (
    id_agente TEXT PRIMARY KEY,
    nombre TEXT
);

ALTER TABLE agentes ADD COLUMN IF NOT EXISTS actualizado_en TIMESTAMPTZ;

COMMENT ON TABLE agentes IS 'Agentes de voz de ElevenLabs que atendieron llamadas.';
COMMENT ON COLUMN agentes.id_agente IS 'Identificador del agente en ElevenLabs.';
COMMENT ON COLUMN agentes.nombre IS 'Nombre del agente; NULL si se desconoce o si el agente ya no existe en ElevenLabs.';
COMMENT ON COLUMN agentes.actualizado_en IS 'Cuándo se preguntó por última vez el nombre; NULL: nunca.';
