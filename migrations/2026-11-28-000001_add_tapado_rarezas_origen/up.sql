-- How a call was read, beside what it says: what the mask hid, what had another form than is documented, and where the
-- conversation began. All nullable, so that a table of any size is completed without rewriting a row.
ALTER TABLE conversaciones
    ADD COLUMN IF NOT EXISTS tapado JSONB,
    ADD COLUMN IF NOT EXISTS rarezas JSONB,
    ADD COLUMN IF NOT EXISTS origen TEXT;

COMMENT ON COLUMN conversaciones.tapado IS 'Al leer la llamada: cuántos identificadores de quien llama se conocían (identificadores; 0: nada se pudo tapar) y cuántas veces se tapó cada tipo; nunca lo tapado. NULL: la leyó una versión anterior, o ninguna.';
COMMENT ON COLUMN conversaciones.rarezas IS 'Campos que llegaron con otra forma que la documentada: nombre del campo y cuántas veces; nunca su valor. NULL: ninguno.';
COMMENT ON COLUMN conversaciones.origen IS 'Dónde empezó la conversación según ElevenLabs, por ejemplo twilio, widget o subagent_tool.';
-- Rows that a release before this one read: `producer check` counts them, and the fewer there are, the less it reads.
CREATE INDEX conversaciones_sin_tapado ON conversaciones (inicio) WHERE huella IS NOT NULL AND tapado IS NULL;
