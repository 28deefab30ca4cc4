-- How a call was read, beside what it says: what the mask hid, what had another form than is documented, and where the
-- conversation began. All nullable, so that a table of any size is completed without rewriting a row.
ALTER TABLE conversaciones
    ADD COLUMN IF NOT EXISTS tapado JSONB,
    ADD COLUMN IF NOT EXISTS rarezas JSONB,
    ADD COLUMN IF NOT EXISTS origen TEXT;

COMMENT ON COLUMN conversaciones.tapado IS 'Cuántas veces se tapó la línea de quien llama, por tipo; nunca lo tapado. NULL: ninguna.';
COMMENT ON COLUMN conversaciones.rarezas IS 'Campos que llegaron con otra forma que la documentada: nombre del campo y cuántas veces; nunca su valor. NULL: ninguno.';
COMMENT ON COLUMN conversaciones.origen IS 'Dónde empezó la conversación según ElevenLabs, por ejemplo twilio, widget o subagent_tool.';
