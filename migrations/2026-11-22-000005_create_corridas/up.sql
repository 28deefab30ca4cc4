-- One row a pass of the producer. Its key is random, so that a pass over an unchanged source draws no sequence value.
CREATE TABLE corridas (
    id_corrida TEXT PRIMARY KEY DEFAULT gen_random_uuid()::text,
    ambito TEXT NOT NULL,
    verbo TEXT NOT NULL,
    empezada_en TIMESTAMPTZ NOT NULL DEFAULT now(),
    terminada_en TIMESTAMPTZ,
    resultado TEXT,
    listadas BIGINT NOT NULL DEFAULT 0,
    publicadas BIGINT NOT NULL DEFAULT 0,
    conocidas BIGINT NOT NULL DEFAULT 0,
    fallidas BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT terminada_tiene_resultado CHECK ((terminada_en IS NULL) = (resultado IS NULL))
);

CREATE INDEX corridas_por_empezada_en ON corridas (empezada_en);

COMMENT ON TABLE corridas IS 'Una fila por pasada del productor.';
COMMENT ON COLUMN corridas.id_corrida IS 'Clave al azar; viaja en los mensajes como run_id.';
COMMENT ON COLUMN corridas.ambito IS 'Ámbito que se listó, como en cursores.';
COMMENT ON COLUMN corridas.verbo IS 'Orden que la hizo: sync.';
COMMENT ON COLUMN corridas.empezada_en IS 'Cuándo empezó.';
COMMENT ON COLUMN corridas.terminada_en IS 'Cuándo terminó; NULL: sigue, o fue interrumpida sin aviso.';
COMMENT ON COLUMN corridas.resultado IS 'completa, incompleta (hubo publicaciones fallidas) o interrumpida.';
COMMENT ON COLUMN corridas.listadas IS 'Conversaciones distintas que mostró la API.';
COMMENT ON COLUMN corridas.publicadas IS 'Trabajos publicados y confirmados.';
COMMENT ON COLUMN corridas.conocidas IS 'Conversaciones ya guardadas o ya pedidas.';
COMMENT ON COLUMN corridas.fallidas IS 'Publicaciones fallidas; con alguna, el cursor no se mueve.';
