-- The rate that all workers and the producer share (ELEVENLABS_RATE_LIMIT): each leases a few requests at a time, by moving
-- one instant forward. Unlogged: it is written several times a second, and worth nothing after a crash of the server.
CREATE UNLOGGED TABLE cuotas (
    ambito TEXT PRIMARY KEY,
    libre_desde TIMESTAMPTZ NOT NULL
);

COMMENT ON TABLE cuotas IS 'Ritmo de peticiones que comparten todos los procesos (ELEVENLABS_RATE_LIMIT); vacía si no se ha fijado.';
COMMENT ON COLUMN cuotas.ambito IS 'A qué servicio se le pregunta: elevenlabs.';
COMMENT ON COLUMN cuotas.libre_desde IS 'Instante desde el que puede hacerse la próxima petición; las anteriores ya están repartidas.';
